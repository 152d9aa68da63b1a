/**
 * What can be said about SNOMED CT without a release of it: which of a few well-known concepts are immunisations. The first five
 * are the roots of the hierarchy, with the eleven behind them those by which the existing adaptors check that a release was loaded whole;
 * the others are everyday vaccination procedures.
 */
const IMMUNISATIONS: ReadonlySet<string> = new Set([
  '787859002',
  '127785005',
  '304250009',
  '90351000119108',
  '713404003',
  '2997511000001102',
  '308101000000104',
  '1036721000000101',
  '1373691000000102',
  '945831000000105',
  '542931000000103',
  '735981009',
  '90640007',
  '571631000119106',
  '764141000000106',
  '170399005',
  '33879002', // Administration of vaccine to produce active immunity
  '38598009', // Measles, mumps and rubella vaccination
  '247631000000101',
  '247641000000105',
  '314414007',
  '314415008',
  '414259000',
  '415507003',
  '415712004',
  '428975001',
]);

/** Answers `Terminology` where no release is loaded: it knows no terms and no descriptions, and says that it is not complete. */
export const builtInTerminology = {
  complete: false,
  isImmunisation: (snomedConceptId: string): boolean => IMMUNISATIONS.has(snomedConceptId),
  preferredTerm: (_conceptId: string): string | undefined => undefined,
  conceptOfDescription: (_descriptionId: string): { conceptId: string; term: string } | undefined => undefined,
  descriptionOf: (_conceptId: string, _term: string): string | undefined => undefined,
} as const;

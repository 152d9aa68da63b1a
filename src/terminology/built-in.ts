/**
 * What can be said about SNOMED CT without a release of it: which of a few well-known concepts are immunisations. The others beside those
 * by which a release is checked are everyday vaccination procedures.
 */
import { WELL_KNOWN } from './immunisations.ts';

const IMMUNISATIONS: ReadonlySet<string> = new Set([
  ...WELL_KNOWN,
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
  release: null,
  complete: false,
  isImmunisation: (snomedId: string): boolean => IMMUNISATIONS.has(snomedId),
  preferredTerm: (_conceptId: string): string | undefined => undefined,
  conceptOfDescription: (_descriptionId: string): { conceptId: string; term: string } | undefined => undefined,
  descriptionOf: (_conceptId: string, _term: string): string | undefined => undefined,
  meaningOf: (_system: string, _code: string): undefined => undefined,
  allergyKind: (_snomedId: string): undefined => undefined,
} as const;

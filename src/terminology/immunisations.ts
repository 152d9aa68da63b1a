/** What makes an immunisation, and how it is told that a release was loaded whole. */

/** Everything below these is an immunisation. */
export const ROOTS: readonly string[] = ['787859002', '127785005', '304250009', '90351000119108', '713404003'];

/** By these the existing adaptors check their terminology when they start: all are immunisations in a whole United Kingdom release. */
export const WELL_KNOWN: readonly string[] = [
  ...ROOTS,
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
];

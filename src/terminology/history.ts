/** What became of a concept that is no longer used: the reference sets of historical associations. */
import { halves } from './sctid.ts';

export const HISTORY = [
  { set: halves('900000000000527005'), kind: 'sameAs' },
  { set: halves('900000000000526001'), kind: 'replacedBy' },
  { set: halves('900000000000523009'), kind: 'possiblyEquivalentTo' },
  { set: halves('1186924009'), kind: 'partiallyEquivalentTo' },
  { set: halves('1186921001'), kind: 'possiblyReplacedBy' },
  { set: halves('900000000000530003'), kind: 'alternative' },
  { set: halves('900000000000524003'), kind: 'movedTo' },
  { set: halves('900000000000528000'), kind: 'wasA' },
] as const;

export type HistoryKind = (typeof HISTORY)[number]['kind'];

import type { DegradeRow } from '../store/events.ts';
import { type Chance, chanceOf, weighted } from './chance.ts';

const KINDS: readonly (readonly [type: string, reason: string, system: string, code: string, weight: number])[] = [
  ['MEDICATION', 'CODE', 'http://snomed.info/sct', '322236009', 30],
  ['MEDICATION', 'DRUG_NAME', 'http://snomed.info/sct', '322236009', 14],
  ['DRUG_ALLERGY', 'CODE', 'http://snomed.info/sct', '294505008', 9],
  ['NON_DRUG_ALLERGY', 'CODE', 'http://snomed.info/sct', '91935009', 3],
  ['RECORD_ENTRY', 'CODE', 'http://read.info/ctv3', 'XaBVJ', 52],
  ['RECORD_ENTRY', 'NUMERIC_VALUE', 'http://read.info/readv2', '22A..00', 21],
  ['REFERRAL', 'CODE', 'http://snomed.info/sct', '3457005', 4],
  ['PLAN', 'CODE', 'http://snomed.info/sct', '410606002', 3],
  ['REQUEST', 'CODE', 'http://snomed.info/sct', '3457005', 2],
  ['OTHER', 'OTHER', 'UNKNOWN', '00000', 1],
];
const pick = weighted(KINDS.map(([, , , , weight]) => weight));
const supplier = weighted([79, 19, 2]);

/** Invented degrades of one day; few at weekends. */
export function degradesOfDay(day: string, seed: number): DegradeRow[] {
  const chance: Chance = chanceOf(seed ^ Number(day.replaceAll('-', '')));
  const weekend = [0, 6].includes(new Date(day).getUTCDay());
  return Array.from({ length: weekend ? 100 : 2_400 }, () => {
    const [type = '', reason = '', system = '', code = ''] = KINDS[pick(chance)] ?? [];
    return { day, supplier: ['YGJ', 'YGA', 'YGC'][supplier(chance)] ?? 'YGJ', type, reason, coding: [{ system, code }] };
  });
}

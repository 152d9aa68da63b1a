import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { type Month, monthStart } from '../metrics/month.ts';
import { DAY, localText, type Micros, microsOf } from '../micros.ts';
import { makeReport, REPORTS } from '../reports/reports.ts';
import type { Days, DegradeCount, OperationalReads } from '../site/model.ts';
import { type Chance, chanceOf, weighted } from './chance.ts';

/** Transfers of this many days are kept one by one: what the operational reports are made from. */
const KEPT_DAYS = 31;

/** The operational reads of a synthetic England: transfers of the newest month, and invented degrades. */
export function operationalOf(newest: Month, seed: number): { add(transfer: ClassifiedTransfer): void; readonly reads: OperationalReads } {
  const start = monthStart(newest, 'UTC');
  const end = monthStart({ year: newest.year, month: newest.month + 1 }, 'UTC');
  const kept: ClassifiedTransfer[] = [];
  const span = ({ from, days }: Days): readonly [Micros, Micros] => {
    const first = microsOf(`${from}T00:00:00`);
    return [first, first + days * DAY];
  };
  return {
    add(transfer) {
      if (transfer.requestedAt >= Math.max(start, end - KEPT_DAYS * DAY) && transfer.requestedAt < end) kept.push(transfer);
    },
    reads: {
      newestDay: async () => dateOf(end - DAY),
      report: async (name, days) => {
        const [from, until] = span(days);
        const found = REPORTS.find((each) => each === name);
        if (!found) return { head: [], rows: [] };
        return makeReport(
          found,
          kept.filter(({ requestedAt }) => requestedAt >= from && requestedAt < until),
        );
      },
      degradeDays: async (days) => degradesOf(days, seed),
    },
  };
}

const KINDS: readonly (readonly [type: string, reason: string, code: string, weight: number])[] = [
  ['MEDICATION', 'CODE', 'http://snomed.info/sct 322236009', 30],
  ['MEDICATION', 'DRUG_NAME', 'http://snomed.info/sct 322236009', 14],
  ['DRUG_ALLERGY', 'CODE', 'http://snomed.info/sct 294505008', 9],
  ['NON_DRUG_ALLERGY', 'CODE', 'http://snomed.info/sct 91935009', 3],
  ['RECORD_ENTRY', 'CODE', 'http://read.info/ctv3 XaBVJ', 52],
  ['RECORD_ENTRY', 'NUMERIC_VALUE', 'http://read.info/readv2 22A..00', 21],
  ['REFERRAL', 'CODE', 'http://snomed.info/sct 3457005', 4],
  ['PLAN', 'CODE', 'http://snomed.info/sct 410606002', 3],
  ['REQUEST', 'CODE', 'http://snomed.info/sct 3457005', 2],
  ['OTHER', 'OTHER', 'UNKNOWN 00000', 1],
];
const pick = weighted(KINDS.map(([, , , weight]) => weight));

function degradesOf({ from, days }: Days, seed: number): (DegradeCount & { day: string })[] {
  const first = microsOf(`${from}T00:00:00`);
  return Array.from({ length: days }, (_, at) => dateOf(first + at * DAY)).flatMap((day) =>
    degradesOfDay(day, chanceOf(seed ^ Number(day.replaceAll('-', '')))),
  );
}

function degradesOfDay(day: string, chance: Chance): (DegradeCount & { day: string })[] {
  const weekend = [0, 6].includes(new Date(day).getUTCDay());
  const counts = new Map<string, number>();
  for (let n = 0; n < (weekend ? 60 : 1400); n++) {
    const key = JSON.stringify([chance.next() < 0.79 ? 'EMIS' : chance.next() < 0.93 ? 'SystmOne' : 'Vision', pick(chance)]);
    counts.set(key, (counts.get(key) ?? 0) + 1 + chance.below(3));
  }
  return [...counts].map(([key, count]) => {
    const [supplier, at] = JSON.parse(key) as [string, number];
    const [type = '', reason = '', code = ''] = KINDS[at] ?? [];
    return { day, supplier, type, reason, code, count };
  });
}

function dateOf(at: Micros): string {
  return localText(at).slice(0, 10);
}

/** Files at addresses that stay, with the heads of the existing site's downloads. */
import { type CsvCell, csvHead, csvLine } from '../csv.ts';
import { NO_TRANSFERS } from '../metrics/counts.ts';
import type { Month } from '../metrics/month.ts';
import { type PracticeCounts, requestedTransfers } from '../metrics/practices.ts';
import { monthInWords, percentText, titleCase } from './words.ts';

export const DATASETS = ['all', 'integration-times', 'transfers-requested'] as const;
export const TIMEFRAMES = ['latest-month', 'last-6-months', 'all-months'] as const;
export type Dataset = (typeof DATASETS)[number];
export type Timeframe = (typeof TIMEFRAMES)[number];

/** `all-last-6-months.csv`; `null` where it is none of the files. */
export function readFileName(name: string): { readonly dataset: Dataset; readonly timeframe: Timeframe } | null {
  for (const dataset of DATASETS)
    for (const timeframe of TIMEFRAMES) if (name === `${dataset}-${timeframe}.csv`) return { dataset, timeframe };
  return null;
}

export function monthsOfTimeframe(timeframe: Timeframe, months: readonly Month[]): readonly Month[] {
  return timeframe === 'all-months' ? months : months.slice(0, timeframe === 'latest-month' ? 1 : 6);
}

/** What a browser is to call the file. */
export function downloadName(name: string, dataset: Dataset, timeframe: Timeframe): string {
  return `GP Registrations Data ${titleCase(name)} ${dataset}-${timeframe}.csv`;
}

const BASE = ['Sub ICB Location name', 'Sub ICB Location ODS', 'Requesting practice name', 'Practice ODS', 'Month'];
const withShare = (name: string) => [name, `${name} - %`];
// The heads are those that readers of the existing files look for, the blank at the end of one of them included.
const INTEGRATION = [
  'GP2GP Transfers received',
  ...withShare('Integrated within 3 days'),
  'Integrated within 8 days ',
  'Integrated within 8 days - %',
  ...withShare('Not integrated within 8 days (paper copy requested)'),
];
const REQUESTED = [
  'GP2GP transfers requested',
  ...withShare('GP2GP transfers received'),
  ...withShare('GP2GP technical failures (paper copy requested)'),
];

/** One row a practice and month, newest month first; `months` are those that the practices were counted by. */
export function* downloadLines(dataset: Dataset, practices: Iterable<PracticeCounts>, months: readonly Month[]): Generator<string> {
  const requested = dataset !== 'integration-times';
  const integration = dataset !== 'transfers-requested';
  yield csvHead([...BASE, ...(requested ? REQUESTED : []), ...(integration ? INTEGRATION : [])]);
  for (const practice of practices) {
    for (const [at, month] of months.entries()) {
      const of = requestedTransfers(practice.months[at] ?? NO_TRANSFERS);
      const row: CsvCell[] = [practice.sicblName ?? '', practice.sicblOds, practice.name ?? '', practice.ods, monthInWords(month)];
      if (requested)
        row.push(
          of.requestedCount,
          of.receivedCount,
          percentText(of.receivedPercentOfRequested),
          of.failuresTotalCount,
          percentText(of.failuresTotalPercentOfRequested),
        );
      if (integration)
        row.push(
          of.receivedCount,
          of.integratedWithin3DaysCount,
          percentText(of.integratedWithin3DaysPercentOfReceived),
          of.integratedWithin8DaysCount,
          percentText(of.integratedWithin8DaysPercentOfReceived),
          of.notIntegratedWithin8DaysTotal,
          percentText(of.notIntegratedWithin8DaysPercentOfReceived),
        );
      yield csvLine(row);
    }
  }
}

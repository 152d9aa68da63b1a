/**
 * The four operational reports of the existing pipeline, from classified transfers. Shares are not rounded; a report is a head and rows,
 * written by `csv.ts`.
 */
import { STATUSES } from '../classify/outcome.ts';
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import type { CsvCell } from '../csv.ts';
import { type Counts, categoryOf, countCategories, totalOf } from '../metrics/counts.ts';
import { percent } from '../metrics/percent.ts';
import { compare } from '../metrics/practices.ts';
import { localText } from '../micros.ts';
import { errorsText } from '../response-codes.ts';

export const REPORTS = [
  'TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY',
  'TRANSFER_LEVEL_TECHNICAL_FAILURES',
  'SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES',
  'TRANSFER_DETAILS_BY_HOUR',
] as const;
export type ReportName = (typeof REPORTS)[number];
export type Report = { readonly head: readonly string[]; readonly rows: readonly (readonly CsvCell[])[] };
export type ReportedTransfer = Pick<
  ClassifiedTransfer,
  | 'conversationId'
  | 'slaDuration'
  | 'requesting'
  | 'sending'
  | 'senderErrorCodes'
  | 'finalErrorCodes'
  | 'intermediateErrorCodes'
  | 'status'
  | 'failureReason'
  | 'requestedAt'
>;

/** Transfers that ended in the same way between the same systems. Suppliers that are not known are empty. */
export type OutcomeGroup = Pick<
  ReportedTransfer,
  'status' | 'failureReason' | 'finalErrorCodes' | 'senderErrorCodes' | 'intermediateErrorCodes'
> & {
  readonly requestingSupplier: string;
  readonly sendingSupplier: string;
  readonly transfers: number;
};
/** What one practice received, by what became of it. */
export type PracticeTimes = {
  readonly ods: string | null;
  readonly name: string | null;
  readonly sicblOds: string | null;
  readonly sicblName: string | null;
  readonly counts: Counts;
};
/** Transfers of one hour (`2026-02-28 09:00`) and one status. */
export type HourCount = { readonly hour: string; readonly status: string; readonly transfers: number };

const MAKERS: Readonly<Record<ReportName, (transfers: readonly ReportedTransfer[]) => Report>> = {
  TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY: (transfers) =>
    outcomesReport(
      transfers.map(({ requesting, sending, ...transfer }) => ({
        ...transfer,
        requestingSupplier: requesting.supplier ?? '',
        sendingSupplier: sending.supplier ?? '',
        transfers: 1,
      })),
    ),
  TRANSFER_LEVEL_TECHNICAL_FAILURES: failuresReport,
  SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES: (transfers) => integrationTimesReport(timesOf(transfers)),
  TRANSFER_DETAILS_BY_HOUR: (transfers) =>
    hoursReport(
      transfers.map(({ requestedAt, status }) => ({
        hour: `${localText(requestedAt).slice(0, 13).replace('T', ' ')}:00`,
        status,
        transfers: 1,
      })),
    ),
};

export function makeReport(name: ReportName, transfers: readonly ReportedTransfer[]): Report {
  return MAKERS[name](transfers);
}

/** Of all transfers, the failed ones in percent with two decimals: what goes with a report file. Unclassified ones are not among them. */
export function technicalFailureShare(transfers: readonly ReportedTransfer[]): { failures: number; total: number; percent: string } {
  const failures = transfers.filter(({ status }) => status === STATUSES.TECHNICAL_FAILURE).length;
  const total = transfers.length;
  return { failures, total, percent: failurePercent(failures, total) };
}

export function failurePercent(failures: number, total: number): string {
  return (percent(failures, total, 2) ?? 0).toFixed(2);
}

/** The most frequent first. */
export function outcomesReport(groups: Iterable<OutcomeGroup>): Report {
  type Row = { readonly of: readonly [string, string, string, string | null, string, string, string]; count: number };
  const rows = new Map<string, Row>();
  const pathways = new Map<string, number>();
  let all = 0;
  let technical = 0;
  for (const group of groups) {
    const of = [
      group.requestingSupplier,
      group.sendingSupplier,
      group.status,
      group.failureReason,
      errorsText(group.finalErrorCodes),
      errorsText(group.senderErrorCodes),
      errorsText(group.intermediateErrorCodes),
    ] as const;
    const key = JSON.stringify(of);
    const row = rows.get(key);
    if (row) row.count += group.transfers;
    else rows.set(key, { of, count: group.transfers });
    const pathway = JSON.stringify(of.slice(0, 2));
    pathways.set(pathway, (pathways.get(pathway) ?? 0) + group.transfers);
    all += group.transfers;
    if (group.status === STATUSES.TECHNICAL_FAILURE) technical += group.transfers;
  }
  const sorted = [...rows]
    .sort(
      ([a, { of: first, count: more }], [b, { of: second, count: less }]) =>
        less - more || compare(first[0], second[0]) || compare(first[1], second[1]) || compare(first[2], second[2]) || compare(a, b),
    )
    .map(([, row]) => row);
  return {
    head: [
      'requesting supplier',
      'sending supplier',
      'status',
      'failure reason',
      'unique final errors',
      'unique sender errors',
      'unique intermediate errors',
      'number of transfers',
      '% of transfers',
      '% of technical failures',
      '% of supplier pathway',
    ],
    rows: sorted.map(({ of, count }) => [
      ...of,
      count,
      share(count, all),
      of[2] === STATUSES.TECHNICAL_FAILURE ? share(count, technical) : null,
      share(count, pathways.get(JSON.stringify(of.slice(0, 2))) ?? 0),
    ]),
  };
}

/** Technical and unclassified failures; others are left out. */
export function failuresReport(transfers: readonly ReportedTransfer[]): Report {
  const failed = transfers.filter(({ status }) => status === STATUSES.TECHNICAL_FAILURE || status === STATUSES.UNCLASSIFIED_FAILURE);
  return {
    head: [
      'sending practice ASID',
      'sending supplier',
      'sending practice ODS code',
      'sending practice Sub ICB Location ODS code',
      'requesting practice ASID',
      'requesting supplier',
      'requesting practice ODS code',
      'requesting practice Sub ICB Location ODS code',
      'conversation ID',
      'date requested',
      'status',
      'failure reason',
      'unique final errors',
      'unique sender errors',
      'unique intermediate errors',
    ],
    rows: failed.map((transfer) => [
      transfer.sending.asid,
      transfer.sending.supplier,
      transfer.sending.ods,
      transfer.sending.sicblOds,
      transfer.requesting.asid,
      transfer.requesting.supplier,
      transfer.requesting.ods,
      transfer.requesting.sicblOds,
      transfer.conversationId,
      localText(transfer.requestedAt).replace('T', ' '),
      transfer.status,
      transfer.failureReason,
      errorsText(transfer.finalErrorCodes),
      errorsText(transfer.senderErrorCodes),
      errorsText(transfer.intermediateErrorCodes),
    ]),
  };
}

/** Of what was received: technical and unclassified failures have no part in it. */
function timesOf(transfers: readonly ReportedTransfer[]): PracticeTimes[] {
  const received = transfers.filter(({ status }) => status === STATUSES.INTEGRATED_ON_TIME || status === STATUSES.PROCESS_FAILURE);
  return [...Map.groupBy(received, ({ requesting }) => requesting.ods).values()].map((members) => {
    // A practice that was renamed is one practice, under its latest name.
    const { requesting } = members.reduce((latest, each) => (each.requestedAt > latest.requestedAt ? each : latest));
    return { ...requesting, counts: countCategories(members.map(categoryOf)) };
  });
}

/** In order of locations' names, then of practices'. */
export function integrationTimesReport(practices: readonly PracticeTimes[]): Report {
  const rows = practices.map(({ ods, name, sicblOds, sicblName, counts }): readonly CsvCell[] => {
    const total = totalOf(counts);
    const pair = (count: number): number[] => [count, share(count, total)];
    return [
      sicblName,
      sicblOds,
      name,
      ods,
      total,
      ...pair(counts.within3),
      ...pair(counts.within8),
      ...pair(counts.late + counts.notIntegrated),
      ...pair(counts.late),
      ...pair(counts.notIntegrated),
    ];
  });
  const text = (cell: CsvCell | undefined) => String(cell ?? '');
  const withShare = (name: string) => [name, `${name} - %`];
  return {
    head: [
      'Sub ICB Location name',
      'Sub ICB Location ODS',
      'Requesting practice name',
      'Requesting practice ODS',
      'GP2GP Transfers received',
      ...withShare('Integrated within 3 days'),
      ...withShare('Integrated within 8 days'),
      ...withShare('Not integrated within 8 days (integrated late + not integrated)'),
      ...withShare('Integrated late'),
      ...withShare('Not integrated within 14 days'),
    ],
    rows: rows.sort((a, b) => compare(text(a[0]), text(b[0])) || compare(text(a[2]), text(b[2])) || compare(text(a[3]), text(b[3]))),
  };
}

/** Hours of UTC; one without transfers has no row. */
export function hoursReport(counts: Iterable<HourCount>): Report {
  const hours = new Map<string, { all: number; technical: number; unclassified: number }>();
  for (const { hour, status, transfers } of counts) {
    const sum = hours.get(hour) ?? { all: 0, technical: 0, unclassified: 0 };
    hours.set(hour, sum);
    sum.all += transfers;
    if (status === STATUSES.TECHNICAL_FAILURE) sum.technical += transfers;
    if (status === STATUSES.UNCLASSIFIED_FAILURE) sum.unclassified += transfers;
  }
  return {
    head: ['Date/Time', 'Total number of transfers', 'Total technical failures', 'Total unclassified failures'],
    rows: [...hours]
      .sort(([a], [b]) => compare(a, b))
      .map(([hour, { all, technical, unclassified }]) => [hour, all, technical, unclassified]),
  };
}

function share(count: number, total: number): number {
  return total === 0 ? 0 : (count / total) * 100;
}

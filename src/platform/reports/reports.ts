/**
 * The four operational reports of the existing pipeline, from classified transfers. Shares are not rounded; a report is a head and rows,
 * written by `csv.ts`.
 */
import { STATUSES } from '../classify/outcome.ts';
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import type { CsvCell } from '../csv.ts';
import { categoryOf, countCategories } from '../metrics/counts.ts';
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

const MAKERS: Readonly<Record<ReportName, (transfers: readonly ReportedTransfer[]) => Report>> = {
  TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY: outcomesPerSupplierPathway,
  TRANSFER_LEVEL_TECHNICAL_FAILURES: technicalFailures,
  SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES: integrationTimes,
  TRANSFER_DETAILS_BY_HOUR: detailsByHour,
};

export function makeReport(name: ReportName, transfers: readonly ReportedTransfer[]): Report {
  return MAKERS[name](transfers);
}

/** Of all transfers, the failed ones in percent with two decimals: what goes with a report file. Unclassified ones are not among them. */
export function technicalFailureShare(transfers: readonly ReportedTransfer[]): { failures: number; total: number; percent: string } {
  const failures = transfers.filter(({ status }) => status === STATUSES.TECHNICAL_FAILURE).length;
  const total = transfers.length;
  return { failures, total, percent: (percent(failures, total, 2) ?? 0).toFixed(2) };
}

function outcomesPerSupplierPathway(transfers: readonly ReportedTransfer[]): Report {
  type Group = { readonly of: readonly [string, string, string, string | null, string, string, string]; count: number };
  const groups = new Map<string, Group>();
  const pathways = new Map<string, number>();
  let technical = 0;
  for (const transfer of transfers) {
    const of = [
      transfer.requesting.supplier ?? '',
      transfer.sending.supplier ?? '',
      transfer.status,
      transfer.failureReason,
      errorsText(transfer.finalErrorCodes),
      errorsText(transfer.senderErrorCodes),
      errorsText(transfer.intermediateErrorCodes),
    ] as const;
    const key = JSON.stringify(of);
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { of, count: 1 });
    const pathway = JSON.stringify(of.slice(0, 2));
    pathways.set(pathway, (pathways.get(pathway) ?? 0) + 1);
    if (transfer.status === STATUSES.TECHNICAL_FAILURE) technical++;
  }
  const sorted = [...groups.values()].sort(
    (a, b) => b.count - a.count || compare(a.of[0], b.of[0]) || compare(a.of[1], b.of[1]) || compare(a.of[2], b.of[2]),
  );
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
      share(count, transfers.length),
      of[2] === STATUSES.TECHNICAL_FAILURE ? share(count, technical) : null,
      share(count, pathways.get(JSON.stringify(of.slice(0, 2))) ?? 0),
    ]),
  };
}

function technicalFailures(transfers: readonly ReportedTransfer[]): Report {
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
function integrationTimes(transfers: readonly ReportedTransfer[]): Report {
  const received = transfers.filter(({ status }) => status === STATUSES.INTEGRATED_ON_TIME || status === STATUSES.PROCESS_FAILURE);
  const groups = Map.groupBy(received, ({ requesting }) => requesting.ods);
  const rows = [...groups].map(([ods, members]) => {
    // A practice that was renamed is one practice, under its latest name.
    const { requesting } = members.reduce((latest, each) => (each.requestedAt > latest.requestedAt ? each : latest));
    const counts = countCategories(members.map(categoryOf));
    const total = members.length;
    const pair = (count: number): number[] => [count, share(count, total)];
    return [
      requesting.sicblName,
      requesting.sicblOds,
      requesting.name,
      ods,
      total,
      ...pair(counts.within3),
      ...pair(counts.within8),
      ...pair(counts.late + counts.notIntegrated),
      ...pair(counts.late),
      ...pair(counts.notIntegrated),
    ];
  });
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
    rows: rows.sort((a, b) => compare(String(a[0] ?? ''), String(b[0] ?? '')) || compare(String(a[2] ?? ''), String(b[2] ?? ''))),
  };
}

/** Hours of UTC; one without transfers has no row. */
function detailsByHour(transfers: readonly ReportedTransfer[]): Report {
  const hours = Map.groupBy(transfers, ({ requestedAt }) => `${localText(requestedAt).slice(0, 13).replace('T', ' ')}:00`);
  const count = (members: readonly ReportedTransfer[], wanted: string) => members.filter(({ status }) => status === wanted).length;
  return {
    head: ['Date/Time', 'Total number of transfers', 'Total technical failures', 'Total unclassified failures'],
    rows: [...hours]
      .sort(([a], [b]) => compare(a, b))
      .map(([hour, members]) => [
        hour,
        members.length,
        count(members, STATUSES.TECHNICAL_FAILURE),
        count(members, STATUSES.UNCLASSIFIED_FAILURE),
      ]),
  };
}

function share(count: number, total: number): number {
  return total === 0 ? 0 : (count / total) * 100;
}

import type { ClassifiedTransfer } from '../classify/transfer.ts';
import type { Micros } from '../micros.ts';
import { type Category, type Counts, categoryOf, countCategories, NO_TRANSFERS, totalOf } from './counts.ts';
import { type Month, monthOf, monthText } from './month.ts';
import { percent } from './percent.ts';

/** What the calculation needs of a transfer. */
export type MeasuredTransfer = Pick<ClassifiedTransfer, 'status' | 'failureReason' | 'slaDuration' | 'requestedAt'> & {
  readonly conversationId: string;
  readonly requesting: {
    readonly ods: string | null;
    readonly name: string | null;
    readonly sicblOds: string | null;
    readonly sicblName: string | null;
  };
};
export type MetricsNote = (note: {
  readonly code: 'UNKNOWN_PRACTICE_ODS_CODE_FOR_TRANSFER' | 'UNKNOWN_SICBL_ODS_CODE_FOR_TRANSFER';
  readonly conversationId: string;
}) => void;

/** One practice with its counts for each month, in the order of the months asked for. */
export type PracticeCounts = {
  readonly ods: string;
  readonly name: string | null;
  readonly sicblOds: string;
  readonly sicblName: string | null;
  readonly months: readonly Counts[];
};

/** The file `practiceMetrics.json` of the existing pipeline. */
export type PracticeMetrics = {
  readonly generatedOn: string;
  readonly practices: readonly {
    readonly odsCode: string;
    readonly name: string | null;
    readonly sicblOdsCode: string;
    readonly sicblName: string | null;
    readonly metrics: readonly { readonly year: number; readonly month: number; readonly requestedTransfers: RequestedTransfers }[];
  }[];
  readonly sicbls: readonly { readonly odsCode: string; readonly name: string | null; readonly practices: readonly string[] }[];
};
export type RequestedTransfers = {
  readonly requestedCount: number;
  readonly receivedCount: number;
  readonly receivedPercentOfRequested: number | null;
  readonly integratedWithin3DaysCount: number;
  readonly integratedWithin3DaysPercentOfReceived: number | null;
  /** Without those within three days. */
  readonly integratedWithin8DaysCount: number;
  readonly integratedWithin8DaysPercentOfReceived: number | null;
  readonly notIntegratedWithin8DaysTotal: number;
  readonly notIntegratedWithin8DaysPercentOfReceived: number | null;
  /** Technical and unclassified ones. */
  readonly failuresTotalCount: number;
  readonly failuresTotalPercentOfRequested: number | null;
};

/**
 * Counts by practice and month (UTC). A practice is what its latest transfer says: its name, its sub ICB location, and whether it appears
 * at all. Transfers of no known practice, and practices of no known location, are noted and left out.
 */
export function countByPractice(transfers: Iterable<MeasuredTransfer>, months: readonly Month[], note: MetricsNote): PracticeCounts[] {
  const index = new Map(months.map((month, at) => [monthText(month), at]));
  const groups = new Map<string, { latest: MeasuredTransfer; months: Category[][] }>();
  for (const transfer of transfers) {
    const { ods } = transfer.requesting;
    const at = index.get(monthText(monthOf(transfer.requestedAt, 'UTC')));
    if (at === undefined) continue;
    if (ods === null) {
      note({ code: 'UNKNOWN_PRACTICE_ODS_CODE_FOR_TRANSFER', conversationId: transfer.conversationId });
      continue;
    }
    let group = groups.get(ods);
    if (!group) {
      group = { latest: transfer, months: months.map(() => []) };
      groups.set(ods, group);
    }
    // The first of equals stays.
    if (transfer.requestedAt > group.latest.requestedAt) group.latest = transfer;
    group.months[at]?.push(categoryOf(transfer));
  }
  const practices: PracticeCounts[] = [];
  for (const [ods, { latest, months: categories }] of groups) {
    const { name, sicblOds, sicblName } = latest.requesting;
    if (sicblOds === null) note({ code: 'UNKNOWN_SICBL_ODS_CODE_FOR_TRANSFER', conversationId: latest.conversationId });
    else practices.push({ ods, name, sicblOds, sicblName, months: categories.map(countCategories) });
  }
  return practices.sort((a, b) => compare(a.ods, b.ods));
}

/** The published file from counts; `months` as they were counted, newest first. */
export function practiceMetrics(practices: readonly PracticeCounts[], months: readonly Month[], generatedOn: Micros): PracticeMetrics {
  const sicbls = Map.groupBy(practices, ({ sicblOds }) => sicblOds);
  return {
    generatedOn: generatedOnText(generatedOn),
    practices: practices.map(({ ods, name, sicblOds, sicblName, months: counts }) => ({
      odsCode: ods,
      name,
      sicblOdsCode: sicblOds,
      sicblName,
      metrics: months.map((month, at) => ({ ...month, requestedTransfers: requestedTransfers(counts[at] ?? NO_TRANSFERS) })),
    })),
    sicbls: [...sicbls]
      .map(([odsCode, members]) => ({ odsCode, name: members[0]?.sicblName ?? null, practices: members.map(({ ods }) => ods) }))
      .sort((a, b) => compare(a.odsCode, b.odsCode)),
  };
}

/** One practice's month: received is what came in time, late or was not filed; the rest failed. One decimal. */
export function requestedTransfers(counts: Counts): RequestedTransfers {
  const requested = totalOf(counts);
  const failures = counts.technical + counts.unclassified;
  const received = requested - failures;
  const notIntegrated = counts.late + counts.notIntegrated;
  return {
    requestedCount: requested,
    receivedCount: received,
    receivedPercentOfRequested: percent(received, requested, 1),
    integratedWithin3DaysCount: counts.within3,
    integratedWithin3DaysPercentOfReceived: percent(counts.within3, received, 1),
    integratedWithin8DaysCount: counts.within8,
    integratedWithin8DaysPercentOfReceived: percent(counts.within8, received, 1),
    notIntegratedWithin8DaysTotal: notIntegrated,
    notIntegratedWithin8DaysPercentOfReceived: percent(notIntegrated, received, 1),
    failuresTotalCount: failures,
    failuresTotalPercentOfRequested: percent(failures, requested, 1),
  };
}

/** With microseconds and an offset: readers of the existing files insist on both. */
export function generatedOnText(at: Micros): string {
  const text = new Date(at / 1000).toISOString().slice(0, 19);
  return `${text}.${String(at % 1_000_000).padStart(6, '0')}+00:00`;
}

/** By code units, the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

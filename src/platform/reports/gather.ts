import { STATUSES } from '../classify/outcome.ts';
import type { CsvCell } from '../csv.ts';
import { type Category, categoryOf, NO_TRANSFERS } from '../metrics/counts.ts';
import { localText } from '../micros.ts';
import {
  failuresReport,
  type HourCount,
  hoursReport,
  integrationTimesReport,
  type OutcomeGroup,
  outcomesReport,
  type PracticeTimes,
  type Report,
  type ReportedTransfer,
  type ReportName,
} from './reports.ts';

/** A report in the making: transfers are handed to it one by one and not kept, however many there are. */
export type Gathering = {
  readonly head: readonly string[];
  /** Gives the row that a transfer is by itself, in the report that lists transfers. */
  take(transfer: ReportedTransfer): readonly CsvCell[] | null;
  /** Rows of all that was taken, in the reports that count. */
  rows(): readonly (readonly CsvCell[])[];
};

const GATHERINGS: Readonly<Record<ReportName, () => Gathering>> = {
  TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY: () => {
    const groups = new Map<string, OutcomeGroup & { transfers: number }>();
    return counting(
      () => outcomesReport(groups.values()),
      ({ requesting, sending, status, failureReason, finalErrorCodes, senderErrorCodes, intermediateErrorCodes }) => {
        const of = {
          requestingSupplier: requesting.supplier ?? '',
          sendingSupplier: sending.supplier ?? '',
          status,
          failureReason,
          finalErrorCodes,
          senderErrorCodes,
          intermediateErrorCodes,
        };
        const key = JSON.stringify(of);
        const group = groups.get(key);
        if (group) group.transfers++;
        else groups.set(key, { ...of, transfers: 1 });
      },
    );
  },
  TRANSFER_LEVEL_TECHNICAL_FAILURES: () => ({
    head: failuresReport([]).head,
    take: (transfer) => failuresReport([transfer]).rows[0] ?? null,
    rows: () => [],
  }),
  SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES: () => {
    const practices = new Map<string | null, { latest: ReportedTransfer; readonly counts: Record<Category, number> }>();
    const times = (): PracticeTimes[] => [...practices.values()].map(({ latest, counts }) => ({ ...latest.requesting, counts }));
    return counting(
      () => integrationTimesReport(times()),
      (transfer) => {
        if (transfer.status !== STATUSES.INTEGRATED_ON_TIME && transfer.status !== STATUSES.PROCESS_FAILURE) return;
        const practice = practices.get(transfer.requesting.ods) ?? { latest: transfer, counts: { ...NO_TRANSFERS } };
        practices.set(transfer.requesting.ods, practice);
        // A practice that was renamed is one practice, under its latest name.
        if (transfer.requestedAt > practice.latest.requestedAt) practice.latest = transfer;
        practice.counts[categoryOf(transfer)]++;
      },
    );
  },
  TRANSFER_DETAILS_BY_HOUR: () => {
    const counts = new Map<string, HourCount & { transfers: number }>();
    return counting(
      () => hoursReport(counts.values()),
      ({ requestedAt, status }) => {
        const hour = `${localText(requestedAt).slice(0, 13).replace('T', ' ')}:00`;
        const found = counts.get(`${hour} ${status}`) ?? { hour, status, transfers: 0 };
        counts.set(`${hour} ${status}`, found);
        found.transfers++;
      },
    );
  },
};

export function gatherReport(name: ReportName): Gathering {
  return GATHERINGS[name]();
}

function counting(report: () => Report, count: (transfer: ReportedTransfer) => void): Gathering {
  return {
    head: report().head,
    take(transfer) {
      count(transfer);
      return null;
    },
    rows: () => report().rows,
  };
}

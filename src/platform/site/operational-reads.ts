import { microsOf } from '../micros.ts';
import {
  failuresReport,
  hoursReport,
  integrationTimesReport,
  outcomesReport,
  type Report,
  type ReportedTransfer,
  type ReportName,
} from '../reports/reports.ts';
import { openAlerts } from '../store/alerts.ts';
import type { PlatformDb } from '../store/open.ts';
import * as store from '../store/operational.ts';
import type { OperationalReads } from './model.ts';

/** What operational pages read, over the platform's database. */
export function operationalReads(db: PlatformDb, now: () => Date = () => new Date()): OperationalReads {
  return {
    newestDay: () => store.newestDay(db),
    report: async (name, days, part) => {
      if (name === 'TRANSFER_LEVEL_TECHNICAL_FAILURES') {
        const { total, transfers } = await store.failedTransfers(db, days, part);
        return { ...failuresReport(transfers.map(reported)), total };
      }
      const { head, rows } = await countedReport(db, name, days);
      return { head, rows: part ? rows.slice(part.offset, part.offset + part.limit) : rows, total: rows.length };
    },
    counts: (measure, days, step) => store.dayCounts(db, measure, days, step),
    open: (days) => store.openCounts(db, days, now()),
    list: (name, days, part) => store.listTransfers(db, name, days, now(), part),
    events: (conversation) => store.conversationEvents(db, conversation),
    alerts: (part) => openAlerts(db, part),
    degradeDays: (days) => store.degradeDays(db, days),
  };
}

async function countedReport(
  db: PlatformDb,
  name: Exclude<ReportName, 'TRANSFER_LEVEL_TECHNICAL_FAILURES'>,
  days: store.Days,
): Promise<Report> {
  switch (name) {
    case 'TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY':
      return outcomesReport(await store.outcomeGroups(db, days));
    case 'SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES':
      return integrationTimesReport(await store.practiceTimes(db, days));
    case 'TRANSFER_DETAILS_BY_HOUR':
      return hoursReport(await store.hourCounts(db, days));
  }
}

function reported(transfer: store.FailedTransfer): ReportedTransfer {
  const party = (role: 'requesting' | 'sending') => {
    const who = { asid: transfer[`${role}Asid`], supplier: transfer[`${role}Supplier`], name: null, sicblName: null };
    const ods = transfer[role];
    return ods === null ? { ...who, ods, sicblOds: null } : { ...who, ods, sicblOds: transfer[`${role}Sicbl`] };
  };
  return {
    ...transfer,
    conversationId: transfer.conversation,
    slaDuration: null,
    requesting: party('requesting'),
    sending: party('sending'),
    requestedAt: microsOf(transfer.requestedAt),
  };
}

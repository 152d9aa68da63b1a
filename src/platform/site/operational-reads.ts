import { microsOf } from '../micros.ts';
import {
  failuresReport,
  hoursReport,
  integrationTimesReport,
  outcomesReport,
  type Report,
  type ReportedTransfer,
} from '../reports/reports.ts';
import { openAlerts } from '../store/alerts.ts';
import { listDetails } from '../store/details.ts';
import type { PlatformDb } from '../store/open.ts';
import * as store from '../store/operational.ts';
import { practiceTimes } from '../store/received.ts';
import type { OperationalReads } from './model.ts';

/** What operational pages read, over the platform's database. */
export function operationalReads(db: PlatformDb, now: () => Date = () => new Date()): OperationalReads {
  return {
    newestDay: () => store.newestDay(db),
    report: async (name, days, part) => {
      switch (name) {
        case 'TRANSFER_LEVEL_TECHNICAL_FAILURES': {
          const { total, transfers } = await store.failedTransfers(db, days, part);
          return { ...failuresReport(transfers.map(reported)), total };
        }
        case 'SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES': {
          const { total, practices } = await practiceTimes(db, days, part);
          return { ...integrationTimesReport(practices), total };
        }
        case 'TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY':
          return partOf(outcomesReport(await store.outcomeGroups(db, days)), part);
        case 'TRANSFER_DETAILS_BY_HOUR':
          return partOf(hoursReport(await store.hourCounts(db, days)), part);
      }
    },
    counts: (measure, days, step) => store.dayCounts(db, measure, days, step),
    open: (days) => store.openCounts(db, days, now()),
    list: (name, days, part) => store.listTransfers(db, name, days, now(), part),
    details: (name, days, part) => listDetails(db, name, days, now(), part),
    events: (conversation) => store.conversationEvents(db, conversation),
    alerts: (part) => openAlerts(db, part),
    degradeDays: (days) => store.degradeDays(db, days),
  };
}

function partOf({ head, rows }: Report, part: store.Part | undefined): Report & { readonly total: number } {
  return { head, rows: part ? rows.slice(part.offset, part.offset + part.limit) : rows, total: rows.length };
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

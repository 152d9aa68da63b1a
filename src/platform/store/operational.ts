/**
 * What operational reports and dashboards read: counts of days (`days.ts`), and single transfers by an index where their time or state is
 * asked for. Days are those of UTC.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import type { FailureReason, Status } from '../classify/outcome.ts';
import type { HourCount, OutcomeGroup } from '../reports/reports.ts';
import type { DayMeasure } from './days.ts';
import type { PlatformSchema } from './open.ts';
import { supplierName } from './suppliers.ts';

type Reader = Runner<PlatformSchema>;
/** The first day, `2026-11-01`, and how many. */
export type Days = { readonly from: string; readonly days: number };
export type Step = 'day' | 'week' | 'month';
/** `from`: the first day of the step; of all days together where no step is asked for. */
export type DayCount = { readonly from: string; readonly key: readonly string[]; readonly count: number };

const start = ({ from }: Days) => sql`${`${from}T00:00:00Z`}::timestamptz`;
const end = ({ from, days }: Days) => sql`(${`${from}T00:00:00Z`}::timestamptz + make_interval(days => ${days}))`;
const within = (column: string, days: Days) => sql`${sql.ref(column)} >= ${start(days)} and ${sql.ref(column)} < ${end(days)}`;

/** Sums by key, the largest first; of each day, week (from Monday) or month apart where asked. */
export async function dayCounts(db: Reader, measure: DayMeasure, days: Days, step?: Step): Promise<DayCount[]> {
  const from = step ? sql`date_trunc(${sql.lit(step)}, day::timestamp)::date::text` : sql`${days.from}::text`;
  const { rows } = await sql<DayCount>`
    select ${from} as "from", key, sum(count)::int as count from platform.days
    where measure = ${measure} and day >= ${days.from}::date and day < ${days.from}::date + ${days.days}::int
    group by 1, 2 order by 1, 3 desc, 2`.execute(db);
  return rows;
}

/** The newest day with a transfer that the national definitions count, or with an event; `null` before the first. */
export async function newestDay(db: Reader): Promise<string | null> {
  const { rows } = await sql<{ day: string | null }>`
    select max(day)::text as day from (
      (select day from platform.days where measure = 'outcome' order by day desc limit 1)
      union all (select day from platform.days where measure = 'total' order by day desc limit 1)) as newest`.execute(db);
  return rows[0]?.day ?? null;
}

// ---- the four reports

export async function outcomeGroups(db: Reader, days: Days): Promise<OutcomeGroup[]> {
  return (await dayCounts(db, 'outcome', days)).map(({ key, count }) => {
    const [requestingSupplier = '', sendingSupplier = '', status = '', reason = '', final = '', sender = '', intermediate = ''] = key;
    const codes = (text: string) => (text === '' ? [] : text.split(',').map(Number));
    return {
      requestingSupplier,
      sendingSupplier,
      status: status as Status,
      failureReason: reason === '' ? null : (reason as FailureReason),
      finalErrorCodes: codes(final),
      senderErrorCodes: codes(sender),
      intermediateErrorCodes: codes(intermediate),
      transfers: count,
    };
  });
}

export async function hourCounts(db: Reader, days: Days): Promise<HourCount[]> {
  return (await dayCounts(db, 'hour', days, 'day')).map(({ from, key, count }) => ({
    hour: `${from} ${key[0]}:00`,
    status: key[1] ?? '',
    transfers: count,
  }));
}

// ---- what is on its way

/** Limits of the existing dashboards: a request and a send within 20 minutes, the whole record within a day. All are strict. */
const SLA = {
  B24: sql`(registration_status = 'EHR_SENT' and now.at - responded_at > interval '24 hours'
    or registration_status in ('READY_TO_INTEGRATE', 'INTEGRATION') and ready_at - responded_at > interval '24 hours')`,
  BEhrS: sql`(registration_status = 'EHR_REQUESTED' and now.at - requested_at > interval '20 minutes'
    or registration_status in ('EHR_SENT', 'READY_TO_INTEGRATE', 'INTEGRATION') and responded_at - requested_at > interval '20 minutes')`,
  BEhrR: sql`(registration_status = 'ELIGIBLE_FOR_TRANSFER' and now.at - compatible_at > interval '20 minutes'
    or registration_status in ('EHR_REQUESTED', 'EHR_SENT', 'READY_TO_INTEGRATE', 'INTEGRATION')
      and requested_at - compatible_at > interval '20 minutes')`,
} as const;
/** Told by events, and no move inside one system. */
const TOLD = sql`told > 0 and not coalesce(internal, false)`;
const OPEN = sql`result in ('In progress', 'Awaiting integration')`;
const LATE = sql`now.at - responded_at >= interval '8 days'`;

export type OpenCounts = {
  /** Transfers on their way by the limits that they broke: `IF` is none, else `B24`, `BEhrS`, `BEhrR` joined by `+`. */
  readonly sla: readonly { readonly broken: string; readonly count: number }[];
  /** Of those that wait for staff: sent less than 8 days ago, and longer ago. */
  readonly inFlight: number;
  readonly notIntegratedAfter8Days: number;
};

export async function openCounts(db: Reader, days: Days, now: Date): Promise<OpenCounts> {
  const { rows } = await sql<{ broken: string; count: number; inFlight: number; late: number }>`
    select coalesce(nullif(concat_ws('+', case when ${SLA.B24} then 'B24' end, case when ${SLA.BEhrS} then 'BEhrS' end,
        case when ${SLA.BEhrR} then 'BEhrR' end), ''), 'IF') as broken,
      count(*)::int as count,
      (count(*) filter (where result = 'Awaiting integration' and not coalesce(${LATE}, false)))::int as "inFlight",
      (count(*) filter (where result = 'Awaiting integration' and ${LATE}))::int as late
    from platform.transfers cross join (select ${now.toISOString()}::timestamptz as at) as now
    where ${OPEN} and ${TOLD} and ${within('started_at', days)}
    group by 1 order by 1`.execute(db);
  const sum = (of: 'inFlight' | 'late') => rows.reduce((total, row) => total + row[of], 0);
  return {
    sla: rows.map(({ broken, count }) => ({ broken, count })),
    inFlight: sum('inFlight'),
    notIntegratedAfter8Days: sum('late'),
  };
}

// ---- lists

/** What a list is of, by the name that it has in addresses. */
const LISTS = {
  'in-progress': sql`result = 'In progress'`,
  'awaiting-integration': sql`result = 'Awaiting integration'`,
  'not-integrated-after-8-days': sql`result = 'Awaiting integration' and ${LATE}`,
  'broken-24-hours': sql`${OPEN} and ${SLA.B24}`,
  'broken-sending': sql`${OPEN} and ${SLA.BEhrS}`,
  'broken-requesting': sql`${OPEN} and ${SLA.BEhrR}`,
  integrated: sql`result = 'Successful integration'`,
  rejected: sql`result = 'Rejected'`,
  'technical-failures': sql`result = 'Technical failure'`,
  errors: sql`errors > 0`,
  placeholders: sql`placeholders > 0 and (ready_at is not null or registration_status = 'INTEGRATION')`,
  'attachments-failed': sql`documents_failed > 0`,
  'not-eligible': sql`result = 'Not eligible for electronic transfer'`,
} as const satisfies Record<string, RawBuilder<unknown>>;
export type ListName = keyof typeof LISTS;
export const LIST_NAMES = Object.keys(LISTS) as readonly ListName[];

export type ListedTransfer = {
  readonly conversation: string;
  readonly requestingSupplier: string | null;
  readonly sendingSupplier: string | null;
  readonly requesting: string | null;
  readonly sending: string | null;
  readonly startedAt: string;
  readonly lastAt: string;
  readonly status: string;
  readonly result: string;
  readonly outcome: string | null;
  readonly errorCode: string | null;
  readonly failurePoint: string | null;
  readonly placeholders: number;
  readonly documents: number;
  readonly documentsFailed: number;
  readonly b24: boolean;
  readonly bEhrS: boolean;
  readonly bEhrR: boolean;
};

/** Transfers that are in a list. */
export function inList(list: ListName, days: Days, now: Date): RawBuilder<unknown> {
  return sql`from platform.transfers cross join (select ${now.toISOString()}::timestamptz as at) as now
    where ${LISTS[list]} and ${TOLD} and ${within('started_at', days)}`;
}

/** Conversations that began on these days, the oldest first: who waits longest stands on top. All of them where no part is asked for. */
export async function listTransfers(
  db: Reader,
  list: ListName,
  days: Days,
  now: Date,
  part?: Part,
): Promise<{ readonly total: number; readonly transfers: readonly ListedTransfer[] }> {
  const those = inList(list, days, now);
  const { rows } = await sql<ListedTransfer>`
    select conversation, requesting_supplier as "requestingSupplier", sending_supplier as "sendingSupplier", requesting, sending,
      started_at as "startedAt", last_at as "lastAt", registration_status as status, result, outcome, error_code as "errorCode",
      failure_point as "failurePoint", placeholders, documents, documents_failed as "documentsFailed",
      coalesce(${SLA.B24}, false) as b24, coalesce(${SLA.BEhrS}, false) as "bEhrS", coalesce(${SLA.BEhrR}, false) as "bEhrR"
    ${those} order by started_at, conversation ${limited(part)}`.execute(db);
  return { total: part ? await counted(db, those) : rows.length, transfers: rows };
}

export type FailedTransfer = {
  readonly conversation: string;
  readonly requestedAt: string;
  readonly status: Status;
  readonly failureReason: FailureReason | null;
  readonly finalErrorCodes: readonly (number | null)[];
  readonly senderErrorCodes: readonly (number | null)[];
  readonly intermediateErrorCodes: readonly number[];
} & Readonly<Record<`${'requesting' | 'sending'}${'' | 'Asid' | 'Supplier' | 'Sicbl'}`, string | null>>;

/** Technical and unclassified failures by the national definitions, in order of their requests. */
export async function failedTransfers(
  db: Reader,
  days: Days,
  part?: Part,
): Promise<{ readonly total: number; readonly transfers: readonly FailedTransfer[] }> {
  const those = sql`from platform.transfers as t where category in ('technical', 'unclassified') and ${within('measured_at', days)}`;
  const { rows } = await sql<FailedTransfer>`
    select t.*, r.parent as "requestingSicbl", s.parent as "sendingSicbl"
    from (select conversation, to_char(measured_at, 'YYYY-MM-DD"T"HH24:MI:SS.US') as "requestedAt", status, failure_reason as "failureReason",
        final_codes as "finalErrorCodes", sender_codes as "senderErrorCodes", intermediate_codes as "intermediateErrorCodes", requesting,
        requesting_asid as "requestingAsid", requesting_supplier as "requestingSupplier", sending, sending_asid as "sendingAsid",
        sending_supplier as "sendingSupplier", measured_at ${those} order by measured_at, conversation ${limited(part)}) as t
      left join platform.organisations as r on r.code = t.requesting left join platform.organisations as s on s.code = t.sending
    order by measured_at, conversation`.execute(db);
  return { total: part ? await counted(db, those) : rows.length, transfers: rows };
}

/** Rows of a list from `offset`, `limit` at most. */
export type Part = { readonly offset: number; readonly limit: number };

export function limited(part: Part | undefined): RawBuilder<unknown> {
  return part ? sql`limit ${part.limit} offset ${part.offset}` : sql``;
}

async function counted(db: Reader, those: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count ${those}`.execute(db);
  return rows[0]?.count ?? 0;
}

// ---- one conversation

export type ToldEvent = {
  readonly at: string;
  readonly receivedAt: string;
  readonly type: string;
  readonly supplier: string;
  readonly reporting: string;
  /** Codes and values of closed lists; free text stays where it is. */
  readonly detail: string;
};

/** What was told of a conversation, in order of time. Documents of the same kind and moment stand apart. */
export async function conversationEvents(db: Reader, conversation: string): Promise<ToldEvent[]> {
  const { rows } = await sql<ToldEvent>`
    select at, received_at as "receivedAt", type::text as type, supplier, reporting, concat_ws(', ',
      payload #>> '{registration,type}', case payload #>> '{demographicTraceStatus,matched}' when 'true' then 'traced' when 'false' then 'not traced' end,
      case payload #>> '{transferCompatibilityStatus,internalTransfer}' when 'true' then 'inside one system' end,
      case payload #>> '{transferCompatibilityStatus,transferCompatible}' when 'true' then 'compatible' when 'false' then 'not compatible' end,
      (payload #>> '{ehr,ehrStructuredSizeBytes}') || ' bytes',
      payload #>> '{attachment,clinicalType}', (payload #>> '{attachment,sizeBytes}') || ' bytes',
      case payload #>> '{documentMigration,successful}' when 'true' then 'successful' when 'false' then 'unsuccessful' end,
      payload #>> '{integration,outcome}', payload #>> '{error,errorCode}', payload #>> '{error,failurePoint}') as detail
    from platform.events where conversation = ${conversation} order by at, type, digest limit 5000`.execute(db);
  return rows;
}

// ---- degrades

export type DegradeCount = {
  readonly supplier: string;
  readonly type: string;
  readonly reason: string;
  /** `system code`, of the first coding; empty where it has none. */
  readonly code: string;
  readonly count: number;
};

/** Degrades of each day, by who reported them, kind, reason and first code. */
export async function degradeDays(db: Reader, days: Days): Promise<(DegradeCount & { readonly day: string })[]> {
  const { rows } = await sql<DegradeCount & { day: string }>`
    select day::text as day, ${supplierName('supplier')} as supplier,
      type, reason, coalesce((coding #>> '{0,system}') || ' ' || (coding #>> '{0,code}'), '') as code, count(*)::int as count
    from platform.degrades where day >= ${days.from}::date and day < ${days.from}::date + ${days.days}::int
    group by 1, 2, 3, 4, 5 order by 1, 6 desc, 2, 3, 4, 5`.execute(db);
  return rows;
}

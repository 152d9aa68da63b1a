import { type RawBuilder, sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import { pagesOf } from '../../database/cursor.ts';
import { FAILURE_REASONS, type FailureReason, readOutcome, STATUSES, type Status } from '../classify/outcome.ts';
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { type Micros, microsOf, utcText } from '../micros.ts';
import { FILED } from './fold.ts';
import type { PlatformSchema } from './open.ts';

/** Days after the request that figures are judged by; what the fold has written. */
const FOLDED_DAYS = 14;

export type TransferWindow = { readonly start: Micros; readonly end: Micros; readonly cutoffDays: number };

/**
 * Transfers as the national definitions see them, requested within a window, in order of their requests: what reports are made from. Names
 * and locations are those of now. Within a transaction: they are read through a cursor.
 *
 * With fewer than 14 days of cut-off a transfer is what could be seen of it that many days after it began; with none, by the end of the
 * day of its request. Of one that the Spine's log was loaded for with more days, that is told from the times of its record and its answer.
 */
export async function* transfersWithin(trx: Runner<PlatformSchema>, window: TransferWindow): AsyncGenerator<ClassifiedTransfer> {
  for await (const rows of pagesOf(trx, statement(window))) yield* rows.map(transferOf);
}

const FORM = 'YYYY-MM-DD"T"HH24:MI:SS.US';
const inForm = (time: RawBuilder<unknown>) => sql`to_char(${time}, ${FORM})`;

/** Which transfers a window holds. */
export function requestedWithin({ start, end }: Pick<TransferWindow, 'start' | 'end'>): RawBuilder<unknown> {
  return sql`t.status is not null and t.measured_at >= ${utcText(start)}::timestamptz and t.measured_at < ${utcText(end)}::timestamptz`;
}

function statement(window: TransferWindow): RawBuilder<Row> {
  const { cutoffDays } = window;
  const cutOff =
    cutoffDays === 0
      ? sql`(date_trunc('day', requested_at at time zone 'UTC') + interval '1 day' - interval '1 microsecond') at time zone 'UTC'`
      : sql`coalesce(begun_at, requested_at) + ${`${cutoffDays} days`}::interval`;
  return sql<Row>`
    with found as (
      select t.conversation, t.requesting_asid, t.requesting_supplier, t.requesting, rp.name as requesting_name,
        rs.code as requesting_sicbl, rs.name as requesting_sicbl_name, t.sending_asid, t.sending_supplier, t.sending, sp.name as sending_name,
        ss.code as sending_sicbl, ss.name as sending_sicbl_name, t.sender_codes, t.final_codes, t.intermediate_codes, t.status,
        t.failure_reason, t.sla_seconds, t.measured_at as requested_at, coalesce(s.completed_at, t.ended_at) as completed_at,
        coalesce(s.last_sender_message_at, t.responded_at) as last_sender_message_at, coalesce(s.core_at, t.responded_at) as core_at,
        coalesce(s.large, t.documents > 0) as large, coalesce(s.redactions, false) as redactions, t.measured_by, s.cutoff_days,
        coalesce(t.requested_at, t.responded_at, t.ready_at, t.ended_at) as begun_at, t.outcome, t.ready_at,
        coalesce(t.responded_at, t.ready_at, t.requested_at, t.started_at) as clock_at,
        case when ${cutoffDays < FOLDED_DAYS} and t.errors > 0 then
          (select min(e.at) from platform.events as e where e.conversation = t.conversation and e.type = 'ERROR') end as error_at
      from platform.transfers as t left join platform.spine_transfers as s using (conversation)
        left join platform.organisations as rp on rp.code = t.requesting left join platform.organisations as rs on rs.code = rp.parent
        left join platform.organisations as sp on sp.code = t.sending left join platform.organisations as ss on ss.code = sp.parent
      where ${requestedWithin(window)}),
    cut as (select *, ${cutOff} as cut_off from found)
    select conversation, requesting_asid, requesting_supplier, requesting, requesting_name, requesting_sicbl, requesting_sicbl_name,
      sending_asid, sending_supplier, sending, sending_name, sending_sicbl, sending_sicbl_name, sender_codes, final_codes,
      intermediate_codes, status, failure_reason, sla_seconds, large, redactions, ${inForm(sql`cut.requested_at`)} as requested_at,
      ${inForm(sql`completed_at`)} as completed_at, ${inForm(sql`last_sender_message_at`)} as last_sender_message_at,
      ${inForm(sql`core_at`)} as core_at,
      case when measured_by = 'spine' then case
          when cutoff_days <= ${cutoffDays} or completed_at <= cut_off
            or (completed_at is null and status in (${STATUSES.TECHNICAL_FAILURE}, ${STATUSES.UNCLASSIFIED_FAILURE})) then 'known'
          when core_at <= cut_off then 'waiting' else 'silent' end
        when ${cutoffDays >= FOLDED_DAYS} then 'known'
        when completed_at <= cut_off and outcome in ${FILED} then
          case when completed_at - clock_at <= interval '8 days' then 'filed' else 'late' end
        when completed_at <= cut_off then 'final'
        when ready_at <= cut_off then 'waiting'
        when error_at <= cut_off then 'error'
        when core_at <= cut_off then 'waiting'
        else 'silent' end as course
    from cut order by cut.requested_at, conversation`;
}

/** What a transfer is at its cut-off; `known`: what is written of it holds. */
type Course = 'known' | 'filed' | 'late' | 'final' | 'waiting' | 'error' | 'silent';
const COURSES: Readonly<Record<Exclude<Course, 'known'>, { readonly status: Status; readonly failureReason: FailureReason | null }>> = {
  filed: { status: STATUSES.INTEGRATED_ON_TIME, failureReason: null },
  late: { status: STATUSES.PROCESS_FAILURE, failureReason: FAILURE_REASONS.INTEGRATED_LATE },
  final: { status: STATUSES.TECHNICAL_FAILURE, failureReason: FAILURE_REASONS.FINAL_ERROR },
  waiting: { status: STATUSES.PROCESS_FAILURE, failureReason: FAILURE_REASONS.TRANSFERRED_NOT_INTEGRATED },
  error: { status: STATUSES.TECHNICAL_FAILURE, failureReason: FAILURE_REASONS.FATAL_SENDER_ERROR },
  silent: { status: STATUSES.TECHNICAL_FAILURE, failureReason: FAILURE_REASONS.CORE_EHR_NOT_SENT },
};

type Row = {
  readonly conversation: string;
  readonly sender_codes: readonly (number | null)[];
  readonly final_codes: readonly (number | null)[];
  readonly intermediate_codes: readonly number[];
  readonly status: string;
  readonly failure_reason: string | null;
  readonly sla_seconds: number | null;
  readonly requested_at: string;
  readonly completed_at: string | null;
  readonly last_sender_message_at: string | null;
  readonly core_at: string | null;
  readonly large: boolean;
  readonly redactions: boolean;
  readonly course: Course;
} & Readonly<Record<`${'requesting' | 'sending'}${'' | '_asid' | '_supplier' | '_name' | '_sicbl' | '_sicbl_name'}`, string | null>>;

function transferOf(row: Row): ClassifiedTransfer {
  const { course } = row;
  const ended = course === 'known' || course === 'filed' || course === 'late' || course === 'final';
  const time = (text: string | null) => (text === null ? null : microsOf(text));
  return {
    conversationId: row.conversation,
    slaDuration: ended ? row.sla_seconds : null,
    requesting: partyOf(row, 'requesting'),
    sending: partyOf(row, 'sending'),
    // Errors that came after the cut-off are not seen; which of several came before it, their codes alone do not say.
    senderErrorCodes: ended || course === 'error' ? row.sender_codes : [],
    finalErrorCodes: ended ? row.final_codes : [],
    intermediateErrorCodes: ended ? row.intermediate_codes : [],
    ...(course === 'known' ? readOutcome(row.status, row.failure_reason) : COURSES[course]),
    requestedAt: microsOf(row.requested_at),
    completedAt: ended ? time(row.completed_at) : null,
    lastSenderMessageAt: time(row.last_sender_message_at),
    coreAt: time(row.core_at),
    redactions: row.redactions,
    large: row.large,
  };
}

function partyOf(row: Row, role: 'requesting' | 'sending'): ClassifiedTransfer['requesting'] {
  const who = { asid: row[`${role}_asid`], supplier: row[`${role}_supplier`] };
  const ods = row[role];
  if (ods === null) return { ...who, ods, name: null, sicblOds: null, sicblName: null };
  return { ...who, ods, name: row[`${role}_name`], sicblOds: row[`${role}_sicbl`], sicblName: row[`${role}_sicbl_name`] };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import { Fault } from '../../base/errors.ts';
import { type Runner, transaction } from '../../database/connect.ts';
import { FAILURE_REASONS, STATUSES } from '../classify/outcome.ts';
import { moveCounts } from './months.ts';
import type { PlatformDb, PlatformSchema } from './open.ts';
import { moveReceived } from './received.ts';
import { supplierName } from './suppliers.ts';

const SUCCESSES = sql.raw(
  `('INTEGRATED', 'INTEGRATED_AND_SUPPRESSED', 'SUPPRESSED_AND_REACTIVATED', 'FILED_AS_ATTACHMENT', 'INTERNAL_TRANSFER')`,
);
/** Files a record as the national definitions understand it: one that was filed as an attachment is a failure to them (code 26). */
export const FILED = sql.raw(`('INTEGRATED', 'INTEGRATED_AND_SUPPRESSED', 'SUPPRESSED_AND_REACTIVATED')`);
const text = (value: string) => sql.lit(value);
/** Whole seconds, halves to the even one as the Spine's log has them: `round` of a numeric would take them away from zero. */
const SECONDS = sql`round(extract(epoch from ended_at - clock_at)::float8)`;
/**
 * How a transfer ended of which the Spine's log alone tells, in the words of events: to them a rejection is no technical failure, and filing
 * as an attachment is a success. The first answer that is no duplicate's decides.
 */
const LOGGED = sql`case when t.told_conversation is null then
  case when s.status = ${text(STATUSES.INTEGRATED_ON_TIME)} or s.failure_reason = ${text(FAILURE_REASONS.INTEGRATED_LATE)} then 'INTEGRATED'
    when s.failure_reason = ${text(FAILURE_REASONS.FINAL_ERROR)} then (
      select case when code in (17, 28) then 'REJECTED' when code = 26 then 'FILED_AS_ATTACHMENT' else 'FAILED_TO_INTEGRATE' end
      from unnest(s.final_codes) with ordinality as each (code, number) where code <> 12 order by number limit 1) end end`;
/** The code that a failure is told by in the Spine's log: that of the answer to the record, else that of the answer to the request. */
const LOGGED_CODES = sql`
  case when t.told_conversation is null and s.failure_reason = ${text(FAILURE_REASONS.FINAL_ERROR)} then (
    select code::text from unnest(s.final_codes) with ordinality as each (code, number) where code <> 12 order by number limit 1)
    end as logged_final,
  case when t.told_conversation is null and s.failure_reason = ${text(FAILURE_REASONS.FATAL_SENDER_ERROR)} then (
    select code::text from unnest(s.sender_codes) with ordinality as each (code, number) where code in (6, 7, 10, 14, 23, 24, 30, 99)
    order by number limit 1) end as logged_sender`;
/** Of events of the same moment always the same one. All that asks for an order asks for this one: the server then sorts once. */
const IN_ORDER = 'order by at, event_id, digest';
/** The latest that says something. */
const latest = (value: string, condition: string) =>
  sql.raw(`(array_agg(${value} ${IN_ORDER}) filter (where ${condition}))[count(*) filter (where ${condition})]`);
/** How often each text is there, as an object; `null` of nothing. */
const numbered = (texts: string) =>
  sql.raw(
    `(select jsonb_object_agg(kind, number) from (select kind, count(*) as number from ${texts} as each (kind) group by kind) as kinds)`,
  );

/** Columns of `platform.transfers` behind its key, all of which a fold writes. */
const WRITTEN =
  `requesting sending requesting_asid sending_asid requesting_supplier sending_supplier started_at last_at registered_at traced
  compatible_at compatible internal incompatible_reason requested_at responded_at ready_at ended_at outcome errors error_code error_description
  failure_point structured_bytes placeholders documents documents_failed document_bytes registration_status result measured_by month_utc
  month_london sla_seconds status failure_reason category sender_codes final_codes intermediate_codes measured_at large redactions told faults
  left_out attachments`.split(/\s+/);
const REPLACED = sql.raw(WRITTEN.map((column) => `${column} = excluded.${column}`).join(', '));
const COLUMNS = sql.raw(WRITTEN.join(', '));

/**
 * Transfers from all of their events: nothing depends on the order in which they came, and a row that is made twice is the same. What the
 * national definitions count is taken from the Spine's log where it has the conversation, else from the events by the same rules: the
 * clock starts when the record was sent, and nothing counts that came more than 14 days after the request.
 */
const fold = (events: RawBuilder<unknown>) => sql`
  with told as materialized (
    select conversation as told_conversation, min(at) as started_at, max(at) as last_at,
      ${latest('requesting', 'true')} as requesting,
      ${latest('sending', "sending <> ''")} as sending,
      ${latest('supplier', 'reporting = requesting')} as requesting_supplier,
      ${latest('supplier', 'reporting = sending and reporting <> requesting')} as sending_supplier,
      min(at) filter (where type = 'REGISTRATIONS') as registered_at,
      ${latest("(payload #>> '{demographicTraceStatus,matched}')::boolean", "type = 'REGISTRATIONS'")} as traced,
      max(at) filter (where type = 'TRANSFER_COMPATIBILITY_STATUSES') as compatible_at,
      ${latest("payload -> 'transferCompatibilityStatus'", "type = 'TRANSFER_COMPATIBILITY_STATUSES'")} as compatibility,
      min(at) filter (where type = 'EHR_REQUESTS') as requested_at,
      min(at) filter (where type = 'EHR_RESPONSES') as responded_at,
      ${latest("payload -> 'ehr'", "type = 'EHR_RESPONSES'")} as ehr,
      min(at) filter (where type = 'READY_TO_INTEGRATE_STATUSES') as ready_at,
      min(at) filter (where type = 'EHR_INTEGRATIONS' and payload #>> '{integration,outcome}' in ${SUCCESSES}) as succeeded_at,
      (array_agg(payload #>> '{integration,outcome}' ${sql.raw(IN_ORDER)})
        filter (where type = 'EHR_INTEGRATIONS' and payload #>> '{integration,outcome}' in ${SUCCESSES}))[1] as success,
      max(at) filter (where type = 'EHR_INTEGRATIONS') as decided_at,
      ${latest("payload #>> '{integration,outcome}'", "type = 'EHR_INTEGRATIONS'")} as decision,
      count(*) filter (where type = 'ERROR') as errors,
      min(at) filter (where type = 'ERROR') as error_at,
      ${latest("payload -> 'error'", "type = 'ERROR'")} as error,
      coalesce(array_agg((payload #>> '{error,errorCode}')::integer ${sql.raw(IN_ORDER)}) filter (where type = 'ERROR'
        and payload #>> '{error,errorCode}' ~ '^[0-9]{1,6}$'
        and payload #>> '{error,failurePoint}' in ('EHR_INTEGRATION', 'EHR_READY_TO_INTEGRATE')), '{}') as final_codes,
      coalesce(array_agg((payload #>> '{error,errorCode}')::integer ${sql.raw(IN_ORDER)}) filter (where type = 'ERROR'
        and payload #>> '{error,errorCode}' ~ '^[0-9]{1,6}$'
        and payload #>> '{error,failurePoint}' not in ('EHR_INTEGRATION', 'EHR_READY_TO_INTEGRATE')), '{}') as sender_codes,
      count(*) filter (where type = 'DOCUMENT_RESPONSES') as documents,
      count(*) filter (where type = 'DOCUMENT_RESPONSES' and payload #>> '{documentMigration,successful}' = 'false') as documents_failed,
      least(coalesce(sum((payload #>> '{attachment,sizeBytes}')::bigint) filter (where type = 'DOCUMENT_RESPONSES'), 0), 9e18) as document_bytes,
      array_agg(concat_ws(' ', payload #>> '{error,failurePoint}', payload #>> '{error,errorCode}')) filter (where type = 'ERROR') as faults,
      array_agg(concat_ws(' ', payload #>> '{attachment,clinicalType}', payload #>> '{documentMigration,successful}',
        case when (payload #>> '{attachment,sizeBytes}')::bigint > 104857600 then 'large' end)) filter (where type = 'DOCUMENT_RESPONSES')
        as attachments,
      bit_or(1 << (array_position(enum_range(null::platform.event_type), type) - 1)) as told
    from ${events}
    group by conversation),
  judged as (
    select coalesce(t.told_conversation, s.conversation) as conversation, t.*, s.status as spine_status, s.failure_reason as spine_reason,
      s.sla_seconds as spine_sla, s.requested_at as spine_requested_at, s.core_at, s.completed_at, s.last_sender_message_at,
      s.requesting as spine_requesting, s.sending as spine_sending, s.requesting_asid, s.sending_asid,
      s.requesting_supplier as spine_requesting_supplier, s.sending_supplier as spine_sending_supplier,
      s.sender_codes as spine_sender_codes, s.final_codes as spine_final_codes, s.intermediate_codes, s.large, s.redactions,
      (t.compatibility ->> 'transferCompatible')::boolean as compatible,
      coalesce((t.compatibility ->> 'internalTransfer')::boolean, false) or coalesce(t.success = 'INTERNAL_TRANSFER', false) as internal,
      coalesce(t.success, t.decision, ${LOGGED}) as outcome, ${LOGGED_CODES}, coalesce(t.succeeded_at, t.decided_at) as ended_at,
      coalesce(s.requested_at, t.requested_at, t.responded_at, t.ready_at, t.started_at) as measured_at,
      coalesce(t.requested_at, t.responded_at, t.ready_at, t.succeeded_at, t.decided_at) as begun_at,
      coalesce(t.responded_at, t.ready_at, t.requested_at, t.started_at) as clock_at
    from told as t full join (select s.* from folding join platform.spine_transfers as s using (conversation)) as s
      on s.conversation = t.told_conversation),
  stated as (
    select *, begun_at + interval '14 days' as cut_off,
      case when told_conversation is null then case when completed_at is not null then 'INTEGRATION' when core_at is not null then 'EHR_SENT'
          else 'EHR_REQUESTED' end
        when decided_at is not null then 'INTEGRATION' when ready_at is not null then 'READY_TO_INTEGRATE'
        when responded_at is not null then 'EHR_SENT' when requested_at is not null then 'EHR_REQUESTED'
        when compatible then 'ELIGIBLE_FOR_TRANSFER' when compatible is false then 'NOT_ELIGIBLE_FOR_ELECTRONIC_TRANSFER'
        when registered_at is not null then 'REGISTRATION' else 'UNKNOWN' end as state
    from judged),
  counted as (
    select *,
      case when spine_status is not null then null when internal or begun_at is null then 'none'
        when ended_at <= cut_off and outcome in ${FILED} then case when ended_at - clock_at <= interval '8 days' then 'filed' else 'late' end
        when ended_at <= cut_off then 'final'
        when ready_at <= cut_off then 'waiting'
        when error_at <= cut_off then 'error'
        when responded_at <= cut_off then 'waiting'
        else 'silent' end as course
    from stated)
  select conversation, coalesce(requesting, spine_requesting), coalesce(sending, spine_sending), requesting_asid, sending_asid,
    coalesce(${supplierName('requesting_supplier')}, ${supplierName('spine_requesting_supplier')}),
    coalesce(${supplierName('sending_supplier')}, ${supplierName('spine_sending_supplier')}),
    coalesce(started_at, spine_requested_at), greatest(last_at, completed_at, last_sender_message_at, spine_requested_at),
    registered_at, traced, compatible_at, compatible, internal, compatibility ->> 'reason',
    coalesce(requested_at, spine_requested_at), coalesce(responded_at, core_at), ready_at, coalesce(ended_at, completed_at), outcome,
    coalesce(errors, 0), coalesce(error ->> 'errorCode', logged_final, logged_sender), error ->> 'errorDescription',
    coalesce(error ->> 'failurePoint', case when logged_final is not null then 'EHR_INTEGRATION' when logged_sender is not null
      then 'EHR_RESPONSE' end),
    (ehr ->> 'ehrStructuredSizeBytes')::bigint,
    coalesce(jsonb_array_length(case when jsonb_typeof(ehr -> 'placeholders') = 'array' then ehr -> 'placeholders' end), 0),
    coalesce(documents, 0), coalesce(documents_failed, 0), coalesce(document_bytes, 0),
    state,
    case when told_conversation is null then case when outcome in ${SUCCESSES} then 'Successful integration'
        when outcome = 'REJECTED' then 'Rejected' when spine_status = ${text(STATUSES.PROCESS_FAILURE)} then 'In progress'
        else 'Technical failure' end
      else case state
      when 'INTEGRATION' then case when outcome in ${SUCCESSES} then 'Successful integration' when outcome = 'REJECTED' then 'Rejected'
        else 'Technical failure' end
      when 'READY_TO_INTEGRATE' then 'Awaiting integration'
      when 'NOT_ELIGIBLE_FOR_ELECTRONIC_TRANSFER' then 'Not eligible for electronic transfer'
      when 'REGISTRATION' then case when not traced or errors > 0 then 'Not eligible for electronic transfer' else 'Unknown' end
      when 'UNKNOWN' then case when errors > 0 then 'Not eligible for electronic transfer' else 'Unknown' end
      else case when errors > 0 then 'Technical failure' else 'In progress' end end end,
    case when spine_status is not null then 'spine' when course <> 'none' then 'events' end,
    date_trunc('month', measured_at at time zone 'UTC')::date, date_trunc('month', measured_at at time zone 'Europe/London')::date,
    case when spine_status is not null then spine_sla when course in ('filed', 'late', 'final')
      then greatest(${SECONDS}, 0)::bigint end,
    case when spine_status is not null then spine_status else case course when 'filed' then ${text(STATUSES.INTEGRATED_ON_TIME)}
      when 'late' then ${text(STATUSES.PROCESS_FAILURE)} when 'waiting' then ${text(STATUSES.PROCESS_FAILURE)}
      when 'final' then ${text(STATUSES.TECHNICAL_FAILURE)} when 'error' then ${text(STATUSES.TECHNICAL_FAILURE)}
      when 'silent' then ${text(STATUSES.TECHNICAL_FAILURE)} end end,
    case when spine_status is not null then spine_reason else case course when 'late' then ${text(FAILURE_REASONS.INTEGRATED_LATE)}
      when 'waiting' then ${text(FAILURE_REASONS.TRANSFERRED_NOT_INTEGRATED)} when 'final' then ${text(FAILURE_REASONS.FINAL_ERROR)}
      when 'error' then ${text(FAILURE_REASONS.FATAL_SENDER_ERROR)} when 'silent' then ${text(FAILURE_REASONS.CORE_EHR_NOT_SENT)} end end,
    case when spine_status is not null then case
        when spine_status = ${text(STATUSES.INTEGRATED_ON_TIME)} then case when spine_sla <= 259200 then 'within3' else 'within8' end
        when spine_status = ${text(STATUSES.PROCESS_FAILURE)} then
          case when spine_reason = ${text(FAILURE_REASONS.INTEGRATED_LATE)} then 'late' else 'notIntegrated' end
        when spine_status = ${text(STATUSES.TECHNICAL_FAILURE)} then 'technical' else 'unclassified' end
      else case course when 'filed' then case when ${SECONDS} <= 259200 then 'within3' else 'within8' end
        when 'late' then 'late' when 'waiting' then 'notIntegrated' when 'none' then null else 'technical' end end,
    coalesce(spine_sender_codes, sender_codes, '{}'), coalesce(spine_final_codes, final_codes, '{}'), coalesce(intermediate_codes, '{}'),
    measured_at, large, redactions, coalesce(told, 0), ${numbered('unnest(faults)')},
    case when jsonb_typeof(ehr -> 'placeholders') = 'array' then ${numbered(`(
      select concat_ws(' ', each ->> 'generatedBy', each ->> 'clinicalType', each ->> 'reason') from jsonb_array_elements(ehr -> 'placeholders') as each)`)} end,
    ${numbered('unnest(attachments)')}
  from counted`;

/** More conversations than this are found in one pass over all events, fewer one by one: the server cannot always know which is shorter. */
const MANY_TRANSFERS = 50_000;
const EVENTS_OF_MANY = sql`folding join platform.events using (conversation)`;
const EVENTS_OF_FEW = sql`folding cross join lateral (
      select at, event_id, digest, type, supplier, reporting, requesting, sending, payload
      from platform.events as e where e.conversation = folding.conversation offset 0) as own`;
/** So many that the counted rows may be others than they were. */
const ENOUGH_TO_ANALYZE = 5_000;

export type Folded = { readonly transfers: number; readonly more: boolean };

/**
 * Makes anew every transfer of which something came since the last time, and moves it in the counts of its months. Several programs may
 * call it, one works. Gives how many transfers there were, and whether more is waiting; what belongs to transactions that are still open
 * is left for the next time. `most`: events of one step, which is one transaction.
 */
export async function foldNew(db: PlatformDb, most = 200_000): Promise<Folded> {
  return transaction(db, async (trx) => {
    const { rows } = await sql<{ since: number }>`
      select batch as since from platform.progress where name = 'fold' for update`.execute(trx);
    const since = rows[0]?.since ?? 0;
    const { rows: ahead } = await sql<{ upto: number }>`select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as upto`.execute(trx);
    const limit = ahead[0]?.upto ?? 0;
    // Whole transactions, as many as give about `most` events: the boundary must not lie within one.
    const { rows: reach } = await sql<{ last: number | null }>`
      select max(batch) as last from (
        select batch from (
          (select batch from platform.events where batch >= ${since} and batch < ${limit} order by batch limit ${most})
          union all
          (select batch from platform.spine_transfers where batch >= ${since} and batch < ${limit} order by batch limit ${most})) as both_sources
        order by batch limit ${most}) as first`.execute(trx);
    const last = reach[0]?.last ?? null;
    if (last === null) {
      if (limit > since) await sql`update platform.progress set batch = ${limit} where name = 'fold'`.execute(trx);
      return { transfers: 0, more: false };
    }
    await sql`set local work_mem = '256MB'`.execute(trx);
    await sql`create temp table folding on commit drop as
      select conversation from platform.events where batch >= ${since} and batch <= ${last} group by conversation
      union select conversation from platform.spine_transfers where batch >= ${since} and batch <= ${last}`.execute(trx);
    await sql`create unique index on folding (conversation)`.execute(trx);
    await sql`analyze folding`.execute(trx);
    const { rows: done } = await sql<{ transfers: number }>`select count(*) as transfers from folding`.execute(trx);
    const transfers = done[0]?.transfers ?? 0;
    await writeFolded(trx, transfers);
    await moveCounts(trx);
    await moveReceived(trx);
    await sql`update platform.progress set batch = ${last + 1}, changed_at = now() where name = 'fold'`.execute(trx);
    // Until the server notices by itself how much came, it reads all practices' months by plans that are right for an empty table.
    if (transfers >= ENOUGH_TO_ANALYZE) await sql`analyze platform.months, platform.pathway_months, platform.received`.execute(trx);
    return { transfers, more: last + 1 < limit };
  });
}

/** Folds until nothing is left; `onStep` hears of each step. */
export async function foldAll(db: PlatformDb, onStep: (transfers: number) => void = () => undefined, most = 1_000_000): Promise<number> {
  let all = 0;
  for (;;) {
    const { transfers, more } = await foldNew(db, most);
    all += transfers;
    if (transfers > 0) onStep(all);
    if (!more) return all;
  }
}

/**
 * Folds all that was written before, and gives how many transfers that were. What another program has open on the same server, in whatever
 * database, holds a fold back: it is waited for, at most half a minute. Throws a `Fault` `platform.heldBack`.
 */
export async function foldWritten(db: PlatformDb): Promise<number> {
  for (let tries = 0; tries < 600; tries++) {
    const { rows } = await sql<{ ahead: boolean }>`
      select pg_snapshot_xmin(pg_current_snapshot())::text::bigint > greatest(
        (select max(batch) from platform.events), (select max(batch) from platform.spine_transfers), 0) as ahead`.execute(db);
    if (rows[0]?.ahead) return await foldAll(db);
    await sleep(50);
  }
  throw new Fault(
    'platform.heldBack',
    'what is written cannot be counted yet: another program keeps a transaction open on the database server',
    {
      remedy: 'Nothing is lost: it is counted when that has ended, by the running platform or the next command.',
    },
  );
}

/**
 * Writes the rows of the conversations in `folding` that changed, and leaves what they are in `after` and what they were in `before`. Days
 * that have to be counted anew are noted: `countDays` does that when there is time.
 */
async function writeFolded(trx: Runner<PlatformSchema>, transfers: number): Promise<void> {
  await sql`create temp table after (like platform.transfers) on commit drop`.execute(trx);
  await sql`insert into after (conversation, ${COLUMNS}) ${fold(transfers > MANY_TRANSFERS ? EVENTS_OF_MANY : EVENTS_OF_FEW)}`.execute(trx);
  await sql`create temp table before on commit drop as
    select t.* from after as a join platform.transfers as t using (conversation)`.execute(trx);
  await sql`with same as (
      delete from before as b using after as a where a.conversation = b.conversation and (a.*) is not distinct from (b.*)
      returning b.conversation)
    delete from after as a using same where a.conversation = same.conversation`.execute(trx);
  await sql`insert into platform.transfers (conversation, ${COLUMNS}) select conversation, ${COLUMNS} from after
    on conflict (conversation) do update set ${REPLACED}`.execute(trx);
  await sql`insert into platform.stale_days
    select distinct (at at time zone 'UTC')::date
    from (select started_at, measured_at from after union all select started_at, measured_at from before) as moved
      cross join lateral (values (started_at), (measured_at)) as each (at)
    where at is not null on conflict do nothing`.execute(trx);
}

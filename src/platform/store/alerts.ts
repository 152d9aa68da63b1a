/** Alerts: what crossed a threshold, from the folded rows; raised once, cleared when it is over; and the posts that tell somebody. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import { AGED, type AlertKind, type Rate, STALE, TRANSFER_ALERTS, type TransferAlert } from '../alerts/rules.ts';
import type { PlatformSchema } from './open.ts';

type Db = Runner<PlatformSchema>;

/** Times are texts: UTC with `Z`. */
export type Alert = {
  readonly id: number;
  readonly kind: AlertKind;
  readonly subject: string;
  readonly crossedAt: string;
  readonly raisedAt: string;
  readonly clearedAt: string | null;
  readonly clearedAs: 'resolved' | 'aged' | null;
  readonly requesting: string | null;
  readonly sending: string | null;
  readonly requestingSupplier: string | null;
  readonly sendingSupplier: string | null;
  readonly detail: Readonly<Record<string, number>> | null;
};

const utc = (column: string) => sql.raw(`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`);
const ALERT = sql`a.id, a.kind, a.subject, ${utc('a.crossed_at')} as "crossedAt", ${utc('a.raised_at')} as "raisedAt",
  ${utc('a.cleared_at')} as "clearedAt", a.cleared_as as "clearedAs", a.requesting, a.sending,
  a.requesting_supplier as "requestingSupplier", a.sending_supplier as "sendingSupplier", a.detail`;

/** One program at a time looks for alerts; held until the transaction ends. False: another is at it. */
export async function mayLook(trx: Db): Promise<boolean> {
  const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(hashtext('platform alerts')) as mine`.execute(trx);
  return rows[0]?.mine ?? false;
}

const after = (kind: TransferAlert) => sql.lit(TRANSFER_ALERTS[kind].after);
/**
 * Since when a transfer `t` waits, by threshold; null where it does not. What failed or was decided waits for nothing. A registration
 * waits for a request once it is known to be possible, or, where nothing was said about that, because there is a previous practice. Of
 * transfers that only the Spine's log has nobody says that they became whole.
 */
const WAITING = sql`lateral (
  select case when requested_at is null and responded_at is null and ready_at is null and not coalesce(internal, false)
      and coalesce(compatible, sending is not null) and t.result in ('In progress', 'Unknown') then coalesce(compatible_at, registered_at) end as unasked,
    case when responded_at is null and ready_at is null and t.result = 'In progress' then requested_at end as unsent,
    case when ready_at is null and t.result = 'In progress' and told > 0 then responded_at end as incomplete,
    case when t.result in ('In progress', 'Awaiting integration') and told > 0 then coalesce(responded_at, ready_at) end as unintegrated
  ) as since, lateral (values
    ('REQUEST_LATE', unasked + ${after('REQUEST_LATE')}::interval),
    ('SENDING_LATE', unsent + ${after('SENDING_LATE')}::interval),
    ('TRANSFER_LATE', incomplete + ${after('TRANSFER_LATE')}::interval),
    ('NOT_INTEGRATED_3_DAYS', unintegrated + ${after('NOT_INTEGRATED_3_DAYS')}::interval),
    ('NOT_INTEGRATED_6_DAYS', unintegrated + ${after('NOT_INTEGRATED_6_DAYS')}::interval),
    ('NOT_INTEGRATED_8_DAYS', unintegrated + ${after('NOT_INTEGRATED_8_DAYS')}::interval)
  ) as waiting (kind, crossed_at)`;

/** Raises what was crossed since the last look. */
export async function raiseLate(trx: Db, now: Date): Promise<Alert[]> {
  const at = sql`${now.toISOString()}::timestamptz`;
  const oldest = sql`${at} - ${sql.lit(STALE)}::interval`;
  // Whatever crosses within that time has had something happen at most the longest threshold before.
  const { rows } = await sql<Alert>`
    with looked as (
      select * from platform.transfers
      where result in ('In progress', 'Awaiting integration')
        and last_at > ${oldest} - ${after('NOT_INTEGRATED_8_DAYS')}::interval
      union all
      select * from platform.transfers
      where result = 'Unknown' and sending is not null and requested_at is null and registered_at > ${oldest} - interval '1 day')
    insert into platform.alerts as a (kind, subject, crossed_at, raised_at, requesting, sending, requesting_supplier, sending_supplier)
    select waiting.kind, t.conversation, waiting.crossed_at, ${at}, t.requesting, t.sending, t.requesting_supplier, t.sending_supplier
    from looked as t, ${WAITING}
    where waiting.crossed_at < ${at} and waiting.crossed_at > ${oldest}
      and not exists (select from platform.alerts as known
        where known.kind = waiting.kind and known.subject = t.conversation and known.episode = '')
    order by waiting.crossed_at
    on conflict do nothing
    returning ${ALERT}`.execute(trx);
  return rows;
}

/** Clears those of transfers that wait no longer, and those that have waited so long that nobody will do anything about them. */
export async function clearLate(trx: Db, now: Date): Promise<Alert[]> {
  const at = sql`${now.toISOString()}::timestamptz`;
  const { rows } = await sql<Alert>`
    update platform.alerts as a set cleared_at = ${at}, cleared_as = case when a.crossed_at < ${at} - ${sql.lit(AGED)}::interval
      then 'aged' else 'resolved' end
    where a.cleared_at is null and a.episode = '' and (a.crossed_at < ${at} - ${sql.lit(AGED)}::interval or not exists (
      select from platform.transfers as t, ${WAITING}
      where t.conversation = a.subject and waiting.kind = a.kind and waiting.crossed_at < ${at}))
    returning ${ALERT}`.execute(trx);
  return rows;
}

export type Pathway = { readonly requestingSupplier: string; readonly sendingSupplier: string };
export type PathwayRates = Pathway & { readonly now: Rate; readonly before: Rate };

/** A transfer that was asked for so long ago is judged: nothing sent by then is a failure, in all windows alike. */
const JUDGED = sql.lit('1 hour');

/**
 * Of each pathway: the transfers that were asked for in the days that end an hour ago, and in the four weeks before these. One failed if
 * that is its result, or if nothing was sent within an hour of the request: a rule that treats young transfers and old ones alike.
 */
export async function pathwayRates(db: Db, now: Date, days: 1 | 7): Promise<PathwayRates[]> {
  const at = sql`${now.toISOString()}::timestamptz`;
  const window = sql`make_interval(days => ${days})`;
  const { rows } = await sql<Pathway & { transfers: number; failed: number; beforeTransfers: number; beforeFailed: number }>`
    with judged as (
      select requesting_supplier, sending_supplier, measured_at >= ${at} - ${JUDGED}::interval - ${window} as now,
        result = 'Technical failure' or coalesce(least(responded_at, ready_at, ended_at) > requested_at + ${JUDGED}::interval, true) as failed
      from platform.transfers
      where status is not null and measured_at >= ${at} - ${JUDGED}::interval - ${window} - interval '28 days'
        and measured_at < ${at} - ${JUDGED}::interval
        and requested_at is not null and requesting_supplier is not null and sending_supplier is not null)
    select requesting_supplier as "requestingSupplier", sending_supplier as "sendingSupplier",
      count(*) filter (where now) as transfers, count(*) filter (where now and failed) as failed,
      count(*) filter (where not now) as "beforeTransfers", count(*) filter (where not now and failed) as "beforeFailed"
    from judged group by 1, 2 order by 1, 2`.execute(db);
  return rows.map(({ transfers, failed, beforeTransfers, beforeFailed, ...pathway }) => ({
    ...pathway,
    now: { transfers, failed },
    before: { transfers: beforeTransfers, failed: beforeFailed },
  }));
}

/** A day (UTC) by the national definitions, as it stands now: technical failures, unclassified ones left out. */
export async function dayRate(db: Db, day: string): Promise<Rate> {
  const { rows } = await sql<Rate>`
    select count(*) as transfers, count(*) filter (where category = 'technical') as failed from platform.transfers
    where status is not null and measured_at >= ${`${day}T00:00:00Z`}::timestamptz
      and measured_at < ${`${day}T00:00:00Z`}::timestamptz + interval '1 day'`.execute(db);
  return rows[0] ?? { transfers: 0, failed: 0 };
}

export type NewRateAlert = {
  readonly kind: AlertKind;
  readonly subject: string;
  readonly episode: string;
  readonly pathway: Pathway | null;
  readonly detail: Readonly<Record<string, number>>;
};

/** Raises the alert of a rate unless one of its kind and subject is open, or was raised for the same episode. */
export async function raiseRate(trx: Db, now: Date, { kind, subject, episode, pathway, detail }: NewRateAlert): Promise<Alert[]> {
  const at = sql`${now.toISOString()}::timestamptz`;
  const { rows } = await sql<Alert>`
    insert into platform.alerts as a (kind, subject, episode, crossed_at, raised_at, requesting_supplier, sending_supplier, detail)
    select ${kind}, ${subject}, ${episode}, ${at}, ${at}, ${pathway?.requestingSupplier ?? null}, ${pathway?.sendingSupplier ?? null},
      ${JSON.stringify(detail)}::jsonb
    where not exists (select from platform.alerts where kind = ${kind} and subject = ${subject} and cleared_at is null)
    on conflict do nothing returning ${ALERT}`.execute(trx);
  return rows;
}

/** Those of rates that are open. */
export async function openRates(trx: Db): Promise<(Alert & { readonly episode: string })[]> {
  const { rows } = await sql<Alert & { episode: string }>`
    select ${ALERT}, a.episode from platform.alerts as a where a.cleared_at is null and a.episode <> '' order by a.id`.execute(trx);
  return rows;
}

export async function clearRate(trx: Db, now: Date, id: number): Promise<Alert[]> {
  const { rows } = await sql<Alert>`
    update platform.alerts as a set cleared_at = ${now.toISOString()}::timestamptz, cleared_as = 'resolved'
    where a.id = ${id} and a.cleared_at is null returning ${ALERT}`.execute(trx);
  return rows;
}

/** What nobody asks for any more: posts that are settled, and alerts that were cleared long after they could be raised again. */
export async function forgetOld(trx: Db, now: Date): Promise<void> {
  const at = sql`${now.toISOString()}::timestamptz`;
  await sql`delete from platform.alert_posts where state <> 'waiting' and settled_at < ${at} - interval '28 days'`.execute(trx);
  await sql`delete from platform.alerts where cleared_at < ${at} - interval '1 year'`.execute(trx);
}

/** Open ones, the longest open first; all of them where no part is asked for. */
export async function openAlerts(
  db: Db,
  part?: { readonly offset: number; readonly limit: number },
): Promise<{ readonly total: number; readonly alerts: readonly Alert[] }> {
  const { rows: counted } = await sql<{ total: number }>`
    select count(*) as total from platform.alerts where cleared_at is null`.execute(db);
  const { rows } = await sql<Alert>`
    select ${ALERT} from platform.alerts as a where a.cleared_at is null order by a.crossed_at, a.id
    limit ${part?.limit ?? null}::bigint offset ${part?.offset ?? 0}`.execute(db);
  return { total: counted[0]?.total ?? 0, alerts: rows };
}

// ---- posts

export type AlertPost = { readonly id: string; readonly body: string; readonly attempts: number; readonly madeAt: string };

export async function keepPost(trx: Db, now: Date, body: string): Promise<void> {
  const at = sql`${now.toISOString()}::timestamptz`;
  await sql`insert into platform.alert_posts (id, body, made_at, due_at) values (${randomUUID()}, ${body}, ${at}, ${at})`.execute(trx);
}

/**
 * Takes the oldest post that waits, if it is due; nobody else has it before the lease is over. Those behind it wait for it: who hears of an
 * alert that is cleared has heard that it was raised.
 */
export async function claimPost(db: Db, now: Date, leaseSeconds: number): Promise<AlertPost | null> {
  const at = sql`${now.toISOString()}::timestamptz`;
  const { rows } = await sql<AlertPost>`
    update platform.alert_posts set due_at = ${at} + make_interval(secs => ${leaseSeconds}), attempts = attempts + 1
    where id = (select id from platform.alert_posts where state = 'waiting' order by number limit 1 for update) and due_at <= ${at}
    returning id, body, attempts, ${utc('made_at')} as "madeAt"`.execute(db);
  return rows[0] ?? null;
}

/** Ends a post, or lets it wait; what another program has taken meanwhile is that one's. */
export async function settlePost(
  db: Db,
  now: Date,
  { id, attempts }: AlertPost,
  result: { readonly state: 'delivered' | 'given up' | 'waiting'; readonly fault: string | null; readonly afterSeconds?: number },
): Promise<void> {
  const at = sql`${now.toISOString()}::timestamptz`;
  await sql`
    update platform.alert_posts set state = ${result.state}, fault = ${result.fault},
      due_at = ${at} + make_interval(secs => ${result.afterSeconds ?? 0}),
      settled_at = case when ${result.state} = 'waiting' then null else ${at} end
    where id = ${id} and attempts = ${attempts} and state = 'waiting'`.execute(db);
}

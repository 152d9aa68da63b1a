/** Events of management information and their way to the national service: noted once, posted until they are answered, kept as a ledger. */
import { sql } from 'kysely';
import type { ObjectRef } from '../base/content.ts';
import type { ConversationId, Instant, Ods, TransferId } from '../base/ids.ts';
import type { EventPath } from '../mi/terms.ts';
import { CHANNEL, type MiList, wakeCall } from './outbox.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Claim, Store } from './tables.ts';

/** Whose events they are. */
export type MiOwner = {
  readonly practice: Ods;
  readonly transfer: TransferId;
  readonly role: 'requesting' | 'sending';
  readonly conversationId: ConversationId;
};
/** One event that is to be told. */
export type NewMiEvent = {
  readonly path: EventPath;
  readonly key: string;
  readonly at: Instant;
  readonly payload: Readonly<Record<string, unknown>> | null;
  readonly list: ObjectRef | null;
  readonly eventId: string;
};
export type MiState = 'waiting' | 'posting' | 'taken' | 'refused' | 'unknown';
export type MiEventRow = {
  readonly id: number;
  readonly practice: Ods;
  readonly transfer: TransferId | null;
  readonly conversationId: ConversationId | null;
  readonly role: 'requesting' | 'sending';
  readonly otherPractice: Ods | null;
  readonly path: EventPath;
  readonly at: Instant;
  readonly payload: Readonly<Record<string, unknown>> | null;
  readonly list: ObjectRef | null;
  readonly eventId: string | null;
  readonly state: MiState;
};

/** Which of some keys are noted already, and the latest time of each path of the transfer. */
export async function miSoFar(store: Store, transfer: TransferId, keys: readonly string[]) {
  const { rows } = await sql<{ key: string | null; path: EventPath | null; at: Instant | null }>`
    select key, null as path, null::timestamptz as at from mi_events where transfer = ${transfer} and key = any(${[...keys]}::text[])
    union all
    select null, path, max(at) from mi_events where transfer = ${transfer} group by path`.execute(store);
  const known = new Set<string>();
  const last = new Map<EventPath, Instant>();
  for (const { key, path, at } of rows) {
    if (key !== null) known.add(key);
    if (path !== null && at !== null) last.set(path, at);
  }
  return { known, last };
}

/**
 * Notes events and queues them for posting, in the caller's transaction, which holds the transfer. The other practice is the one the
 * transfer's row knows where `otherPractice` is null.
 */
export async function noteMiEvents(
  store: Store,
  { practice, transfer, role, conversationId }: MiOwner,
  otherPractice: Ods | null,
  events: readonly NewMiEvent[],
  owner: string,
): Promise<void> {
  await sql`
    with noted as (
      insert into mi_events (practice, transfer, conversation_id, role, other_practice, path, key, at, payload, list, event_id)
      select ${practice}, ${transfer}, ${conversationId}, ${role},
        coalesce(${otherPractice}::text, (select other_practice from transfers where practice = ${practice} and id = ${transfer})),
        path, key, at, payload, list, "eventId"
      from jsonb_to_recordset(${writeStored(events)}::jsonb)
        as event (path text, key text, at timestamptz, payload jsonb, list jsonb, "eventId" text)
      returning id, path
    ), queued as (
      insert into outbox (practice, transfer, kind, name, body, due_at)
      select ${practice}, ${transfer}, 'mi', path, jsonb_build_object('event', id), now() from noted order by id
    )
    select pg_notify(${CHANNEL}, ${wakeCall(owner, ['mi'])})`.execute(store);
}

/** Queues a list that becomes events. */
export async function queueMiList(store: Store, { practice, transfer }: MiOwner, list: MiList, owner: string): Promise<void> {
  await sql`
    with queued as (
      insert into outbox (practice, transfer, kind, name, body, due_at)
      values (${practice}, ${transfer}, 'mi', ${list.of}, ${writeStored({ list })}::jsonb, now())
    )
    select pg_notify(${CHANNEL}, ${wakeCall(owner, ['mi'])})`.execute(store);
}

/** Notes degrades: their rows know neither transfer nor hour, and their queue's rows, which do not stay, no more than those. */
export async function noteDegrades(
  store: Store,
  practice: Ods,
  transfer: TransferId,
  day: Instant,
  payloads: readonly Readonly<Record<string, unknown>>[],
  owner: string,
): Promise<void> {
  await sql`
    with noted as (
      insert into mi_events (practice, role, path, at, payload)
      select ${practice}, 'requesting', 'ehr-degrades', ${day}, payload from jsonb_array_elements(${writeStored(payloads)}::jsonb) as payload
      returning id
    ), queued as (
      insert into outbox (practice, transfer, kind, name, body, due_at)
      select ${practice}, ${transfer}, 'mi', 'ehr-degrades', jsonb_build_object('event', id), now() from noted
    )
    select pg_notify(${CHANNEL}, ${wakeCall(owner, ['mi'])})`.execute(store);
}

export async function readMiEvent(store: Store, id: number): Promise<MiEventRow | null> {
  const { rows } = await sql<MiEventRow>`
    select id, practice, transfer, conversation_id as "conversationId", role, other_practice as "otherPractice", path, at, payload, list,
      event_id as "eventId", state
    from mi_events where id = ${id}`.execute(store);
  return rows[0] ?? null;
}

/** Marks that bytes may be leaving from now on, which counts for what must not be posted twice. */
export async function postingMiEvent(store: Store, id: number): Promise<void> {
  await sql`update mi_events set state = 'posting' where id = ${id}`.execute(store);
}

/** It certainly did not arrive. */
export async function waitingMiEvent(store: Store, id: number): Promise<void> {
  await sql`update mi_events set state = 'waiting' where id = ${id} and state = 'posting'`.execute(store);
}

/** Ends an event's way, and its queue's row with it. False: the claim was lost, and nothing changed. */
export async function settleMiEvent(
  store: Store,
  { id: claimed, owner, claims }: Claim,
  id: number,
  { state, eventId, fault }: { readonly state: 'taken' | 'unknown'; readonly eventId: string | null; readonly fault: string | null },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    with done as (delete from outbox where id = ${claimed} and owner = ${owner} and claims = ${claims} returning id)
    update mi_events set state = ${state}, event_id = coalesce(${eventId === null ? null : storable(eventId)}, event_id),
      fault = ${fault === null ? null : storable(fault)}, settled_at = clock_timestamp(), list = null
    from done where mi_events.id = ${id}`.execute(store);
  return numAffectedRows === 1n;
}

/** The service does not take it as it is: put aside for an operator, who may `revive` its queue's row. */
export async function refuseMiEvent(store: Store, { id: claimed, owner, claims }: Claim, id: number, fault: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    with put_aside as (
      update outbox set owner = null, dead_at = now(), fault = ${storable(fault)}
      where id = ${claimed} and owner = ${owner} and claims = ${claims} returning id
    )
    update mi_events set state = 'refused', fault = ${storable(fault)}, settled_at = clock_timestamp() from put_aside
    where mi_events.id = ${id}`.execute(store);
  return numAffectedRows === 1n;
}

/** The service is away, or lets a practice's key not in: nobody tries before the pause is over. Lists need no service and are left. */
export async function postponeMi(store: Store, practice: Ods | null, seconds: number): Promise<void> {
  await sql`
    update outbox set due_at = clock_timestamp() + make_interval(secs => ${seconds})
    where kind = 'mi' and dead_at is null and owner is null and due_at < clock_timestamp() + make_interval(secs => ${seconds})
      and body ? 'event' and (${practice}::text is null or practice = ${practice})`.execute(store);
}

/**
 * After a restore: degrades that waited at that moment may have been taken since, and have no id by which the service would know them
 * again. Gives their number.
 */
export async function giveUpDegrades(store: Store): Promise<number> {
  const { rows } = await sql`
    with given_up as (
      update mi_events set state = 'unknown', fault = 'it waited at the moment to which the database was restored', settled_at = now()
      where path = 'ehr-degrades' and state in ('waiting', 'posting') returning id
    ), struck as (
      delete from outbox where kind = 'mi' and (body->'list'->>'of' = 'degrades' or (body->>'event')::bigint in (select id from given_up))
      returning id
    )
    select id from struck`.execute(store);
  return rows.length;
}

export type MiSpool = { readonly waiting: number; readonly oldest: Instant | null; readonly refused: number };

/** What waits, since when, and what was put aside. */
export async function miSpool(store: Store): Promise<MiSpool> {
  const { rows } = await sql<MiSpool>`
    select count(*) filter (where dead_at is null) as waiting, min(queued_at) filter (where dead_at is null) as oldest,
      count(*) filter (where dead_at is not null) as refused
    from outbox where kind = 'mi'`.execute(store);
  return rows[0] ?? { waiting: 0, oldest: null, refused: 0 };
}

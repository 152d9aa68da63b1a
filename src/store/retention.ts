/** What is kept for how long: the statements that erase content, then metadata, and say which objects somebody still points at. */
import { sql } from 'kysely';
import type { ObjectRef } from '../base/content.ts';
import type { Ods, TransferId } from '../base/ids.ts';
import type { Store } from './tables.ts';

export type EndedTransfer = { readonly practice: Ods; readonly id: TransferId };

/** One sweep at a time, of all nodes; held until the transaction ends. False: another node is at it. */
export async function mayErase(store: Store): Promise<boolean> {
  const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(hashtext('gp2gp retention')) as mine`.execute(store);
  return rows[0]?.mine ?? false;
}

/** Transfers whose content has been kept long enough after their end. */
export async function contentDue(store: Store, days: number, limit: number): Promise<EndedTransfer[]> {
  const { rows } = await sql<EndedTransfer>`
    select practice, id from transfers
    where ended_at < now() - make_interval(days => ${days}) and (content_erased_at is null or content_erased_at < ended_at)
    order by ended_at limit ${limit} for update skip locked`.execute(store);
  return rows;
}

/** Transfers in which a wrong patient's record came and a person has rejected it. */
export async function rejectedDue(store: Store, limit: number): Promise<EndedTransfer[]> {
  const { rows } = await sql<EndedTransfer>`
    select practice, id from transfers
    where outcome = 'rejected' and state = 'ended' and (content_erased_at is null or content_erased_at < ended_at)
    order by ended_at limit ${limit} for update skip locked`.execute(store);
  return rows;
}

/** Where what a decision was made from names such a list: the fetched one, and that of the record that was read. */
const FETCHED_LISTS = sql`(basis#>'{event,result,answer,documents}'), (basis#>'{event,result,answer,record,documents}')`;

/** The lists of documents, objects themselves, that a transfer's rows point at. */
export async function documentLists(store: Store, { practice, id }: EndedTransfer): Promise<ObjectRef[]> {
  const { rows } = await sql<{ list: ObjectRef }>`
    select list from transfers, lateral (values (body->'record'->'documents'), (body->'documents')) as lists (list)
    where practice = ${practice} and id = ${id} and list->>'sha256' is not null
    union
    select list from history, lateral (values ${FETCHED_LISTS}) as lists (list)
    where practice = ${practice} and transfer = ${id} and list->>'sha256' is not null`.execute(store);
  return rows.map(({ list }) => list);
}

/** Notes every object that the rows of a transfer point at as one that is to go at once, and others of which the caller knows. */
export async function markErased(store: Store, { practice, id }: EndedTransfer, others: readonly ObjectRef[]): Promise<void> {
  await sql`
    insert into erasures (sha256, bytes)
    select distinct on (sha256) sha256, bytes from (
      select ref->>'sha256' as sha256, (ref->>'bytes')::bigint as bytes from (
        select jsonb_path_query(body, 'strict $.**{1 to last} ? (@.sha256 != "")', silent => true) as ref
          from transfers where practice = ${practice} and id = ${id}
        union all
        select jsonb_path_query(content, 'strict $.**{1 to last} ? (@.sha256 != "")', silent => true)
          from parts where practice = ${practice} and transfer = ${id}
        union all
        select jsonb_path_query(message, 'strict $.**{1 to last} ? (@.sha256 != "")', silent => true)
          from inbox where practice = ${practice} and transfer = ${id}
        union all
        select jsonb_path_query(basis, 'strict $.**{1 to last} ? (@.sha256 != "")', silent => true)
          from history where practice = ${practice} and transfer = ${id} and basis is not null
      ) as pointed (ref)
      union all
      select sha256, bytes from jsonb_to_recordset(${JSON.stringify(others)}::jsonb) as other (sha256 text, bytes bigint)
    ) as all_refs
    where sha256 is not null and bytes is not null
    on conflict (sha256) do nothing`.execute(store);
}

/**
 * Takes a transfer's content out of its rows: the record, its parts, the messages that brought them. What happened and what it was
 * about stays. The objects go when nobody points at them any more.
 */
export async function eraseContent(store: Store, { practice, id }: EndedTransfer): Promise<void> {
  await sql`delete from parts where practice = ${practice} and transfer = ${id}`.execute(store);
  await sql`delete from outgoing_parts where practice = ${practice} and transfer = ${id}`.execute(store);
  await sql`update history set basis = null where practice = ${practice} and transfer = ${id} and basis is not null`.execute(store);
  // Put aside, and nobody waits for it any more.
  await sql`
    delete from outbox where practice = ${practice} and transfer = ${id} and kind = 'message' and dead_at is not null
      and body->>'interaction' in ('extract', 'index', 'piece')`.execute(store);
  // What its sender was told stays: it is told again if the message comes again.
  await sql`
    update inbox set message = jsonb_strip_nulls(jsonb_build_object('refused', message->'refused'))
    where practice = ${practice} and transfer = ${id} and done_at is not null`.execute(store);
  await sql`
    update transfers set content_erased_at = now(), body = case role
      when 'requesting' then body || '{"core": null, "record": null}'
      else body || '{"offer": null}' end
    where practice = ${practice} and id = ${id}`.execute(store);
}

/** Waits for the national service; what was put aside does not: an operator was told of it. */
const UNTOLD = sql`kind = 'mi' and dead_at is null`;

/**
 * Deletes ended transfers of which nothing need be known any more, with all their rows; they are counted. Gives their number. Events that
 * the national service has not taken yet outlast their transfer, and a transfer stays whose list has not become events yet.
 */
export async function deletePast(store: Store, days: number, limit: number): Promise<number> {
  const { rows } = await sql<EndedTransfer & { role: string; outcome: string; month: string }>`
    select practice, id, role, coalesce(outcome, '') as outcome, date_trunc('month', ended_at)::date::text as month from transfers
    where ended_at < now() - make_interval(days => ${days}) and not exists (
      select from outbox where practice = transfers.practice and transfer = transfers.id and ${UNTOLD} and body ? 'list')
    order by ended_at limit ${limit} for update skip locked`.execute(store);
  if (rows.length === 0) return 0;
  const ids = rows.map(({ id }) => id);
  for (const table of ['parts', 'outgoing_parts', 'history', 'tasks', 'sent_messages', 'inbox'] as const)
    await sql`delete from ${sql.table(table)} where transfer = any(${ids}::text[])`.execute(store);
  await sql`delete from outbox where transfer = any(${ids}::text[]) and not (${UNTOLD})`.execute(store);
  await sql`
    delete from mi_events where transfer = any(${ids}::text[]) and id not in (
      select (body->>'event')::bigint from outbox where transfer = any(${ids}::text[]) and body ? 'event')`.execute(store);
  await sql`
    insert into past_transfers (practice, role, outcome, month, transfers)
    select practice, role, outcome, month::date, count(*)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as past (practice text, role text, outcome text, month text)
    group by 1, 2, 3, 4
    on conflict (practice, role, outcome, month) do update set transfers = past_transfers.transfers + excluded.transfers`.execute(store);
  await sql`delete from transfers where id = any(${ids}::text[])`.execute(store);
  return rows.length;
}

/** Deletes messages that never found a transfer, events of none, and relayed messages, after so many days: duplicates of them are not told any more. */
export async function deletePastMessages(store: Store, days: number): Promise<void> {
  await sql`delete from inbox where transfer is null and received_at < now() - make_interval(days => ${days})`.execute(store);
  // Degrades belong to no transfer, and events that were told late have outlasted theirs.
  await sql`
    delete from mi_events where state not in ('waiting', 'posting') and at < now() - make_interval(days => ${days})
      and not exists (select from transfers where id = mi_events.transfer)`.execute(store);
  await sql`delete from relayed_in where done_at < now() - make_interval(days => ${days})`.execute(store);
  await sql`delete from relayed_out where outcome is not null and queued_at < now() - make_interval(days => ${days})`.execute(store);
}

/**
 * Gathers the address of every object that a row points at into a table of this transaction, and gives the objects among them that are
 * lists of more: kept messages and lists of documents. One snapshot for all of it needs a transaction that is `repeatable read`.
 */
export async function gatherReferenced(store: Store): Promise<ObjectRef[]> {
  await sql`create temp table referenced (sha256 text primary key) on commit drop`.execute(store);
  for (const [table, column] of POINTERS) {
    await sql`
      insert into referenced
      select distinct found[1] from ${sql.table(table)}, regexp_matches(${sql.ref(column)}::text, '"sha256": "([0-9a-f]{64})"', 'g') as found
      on conflict do nothing`.execute(store);
  }
  const { rows } = await sql<{ list: ObjectRef }>`
    select list from transfers, lateral (values (body->'record'->'documents'), (body->'documents')) as lists (list)
    where list->>'sha256' is not null
    union all
    select list from history, lateral (values ${FETCHED_LISTS}) as lists (list)
    where list->>'sha256' is not null
    union all
    select message->'kept' from inbox where message->'kept'->>'sha256' is not null`.execute(store);
  return rows.map(({ list }) => list);
}

/** Every column that may hold pointers to objects. */
const POINTERS = [
  ['transfers', 'body'],
  ['parts', 'content'],
  ['outgoing_parts', 'content'],
  ['inbox', 'message'],
  ['outbox', 'body'],
  ['mi_events', 'list'],
  ['mi_files', 'object'],
  ['relayed_in', 'object'],
  ['relayed_out', 'packed'],
  ['history', 'basis'],
] as const;

/** What the lists point at. */
export async function addReferenced(store: Store, addresses: readonly string[]): Promise<void> {
  if (addresses.length === 0) return;
  await sql`insert into referenced select distinct unnest(${[...addresses]}::text[]) on conflict do nothing`.execute(store);
}

/** Of some objects those that nobody pointed at when `gatherReferenced` looked. */
export async function unreferenced(store: Store, addresses: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ sha256: string }>`
    select sha256 from unnest(${[...addresses]}::text[]) as sha256 where not exists (select from referenced r where r.sha256 = sha256.sha256)`.execute(
    store,
  );
  return new Set(rows.map(({ sha256 }) => sha256));
}

export async function pendingErasures(store: Store, limit: number): Promise<ObjectRef[]> {
  const { rows } = await sql<ObjectRef>`select sha256, bytes from erasures order by since limit ${limit}`.execute(store);
  return rows;
}

export async function endErasures(store: Store, addresses: readonly string[]): Promise<void> {
  await sql`delete from erasures where sha256 = any(${[...addresses]}::text[])`.execute(store);
}

/** Notes that something is done now, unless any node did it within the last so many hours. True: it is to be done. */
export async function isTimeFor(store: Store, what: string, hours: number): Promise<boolean> {
  const { rows } = await sql`
    insert into settings (name, value) values (${what}, now()::text)
    on conflict (name) do update set value = excluded.value where settings.value::timestamptz < now() - make_interval(hours => ${hours})
    returning name`.execute(store);
  return rows.length > 0;
}

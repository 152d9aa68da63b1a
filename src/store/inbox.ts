/** Messages that were accepted, until their transfer knows of them. A row is written before the sender hears that we have it. */
import { sql } from 'kysely';
import type { ObjectRef } from '../base/content.ts';
import type { ConversationId, Instant, MessageId, Ods, TransferId } from '../base/ids.ts';
import type { EbxmlErrorCode } from '../ebxml/message-error.ts';
import type { Received } from '../transfer/types.ts';
import { CHANNEL, wakeCall } from './outbox.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Claim, Store } from './tables.ts';

/** Why a message was refused for good: what its sender was told, and is told again. */
export type Refused = { readonly code: EbxmlErrorCode; readonly description: string };
/** The message itself, or the object that holds it where it is too large for a row. */
export type KeptMessage = ({ readonly message: Received } | { readonly kept: ObjectRef }) & { readonly refused?: Refused };
export type Accepted = {
  readonly fromPartyKey: string;
  readonly messageId: MessageId;
  readonly practice: Ods;
  readonly conversationId: ConversationId;
  readonly action: string;
  readonly digest: string;
  readonly bytes: number;
  readonly receivedAt: Instant;
  readonly message: KeptMessage;
};
/** Of a message that came before: when it came first, and what was answered then. */
export type Acceptance = {
  readonly fate: 'new' | 'duplicate' | 'altered';
  readonly receivedAt: Instant;
  readonly refused: Refused | null;
};
export type Arrival = {
  readonly claim: Claim;
  readonly fromPartyKey: string;
  readonly practice: Ods;
  readonly attempts: number;
  readonly ageSeconds: number;
  readonly message: KeptMessage;
};

/**
 * Keeps a message once, told by sender and message id. `altered`: the id came before with other bytes; the first stays, the second
 * is recorded for an operator. One statement where the message is new, so that it is durable when this resolves; every node but
 * `node`, which wakes its own workers without the way round, is called.
 */
export async function accept(store: Store, given: Accepted, node = ''): Promise<Acceptance> {
  const key = { party: storable(given.fromPartyKey), id: storable(given.messageId) };
  const { rows } = await sql`
    with kept as (
      insert into inbox (from_party_key, message_id, practice, conversation_id, action, digest, bytes, received_at, message)
      values (${key.party}, ${key.id}, ${given.practice}, ${storable(given.conversationId)}, ${storable(given.action)}, ${given.digest},
        ${given.bytes}, ${given.receivedAt}, ${writeStored(given.message)}::jsonb)
      on conflict (from_party_key, message_id) do nothing
      returning id
    )
    select pg_notify(${CHANNEL}, ${wakeCall(node, ['inbox'])}) from kept`.execute(store);
  if (rows.length > 0) return { fate: 'new', receivedAt: given.receivedAt, refused: given.message.refused ?? null };
  const first = await store
    .selectFrom('inbox')
    .select(['digest', 'received_at as receivedAt', sql<Refused | null>`message->'refused'`.as('refused')])
    .where('from_party_key', '=', key.party)
    .where('message_id', '=', given.messageId)
    .executeTakeFirstOrThrow();
  const answered = { receivedAt: first.receivedAt, refused: first.refused };
  if (first.digest === given.digest) return { fate: 'duplicate', ...answered };
  const detail = { messageId: given.messageId, first: first.digest, second: given.digest, message: given.message };
  await sql`
    insert into audit (practice, actor, action, detail)
    values (${given.practice}, ${key.party}, 'messageIdUsedTwice', ${writeStored(detail)}::jsonb)`.execute(store);
  return { fate: 'altered', ...answered };
}

/** Takes up to `limit` messages that no transfer knows of yet, in the order of their arrival. */
export async function claimArrivals(store: Store, owner: string, limit: number, leaseSeconds: number): Promise<Arrival[]> {
  const { rows } = await sql<{
    id: number;
    from_party_key: string;
    practice: Ods;
    claims: number;
    attempts: number;
    age: number;
    message: KeptMessage;
  }>`
    update inbox set owner = ${owner}, claims = claims + 1, due_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    where id in (
      select id from inbox where done_at is null and dead_at is null and due_at <= clock_timestamp()
      order by due_at, id limit ${limit} for update skip locked
    )
    returning id, from_party_key, practice, claims, attempts, message, extract(epoch from clock_timestamp() - received_at)::float8 as age`.execute(
    store,
  );
  return rows
    .sort((a, b) => a.id - b.id)
    .map((row) => ({
      claim: { id: row.id, owner, claims: row.claims },
      fromPartyKey: row.from_party_key,
      practice: row.practice,
      attempts: row.attempts,
      ageSeconds: row.age,
      message: row.message,
    }));
}

/** Whether the claim still holds, for the rest of the transaction. */
export async function holdArrival(store: Store, { id, owner, claims }: Claim): Promise<boolean> {
  const { rows } = await sql`
    select from inbox where id = ${id} and owner = ${owner} and claims = ${claims} and done_at is null for update`.execute(store);
  return rows.length === 1;
}

/** The transfer has taken the message. False: the claim was lost. */
export async function completeArrival(store: Store, { id, owner, claims }: Claim, transfer: TransferId): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update inbox set done_at = now(), owner = null, transfer = ${transfer}
    where id = ${id} and owner = ${owner} and claims = ${claims} and done_at is null`.execute(store);
  return numAffectedRows === 1n;
}

/** Nobody knows the conversation yet, or the message met a fault that may pass: it waits and is tried again. */
export async function parkArrival(store: Store, { id, owner, claims }: Claim, afterSeconds: number, fault: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update inbox set owner = null, attempts = attempts + 1, fault = ${storable(fault)},
      due_at = clock_timestamp() + make_interval(secs => ${afterSeconds})
    where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(store);
  return numAffectedRows === 1n;
}

/** Waited long enough: an operator sees it, and may `reviveArrival` it. */
export async function buryArrival(store: Store, { id, owner, claims }: Claim, fault: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update inbox set owner = null, dead_at = now(), fault = ${storable(fault)}
    where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(store);
  return numAffectedRows === 1n;
}

export async function reviveArrival(store: Store, practice: Ods, id: number): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update inbox set dead_at = null, due_at = now(), attempts = 0
    where id = ${id} and practice = ${practice} and dead_at is not null`.execute(store);
  return numAffectedRows === 1n;
}

/**
 * A person has decided that a message which was put aside is not wanted. Its content goes; that it came stays, so that it is told from a
 * new one when it comes again, and what its sender was told.
 */
export async function dropArrival(store: Store, practice: Ods, id: number): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update inbox set dead_at = null, done_at = now(), message = jsonb_strip_nulls(jsonb_build_object('refused', message->'refused'))
    where id = ${id} and practice = ${practice} and dead_at is not null`.execute(store);
  return numAffectedRows === 1n;
}

export async function renewArrivals(store: Store, owner: string, ids: readonly number[], leaseSeconds: number): Promise<void> {
  await sql`
    update inbox set due_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    where id = any(${[...ids]}::bigint[]) and owner = ${owner} and done_at is null`.execute(store);
}

export async function releaseArrivals(store: Store, owner: string): Promise<void> {
  await sql`update inbox set owner = null, due_at = clock_timestamp() where owner = ${owner} and done_at is null and dead_at is null`.execute(
    store,
  );
}

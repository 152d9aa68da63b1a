/** Messages that were accepted, until their transfer knows of them. A row is written before the sender hears that we have it. */
import { sql } from 'kysely';
import type { ObjectRef } from '../base/content.ts';
import type { ConversationId, Instant, MessageId, Ods, TransferId } from '../base/ids.ts';
import { fixed } from '../database/fixed.ts';
import type { EbxmlErrorCode } from '../ebxml/message-error.ts';
import type { Received } from '../transfer/types.ts';
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

/** The process that accepts a message takes it to its transfer itself: nobody else gets it before the lease ends. */
export type TakenBy = { readonly owner: string; readonly leaseSeconds: number };

/**
 * Keeps a message once, told by sender and message id. `altered`: the id came before with other bytes; the first stays, the second
 * is recorded for an operator. One statement where the message is new, so that it is durable when this resolves. Without `taken` it
 * lies there for anybody; a new one that is taken comes back as its arrival.
 */
export async function accept(
  store: Store,
  given: Accepted,
  taken: TakenBy | null = null,
): Promise<Acceptance & { readonly arrival: Arrival | null }> {
  const key = { party: storable(given.fromPartyKey), id: storable(given.messageId) };
  const { rows } = await fixed<{ id: number }>`
    insert into inbox (from_party_key, message_id, practice, conversation_id, action, digest, bytes, received_at, message, owner, claims, due_at)
    values (${key.party}, ${key.id}, ${given.practice}, ${storable(given.conversationId)}, ${storable(given.action)}, ${given.digest},
      ${given.bytes}, ${given.receivedAt}, ${writeStored(given.message)}::jsonb, ${taken?.owner ?? null}, ${taken ? 1 : 0},
      clock_timestamp() + make_interval(secs => ${taken?.leaseSeconds ?? 0}))
    on conflict (from_party_key, message_id) do nothing
    returning id`.execute(store);
  const [kept] = rows;
  if (kept) {
    const arrival = taken && {
      claim: { id: kept.id, owner: taken.owner, claims: 1 },
      fromPartyKey: key.party,
      practice: given.practice,
      attempts: 0,
      ageSeconds: 0,
      message: given.message,
    };
    return { fate: 'new', receivedAt: given.receivedAt, refused: given.message.refused ?? null, arrival };
  }
  const first = await store
    .selectFrom('inbox')
    .select(['digest', 'received_at as receivedAt', sql<Refused | null>`message->'refused'`.as('refused')])
    .where('from_party_key', '=', key.party)
    .where('message_id', '=', given.messageId)
    .executeTakeFirstOrThrow();
  const answered = { receivedAt: first.receivedAt, refused: first.refused, arrival: null };
  if (first.digest === given.digest) return { fate: 'duplicate', ...answered };
  const detail = { messageId: given.messageId, first: first.digest, second: given.digest, message: given.message };
  await fixed`
    insert into audit (practice, actor, action, detail)
    values (${given.practice}, ${key.party}, 'messageIdUsedTwice', ${writeStored(detail)}::jsonb)`.execute(store);
  return { fate: 'altered', ...answered };
}

/** Takes up to `limit` messages that no transfer knows of yet, in the order of their arrival. */
export async function claimArrivals(store: Store, owner: string, limit: number, leaseSeconds: number): Promise<Arrival[]> {
  const { rows } = await fixed<{
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

/** The transfer has taken the message. False: the claim was lost. */
export async function completeArrival(store: Store, { id, owner, claims }: Claim, transfer: TransferId): Promise<boolean> {
  const { numAffectedRows } = await fixed`
    update inbox set done_at = now(), owner = null, transfer = ${transfer}
    where id = ${id} and owner = ${owner} and claims = ${claims} and done_at is null`.execute(store);
  return numAffectedRows === 1n;
}

/** Nobody knows the conversation yet, or the message met a fault that may pass: it waits and is tried again. */
export async function parkArrival(store: Store, { id, owner, claims }: Claim, afterSeconds: number, fault: string): Promise<boolean> {
  const { numAffectedRows } = await fixed`
    update inbox set owner = null, attempts = attempts + 1, fault = ${storable(fault)},
      due_at = clock_timestamp() + make_interval(secs => ${afterSeconds})
    where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(store);
  return numAffectedRows === 1n;
}

/** Waited long enough: an operator sees it, and may `reviveArrival` it. */
export async function buryArrival(store: Store, { id, owner, claims }: Claim, fault: string): Promise<boolean> {
  const { numAffectedRows } = await fixed`
    update inbox set owner = null, dead_at = now(), fault = ${storable(fault)}
    where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(store);
  return numAffectedRows === 1n;
}

export async function reviveArrival(store: Store, practice: Ods, id: number): Promise<boolean> {
  const { numAffectedRows } = await fixed`
    update inbox set dead_at = null, due_at = now(), attempts = 0
    where id = ${id} and practice = ${practice} and dead_at is not null`.execute(store);
  return numAffectedRows === 1n;
}

/**
 * A person has decided that a message which was put aside is not wanted. Its content goes; that it came stays, so that it is told from a
 * new one when it comes again, and what its sender was told.
 */
export async function dropArrival(store: Store, practice: Ods, id: number): Promise<boolean> {
  const { numAffectedRows } = await fixed`
    update inbox set dead_at = null, done_at = now(), message = jsonb_strip_nulls(jsonb_build_object('refused', message->'refused'))
    where id = ${id} and practice = ${practice} and dead_at is not null`.execute(store);
  return numAffectedRows === 1n;
}

export async function renewArrivals(store: Store, owner: string, ids: readonly number[], leaseSeconds: number): Promise<void> {
  await fixed`
    update inbox set due_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    where id = any(${[...ids]}::bigint[]) and owner = ${owner} and done_at is null`.execute(store);
}

export async function releaseArrivals(store: Store, owner: string): Promise<void> {
  await fixed`update inbox set owner = null, due_at = clock_timestamp() where owner = ${owner} and done_at is null and dead_at is null`.execute(
    store,
  );
}

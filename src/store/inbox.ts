/** Messages that were accepted, until their transfer knows of them. A row is written before the sender hears that we have it. */
import { sql } from 'kysely';
import type { ConversationId, MessageId, Ods, TransferId } from '../base/ids.ts';
import type { Received } from '../transfer/types.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Claim, Store } from './tables.ts';

export type Accepted = {
  readonly fromPartyKey: string;
  readonly messageId: MessageId;
  readonly practice: Ods;
  readonly conversationId: ConversationId;
  readonly action: string;
  readonly digest: string;
  readonly bytes: number;
  readonly message: Received;
};
export type Arrival = {
  readonly claim: Claim;
  readonly fromPartyKey: string;
  readonly practice: Ods;
  readonly attempts: number;
  readonly ageSeconds: number;
  readonly message: Received;
};

/**
 * Keeps a message once, told by sender and message id. `altered`: the id came before with other bytes; the first stays, the second
 * is recorded for an operator. Durable when the transaction commits.
 */
export async function accept(store: Store, message: Accepted): Promise<'new' | 'duplicate' | 'altered'> {
  const { rows } = await sql<{ digest: string; added: boolean }>`
    with added as (
      insert into inbox (from_party_key, message_id, practice, conversation_id, action, digest, bytes, message)
      values (${storable(message.fromPartyKey)}, ${storable(message.messageId)}, ${message.practice}, ${storable(message.conversationId)},
        ${storable(message.action)}, ${message.digest}, ${message.bytes}, ${writeStored(message.message)}::jsonb)
      on conflict (from_party_key, message_id) do nothing
      returning digest
    )
    select digest, true as added from added
    union all
    select digest, false from inbox where from_party_key = ${storable(message.fromPartyKey)} and message_id = ${storable(message.messageId)}`.execute(
    store,
  );
  if (rows.some((row) => row.added)) return 'new';
  // No row: the other one committed while this statement ran, so only the next statement sees it.
  const known = rows[0]?.digest ?? (await digestOf(store, message));
  if (known === message.digest) return 'duplicate';
  await sql`
    insert into audit (practice, actor, action, detail)
    values (${message.practice}, ${storable(message.fromPartyKey)}, 'messageIdUsedTwice',
      ${writeStored({ messageId: message.messageId, first: known, second: message.digest, message: message.message })}::jsonb)`.execute(
    store,
  );
  return 'altered';
}

async function digestOf(store: Store, { fromPartyKey, messageId }: Accepted): Promise<string | null> {
  const row = await store
    .selectFrom('inbox')
    .select('digest')
    .where('from_party_key', '=', storable(fromPartyKey))
    .where('message_id', '=', messageId)
    .executeTakeFirst();
  return row?.digest ?? null;
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
    message: Received;
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
    update inbox set dead_at = null, due_at = now(), attempts = 0, received_at = now()
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

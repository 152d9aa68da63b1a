/** Messages of a client for whom this node stands in the place of the existing message adaptor: on their way out, and to its queue. */
import { sql } from 'kysely';
import type { ObjectRef } from '../base/content.ts';
import type { Instant } from '../base/ids.ts';
import type { Packed } from '../base/wire.ts';
import type { Acceptance, Refused } from './inbox.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Claim, Store } from './tables.ts';

/** What a client is told about its message for good. */
export type RelayOutcome = { readonly status: number; readonly body: string };
export type RelayedOut = {
  readonly claim: Claim;
  readonly packed: Packed;
  readonly url: string;
  readonly attempts: number;
  readonly expired: boolean;
};

/** Queues a message once. `other`: the id was used for other content. */
export async function relayOut(
  store: Store,
  { digest, packed, url }: { readonly digest: string; readonly packed: Packed; readonly url: string },
): Promise<'new' | 'known' | 'other'> {
  const { rows } = await sql`
    insert into relayed_out (message_id, digest, packed, url, until)
    values (${packed.messageId}, ${digest}, ${writeStored(packed)}::jsonb, ${url}, now() + make_interval(secs => ${packed.persistSeconds}))
    on conflict (message_id) do nothing returning message_id`.execute(store);
  if (rows.length > 0) return 'new';
  return (await findRelayed(store, packed.messageId))?.digest === digest ? 'known' : 'other';
}

export async function findRelayed(
  store: Store,
  messageId: string,
): Promise<{ readonly digest: string; readonly outcome: RelayOutcome | null } | null> {
  const { rows } = await sql<{ digest: string; outcome: RelayOutcome | null }>`
    select digest, outcome from relayed_out where message_id = ${messageId}`.execute(store);
  return rows[0] ?? null;
}

export async function claimRelayedOut(store: Store, owner: string, limit: number, leaseSeconds: number): Promise<RelayedOut[]> {
  const { rows } = await sql<{ message_id: string; packed: Packed; url: string; attempts: number; claims: number; expired: boolean }>`
    update relayed_out set owner = ${owner}, claims = claims + 1, due_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    where message_id in (
      select message_id from relayed_out where outcome is null and due_at <= clock_timestamp() order by due_at limit ${limit} for update skip locked
    ) returning message_id, packed, url, attempts, claims, until <= clock_timestamp() as expired`.execute(store);
  return rows.map(({ packed, url, attempts, claims, expired }) => ({ claim: { id: 0, owner, claims }, packed, url, attempts, expired }));
}

/** Due again after so many seconds, at the end of its contract at the latest. */
export async function retryRelayedOut(
  store: Store,
  { packed, claim }: RelayedOut,
  { afterSeconds, counts }: { readonly afterSeconds: number; readonly counts: boolean },
): Promise<void> {
  await sql`
    update relayed_out set owner = null, attempts = attempts + ${counts ? 1 : 0},
      due_at = least(clock_timestamp() + make_interval(secs => ${Math.min(afterSeconds, 3_153_600_000)}), until)
    where message_id = ${packed.messageId} and owner = ${claim.owner} and claims = ${claim.claims}`.execute(store);
}

export async function endRelayedOut(store: Store, { packed, claim }: RelayedOut, outcome: RelayOutcome): Promise<void> {
  await sql`
    update relayed_out set owner = null, outcome = ${writeStored(outcome)}::jsonb
    where message_id = ${packed.messageId} and owner = ${claim.owner} and claims = ${claim.claims}`.execute(store);
}

/** Whoever has it in hand: it turned out to have arrived. */
export async function endRelayed(store: Store, messageId: string, outcome: RelayOutcome): Promise<void> {
  await sql`
    update relayed_out set owner = null, claims = claims + 1, outcome = ${writeStored(outcome)}::jsonb
    where message_id = ${messageId} and outcome is null`.execute(store);
}

export type RelayIn = {
  readonly fromPartyKey: string;
  readonly messageId: string;
  readonly conversationId: string;
  readonly digest: string;
  readonly receivedAt: Instant;
} & ({ readonly object: ObjectRef } | { readonly refused: Refused });
export type RelayedIn = {
  readonly claim: Claim;
  readonly messageId: string;
  readonly conversationId: string;
  readonly object: ObjectRef;
  readonly attempts: number;
};

/** Keeps a message for the queue once, told by sender and id, as the inbox does. Durable when the transaction commits. */
export async function relayIn(store: Store, given: RelayIn): Promise<Acceptance> {
  const [party, id] = [storable(given.fromPartyKey), storable(given.messageId)];
  const object = 'object' in given ? given.object : null;
  const refused = 'refused' in given ? given.refused : null;
  const { rows } = await sql`
    insert into relayed_in (from_party_key, message_id, conversation_id, digest, object, refused, received_at, done_at)
    values (${party}, ${id}, ${storable(given.conversationId)}, ${given.digest}, ${object && writeStored(object)}::jsonb,
      ${refused && writeStored(refused)}::jsonb, ${given.receivedAt}, ${refused ? given.receivedAt : null})
    on conflict (from_party_key, message_id) do nothing returning id`.execute(store);
  if (rows.length > 0) return { fate: 'new', receivedAt: given.receivedAt, refused };
  const first = await sql<{ digest: string; received_at: Instant; refused: Refused | null }>`
    select digest, received_at, refused from relayed_in where from_party_key = ${party} and message_id = ${id}`.execute(store);
  const [row] = first.rows;
  if (!row) return { fate: 'new', receivedAt: given.receivedAt, refused };
  return { fate: row.digest === given.digest ? 'duplicate' : 'altered', receivedAt: row.received_at, refused: row.refused };
}

export async function claimRelayedIn(store: Store, owner: string, limit: number, leaseSeconds: number): Promise<RelayedIn[]> {
  const { rows } = await sql<{
    id: number;
    message_id: string;
    conversation_id: string;
    object: ObjectRef;
    attempts: number;
    claims: number;
  }>`
    update relayed_in set owner = ${owner}, claims = claims + 1, due_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    where id in (
      select id from relayed_in where done_at is null and due_at <= clock_timestamp() order by due_at, id limit ${limit} for update skip locked
    ) returning id, message_id, conversation_id, object, attempts, claims`.execute(store);
  return rows
    .sort((a, b) => a.id - b.id)
    .map(({ id, message_id, conversation_id, object, attempts, claims }) => ({
      claim: { id, owner, claims },
      messageId: message_id,
      conversationId: conversation_id,
      object,
      attempts,
    }));
}

/** The broker has it for good. */
export async function endRelayedIn(store: Store, { id, owner, claims }: Claim): Promise<void> {
  await sql`update relayed_in set done_at = now(), owner = null where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(
    store,
  );
}

export async function retryRelayedIn(store: Store, { id, owner, claims }: Claim, afterSeconds: number, fault: string): Promise<void> {
  await sql`
    update relayed_in set owner = null, attempts = attempts + 1, fault = ${storable(fault)},
      due_at = clock_timestamp() + make_interval(secs => ${afterSeconds})
    where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(store);
}

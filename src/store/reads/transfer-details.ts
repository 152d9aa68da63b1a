/** All that is known of one transfer beside its history and its content: parts, queue, messages, tasks. No names of files, no bytes. */
import { sql } from 'kysely';
import { storedLength } from '../../base/content.ts';
import type { Instant, MessageId, Ods, TransferId } from '../../base/ids.ts';
import type { Interaction } from '../../transfer/types.ts';
import type { Store, Tables } from '../tables.ts';

export type PartLine = {
  readonly key: string;
  /** The message that announced it; null: nobody has. */
  readonly under: string | null;
  readonly contentType: string | null;
  readonly index: boolean;
  readonly state: 'waiting' | 'here' | 'held' | 'answered';
  readonly bytes: number | null;
  readonly cameAt: Instant | null;
  /** What the other practice said of one that was sent. */
  readonly answer: string | null;
};
export type QueueLine = {
  readonly id: number;
  readonly kind: Tables['outbox']['kind'];
  readonly name: string;
  readonly interaction: Interaction | null;
  readonly attempts: number;
  readonly fault: string | null;
  readonly dueAt: Instant;
  readonly until: Instant | null;
  /** A worker has it in hand. */
  readonly inHand: boolean;
  readonly deadAt: Instant | null;
};
export type MessageLine = {
  readonly id: number;
  readonly messageId: MessageId;
  readonly from: string;
  readonly action: string;
  readonly bytes: number;
  readonly receivedAt: Instant;
  readonly state: 'taken' | 'waiting' | 'dead';
  readonly attempts: number;
  readonly fault: string | null;
};
export type TaskLine = {
  readonly task: string;
  readonly raisedAt: Instant;
  readonly dueAt: Instant | null;
  readonly closedAt: Instant | null;
};
export type TransferDetails = {
  readonly parts: readonly PartLine[];
  readonly queue: readonly QueueLine[];
  readonly messages: readonly MessageLine[];
  readonly sent: Readonly<Partial<Record<Interaction, number>>>;
  readonly tasks: readonly TaskLine[];
  readonly contentErasedAt: Instant | null;
};

export async function readDetails(store: Store, practice: Ods, id: TransferId): Promise<TransferDetails> {
  const erased = await store
    .selectFrom('transfers')
    .select('content_erased_at as at')
    .where('practice', '=', practice)
    .where('id', '=', id)
    .executeTakeFirst();
  return {
    parts: [...(await received(store, practice, id)), ...(await reserved(store, practice, id))],
    queue: await queued(store, practice, id),
    messages: await messages(store, practice, id),
    sent: await sent(store, practice, id),
    tasks: await store
      .selectFrom('tasks')
      .select(['task', 'raised_at as raisedAt', 'due_at as dueAt', 'closed_at as closedAt'])
      .where('practice', '=', practice)
      .where('transfer', '=', id)
      .orderBy('id')
      .execute(),
    contentErasedAt: erased?.at ?? null,
  };
}

async function received(store: Store, practice: Ods, id: TransferId): Promise<PartLine[]> {
  const rows = await store
    .selectFrom('parts')
    .select(['key', 'under', 'announced', 'is_index', 'content', 'came_at'])
    .where('practice', '=', practice)
    .where('transfer', '=', id)
    .orderBy('under')
    .orderBy('number')
    .orderBy('key')
    .execute();
  return rows.map((row) => ({
    key: row.key,
    under: row.under,
    contentType: row.announced.contentType ?? null,
    index: row.is_index,
    state: row.came_at === null ? 'waiting' : 'here',
    bytes: row.content && storedLength(row.content),
    cameAt: row.came_at,
    answer: null,
  }));
}

async function reserved(store: Store, practice: Ods, id: TransferId): Promise<PartLine[]> {
  const rows = await store
    .selectFrom('outgoing_parts')
    .select(['message_id', 'under', 'kind', 'announced', 'content', 'answer'])
    .where('practice', '=', practice)
    .where('transfer', '=', id)
    .orderBy('number')
    .orderBy('message_id')
    .execute();
  return rows.map((row) => ({
    key: row.message_id,
    under: row.under,
    contentType: row.announced.contentType ?? null,
    index: row.kind === 'index',
    state: row.answer === null ? 'held' : 'answered',
    bytes: row.content && storedLength(row.content),
    cameAt: null,
    answer: row.answer,
  }));
}

async function queued(store: Store, practice: Ods, id: TransferId): Promise<QueueLine[]> {
  const { rows } = await sql<QueueLine>`
    select id, kind, name, body->>'interaction' as interaction, attempts, fault, due_at as "dueAt", until, owner is not null as "inHand",
      dead_at as "deadAt"
    from outbox where practice = ${practice} and transfer = ${id} order by dead_at nulls first, due_at, id`.execute(store);
  return rows;
}

/** Those that the transfer took, and those of its conversation that nobody has taken yet. */
async function messages(store: Store, practice: Ods, id: TransferId): Promise<MessageLine[]> {
  const { rows } = await sql<MessageLine>`
    select id, message_id as "messageId", from_party_key as "from", action, bytes, received_at as "receivedAt", attempts, fault,
      case when dead_at is not null then 'dead' when done_at is not null then 'taken' else 'waiting' end as state
    from inbox
    where practice = ${practice} and (transfer = ${id} or (transfer is null and done_at is null
      and conversation_id = (select conversation_id from transfers where practice = ${practice} and id = ${id})))
    order by received_at, id`.execute(store);
  return rows;
}

/** Messages of ours by what they were; each counts once, under whichever of its ids. */
async function sent(store: Store, practice: Ods, id: TransferId): Promise<TransferDetails['sent']> {
  const { rows } = await sql<{ interaction: Interaction; count: number }>`
    select interaction, count(distinct message_id) as count from sent_messages where practice = ${practice} and transfer = ${id}
    group by interaction order by interaction`.execute(store);
  return Object.fromEntries(rows.map(({ interaction, count }) => [interaction, count]));
}

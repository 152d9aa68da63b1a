/** What could not be understood or carried out: put aside with all its bytes, until somebody mends the cause and replays it, or drops it. */
import { type RawBuilder, sql } from 'kysely';
import type { Instant, Ods, TransferId } from '../../base/ids.ts';
import type { Store } from '../tables.ts';

export type DeadLetter = {
  readonly queue: 'inbox' | 'outbox';
  readonly id: number;
  readonly practice: Ods;
  readonly transfer: TransferId | null;
  /** What it was: a kind of outgoing work, or the action of a message that came. */
  readonly what: string;
  /** A message's id, a job's or timer's name. */
  readonly name: string;
  /** Of a message that came: its sender's party key, and the conversation in which it came. */
  readonly from: string | null;
  readonly conversationId: string | null;
  readonly fault: string;
  readonly attempts: number;
  /** When it came, or was queued. */
  readonly since: Instant;
  /** Null: it still waits for its conversation to appear, and is tried again. */
  readonly deadAt: Instant | null;
};
export type DeadLetterSearch = {
  readonly practice?: Ods;
  readonly queue?: DeadLetter['queue'];
  readonly id?: number;
  /** In the place of what was put aside: messages that came and still wait. */
  readonly parked?: boolean;
  /** The last line of the page before. */
  readonly after?: Pick<DeadLetter, 'queue' | 'id' | 'since'>;
};

/** A page of dead letters, the youngest first. An operator mends the cause and replays them. */
export async function searchDeadLetters(store: Store, search: DeadLetterSearch, limit: number): Promise<DeadLetter[]> {
  const { practice, queue, id, parked = false, after } = search;
  const came = parked ? sql`done_at is null and dead_at is null and attempts > 0` : sql`dead_at is not null`;
  const conditions: RawBuilder<unknown>[] = [sql`true`];
  if (practice !== undefined) conditions.push(sql`practice = ${practice}`);
  if (queue !== undefined) conditions.push(sql`queue = ${queue}`);
  if (id !== undefined) conditions.push(sql`id = ${id}`);
  // Our times have milliseconds; PostgreSQL's, of which some come, have more.
  if (after) conditions.push(sql`(since, queue, id) < (${after.since}, ${after.queue}, ${after.id})`);
  const { rows } = await sql<DeadLetter>`
    select * from (
      select 'inbox' as queue, id, practice, transfer, action as what, message_id as name, from_party_key as "from",
        conversation_id as "conversationId", coalesce(fault, '') as fault, attempts,
        date_trunc('milliseconds', received_at) as since, dead_at as "deadAt"
      from inbox where ${came}
      union all
      select 'outbox', id, practice, transfer, kind, name, null, null, coalesce(fault, ''), attempts, date_trunc('milliseconds', queued_at), dead_at
      from outbox where dead_at is not null and ${!parked}
    ) as letters
    where ${sql.join(conditions, sql` and `)}
    order by since desc, queue desc, id desc limit ${limit}`.execute(store);
  return rows;
}

/** How many there are of each practice, and the age of the oldest; for metrics. */
export async function countDeadLetters(
  store: Store,
): Promise<{ practice: Ods; queue: DeadLetter['queue']; count: number; oldestSeconds: number }[]> {
  const { rows } = await sql<{ practice: Ods; queue: DeadLetter['queue']; count: number; oldestSeconds: number }>`
    select practice, queue, count(*) as count, extract(epoch from now() - min(dead_at))::float8 as "oldestSeconds"
    from (
      select practice, 'inbox' as queue, dead_at from inbox where dead_at is not null
      union all
      select practice, 'outbox', dead_at from outbox where dead_at is not null
    ) as letters
    group by practice, queue order by practice, queue`.execute(store);
  return rows;
}

/** What a dead letter holds, without its bytes: a message that came as it was read, a message that was to leave, a job. */
export async function readDeadLetterBody(store: Store, { queue, id }: Pick<DeadLetter, 'queue' | 'id'>): Promise<unknown> {
  const row =
    queue === 'inbox'
      ? await store.selectFrom('inbox').select('message as body').where('id', '=', id).executeTakeFirst()
      : await store.selectFrom('outbox').select('body').where('id', '=', id).executeTakeFirst();
  return row?.body ?? null;
}

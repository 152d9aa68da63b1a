import { sql } from 'kysely';
import type { Instant, Ods, TransferId } from '../base/ids.ts';
import type { Store } from './tables.ts';

export type OpenTask = {
  readonly transfer: TransferId;
  readonly task: string;
  readonly raisedAt: Instant;
  readonly dueAt: Instant | null;
};

/** Puts something on the practice's worklist; once while it is open. */
export async function raiseTask(store: Store, practice: Ods, transfer: TransferId, task: string, due: Instant | null): Promise<void> {
  await sql`
    insert into tasks (practice, transfer, task, due_at) values (${practice}, ${transfer}, ${task}, ${due})
    on conflict (practice, transfer, task) where closed_at is null do update set due_at = coalesce(excluded.due_at, tasks.due_at)`.execute(
    store,
  );
}

export async function closeTask(store: Store, practice: Ods, transfer: TransferId, task: string): Promise<void> {
  await sql`
    update tasks set closed_at = now()
    where practice = ${practice} and transfer = ${transfer} and task = ${task} and closed_at is null`.execute(store);
}

/** What waits for somebody at a practice, the most urgent first. */
export async function openTasks(store: Store, practice: Ods, limit: number): Promise<OpenTask[]> {
  const rows = await store
    .selectFrom('tasks')
    .select(['transfer', 'task', 'raised_at', 'due_at'])
    .where('practice', '=', practice)
    .where('closed_at', 'is', null)
    .orderBy((by) => by.fn.coalesce('due_at', 'raised_at'))
    .limit(limit)
    .execute();
  return rows.map((row) => ({ transfer: row.transfer, task: row.task, raisedAt: row.raised_at, dueAt: row.due_at }));
}

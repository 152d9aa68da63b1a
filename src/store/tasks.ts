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
  return open(store, practice)
    .orderBy((by) => by.fn.coalesce('due_at', 'raised_at'))
    .limit(limit)
    .execute();
}

export async function tasksOf(store: Store, practice: Ods, transfer: TransferId): Promise<OpenTask[]> {
  return open(store, practice).where('transfer', '=', transfer).orderBy('raised_at').execute();
}

function open(store: Store, practice: Ods) {
  return store
    .selectFrom('tasks')
    .select(['transfer', 'task', 'raised_at as raisedAt', 'due_at as dueAt'])
    .where('practice', '=', practice)
    .where('closed_at', 'is', null);
}

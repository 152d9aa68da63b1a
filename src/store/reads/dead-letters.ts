import type { Instant, Ods, TransferId } from '../../base/ids.ts';
import type { Store } from '../tables.ts';

export type DeadLetter = {
  readonly queue: 'inbox' | 'outbox';
  readonly id: number;
  readonly transfer: TransferId | null;
  /** What it was: a kind of outgoing work, or the action of a message that came. */
  readonly what: string;
  /** A message's id, a job's or timer's name. */
  readonly name: string;
  readonly fault: string;
  readonly attempts: number;
  readonly deadAt: Instant;
};

/** What was put aside at a practice, newest first: an operator mends the cause and replays it. */
export async function listDeadLetters(store: Store, practice: Ods, limit: number): Promise<DeadLetter[]> {
  const out = store
    .selectFrom('outbox')
    .select(['id', 'transfer', 'kind as what', 'name', 'fault', 'attempts', 'dead_at as deadAt'])
    .where('practice', '=', practice)
    .where('dead_at', 'is not', null)
    .orderBy('dead_at', 'desc')
    .limit(limit);
  const inn = store
    .selectFrom('inbox')
    .select(['id', 'transfer', 'action as what', 'message_id as name', 'fault', 'attempts', 'dead_at as deadAt'])
    .where('practice', '=', practice)
    .where('dead_at', 'is not', null)
    .orderBy('dead_at', 'desc')
    .limit(limit);
  const [outgoing, incoming] = [await out.execute(), await inn.execute()];
  const letters: DeadLetter[] = [];
  for (const row of outgoing) if (row.deadAt) letters.push({ ...row, queue: 'outbox', fault: row.fault ?? '', deadAt: row.deadAt });
  for (const row of incoming) if (row.deadAt) letters.push({ ...row, queue: 'inbox', fault: row.fault ?? '', deadAt: row.deadAt });
  return letters.sort((a, b) => (a.deadAt < b.deadAt ? 1 : -1)).slice(0, limit);
}

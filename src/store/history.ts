import { sql } from 'kysely';
import type { Instant, Ods, TransferId } from '../base/ids.ts';
import type { Actor, Event, Measured, Transfer } from '../transfer/types.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Store } from './tables.ts';

export type HistoryEntry = {
  readonly number: number;
  readonly kind: Event['kind'];
  readonly at: Instant;
  readonly by: Actor;
  readonly from: Transfer['state'] | null;
  readonly to: Transfer['state'];
  readonly note: string;
  readonly measured: Measured;
};

/** Whether the transfer knows this event already. Read under its lock, so the answer holds until the transaction ends. */
export async function hasHappened(store: Store, transfer: TransferId, eventId: string): Promise<boolean> {
  const { rows } = await sql`select from history where transfer = ${transfer} and event_id = ${storable(eventId)}`.execute(store);
  return rows.length > 0;
}

export async function appendHistory(
  store: Store,
  practice: Ods,
  transfer: TransferId,
  eventId: string,
  entry: HistoryEntry,
): Promise<void> {
  await sql`
    insert into history (practice, transfer, number, event_id, kind, at, by, from_state, to_state, note, measured)
    values (${practice}, ${transfer}, ${entry.number}, ${storable(eventId)}, ${entry.kind}, ${entry.at}, ${writeStored(entry.by)}::jsonb,
      ${entry.from}, ${entry.to}, ${storable(entry.note)}, ${writeStored(entry.measured)}::jsonb)`.execute(store);
}

/** The timeline of a transfer, oldest first. */
export async function readHistory(store: Store, practice: Ods, transfer: TransferId): Promise<HistoryEntry[]> {
  const rows = await store
    .selectFrom('history')
    .select(['number', 'kind', 'at', 'by', 'from_state', 'to_state', 'note', 'measured'])
    .where('practice', '=', practice)
    .where('transfer', '=', transfer)
    .orderBy('number')
    .execute();
  return rows.map(({ from_state, to_state, ...row }) => ({ ...row, from: from_state, to: to_state }));
}

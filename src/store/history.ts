import { sql } from 'kysely';
import type { Instant, Ods, TransferId } from '../base/ids.ts';
import type { Basis } from '../transfer/basis.ts';
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

/** Throws PostgreSQL's 23505 where another node has posted the same event: the transaction is run again and finds it. */
export async function appendHistory(
  store: Store,
  practice: Ods,
  transfer: TransferId,
  eventId: string,
  entry: HistoryEntry,
  basis: Basis,
): Promise<void> {
  await sql`
    insert into history (practice, transfer, number, event_id, kind, at, by, from_state, to_state, note, measured, basis)
    values (${practice}, ${transfer}, ${entry.number}, ${storable(eventId)}, ${entry.kind}, ${entry.at}, ${writeStored(entry.by)}::jsonb,
      ${entry.from}, ${entry.to}, ${storable(entry.note)}, ${writeStored(entry.measured)}::jsonb, ${writeStored(basis)}::jsonb)`.execute(
    store,
  );
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

/** What each entry was decided on, in the same order; null where that was not kept, or is erased. */
export async function readBases(
  store: Store,
  practice: Ods,
  transfer: TransferId,
): Promise<{ readonly number: number; readonly eventId: string; readonly basis: Basis | null }[]> {
  return store
    .selectFrom('history')
    .select(['number', 'event_id as eventId', 'basis'])
    .where('practice', '=', practice)
    .where('transfer', '=', transfer)
    .orderBy('number')
    .execute();
}

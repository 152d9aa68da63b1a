import type { Instant, Ods, TransferId } from '../base/ids.ts';
import type { Basis } from '../transfer/basis.ts';
import type { Actor, Event, Measured, Transfer } from '../transfer/types.ts';
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

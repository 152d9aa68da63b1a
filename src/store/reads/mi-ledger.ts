/** The ledger of management information beside the transfers that it is about. */
import { sql } from 'kysely';
import type { ConversationId, Instant, Ods, TransferId } from '../../base/ids.ts';
import type { EventPath } from '../../mi/terms.ts';
import type { Measured } from '../../transfer/types.ts';
import type { MiState } from '../mi-events.ts';
import type { Store } from '../tables.ts';

export type LedgerCount = { readonly practice: Ods; readonly path: EventPath; readonly state: MiState; readonly count: number };

/** Events by practice, path and what became of them. */
export async function countLedger(store: Store): Promise<LedgerCount[]> {
  const { rows } = await sql<LedgerCount>`
    select practice, path, state, count(*) as count from mi_events group by practice, path, state order by practice, path, state`.execute(
    store,
  );
  return rows;
}

/** Ids of all events that the service has taken, or may have. */
export async function toldIds(store: Store): Promise<{ readonly id: string; readonly state: MiState }[]> {
  const { rows } = await sql<{ id: string; state: MiState }>`
    select lower(event_id) as id, state from mi_events where event_id is not null`.execute(store);
  return rows;
}

export type LedgerTransfer = {
  readonly practice: Ods;
  readonly id: TransferId;
  readonly role: 'requesting' | 'sending';
  readonly conversationId: ConversationId;
  readonly otherPractice: Ods | null;
  readonly entries: readonly { readonly at: Instant; readonly measured: Measured }[];
  readonly keys: readonly string[];
};

/**
 * Transfers in order of their ids, after one, with their history and what the ledger has of them; of practices that have told something,
 * from the first event that each told.
 */
export async function ledgerPage(store: Store, after: TransferId | null, limit: number): Promise<LedgerTransfer[]> {
  const { rows } = await sql<LedgerTransfer>`
    with begun as (select practice, min(at) as at from mi_events where path <> 'ehr-degrades' group by practice),
    page as (
      select transfers.* from transfers join begun on begun.practice = transfers.practice and transfers.started_at >= begun.at
      where ${after}::text is null or id > ${after} order by id limit ${limit}
    )
    select practice, id, role, conversation_id as "conversationId", other_practice as "otherPractice",
      coalesce((select jsonb_agg(jsonb_build_object('at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'measured', measured) order by number)
        from history where history.practice = page.practice and transfer = page.id), '[]') as entries,
      coalesce((select jsonb_agg(key) from mi_events where transfer = page.id), '[]') as keys
    from page order by id`.execute(store);
  return rows;
}

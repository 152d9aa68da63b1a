import { sql } from 'kysely';
import type { Ods, TransferId } from '../base/ids.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Store } from './tables.ts';

export type AuditEntry = {
  readonly practice: Ods | null;
  readonly transfer: TransferId | null;
  /** A user and role, a practice's system, or a part of the node. */
  readonly actor: string;
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** Writes down who did what; nothing ever changes or removes an entry. */
export async function audit(store: Store, entry: AuditEntry): Promise<void> {
  await sql`
    insert into audit (practice, transfer, actor, action, detail)
    values (${entry.practice}, ${entry.transfer}, ${storable(entry.actor)}, ${entry.action}, ${writeStored(entry.detail)}::jsonb)`.execute(
    store,
  );
}

import { join } from 'node:path';
import { sql } from 'kysely';
import { Fault } from '../base/errors.ts';
import { type ConnectOptions, connect, type Db } from '../database/connect.ts';
import { migrate } from '../database/migrate.ts';
import { readStored } from './stored-json.ts';
import type { Tables } from './tables.ts';

/** The folder of the node's numbered migrations, and the name under which they are recorded. */
export const MIGRATIONS = join(import.meta.dirname, 'migrations');
export const SCHEMA = 'node';

/** Connects to the node's database; `prepareStore` brings it up to date. */
export function openStore(url: string, options: ConnectOptions = {}): Db<Tables> {
  return connect<Tables>(url, { ...options, parseJson: readStored });
}

/**
 * Migrates, and ties the database to one object store: rows point at objects, and with another store beside them every pointer
 * would lead nowhere. Throws `Fault` `store.otherObjects`.
 */
export async function prepareStore(db: Db<Tables>, objectStoreId: string, migrations = MIGRATIONS): Promise<void> {
  await migrate(db, migrations, SCHEMA);
  const known = await sql<{ value: string }>`
    with first as (
      insert into settings (name, value) values ('object_store', ${objectStoreId}) on conflict (name) do nothing returning value
    )
    select value from first union all select value from settings where name = 'object_store'`.execute(db);
  const value = known.rows[0]?.value ?? objectStoreId;
  if (value === objectStoreId) return;
  throw new Fault('store.otherObjects', `this database belongs to the object store ${value}; the configured one is ${objectStoreId}`, {
    remedy: 'Point the node at the object store that the database was used with, or restore both from one backup.',
  });
}

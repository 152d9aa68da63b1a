import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { Fault } from '../base/errors.ts';

/**
 * Brings a database to the newest numbered file of `folder` (`001-transfers.sql`, …), each in a transaction of its own. Nodes that
 * start together take turns by an advisory lock. A database that is newer than the files is refused: an older program would
 * write what the newer one does not expect. Gives the numbers that were applied.
 */
export async function migrate<Schema>(db: Kysely<Schema>, folder: string, name: string): Promise<number[]> {
  const files = await migrationFiles(folder);
  const newest = files.at(-1)?.number ?? 0;
  return db.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(hashtext(${`migrate ${name}`}))`.execute(connection);
    try {
      await sql`create table if not exists migrations (
        name text not null, number integer not null, file text not null, applied_at timestamptz not null default now(),
        primary key (name, number))`.execute(connection);
      const { rows } = await sql<{ number: number }>`select number from migrations where name = ${name} order by number`.execute(
        connection,
      );
      const applied = new Set(rows.map((row) => row.number));
      const last = rows.at(-1)?.number ?? 0;
      if (last > newest) {
        throw new Fault('database.newer', `the database's schema "${name}" is at ${last}; this program knows up to ${newest}`, {
          remedy: 'A newer version has used this database. Start that version, or restore a backup made before it.',
        });
      }
      const done: number[] = [];
      for (const file of files) {
        if (applied.has(file.number)) continue;
        const text = await readFile(join(folder, file.name), 'utf8');
        await connection.transaction().execute(async (trx) => {
          await sql.raw(text).execute(trx);
          await sql`insert into migrations (name, number, file) values (${name}, ${file.number}, ${file.name})`.execute(trx);
        });
        done.push(file.number);
      }
      return done;
    } finally {
      await sql`select pg_advisory_unlock(hashtext(${`migrate ${name}`}))`.execute(connection);
    }
  });
}

async function migrationFiles(folder: string): Promise<{ number: number; name: string }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const files = names.map((name) => ({ number: Number(/^(\d+)-/.exec(name)?.[1] ?? Number.NaN), name }));
  files.forEach(({ number, name }, index) => {
    if (number !== index + 1) throw new Fault('database.migrations', `${join(folder, name)}: expected a file numbered ${index + 1}`);
  });
  return files;
}

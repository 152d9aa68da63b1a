import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { Fault } from '../base/errors.ts';

/** Nodes of before run on meanwhile: whoever wants a table to himself lets nobody else in while he waits for it, so he does not wait long. */
const LOCK_MS = 500;
/** Where the table is never free he waits longer each time: whoever waits in the queue comes to his turn. */
const LOCK_GROWTH = 1.1;
const LOCK_MOST_MS = 10_000;
const AGAIN_MS = 200;
const ATTEMPTS = 60;

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
        await patiently(file.name, (lockMs) =>
          connection.transaction().execute(async (trx) => {
            await sql`set local lock_timeout = ${sql.lit(`${lockMs}ms`)}`.execute(trx);
            await sql.raw(text).execute(trx);
            await sql`insert into migrations (name, number, file) values (${name}, ${file.number}, ${file.name})`.execute(trx);
          }),
        );
        done.push(file.number);
      }
      return done;
    } finally {
      await sql`select pg_advisory_unlock(hashtext(${`migrate ${name}`}))`.execute(connection);
    }
  });
}

/** Again where somebody else held what it wanted, or wanted what it held. */
async function patiently(file: string, change: (lockMs: number) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change(Math.round(Math.min(LOCK_MOST_MS, LOCK_MS * LOCK_GROWTH ** (attempt - 1))));
    } catch (cause) {
      if (!['55P03', '40P01'].includes(String((cause as { code?: unknown } | null)?.code ?? ''))) throw cause;
      if (attempt === ATTEMPTS)
        throw new Fault('database.busy', `${file}: somebody holds the tables all the time`, {
          remedy: 'Look in pg_stat_activity for a transaction that does not end, end it, and start again.',
          cause,
        });
    }
    await sleep(AGAIN_MS);
  }
}

async function migrationFiles(folder: string): Promise<{ number: number; name: string }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const files = names.map((name) => ({ number: Number(/^(\d+)-/.exec(name)?.[1] ?? Number.NaN), name }));
  files.forEach(({ number, name }, index) => {
    if (number !== index + 1) throw new Fault('database.migrations', `${join(folder, name)}: expected a file numbered ${index + 1}`);
  });
  return files;
}

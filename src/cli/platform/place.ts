/** Where the platform's figures lie: a PostgreSQL server that is named, or one of its own in a folder. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { sql } from 'kysely';
import { Fault, reasonOf } from '../../base/errors.ts';
import { connect, isDatabaseAway } from '../../database/connect.ts';
import { startEmbedded } from '../../database/embedded.ts';
import { openPlatform, PLATFORM_SETTINGS, type PlatformDb, type PlatformSchema } from '../../platform/store/open.ts';
import { defaultDataFolder } from '../data-folder.ts';

export type PlaceOptions = { readonly database?: string; readonly data?: string };
export type Place = { readonly db: PlatformDb; readonly url: string };

export function withPlace(command: Command): Command {
  return command
    .option('--database <url>', 'the platform’s PostgreSQL, postgresql://…')
    .option('--data <dir>', 'without --database: folder of a server of its own (default: the user’s data folder)');
}

/** Opens the database, brings it to the newest schema, and leaves everything as it was found: a server that was started is ended. */
export async function atPlatform<Result>(options: PlaceOptions, work: (place: Place) => Promise<Result>): Promise<Result> {
  const { url, stop } = await whereIs(options);
  try {
    const db = await openPlatform(url);
    try {
      return await work({ db, url });
    } finally {
      await db.destroy();
    }
  } catch (thrown) {
    throw explained(thrown);
  } finally {
    await stop();
  }
}

async function whereIs({ database, data }: PlaceOptions): Promise<{ readonly url: string; stop(): Promise<void> }> {
  if (database !== undefined && data !== undefined)
    throw new Fault('input.database', '--database and --data exclude each other', { remedy: 'Name one of them.' });
  if (database !== undefined) {
    if (!/^postgres(ql)?:\/\//.test(database))
      throw new Fault('input.database', '--database: a URL that begins with postgresql:// is wanted');
    return { url: database, stop: async () => undefined };
  }
  const folder = data ?? defaultDataFolder('platform');
  const server = await startEmbedded(join(folder, 'database'), { settings: PLATFORM_SETTINGS });
  return {
    url: server.url,
    // Whoever came meanwhile, or was there before, lives on it.
    stop: async () => {
      if (await aloneOn(server.url)) await server.stop();
    },
  };
}

/** Connections that were just closed are there for a moment still. */
async function aloneOn(url: string): Promise<boolean> {
  const db = connect<PlatformSchema>(url, { connections: 1 });
  try {
    for (let tries = 0; tries < 10; tries++) {
      const { rows } = await sql<{ others: number }>`
        select count(*) as others from pg_stat_activity
        where backend_type = 'client backend' and datname = current_database() and pid <> pg_backend_pid()`.execute(db);
      if (rows[0]?.others === 0) return true;
      await sleep(50);
    }
    return false;
  } catch (thrown) {
    if (isDatabaseAway(thrown)) return true;
    throw thrown;
  } finally {
    await db.destroy();
  }
}

function explained(thrown: unknown): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (thrown instanceof Fault || !(isDatabaseAway(thrown) || ['3D000', '28P01', '28000', 'ENOTFOUND', 'EAI_AGAIN'].includes(code)))
    return thrown;
  return new Fault('database.away', `the database does not answer: ${reasonOf(thrown)}`, {
    cause: thrown,
    remedy: 'Start the database server, or correct --database.',
  });
}

import { join } from 'node:path';
import { connect, type Db } from '../../database/connect.ts';
import { migrate } from '../../database/migrate.ts';

/** Statements of the platform name their tables themselves; see `migrations/`. */
export type PlatformSchema = Record<never, never>;
export type PlatformDb = Db<PlatformSchema>;

export const PLATFORM_MIGRATIONS = join(import.meta.dirname, 'platform-migrations');

/** For an embedded server: room for the indexes that loading writes all over, and seldom checkpoints, after which each page is logged whole. */
export const PLATFORM_SETTINGS: Readonly<Record<string, string>> = { shared_buffers: '256MB', max_wal_size: '4GB' };

/** The platform's database, brought to the newest schema. Close it with `destroy`. */
export async function openPlatform(url: string, connections = 10): Promise<PlatformDb> {
  const db = connect<PlatformSchema>(url, { connections });
  try {
    await migrate(db, PLATFORM_MIGRATIONS, 'platform');
  } catch (thrown) {
    await db.destroy();
    throw thrown;
  }
  return db;
}

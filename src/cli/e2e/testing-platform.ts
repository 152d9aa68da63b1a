/** A platform that runs as a process over a database of its own. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, type TestDatabase } from '../../database/testing.ts';
import { PLATFORM_MIGRATIONS } from '../../platform/store/open.ts';
import { type Running, startProgram } from '../demo/processes.ts';
import { run } from './testing-cli.ts';

export type ServedPlatform = {
  /** For files; the server's log is in it. */
  readonly folder: string;
  readonly database: TestDatabase;
  readonly server: Running;
  /** A command of `platform` on its database. */
  cli(...argv: readonly string[]): ReturnType<typeof run>;
  close(): Promise<void>;
};

/** `flags`: more for `platform serve`. */
export async function servePlatform(...flags: readonly string[]): Promise<ServedPlatform> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-e2e-platform-'));
  await chmod(folder, 0o755);
  const database = await freshDatabase(PLATFORM_MIGRATIONS, 'platform');
  const server = await startProgram(
    'platform',
    ['platform', 'serve', '--database', database.url, '--api-port', '0', '--fold-seconds', '1', ...flags],
    join(folder, 'platform.log'),
  );
  return {
    folder,
    database,
    server,
    cli: (...argv) => run('platform', ...argv, '--database', database.url),
    async close() {
      await server.stop();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

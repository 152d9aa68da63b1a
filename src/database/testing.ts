/**
 * Databases for tests: one server per run, a fresh database per test file, copied from a template in which the migrations have run.
 * The test command starts the server and names it in `GP2GP_TEST_DATABASE`; a test file run alone starts one and stops it at its end.
 */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { connect } from './connect.ts';
import { type EmbeddedServer, startEmbedded } from './embedded.ts';
import { migrate } from './migrate.ts';

export const TEST_DATABASE = 'GP2GP_TEST_DATABASE';

export type TestServer = { readonly url: string; readonly pid: number; stop(): Promise<void> };
export type TestDatabase = { readonly url: string; close(): Promise<void> };

/** A server in a new folder under the system's temporary folder; `stop` ends it and removes the folder. */
export async function startTestServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-test-'));
  // mkdtemp makes it 0700; PostgreSQL may run as another user (see account.ts).
  await chmod(folder, 0o755);
  let server: EmbeddedServer;
  try {
    server = await startEmbedded(folder, { maxConnections: 200 });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const { pid } = server;
  // However the test process ends, kill -9 included, its server ends too: the watcher's input is closed then.
  const watcher = spawn('sh', ['-c', 'cat > /dev/null; kill -QUIT "$1"; sleep 1; rm -rf "$2"', 'sh', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  (watcher.stdin as Socket).unref();
  return {
    url: server.url,
    pid,
    async stop() {
      watcher.kill('SIGKILL');
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A new database with the migrations of a folder applied; `close` drops it, and the server too where this call started it. */
export async function freshDatabase(migrations: string, name: string): Promise<TestDatabase> {
  const given = process.env[TEST_DATABASE];
  const own = given ? null : await startTestServer();
  const adminUrl = given ?? own?.url ?? '';
  const template = await templateDatabase(adminUrl, migrations, name);
  const database = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(adminUrl, (client) => client.query(`create database ${database} template ${template}`));
  return {
    url: onDatabase(adminUrl, database),
    async close() {
      if (own) await own.stop();
      else await asAdmin(adminUrl, (client) => client.query(`drop database ${database} with (force)`));
    },
  };
}

async function templateDatabase(adminUrl: string, folder: string, name: string): Promise<string> {
  const hash = createHash('sha256').update(name);
  for (const file of (await readdir(folder)).sort()) hash.update(await readFile(join(folder, file)));
  const template = `template_${hash.digest('hex').slice(0, 20)}`;
  await asAdmin(adminUrl, async (client) => {
    await client.query('select pg_advisory_lock(hashtext($1))', [template]);
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1 and datistemplate', [template]);
    if (rowCount) return;
    await client.query(`drop database if exists ${template} with (force)`);
    await client.query(`create database ${template}`);
    const db = connect(onDatabase(adminUrl, template), { connections: 1 });
    try {
      await migrate(db, folder, name);
    } finally {
      await db.destroy();
    }
    await client.query(`alter database ${template} is_template true`);
  });
  return template;
}

async function asAdmin<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The same server's URL for another database. */
function onDatabase(url: string, database: string): string {
  return url.replace(/^([a-z]+:\/\/[^/]*)\/[^?]*/, `$1/${database}`);
}

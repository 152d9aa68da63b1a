import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { Fault } from '../base/errors.ts';
import { connect, isDatabaseAway } from './connect.ts';
import { type EmbeddedServer, startEmbedded } from './embedded.ts';

const AWAY_MS = 20_000;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-embedded-'));
  await chmod(folder, 0o755);
});
after(() => rm(folder, { recursive: true, force: true }));

test('a server starts in an empty folder, keeps what was written over a stop, and is durable by its settings', async () => {
  const home = join(folder, 'first');
  const one = await startEmbedded(home);
  const db = connect<Record<string, never>>(one.url);
  await sql`create table kept (note text)`.execute(db);
  await sql`insert into kept values ('over a stop')`.execute(db);
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums']) {
    const { rows } = await sql<{ value: string }>`select current_setting(${setting}) as value`.execute(db);
    assert.equal(rows[0]?.value, 'on', setting);
  }
  const { rows: listening } = await sql<{ value: string }>`select current_setting('listen_addresses') as value`.execute(db);
  assert.equal(listening[0]?.value, '', 'no TCP port');
  await db.destroy();
  await one.stop();

  const two = await startEmbedded(home);
  const again = connect<Record<string, never>>(two.url);
  const { rows } = await sql<{ note: string }>`select note from kept`.execute(again);
  assert.deepEqual(rows, [{ note: 'over a stop' }]);
  await again.destroy();
  await two.stop();
});

test('a server that is running already is adopted, by its own answer and not by a number in a file', async () => {
  const home = join(folder, 'adopted');
  const first = await startEmbedded(home);
  const second = await startEmbedded(home);
  assert.equal(second.adopted, true);
  assert.equal(second.pid, first.pid);
  await second.stop();
  assert.throws(() => process.kill(first.pid, 0), 'the adopter ended it');

  // A left-over file that names a living process which is no server (this one).
  await writeFile(join(home, 'cluster', 'postmaster.pid'), `${process.pid}\n${join(home, 'cluster')}\n`);
  await rm(join(home, 'cluster', 'postmaster.pid'));
  const third = await startEmbedded(home);
  assert.equal(third.adopted, false);
  await third.stop();
});

test('a pool goes on after its server was killed and started again', async () => {
  const home = join(folder, 'killed');
  const first = await startEmbedded(home);
  const lost: Error[] = [];
  const db = connect<Record<string, never>>(first.url, { onLost: (error) => lost.push(error) });
  await sql`create table kept (note text)`.execute(db);
  await sql`insert into kept values ('committed before the kill')`.execute(db);
  process.kill(first.pid, 'SIGKILL');
  await assert.rejects(sql`select pg_sleep(5), note from kept`.execute(db), (error) => isDatabaseAway(error));
  let second: EmbeddedServer | null = null;
  const deadline = Date.now() + AWAY_MS;
  while (!second) {
    second = await startEmbedded(home).catch((error: unknown) => {
      if (Date.now() > deadline) throw error;
      return null;
    });
  }
  const { rows } = await sql<{ note: string }>`select note from kept`.execute(db);
  assert.deepEqual(rows, [{ note: 'committed before the kill' }]);
  await db.destroy();
  await second.stop();
});

test('data of another major version are refused, with what to do', async () => {
  const home = join(folder, 'version');
  await mkdir(join(home, 'cluster'), { recursive: true });
  await writeFile(join(home, 'cluster', 'PG_VERSION'), '13\n');
  await assert.rejects(startEmbedded(home), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, 'database.version');
    assert.match(error.message, /PostgreSQL 13/);
    assert.match(error.remedy ?? '', /backup/i);
    return true;
  });
});

test('a folder that the server may not enter is named', { skip: process.getuid?.() !== 0 && 'needs root' }, async () => {
  const closed = join(folder, 'closed');
  await mkdir(closed, { mode: 0o700 });
  await assert.rejects(startEmbedded(join(closed, 'data')), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, 'database.folder');
    assert.ok(error.message.includes(closed), error.message);
    return true;
  });
});

test('a data path longer than a socket path may be works all the same', async () => {
  const home = join(folder, 'a-long-name'.repeat(9), 'data');
  const server = await startEmbedded(home);
  const db = connect<Record<string, never>>(server.url);
  const { rows } = await sql<{ one: number }>`select 1 as one`.execute(db);
  assert.deepEqual(rows, [{ one: 1 }]);
  await db.destroy();
  await server.stop();
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import type { Db } from '../database/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../database/embedded.ts';
import { openStore, prepareStore } from '../store/open.ts';
import { complete, enqueue, type Work } from '../store/outbox.ts';
import type { Tables } from '../store/tables.ts';
import { OWN, packedMessage, storedTransfer } from '../store/testing.ts';
import { startLane } from './lane.ts';
import { startWorkers, type WorkersOptions } from './workers.ts';

let folder: string;
let server: EmbeddedServer;
let db: Db<Tables>;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-workers-'));
  await chmod(folder, 0o755);
  server = await startEmbedded(folder);
  db = openStore(server.url);
  await prepareStore(db, 'test');
  await sql`create table done (id bigint primary key, by text not null)`.execute(db);
});
after(async () => {
  await db.destroy();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const message = () => ({ kind: 'message', interaction: 'piece', packed: packedMessage(), tellWhenSent: false }) as const;

async function queue(count: number): Promise<void> {
  const transfer = await storedTransfer(db);
  await enqueue(
    db,
    OWN,
    transfer,
    Array.from({ length: count }, () => message()),
  );
}

async function until(what: string, holds: () => Promise<boolean>, ms = 30_000): Promise<void> {
  for (const deadline = Date.now() + ms; ; ) {
    if (await holds().catch(() => false)) return;
    if (Date.now() > deadline) assert.fail(`not within ${ms} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
const left = async (): Promise<number> => (await sql<{ count: number }>`select count(*) from outbox`.execute(db)).rows[0]?.count ?? -1;

function workers(change: Partial<WorkersOptions> = {}) {
  return startWorkers({
    db,
    databaseUrl: server.url,
    owner: 'here',
    deliver: async () => undefined,
    carryOut: async (work: Work) => {
      await sql`insert into done (id, by) values (${work.claim.id}, 'here')`.execute(db);
      await complete(db, work.claim);
    },
    atOnce: { inbox: 2, message: 8, job: 2, timer: 2, notice: 2, mi: 1 },
    leaseSeconds: 2,
    pollMs: 200,
    onFault: () => undefined,
    ...change,
  });
}

test('a lane never works on more than its limit, and takes the rest as it goes', async () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  let now = 0;
  let most = 0;
  const seen: number[] = [];
  const lane = startLane<number>({
    limit: 8,
    claim: async (limit) => items.splice(0, limit),
    work: async (item) => {
      most = Math.max(most, ++now);
      await new Promise((done) => setTimeout(done, 5));
      seen.push(item);
      now--;
    },
    pollMs: 60_000,
    onFault: (error) => assert.fail(String(error)),
  });
  await until('all seen', async () => seen.length === 50, 5_000);
  await lane.stop();
  assert.equal(most, 8);
});

test('a lane that is woken while it claims looks again: nothing waits for the next poll', async () => {
  const items: number[] = [];
  const seen: number[] = [];
  const lane = startLane<number>({
    limit: 2,
    claim: async () => {
      await new Promise((done) => setTimeout(done, 1));
      const taken = items.splice(0, 2);
      // Something is queued just after this look was taken.
      if (seen.length + items.length === 0 && taken.length === 0) {
        items.push(1);
        lane.wake();
      }
      await new Promise((done) => setTimeout(done, 5));
      return taken;
    },
    work: async (item) => void seen.push(item),
    pollMs: 60_000,
    onFault: (error) => assert.fail(String(error)),
  });
  await until('seen', async () => seen.length === 1, 2_000);
  await lane.stop();
});

test('work that takes longer than its lease stays with who has it', async () => {
  let times = 0;
  const slow = workers({
    leaseSeconds: 1,
    carryOut: async (work) => {
      times++;
      await new Promise((done) => setTimeout(done, 3_000));
      assert.equal(await complete(db, work.claim), true);
    },
  });
  await queue(1);
  slow.wake();
  await until('done', async () => (await left()) === 0);
  await slow.stop();
  assert.equal(times, 1);
});

test('processes that are killed while they work: every task is done, and its result is taken once', async () => {
  const program = `
    import { sql } from 'kysely';
    import { openStore } from ${JSON.stringify(new URL('../store/open.ts', import.meta.url).href)};
    import { complete } from ${JSON.stringify(new URL('../store/outbox.ts', import.meta.url).href)};
    import { startWorkers } from ${JSON.stringify(new URL('./workers.ts', import.meta.url).href)};
    const [url, owner] = process.argv.slice(1);
    const db = openStore(url);
    startWorkers({
      db, databaseUrl: url, owner, leaseSeconds: 1, pollMs: 100,
      deliver: async () => undefined,
      carryOut: async (work) => {
        await new Promise((done) => setTimeout(done, 20));
        await db.transaction().execute(async (trx) => {
          if (!(await complete(trx, work.claim))) return;
          await sql\`insert into done (id, by) values (\${work.claim.id}, \${owner})\`.execute(trx);
        });
      },
      atOnce: { inbox: 1, message: 8, job: 1, timer: 1, notice: 1, mi: 1 },
      onFault: () => undefined,
    });`;
  const start = (owner: string): ChildProcess =>
    spawn(process.execPath, ['--input-type=module', '-e', program, server.url, owner], { stdio: ['ignore', 'ignore', 'inherit'] });
  await sql`truncate done`.execute(db);
  await queue(400);
  let number = 0;
  const running = [start(`child ${number++}`), start(`child ${number++}`)];
  for (let kill = 0; kill < 4; kill++) {
    await new Promise((done) => setTimeout(done, 700));
    running[kill % 2]?.kill('SIGKILL');
    running[kill % 2] = start(`child ${number++}`);
  }
  await until('everything done', async () => (await left()) === 0);
  for (const child of running) child.kill('SIGKILL');
  const { rows } = await sql<{ count: number }>`select count(*) from done`.execute(db);
  assert.equal(rows[0]?.count, 400);
});

test('the database is killed and comes back: the workers go on by themselves', async () => {
  await sql`truncate done`.execute(db);
  const faults: unknown[] = [];
  const running = workers({ onFault: (what) => faults.push(what) });
  await queue(20);
  await until('the first twenty', async () => (await left()) === 0);
  process.kill(server.pid, 'SIGKILL');
  await until('somebody noticed', async () => faults.length > 0);
  for (let attempt = 0; ; attempt++) {
    try {
      server = await startEmbedded(folder);
      break;
    } catch (error) {
      if (attempt > 40) throw error;
      await new Promise((done) => setTimeout(done, 250));
    }
  }
  await until('the queue can be written', async () => {
    await queue(20);
    return true;
  });
  await until('the next ones', async () => (await left()) === 0);
  await running.stop();
});

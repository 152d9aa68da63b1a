import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { connect, type Db, type Runner, transaction } from './connect.ts';
import { freshDatabase, type TestDatabase } from './testing.ts';

type Schema = { a: { n: number }; b: { n: number } };
let folder: string;
let database: TestDatabase;
let db: Db<Schema>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-connect-'));
  await writeFile(join(folder, '001-ab.sql'), 'create table a (n int unique); create table b (n int unique);');
  database = await freshDatabase(folder, 'connect');
  db = connect(database.url, { connections: 6 });
});
after(async () => {
  await db.destroy();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const add = (store: Runner<Schema>, table: 'a' | 'b', n: number) => sql`insert into ${sql.table(table)} (n) values (${n})`.execute(store);
const counts = async (n: number) => {
  const { rows } = await sql<{ a: number; b: number }>`
    select (select count(*) from a where n = ${n}) as a, (select count(*) from b where n = ${n}) as b`.execute(db);
  return [rows[0]?.a, rows[0]?.b];
};

test('what is written without being waited for is seen together with the rest, or not at all', async () => {
  let going = true;
  const torn: string[] = [];
  const look = async (): Promise<void> => {
    while (going) {
      const { rows } = await sql<{ a: number; b: number }>`
        select (select count(*) from a where n >= 1000) as a, (select count(*) from b where n >= 1000) as b`.execute(db);
      if (rows[0]?.a !== rows[0]?.b) torn.push(`${rows[0]?.a} in a, ${rows[0]?.b} in b`);
    }
  };
  const looking = look();
  const writing = async (from: number): Promise<void> => {
    for (let n = from; n < from + 60; n++) {
      await transaction(db, async (trx, later) => {
        await sql`select 1 as one`.execute(trx);
        later(add(trx, 'a', n));
        later(trx.insertInto('b').values({ n }).execute());
      });
    }
  };
  await Promise.all([1000, 2000, 3000].map(writing));
  going = false;
  await looking;
  assert.deepEqual(torn, []);
  const { rows } = await sql<{ all: number }>`select count(*) as all from a where n >= 1000`.execute(db);
  assert.equal(rows[0]?.all, 180);
});

test('one of them fails: nothing of the transaction is there, and its own error is told', async () => {
  await add(db, 'b', 1);
  const failing = transaction(db, async (trx, later) => {
    later(add(trx, 'a', 1));
    later(add(trx, 'b', 1));
    later(add(trx, 'a', 2));
  });
  await assert.rejects(failing, (error) => (error as { code?: string }).code === '23505');
  assert.deepEqual(await counts(1), [0, 1]);
  assert.deepEqual(await counts(2), [0, 0]);
});

test('the work throws: what it has given away before is not there either', async () => {
  const failing = transaction(db, async (trx, later) => {
    later(add(trx, 'a', 3));
    await add(trx, 'b', 3);
    throw new Error('no');
  });
  await assert.rejects(failing, /^Error: no$/);
  assert.deepEqual(await counts(3), [0, 0]);
});

test('a statement that nobody waits for does not slip out of its transaction', async () => {
  const strays: Promise<unknown>[] = [];
  await transaction(db, async (trx) => {
    await add(trx, 'a', 4);
    strays.push(
      assert.rejects(
        sleep(50).then(() => add(trx, 'b', 4)),
        /after the end of its transaction/,
      ),
    );
  });
  await Promise.all(strays);
  assert.deepEqual(await counts(4), [1, 0]);
});

test('a connection that was broken under a transaction is not used again', async () => {
  const broken = transaction(db, async (trx) => {
    await add(trx, 'a', 5);
    await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
  });
  await assert.rejects(broken);
  await Promise.all(Array.from({ length: 12 }, (_, i) => transaction(db, (trx) => add(trx, 'a', 50 + i))));
  assert.deepEqual(await counts(5), [0, 0]);
});

test('a statement that is prepared comes back with other values, and survives a column that is added', async () => {
  const read = (n: number) => sql<{ n: number }>`select n from a where n = ${n}`.execute(db);
  for (let i = 0; i < 20; i++) assert.equal((await read(50)).rows.length, 1);
  await sql`alter table a add column later text`.execute(db);
  for (let i = 0; i < 20; i++) assert.equal((await read(50 + (i % 12))).rows[0]?.n, 50 + (i % 12));
});

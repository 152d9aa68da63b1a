import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { Fault } from '../base/errors.ts';
import { connect, type Db, transaction } from './connect.ts';
import { migrate } from './migrate.ts';
import { freshDatabase, type TestDatabase } from './testing.ts';

type None = Record<string, never>;
let folder: string;
let database: TestDatabase;
let db: Db<None>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-migrations-'));
  await mkdir(join(folder, 'empty'));
  database = await freshDatabase(join(folder, 'empty'), 'none');
  db = connect(database.url);
});
after(async () => {
  await db.destroy();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

async function withFiles(name: string, files: Record<string, string>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}

test('files are applied once, in order, by whoever of several nodes is first', async () => {
  const path = await withFiles('order', {
    '001-a.sql': 'create table a (x int);',
    '002-b.sql': 'alter table a add y int; create table b (z int);',
  });
  const others = [connect<None>(database.url), connect<None>(database.url)];
  const applied = await Promise.all([db, ...others].map((each) => migrate(each, path, 'order')));
  assert.deepEqual(applied.flat().sort(), [1, 2]);
  await sql`insert into a (x, y) values (1, 2)`.execute(db);
  for (const other of others) await other.destroy();
});

test('a file that fails leaves nothing of itself behind', async () => {
  const path = await withFiles('broken', { '001-c.sql': 'create table c (x int);', '002-d.sql': 'create table d (x int); select 1/0;' });
  await assert.rejects(migrate(db, path, 'broken'), /division by zero/);
  await assert.rejects(sql`select * from d`.execute(db), /does not exist/);
  await writeFile(join(path, '002-d.sql'), 'create table d (x int);');
  assert.deepEqual(await migrate(db, path, 'broken'), [2]);
});

test('a change that has to wait for a table lets others at it meanwhile, and is made when it is free', async () => {
  const path = await withFiles('busy', { '001-g.sql': 'create table g (x int);' });
  await migrate(db, path, 'busy');
  await writeFile(join(path, '002-h.sql'), 'alter table g add y int;');
  const other = connect<None>(database.url);
  let end = (): void => undefined;
  const held = transaction(other, async (trx) => {
    await sql`insert into g values (1)`.execute(trx);
    await new Promise<void>((done) => {
      end = done;
    });
  });
  const migrated = migrate(db, path, 'busy');
  await sleep(300);
  // Waiting in the queue for the table, the change would keep these out until the transaction ends, which waits for them.
  for (let i = 0; i < 10; i++) await sql`insert into g (x) values (2)`.execute(other);
  end();
  await held;
  assert.deepEqual(await migrated, [2]);
  const { rows } = await sql<{ count: number }>`select count(*) as count from g where y is null`.execute(other);
  assert.equal(rows[0]?.count, 11);
  await other.destroy();
});

test('a database that is newer than the program is refused', async () => {
  const path = await withFiles('newer', { '001-e.sql': 'create table e (x int);', '002-f.sql': 'create table f (x int);' });
  await migrate(db, path, 'newer');
  await rm(join(path, '002-f.sql'));
  await assert.rejects(migrate(db, path, 'newer'), (error) => error instanceof Fault && error.code === 'database.newer');
});

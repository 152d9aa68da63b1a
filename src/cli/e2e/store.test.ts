/** Backup, verify and restore through the command, with each kind of database and object store that a node may have. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../database/connect.ts';
import { startEmbedded } from '../../database/embedded.ts';
import { openObjects } from '../../objects/objects.ts';
import { openS3Objects } from '../../objects/s3.ts';
import { startS3 } from '../../objects/s3-testing.ts';
import { commitTransfer, openPlace, WAITING } from '../../service/backup/testing.ts';
import { openStore, prepareStore } from '../../store/open.ts';
import type { Tables } from '../../store/tables.ts';
import {
  keepBackingUp,
  MAKE_OWNER,
  OWNER_NAME,
  REPLICATION_RULES,
  type Said,
  settingsFile,
  startExternal,
  store,
  storeInterrupted,
} from './testing-store.ts';

let folder: string;
/** What a test has begun, the last first to be ended. */
const begun: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-store-'));
  await chmod(folder, 0o755);
});
afterEach(async () => {
  for (const end of begun.splice(0).reverse()) await end();
  await rm(folder, { recursive: true, force: true });
});
const ended = <Started extends { close(): Promise<unknown> }>(started: Started): Started => {
  begun.push(() => started.close());
  return started;
};
const stopped = <Started extends { stop(): Promise<unknown> }>(started: Started): Started => {
  begun.push(() => started.stop());
  return started;
};

function openDb(url: string): Db<Tables> & { close(): Promise<void> } {
  const db = openStore(url, { connections: 3 });
  return ended(Object.assign(db, { close: () => db.destroy() }));
}

async function idsIn(db: Db<Tables>): Promise<Set<string>> {
  return new Set((await db.selectFrom('transfers').select('id').execute()).map(({ id }) => id));
}

const succeeded = (said: Said): Said => {
  assert.equal(said.code, 0, said.out + said.err);
  return said;
};
const refused = (said: Said, ...words: readonly RegExp[]): void => {
  assert.equal(said.code, 1, said.out + said.err);
  for (const word of words) assert.match(said.err, word);
};

test('a database server of one’s own is followed over its address, lost with its disks, and goes on from the backup', {
  timeout: 300_000,
}, async () => {
  const home = join(folder, 'server');
  const external = stopped(await startExternal(home));
  await external.admin(...MAKE_OWNER);
  const objects = await openObjects(join(folder, 'node', 'objects'));
  const db = openDb(external.url);
  await prepareStore(db, objects.storeId);
  const config = await settingsFile(join(folder, 'node.yaml'), { data: join(folder, 'node'), database: { url: external.url } });
  const into = join(folder, 'backup');

  // Each thing that the server does not allow yet is said with what to change there.
  refused(
    await store('backup', '--config', config, '--to', into, '--once'),
    /no pg_hba\.conf entry for replication/,
    /host replication USER/,
  );
  await external.allow(...REPLICATION_RULES);
  await external.admin('select pg_reload_conf()');
  refused(await store('backup', '--config', config, '--to', into, '--once'), /permission denied/, /alter role USER replication/);
  await external.admin(`alter role ${OWNER_NAME} replication`);

  const running = keepBackingUp(config, into);
  begun.push(() => running.stop());
  const before = await commitTransfer({ db, objects });
  await running.caughtUp();
  const commits: { readonly id: string; readonly at: number }[] = [];
  for (const end = Date.now() + 3_000; Date.now() < end; await sleep(10)) {
    const id = await commitTransfer({ db, objects });
    commits.push({ id, at: Date.now() });
  }
  // Everything dies at once, and the disks with it.
  process.kill(external.pid, 'SIGKILL');
  running.kill('SIGKILL');
  const died = Date.now();
  await running.ended;
  await sleep(500);
  for (const gone of [home, join(folder, 'node')]) await rm(gone, { recursive: true, force: true });

  succeeded(await store('verify', '--from', into, '--scratch', folder));
  const to = join(folder, 'again');
  const { out } = succeeded(await store('restore', '--from', into, '--to', to));
  assert.match(
    out,
    /The database records of records_owner was on a server of your own: start PostgreSQL \d+ on a copy of .*again\/database\/cluster/,
  );
  const second = stopped(await startExternal(join(to, 'database')));
  const again = openDb(second.url);
  const restoredObjects = await openObjects(join(to, 'objects'));
  await prepareStore(again, restoredObjects.storeId);
  const there = await idsIn(again);
  assert.ok(there.has(before));
  const lost = commits.filter(({ id }) => !there.has(id));
  assert.ok(commits.length > 20 && lost.length < commits.length, `${lost.length} of ${commits.length} are lost`);
  // Loose, for a busy machine; docs/backup.md has measured figures.
  for (const { at } of lost) assert.ok(died - at < 30_000, `a transfer of ${died - at} ms before the end is lost`);
  const more = await commitTransfer({ db: again, objects: restoredObjects });
  assert.ok((await idsIn(again)).has(more));
});

test('objects in a bucket are copied while they come, each once, and go back into a bucket', { timeout: 300_000 }, async () => {
  const s3 = ended(await startS3());
  const settings = { ...s3.settings, prefix: 'gp2gp/' };
  const server = stopped(await startEmbedded(join(folder, 'node', 'database')));
  const config = await settingsFile(join(folder, 'node.yaml'), { data: join(folder, 'node'), objects: { s3: settings } });
  const into = join(folder, 'backup');
  refused(await store('backup', '--config', config, '--to', into), /no node has used the bucket records below "gp2gp\/"/);
  assert.equal(s3.keys.size, 0, 'nothing is written to find that out');

  const objects = await openS3Objects(settings);
  const db = openDb(server.url);
  await prepareStore(db, objects.storeId);
  const first = await commitTransfer({ db, objects });
  // An object of several parts, and one whose bytes went bad in the bucket.
  const large = await objects.put(Buffer.alloc(12_000_000, 'a long letter '));
  const bad = await objects.put(Buffer.from('as it was'));
  const stored = s3.keys.get(`gp2gp/${bad.sha256.slice(0, 2)}/${bad.sha256}`);
  assert.ok(stored);
  stored.bytes = [Buffer.from('as it is!')];
  const running = keepBackingUp(config, into);
  begun.push(() => running.stop());
  await running.caughtUp();
  const second = await commitTransfer({ db, objects });
  await running.caughtUp();
  const done = await running.stop();
  assert.equal(done.code, 1, 'what is damaged is told by the exit code too');
  assert.match(done.out, new RegExp(`the node's object ${bad.sha256} is not what its name says`));
  await objects.delete(bad);
  const copied = (ref: { sha256: string }) => readFile(join(into, 'objects', ref.sha256.slice(0, 2), ref.sha256));
  assert.ok((await copied(large)).equals(Buffer.alloc(12_000_000, 'a long letter ')));
  await assert.rejects(copied(bad), /ENOENT/);
  const read = s3.seen.filter((line) => line.startsWith(`GET gp2gp/${large.sha256.slice(0, 2)}/${large.sha256}`));
  assert.equal(read.length, 1, 'what is there is not copied again');

  // Another bucket, which is empty; one that belongs to another node; and the old one, in which some objects are left.
  const restored = async (name: string, place: object) =>
    store(
      'restore',
      '--from',
      into,
      '--to',
      join(folder, name),
      '--json',
      '--config',
      await settingsFile(join(folder, `${name}.yaml`), { data: join(folder, name), objects: { s3: place } }),
    );
  const away = { ...settings, prefix: 'again/' };
  const { out } = succeeded(await restored('again', away));
  assert.deepEqual((JSON.parse(out.trim().split('\n').at(-1) ?? '') as { missing: unknown[] }).missing, []);
  const back = await openS3Objects(away);
  assert.equal(back.storeId, objects.storeId);
  assert.equal((await back.head(large))?.bytes, 12_000_000);
  const place = stopped(await startEmbedded(join(folder, 'again', 'database')));
  const again = openDb(place.url);
  await prepareStore(again, back.storeId);
  assert.deepEqual(await idsIn(again), new Set([first, second]));

  await openS3Objects({ ...settings, prefix: 'other/' });
  refused(await restored('third', { ...settings, prefix: 'other/' }), /holds another store/, /Name an empty bucket or prefix/);
  await objects.delete(large);
  const writes = s3.seen.length;
  succeeded(await restored('fourth', settings));
  assert.equal((await objects.head(large))?.bytes, 12_000_000);
  const puts = s3.seen.slice(writes).filter((line) => /^PUT gp2gp\/[0-9a-f]{2}\//.test(line));
  assert.deepEqual(
    puts.map((line) => line.slice(-64)),
    [large.sha256],
    'what is there already stays as it is',
  );
});

test('one base backup after the other, and what is older than is kept leaves; a moment before it is refused', {
  timeout: 300_000,
}, async () => {
  const data = join(folder, 'node');
  const here = ended(await openPlace(data));
  const config = await settingsFile(join(folder, 'node.yaml'), { data });
  const into = join(folder, 'backup');
  const once = async (...more: string[]) =>
    succeeded(await store('backup', '--config', config, '--to', into, '--once', '--as', 'jo', ...more));
  const bases = async () => (await readdir(join(into, 'bases'))).sort();
  const erased = await here.objects.put(Buffer.from('erased later'));
  const kept = await commitTransfer(here);
  const { out } = await once();
  assert.match(out, /^a base backup begins\n(.*\n)*the base backup \S+ is whole: \d+ bytes$/m);
  assert.match(out, /^1 base backups, \d+ bytes of log, 2 objects of \d+ bytes; restorable up to 20/m);
  const [first = ''] = await bases();
  const moment = new Date().toISOString();
  await sleep(1_100);
  const late = await commitTransfer(here);
  await here.objects.delete(erased);
  await once();
  assert.equal((await bases()).length, 2, 'nothing leaves within 30 days');

  const to = join(folder, 'then');
  const broken = await storeInterrupted(/put in place/, 'restore', '--from', into, '--to', to);
  assert.deepEqual([broken.code, await readdir(to)], [1, []], broken.err);
  assert.match(broken.err, /^gp2gp: broken off; what was put into .*then is removed\nBegin again\.\n$/);
  const then = succeeded(await store('restore', '--from', into, '--to', to, '--at', moment, '--as', 'jo', '--json'));
  const list = (JSON.parse(then.out.trim().split('\n').at(-1) ?? '') as { list: { id: string; who: string }[] }).list;
  assert.deepEqual(
    list.map(({ id, who }) => [id, who]),
    [[late, 'unknown']],
    'what the moment does not have is named',
  );
  const restored = await openPlace(to);
  assert.deepEqual(await idsIn(restored.db), new Set([kept]));
  const { rows: written } = await sql<{ action: string; by: string }>`
    select action, actor as by from audit where action in ('backupBegun', 'databaseRestored') order by id`.execute(restored.db);
  assert.deepEqual(
    written.map(({ action, by }) => [action, by]),
    [
      ['backupBegun', 'jo (operator)'],
      ['databaseRestored', 'jo (operator)'],
    ],
    'the first backup had begun at that moment',
  );
  await restored.close();

  await sleep(1_100);
  const isThere = async () => (await readdir(join(into, 'objects', erased.sha256.slice(0, 2)))).includes(erased.sha256);
  assert.ok(await isThere(), 'a moment that can still be restored has it');
  assert.match((await once('--keep-days', '0')).out, /^2 base backups older than 0 days are removed, and 1 objects$/m);
  assert.ok(!(await bases()).includes(first));
  assert.ok(!(await isThere()), 'what the node erases leaves its backup');
  refused(await store('restore', '--from', into, '--to', join(folder, 'never'), '--at', moment), /does not hold/, /It holds 20.* to 20/);
  succeeded(await store('verify', '--from', into, '--scratch', folder));
  const last = join(folder, 'last');
  succeeded(await store('restore', '--from', into, '--to', last));
  const whole = await openPlace(last);
  assert.deepEqual(await idsIn(whole.db), new Set([kept, late]));
  await whole.close();
});

test('after a restore to a moment, whoever may have lost a message since is named: by the command, in the file, in the practice’s list', {
  timeout: 300_000,
}, async () => {
  const data = join(folder, 'node');
  const here = ended(await openPlace(data));
  const config = await settingsFile(join(folder, 'node.yaml'), { data });
  const into = join(folder, 'backup');
  const running = keepBackingUp(config, into);
  begun.push(() => running.stop());
  const waiting = { extract: await commitTransfer(here, WAITING.extract), answer: await commitTransfer(here, WAITING.answer) };
  const resting = await commitTransfer(here);
  await running.caughtUp();
  await sleep(1_000);
  const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(here.db);
  const moment = new Date(rows[0]?.at ?? 0).toISOString();
  await sleep(1_000);
  const late = await commitTransfer(here, WAITING.extract);
  await running.caughtUp();
  succeeded(await running.stop());

  const to = join(folder, 'restored');
  const { out } = succeeded(await store('restore', '--from', into, '--to', to, '--at', moment));
  assert.match(out, /^3 conversations may have lost a message:$/m);
  const line = (id: string) => out.split('\n').find((each) => each.includes(id)) ?? '';
  assert.match(line(waiting.extract), /the record may have come and be lost \(a task is in the practice’s list\)$/);
  assert.match(line(waiting.answer), /\(a task is in the practice’s list\)$/);
  assert.match(line(late), /it was registered after that moment: the practice's system hands in R-\S+ again$/);
  assert.equal(line(resting), '', 'who waits for nobody is not named');
  const file = JSON.parse(await readFile(join(to, 'after-restore.json'), 'utf8')) as { list: { id: string; nhsNumber: string }[] };
  assert.deepEqual(new Set(file.list.map(({ id }) => id)), new Set([waiting.extract, waiting.answer, late]));
  for (const { nhsNumber } of file.list) assert.match(nhsNumber, /^\d{10}$/, 'the file has whom to ask for');
  const restored = ended(await openPlace(to));
  const tasks = await restored.db.selectFrom('tasks').select(['transfer', 'task']).where('closed_at', 'is', null).execute();
  assert.deepEqual(
    new Set(tasks.map(({ transfer, task }) => `${transfer} ${task}`)),
    new Set([`${waiting.extract} recordMayBeLost`, `${waiting.answer} answerMayBeLost`]),
  );
});

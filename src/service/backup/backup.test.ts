import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdir, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { Fault } from '../../base/errors.ts';
import { backup } from './backup.ts';
import { restore } from './restore.ts';
import { commitTransfer, keepBackingUp, openPlace, type Place, place, WAITING } from './testing.ts';
import { demandFinished } from './unfinished.ts';
import { verify } from './verify.ts';

let here: Place;
let into: string;
before(async () => {
  here = await place();
  into = join(here.folder, 'backup');
});
after(() => here.close());

async function closeAll(open: Pick<Place, 'close'>): Promise<void> {
  await open.close();
  await rm(here.folder, { recursive: true, force: true });
}

const now = () => new Date();
/** Transfers of the backup `killed`, the first of them; each has an object. */
let killed: readonly string[] = [];
const quiet = { now, say: () => undefined, by: 'jo (operator)' };
const idsIn = async ({ db }: Pick<Place, 'db'>): Promise<Set<string>> =>
  new Set((await db.selectFrom('transfers').select('id').execute()).map(({ id }) => id));

/** Commits transfers until told to stop; when each began and was committed. */
function writer(where: Pick<Place, 'db' | 'objects'>) {
  const commits: { readonly id: string; readonly begun: number; readonly done: number }[] = [];
  let going = true;
  const all = (async () => {
    while (going) {
      const begun = Date.now();
      const id = await commitTransfer(where);
      commits.push({ id, begun, done: Date.now() });
      await sleep(5);
    }
  })();
  return {
    commits,
    async stop() {
      going = false;
      await all;
    },
  };
}

/** What a test has begun and, failing, would leave behind. */
const begun: { stop(): Promise<unknown> }[] = [];
const stopped = <Started extends { stop(): Promise<unknown> }>(started: Started): Started => {
  begun.push(started);
  return started;
};
afterEach(async () => {
  await Promise.allSettled(begun.splice(0).map((each) => each.stop()));
});

async function refused(work: Promise<unknown>, code: string, what: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, what);
    assert.ok(error.remedy, 'it says what to do');
    return true;
  });
}

test('while transfers are written they are in the backup soon, rows and objects; a restore gives any moment, exactly', async () => {
  const running = stopped(keepBackingUp(here, into));
  const waiting = { extract: await commitTransfer(here, WAITING.extract), answer: await commitTransfer(here, WAITING.answer) };
  const work = stopped(writer(here));
  await running.caughtUp();
  await sleep(1_000);
  const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(here.db);
  const moment = new Date(rows[0]?.at ?? 0);
  await sleep(1_000);
  await work.stop();
  const late = await commitTransfer(here, WAITING.extract);
  await running.caughtUp();
  const { lagMs, altered } = await running.stop();
  assert.deepEqual(altered, []);
  assert.ok(work.commits.length > 20, 'too few to tell');
  // Loose, for a busy machine; docs/backup.md has measured figures.
  assert.ok(lagMs < 30_000, `${lagMs} ms`);

  const verified = await verify({ from: into, scratch: here.folder, ...quiet });
  assert.deepEqual(verified.faults, []);
  assert.equal(verified.transfers, work.commits.length + 3);

  const to = join(here.folder, 'restored');
  const restored = await restore({ from: into, to, at: moment, ...quiet });
  assert.deepEqual(restored.missing, []);
  const again = await openPlace(to);
  try {
    const there = await idsIn(again);
    for (const { id, begun, done } of work.commits) {
      if (done < moment.getTime()) assert.ok(there.has(id), `${id} was committed before`);
      if (begun > moment.getTime()) assert.ok(!there.has(id), `${id} was committed after`);
    }
    // By name: who waited for something, what was begun since, and nobody else.
    const since = work.commits.filter(({ id }) => !there.has(id)).map(({ id }) => id);
    const named = new Map(restored.list.map((each) => [each.id as string, each.who]));
    assert.deepEqual([named.get(waiting.extract), named.get(waiting.answer), named.get(late)], ['person', 'person', 'unknown']);
    assert.deepEqual(
      [...named]
        .filter(([, who]) => who === 'unknown')
        .map(([id]) => id)
        .sort(),
      [...since, late].sort(),
    );
    const tasks = await again.db.selectFrom('tasks').select(['transfer', 'task']).orderBy('task').execute();
    assert.deepEqual(tasks, [
      { transfer: waiting.answer, task: 'answerMayBeLost' },
      { transfer: waiting.extract, task: 'recordMayBeLost' },
    ]);
    const file = JSON.parse(await readFile(join(to, 'after-restore.json'), 'utf8')) as { list: { id: string }[] };
    assert.deepEqual(new Set(file.list.map(({ id }) => id)), new Set(named.keys()));

    // It goes on: new rows, and a backup of its own history beside the old one's.
    const more = await commitTransfer(again);
    const second = stopped(keepBackingUp(again, into));
    await second.caughtUp();
    await second.stop();
    const third = join(here.folder, 'third');
    await restore({ from: into, to: third, at: null, ...quiet });
    const last = await openPlace(third);
    assert.deepEqual(await idsIn(last), new Set([...there, more]));
    await last.close();
  } finally {
    await again.close();
  }
});

test('a backup that was killed, and a server that was killed, go on without a gap', async () => {
  const folder = join(here.folder, 'killed');
  const first = stopped(keepBackingUp(here, folder));
  const work = stopped(writer(here));
  await first.caughtUp();
  await first.stop();
  // Much is written meanwhile: more than a segment.
  await sql`create table if not exists filler (note text)`.execute(here.db);
  await sql`insert into filler select repeat(md5(i::text), 20) from generate_series(1, 40000) as i`.execute(here.db);
  const second = stopped(keepBackingUp(here, folder));
  await second.caughtUp();
  await work.stop();
  process.kill(here.server.pid, 'SIGKILL');
  await sleep(300);
  const data = here.data;
  await here.db.destroy();
  const again = await openPlace(data);
  here = { ...here, ...again, close: () => closeAll(again) };
  const last = await commitTransfer(here);
  await second.caughtUp();
  const done = await second.stop();
  assert.equal(done.bases, 0, 'no second base was needed');
  assert.ok(
    second.said.some((line) => /the database is away/.test(line)),
    second.said.join('; '),
  );
  const to = join(here.folder, 'after-kill');
  // A restore was killed here: no process has this number any more.
  await mkdir(join(to, 'objects'), { recursive: true });
  await writeFile(join(to, 'restore-unfinished'), `${spawnSync(process.execPath, ['--version']).pid}\n`);
  await assert.rejects(demandFinished(to), { code: 'restore.unfinished', message: /was not finished/ });
  await writeFile(join(to, 'half'), 'left behind');
  await restore({ from: folder, to, at: null, ...quiet });
  await demandFinished(to);
  assert.deepEqual((await readdir(to)).sort(), ['after-restore.json', 'database', 'objects']);
  const restored = await openPlace(to);
  const there = await idsIn(restored);
  const { rows: written } = await sql`select actor, action, detail from audit where action = 'databaseRestored'`.execute(restored.db);
  assert.deepEqual(
    written.map((row) => ({ ...(row as object), detail: Object.keys((row as { detail: object }).detail).sort() })),
    [{ actor: 'jo (operator)', action: 'databaseRestored', detail: ['from', 'to'] }],
  );
  await restored.close();
  killed = work.commits.map(({ id }) => id);
  assert.ok(there.has(last));
  for (const { id } of work.commits) assert.ok(there.has(id), id);
});

test('two backups never write into one folder: the second is refused in words, the first goes on and is whole', async () => {
  const folder = join(here.folder, 'shared');
  const first = stopped(keepBackingUp(here, folder));
  await first.caughtUp();
  const second = {
    url: here.server.url,
    objects: { folder: join(here.data, 'objects'), s3: null },
    into: folder,
    once: true,
    baseEveryHours: 24,
    keepDays: 30,
    ...quiet,
    stop: new AbortController().signal,
  };
  await refused(backup(second), 'backup.taken', /another gp2gp store backup writes into .*shared now/);
  await sql`select pg_switch_wal()`.execute(here.db);
  await first.caughtUp();
  await first.stop();
  assert.deepEqual((await verify({ from: folder, scratch: here.folder, ...quiet })).faults, []);
  // Others write elsewhere at the same time.
  const ids = [folder, into].map(async (each) => JSON.parse(await readFile(join(each, 'backup.json'), 'utf8')) as { id: string });
  const [one, other] = await Promise.all(ids);
  assert.notEqual(one?.id, other?.id);
});

test('foreign programs find the base backup whole', async () => {
  const [name = ''] = await readdir(join(into, 'bases'));
  const unpacked = join(here.folder, 'unpacked');
  await mkdir(unpacked);
  const tar = spawnSync('tar', ['-xf', join(into, 'bases', name, 'base.tar'), '-C', unpacked], { encoding: 'utf8' });
  assert.equal(tar.status, 0, tar.stderr);
  const sums = spawnSync('sh', ['-c', 'sha256sum -c --quiet *.sha256'], { cwd: join(into, 'log'), encoding: 'utf8' });
  assert.equal(sums.status, 0, sums.stdout + sums.stderr);
});

test('damage is found and named: by verify, and by restore before anything is started', async () => {
  const from = join(here.folder, 'damaged');
  const damaged = async (harm: (folder: string) => Promise<void>): Promise<readonly string[]> => {
    await rm(from, { recursive: true, force: true });
    await cp(join(here.folder, 'killed'), from, { recursive: true });
    await harm(from);
    return (await verify({ from, scratch: here.folder, ...quiet })).faults;
  };
  const flip = async (path: string, at: number): Promise<void> => {
    const file = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 0xff;
    await file.write(byte, 0, 1, at);
    await file.close();
  };
  const wholeSegments = async (folder: string) => (await readdir(join(folder, 'log'))).filter((name) => /^[0-9A-F]{24}$/.test(name));
  const restoreIt = () => restore({ from, to: join(here.folder, 'never'), at: null, ...quiet });
  const [base = ''] = await readdir(join(here.folder, 'killed', 'bases'));
  const baseTar = join(from, 'bases', base, 'base.tar');

  const faults = await damaged(async (folder) => {
    await flip(join(folder, 'log', (await wholeSegments(folder)).at(-1) ?? ''), 70_000);
    await flip(baseTar, 5_000_000);
  });
  assert.match(faults.join('\n'), /log segment .* is damaged: its hash is another/);
  assert.match(faults.join('\n'), /base backup .*base\.tar is not what it was/);
  assert.match(faults.join('\n'), /cannot be restored: the base backup .* is damaged/);
  await refused(restoreIt(), 'backup.base', /is damaged/);
  assert.deepEqual(await readdir(join(here.folder, 'never')), [], 'of a restore that fails nothing stays in its way');
  await flip(baseTar, 5_000_000);
  await refused(restoreIt(), 'backup.segment', /is damaged: its hash is another/);
  await truncate(baseTar, 1_000_000);
  await refused(restoreIt(), 'backup.base', /has not the length/);

  const [altered, gone] = killed.map((id) => createHash('sha256').update(`the record of ${id}`).digest('hex'));
  assert.ok(altered && gone);
  const objects = await damaged(async (folder) => {
    await appendFile(join(folder, 'objects', altered.slice(0, 2), altered), 'x');
    await rm(join(folder, 'objects', gone.slice(0, 2), gone));
  });
  assert.match(objects.join('\n'), new RegExp(`object ${altered} is not what its name says`));
  assert.match(objects.join('\n'), new RegExp(`object ${gone} is missing, which B99902/${killed[1]} needs`));
  const { missing } = await restoreIt();
  assert.deepEqual(
    missing.map(({ sha256, of }) => [sha256, of]).sort(),
    [
      [altered, [`B99902/${killed[0]}`]],
      [gone, [`B99902/${killed[1]}`]],
    ].sort(),
    'after a restore they are named, with whose they are',
  );

  await rm(join(here.folder, 'never'), { recursive: true, force: true });
  const gap = await damaged(async (folder) => rm(join(folder, 'log', (await wholeSegments(folder)).at(-1) ?? '')));
  assert.match(gap.join('\n'), /gap after [0-9A-F]{24}/);
  assert.match(gap.join('\n'), /cannot be restored: the log breaks off/);
  await refused(restoreIt(), 'restore.gap', /cannot be restored/);
});

test('what is no backup, half of one, or no place to restore to, is refused with what to do', async () => {
  const to = join(here.folder, 'target');
  const from = (name: string) => join(here.folder, name);
  await refused(restore({ from: from('nowhere'), to, at: null, ...quiet }), 'backup.missing', /there is no folder/);
  await mkdir(from('empty'));
  await refused(restore({ from: from('empty'), to, at: null, ...quiet }), 'backup.missing', /is no backup/);

  await cp(into, from('half'), { recursive: true });
  await rm(join(from('half'), 'log'), { recursive: true });
  await refused(restore({ from: from('half'), to, at: null, ...quiet }), 'backup.half', /log is missing/);
  await mkdir(join(from('half'), 'log'));
  await refused(restore({ from: from('half'), to, at: null, ...quiet }), 'backup.half', /has to reach/);
  const [base = ''] = await readdir(join(from('half'), 'bases'));
  await writeFile(join(from('half'), 'bases', base, 'base.json'), '{"name":');
  await refused(verify({ from: from('half'), scratch: here.folder, ...quiet }), 'backup.base', /is half/);
  await refused(verify({ from: into, scratch: from('no room'), ...quiet }), 'input.scratch', /no scratch folder can be made there/);

  await refused(restore({ from: into, to, at: new Date('2020-01-01T00:00:00Z'), ...quiet }), 'restore.moment', /does not hold 2020/);
  await refused(restore({ from: into, to: here.data, at: null, ...quiet }), 'restore.running', /process \d+/);
  await mkdir(to);
  await writeFile(join(to, 'restore-unfinished'), `${process.ppid}\n`);
  await refused(restore({ from: into, to, at: null, ...quiet }), 'restore.taken', /another restore \(process \d+\)/);
  await rm(join(to, 'restore-unfinished'));
  await writeFile(join(to, 'something'), '');
  await refused(restore({ from: into, to, at: null, ...quiet }), 'restore.notEmpty', /is not empty/);
});

test('a backup is refused where it would spoil something, or where the server does not allow it', async () => {
  const stop = new AbortController().signal;
  const common = {
    objects: { folder: join(here.data, 'objects'), s3: null },
    once: true,
    baseEveryHours: 24,
    keepDays: 30,
    ...quiet,
    stop,
  };
  const other = join(here.folder, 'other');
  await mkdir(other);
  await writeFile(join(other, 'letter.txt'), 'mine');
  await refused(backup({ ...common, url: here.server.url, into: other }), 'backup.folder', /is not empty and is no backup/);
  const strange = join(here.folder, 'strange');
  await mkdir(strange);
  await writeFile(join(strange, 'backup.json'), '{"format":1,"system":"1"}');
  await refused(backup({ ...common, url: here.server.url, into: strange }), 'backup.otherDatabase', /another database/);

  const nothing = { folder: join(here.folder, 'no objects'), s3: null };
  await refused(
    backup({ ...common, objects: nothing, once: false, url: here.server.url, into: join(here.folder, 'of nothing') }),
    'objects.noStore',
    /no objects is no object store of a node/,
  );

  const admin = new pg.Client({ connectionString: here.server.url });
  await admin.connect();
  await admin.query('create role reader login');
  await admin.end();
  const asReader = here.server.url.replace('//gp2gp@', '//reader@');
  await refused(backup({ ...common, url: asReader, into: join(here.folder, 'reader') }), 'backup.notAllowed', /refuses to be backed up/);
});

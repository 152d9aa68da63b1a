import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import type { Db } from '../database/connect.ts';
import { bury, claim, complete, enqueue, queueDepths, release, renew, retry, revive, strike } from './outbox.ts';
import { searchDeadLetters } from './reads/dead-letters.ts';
import type { Tables } from './tables.ts';
import { OTHER, OWN, packedMessage, storedTransfer, testStore } from './testing.ts';
import { readSubject } from './transfers.ts';

let store: Awaited<ReturnType<typeof testStore>>;
let db: Db<Tables>;

before(async () => {
  store = await testStore();
  db = store.db;
});
after(() => store.close());
beforeEach(async () => {
  await sql`truncate outbox, transfers`.execute(db);
});

const message = (text?: string) => ({ kind: 'message', interaction: 'piece', packed: packedMessage(text), tellWhenSent: true }) as const;

test('a message comes out of the queue with the very bytes that went in', async () => {
  const transfer = await storedTransfer(db);
  const texts = ['plain', 'é ☃ "quoted" \\u0000', '\ufeffwith a mark', 'line\r\nend'];
  await enqueue(db, OWN, transfer, texts.map(message));
  const binary = { ...packedMessage(), body: [{ in: 'row', data: new Uint8Array([0, 255, 128, 10]), encode: 'none' }] as const };
  await enqueue(db, OWN, transfer, [{ kind: 'message', interaction: 'piece', packed: binary, tellWhenSent: false }]);
  const works = await claim(db, 'message', 'me', 10, 60);
  const bodies = works.map(({ task }) => {
    assert.equal(task.kind, 'message');
    const [piece] = task.packed.body;
    assert.equal(piece.in, 'row');
    return piece.data;
  });
  assert.deepEqual(
    bodies.slice(0, 4).map((bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)),
    texts,
  );
  assert.deepEqual(bodies[4], new Uint8Array([0, 255, 128, 10]));
});

test('a job brings its transfer along, as it is when the job is claimed, and how that began', async () => {
  const [transfer, gone] = [await storedTransfer(db), await storedTransfer(db)];
  await enqueue(db, OWN, transfer, [{ kind: 'job', job: 'mayWeAsk' }, message()]);
  await enqueue(db, OWN, gone, [{ kind: 'job', job: 'mayWeAsk' }]);
  await sql`update transfers set version = 7 where id = ${transfer}`.execute(db);
  await sql`delete from transfers where id = ${gone}`.execute(db);
  const [work, orphan] = await claim(db, 'job', 'me', 10, 60);
  const stored = await readSubject(db, OWN, transfer);
  assert.deepEqual({ transfer: work?.subject?.transfer, origin: work?.subject?.origin }, stored);
  assert.equal(stored?.transfer.version, 7);
  assert.deepEqual([work?.practice, work?.transfer, work?.task], [OWN, transfer, { kind: 'job', job: 'mayWeAsk' }]);
  assert.deepEqual([orphan?.transfer, orphan?.subject], [gone, undefined]);
  const [sent] = await claim(db, 'message', 'me', 10, 60);
  assert.equal(sent?.subject, undefined);
});

test('eight workers that claim at once never get the same task, and together get all', async () => {
  const transfer = await storedTransfer(db);
  await enqueue(
    db,
    OWN,
    transfer,
    Array.from({ length: 200 }, () => message()),
  );
  const taken = await Promise.all(
    Array.from({ length: 8 }, async (_, worker) => {
      const ids: number[] = [];
      for (;;) {
        const works = await claim(db, 'message', `worker ${worker}`, 7, 60);
        if (works.length === 0) return ids;
        ids.push(...works.map((work) => work.claim.id));
      }
    }),
  );
  const all = taken.flat();
  assert.equal(all.length, 200);
  assert.equal(new Set(all).size, 200);
});

test('a worker that lost its lease completes nothing, and the one that has it now does', async () => {
  const transfer = await storedTransfer(db);
  await enqueue(db, OWN, transfer, [message()]);
  const [slow] = await claim(db, 'message', 'slow', 1, 0);
  const [quick] = await claim(db, 'message', 'quick', 1, 60);
  assert.ok(slow && quick);
  assert.equal(await complete(db, slow.claim), false);
  assert.equal(await retry(db, slow.claim, { fault: 'late', afterSeconds: 0, counts: true }), false);
  assert.equal(await bury(db, slow.claim, 'late'), false);
  assert.equal(await complete(db, quick.claim), true);
  assert.equal(await complete(db, quick.claim), false, 'only once');
});

test('the same owner claiming again is fenced by the number of the claim', async () => {
  const transfer = await storedTransfer(db);
  await enqueue(db, OWN, transfer, [message()]);
  const [first] = await claim(db, 'message', 'me', 1, 0);
  const [second] = await claim(db, 'message', 'me', 1, 60);
  assert.ok(first && second);
  assert.equal(await complete(db, first.claim), false);
  assert.equal(await complete(db, second.claim), true);
});

test('a renewed lease keeps the task from others; a released one gives it back at once', async () => {
  const transfer = await storedTransfer(db);
  await enqueue(db, OWN, transfer, [message()]);
  const [work] = await claim(db, 'message', 'me', 1, 0);
  assert.ok(work);
  assert.deepEqual(await renew(db, 'me', [work.claim.id], 60), [work.claim.id]);
  assert.deepEqual(await renew(db, 'another', [work.claim.id], 60), []);
  assert.equal((await claim(db, 'message', 'another', 1, 60)).length, 0);
  await release(db, 'me');
  assert.equal((await claim(db, 'message', 'another', 1, 60)).length, 1);
});

test('claims and attempts are counted apart: an attempt is one that may have had an effect', async () => {
  const transfer = await storedTransfer(db);
  await enqueue(db, OWN, transfer, [message()]);
  for (const counts of [false, false, true]) {
    const [work] = await claim(db, 'message', 'me', 1, 60);
    assert.ok(work);
    await retry(db, work.claim, { fault: 'unreachable', afterSeconds: 0, counts });
  }
  const [work] = await claim(db, 'message', 'me', 1, 60);
  assert.equal(work?.attempts, 1);
  assert.equal(work?.claim.claims, 4);
});

test('what is put aside is seen by its practice only, and can be replayed by it only', async () => {
  const [mine, theirs] = [await storedTransfer(db), await storedTransfer(db, OTHER)];
  await enqueue(db, OWN, mine, [message()]);
  await enqueue(db, OTHER, theirs, [message()]);
  for (const work of await claim(db, 'message', 'me', 2, 60)) await bury(db, work.claim, 'refused: 400');
  assert.equal((await claim(db, 'message', 'me', 2, 60)).length, 0);
  const letters = await searchDeadLetters(db, { practice: OWN }, 10);
  assert.deepEqual(
    letters.map(({ queue, transfer, what, fault }) => ({ queue, transfer, what, fault })),
    [{ queue: 'outbox', transfer: mine, what: 'message', fault: 'refused: 400' }],
  );
  const id = letters[0]?.id ?? 0;
  assert.equal(await revive(db, OTHER, id), null);
  assert.equal(await revive(db, OWN, id), mine);
  assert.deepEqual(
    (await claim(db, 'message', 'me', 2, 60)).map((work) => work.transfer),
    [mine],
  );
  assert.deepEqual(
    (await queueDepths(db)).filter(({ kind }) => kind === 'message'),
    [{ kind: 'message', waiting: 1, dead: 1 }],
  );
});

test('striking takes back what has not left, but no acknowledgement and nothing of another transfer', async () => {
  const [one, two] = [await storedTransfer(db), await storedTransfer(db)];
  await enqueue(db, OWN, one, [message(), { ...message(), interaction: 'acknowledgement' }]);
  await enqueue(db, OWN, two, [message()]);
  assert.equal((await strike(db, OWN, one)).length, 1);
  const left = await claim(db, 'message', 'me', 10, 60);
  assert.deepEqual(
    left.map(({ transfer, task }) => [transfer, task.kind === 'message' && task.interaction]),
    [
      [one, 'acknowledgement'],
      [two, 'piece'],
    ],
  );
});

test('a task in the hands of a process that was killed is done by another, once', async () => {
  const transfer = await storedTransfer(db);
  await enqueue(db, OWN, transfer, [message()]);
  const program = `
    import { openStore } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)};
    import { claim } from ${JSON.stringify(new URL('./outbox.ts', import.meta.url).href)};
    const db = openStore(process.argv[1]);
    const works = await claim(db, 'message', 'doomed', 1, 2);
    process.stdout.write(String(works.length));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, store.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await new Promise<string>((done) => child.stdout.once('data', (data: Buffer) => done(data.toString())));
  assert.equal(said, '1');
  child.kill('SIGKILL');
  assert.equal((await claim(db, 'message', 'me', 1, 60)).length, 0, 'its lease still runs');
  const deadline = Date.now() + 10_000;
  for (;;) {
    const [work] = await claim(db, 'message', 'me', 1, 60);
    if (work) {
      assert.equal(work.claim.claims, 2);
      assert.equal(await complete(db, work.claim), true);
      break;
    }
    assert.ok(Date.now() < deadline, 'the lease ends');
    await new Promise((done) => setTimeout(done, 100));
  }
});

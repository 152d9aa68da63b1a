import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { instant, type MessageId, type TransferId } from '../base/ids.ts';
import { type Db, transaction } from '../database/connect.ts';
import type { Requesting, Transfer } from '../transfer/types.ts';
import { readHistory } from './history.ts';
import { CHANNEL, claim, complete, enqueue } from './outbox.ts';
import { type CauseRow, lockForPost, type Writing, writePost } from './posting.ts';
import { findSent } from './sent-messages.ts';
import type { Tables } from './tables.ts';
import { openTasks, raiseTask } from './tasks.ts';
import { OTHER, OWN, packedMessage, storedTransfer, testId, testStore } from './testing.ts';
import { findConversation, readTransfer } from './transfers.ts';

let store: Awaited<ReturnType<typeof testStore>>;
let db: Db<Tables>;
before(async () => {
  store = await testStore();
  db = store.db;
});
after(() => store.close());

/** One post about a transfer that changes what the test says; gives what was taken. */
function post(id: TransferId, change: Partial<Writing> = {}, next: (before: Transfer) => Transfer = (before) => before) {
  return transaction(db, async (trx, _later, finish) => {
    const locked = await lockForPost(trx, OWN, id, change.eventId ?? '', change.cause ?? null);
    assert.ok(locked?.held);
    const transfer = { ...next(locked.transfer), version: locked.transfer.version + 1 };
    const at = instant(new Date());
    return finish(
      writePost({
        transfer,
        eventId: testId(),
        entry: {
          number: transfer.version,
          kind: 'due',
          at,
          by: { kind: 'system' },
          from: null,
          to: transfer.state,
          note: 'a test',
          measured: {},
        },
        basis: {} as never,
        sent: [],
        due: [],
        wakes: [],
        rests: [],
        closedTasks: [],
        cause: null,
        owner: 'me',
        call: null,
        ...change,
      }),
    );
  });
}
const at = (seconds: number) => instant(new Date(Date.now() + seconds * 1000));
const message = () => ({ kind: 'message', interaction: 'piece', packed: packedMessage(), tellWhenSent: true }) as const;

test('a transfer comes back as it was written, and to its own practice only', async () => {
  const id = await storedTransfer(db);
  const ended = (before: Transfer): Requesting => {
    assert.ok(before.role === 'requesting' && before.state === 'checking');
    return {
      ...before,
      state: 'ended',
      outcome: { kind: 'notEligible', reason: 'NO_PREVIOUS_GP' },
      at: at(0),
      core: null,
      peer: null,
      request: null,
      record: null,
    };
  };
  const written: Transfer[] = [];
  await post(id, {}, (before) => {
    const next = ended(before);
    written.push(next);
    return next;
  });
  const [transfer] = written;
  assert.ok(transfer);
  assert.deepEqual(await readTransfer(db, OWN, id), { ...transfer, version: transfer.version + 1 });
  assert.equal(await readTransfer(db, OTHER, id), null);
  assert.equal(await transaction(db, (trx) => lockForPost(trx, OTHER, id, 'an event', null)), null);
  assert.equal(await findConversation(db, OTHER, 'requesting', transfer.conversationId), null);
  assert.equal(await findConversation(db, OWN, 'requesting', transfer.conversationId), id);
});

test('a post writes all of its rows, or with the first that fails none', async () => {
  const id = await storedTransfer(db);
  await raiseTask(db, OWN, id, 'look at it', null);
  const [sent, eventId] = [testId(), testId()];
  const writing = {
    eventId,
    sent: [{ id: sent.toLowerCase(), message: sent as MessageId, interaction: 'piece' }],
    due: [{ ...message(), leaseSeconds: null }],
    closedTasks: ['look at it'],
  } as const;
  await post(id, writing);
  assert.equal((await findSent(db, OWN, sent as MessageId))?.transfer, id);
  assert.deepEqual(
    (await openTasks(db, OWN, 100)).filter(({ transfer }) => transfer === id),
    [],
  );
  assert.equal((await readHistory(db, OWN, id)).length, 1);
  const before = await readTransfer(db, OWN, id);
  const again = testId();
  await assert.rejects(
    post(id, { ...writing, sent: [{ id: again, message: again as MessageId, interaction: 'piece' }] }),
    (error) => (error as { code?: string }).code === '23505',
  );
  assert.deepEqual(await readTransfer(db, OWN, id), before);
  assert.equal(await findSent(db, OWN, again as MessageId), null);
  assert.equal((await claim(db, 'message', 'somebody', 10, 60)).filter(({ transfer }) => transfer === id).length, 1);
});

test('what is taken as it is queued is in nobody else’s hands before its lease ends', async () => {
  const id = await storedTransfer(db);
  const mine = message();
  const taken = await post(id, {
    due: [
      { ...mine, leaseSeconds: 1 },
      { ...message(), leaseSeconds: null },
    ],
  });
  assert.deepEqual(
    taken.map(({ kind, name }) => [kind, name]),
    [['message', mine.packed.messageId]],
  );
  const [free, ...none] = (await claim(db, 'message', 'somebody', 10, 60)).filter(({ transfer }) => transfer === id);
  assert.ok(free?.task.kind === 'message');
  assert.notEqual(free.task.packed.messageId, mine.packed.messageId);
  assert.deepEqual(none, []);
  const claimOf = { id: taken[0]?.id ?? 0, owner: 'me', claims: 1 };
  await new Promise((done) => setTimeout(done, 1_200));
  const [late] = (await claim(db, 'message', 'somebody', 10, 60)).filter(({ transfer }) => transfer === id);
  assert.equal(late?.claim.id, claimOf.id);
  assert.equal(await complete(db, claimOf), false, 'the lease was over');
});

test('a cause ends with its post; one that was lost does not hold', async () => {
  const id = await storedTransfer(db);
  await enqueue(db, OWN, id, [message()]);
  const [work] = (await claim(db, 'message', 'me', 10, 60)).filter(({ transfer }) => transfer === id);
  assert.ok(work);
  const cause: CauseRow = { queue: 'outbox', claim: work.claim };
  const lost: CauseRow = { queue: 'outbox', claim: { ...work.claim, claims: work.claim.claims + 1 } };
  assert.equal((await transaction(db, (trx) => lockForPost(trx, OWN, id, 'an event', lost)))?.held, false);
  await post(id, { cause });
  assert.equal((await transaction(db, (trx) => lockForPost(trx, OWN, id, 'an event', cause)))?.held, false);
  assert.equal((await sql`select from outbox where transfer = ${id}`.execute(db)).rows.length, 0);
});

test('a timer exists once per transfer and name; setting it again moves it and fences off who holds it', async () => {
  const id = await storedTransfer(db);
  const due = async () => (await claim(db, 'timer', 'me', 50, 60)).filter(({ transfer }) => transfer === id);
  await post(id, { wakes: [{ timer: 'extractLate', at: at(-1) }] });
  const [held] = await due();
  assert.ok(held);
  await post(id, { wakes: [{ timer: 'extractLate', at: at(3600) }] });
  assert.equal(await complete(db, held.claim), false);
  assert.equal((await due()).length, 0);
  await post(id, { wakes: [{ timer: 'extractLate', at: at(-1) }] });
  await post(id, { rests: ['extractLate'] });
  assert.equal((await due()).length, 0, 'a timer taken back never rings');
});

test('other nodes are called by a post that leaves them something, and by one whose tasks were written before', async () => {
  const id = await storedTransfer(db);
  const client = new pg.Client({ connectionString: store.url });
  await client.connect();
  const heard: string[] = [];
  client.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await client.query(`listen ${CHANNEL}`);
  try {
    await post(id, { due: [{ ...message(), leaseSeconds: null }], call: 'me|left' });
    await post(id, { due: [{ ...message(), leaseSeconds: 10 }], call: 'me|taken and left' });
    await post(id, { call: 'me|written before' });
    await post(id, { due: [{ ...message(), leaseSeconds: null }] });
    await client.query('select 1');
    assert.deepEqual(heard, ['me|left', 'me|taken and left', 'me|written before']);
  } finally {
    await client.end();
  }
});

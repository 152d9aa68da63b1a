import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { instant, messageId } from '../base/ids.ts';
import type { Db } from '../database/connect.ts';
import { accept, buryArrival, claimArrivals, completeArrival, dropArrival, parkArrival, reviveArrival } from './inbox.ts';
import { readDeadLetterBody, searchDeadLetters } from './reads/dead-letters.ts';
import type { Tables } from './tables.ts';
import { acceptedMessage, OTHER, OWN, storedTransfer, testStore } from './testing.ts';

let store: Awaited<ReturnType<typeof testStore>>;
let db: Db<Tables>;

before(async () => {
  store = await testStore();
  db = store.db;
});
after(() => store.close());
beforeEach(async () => {
  await sql`truncate inbox, audit, transfers`.execute(db);
});

test('a message is kept once per sender and id; the same id of another sender is another message', async () => {
  const message = acceptedMessage();
  const first = await accept(db, message);
  assert.deepEqual(first, { fate: 'new', receivedAt: message.receivedAt, refused: null, arrival: null });
  const later = { ...message, receivedAt: instant(new Date(Date.now() + 60_000)) };
  assert.deepEqual(await accept(db, later), { ...first, fate: 'duplicate' }, 'with the time of the first');
  assert.equal((await accept(db, { ...message, fromPartyKey: 'Z83003-0000001' })).fate, 'new');
  assert.equal((await claimArrivals(db, 'me', 10, 60)).length, 2);
});

test('a message that is taken as it is accepted is in nobody else’s hands before the lease ends', async () => {
  const message = acceptedMessage();
  const { arrival } = await accept(db, message, { owner: 'me', leaseSeconds: 1 });
  assert.deepEqual(arrival?.message, message.message);
  assert.equal((await accept(db, message, { owner: 'you', leaseSeconds: 1 })).arrival, null, 'a duplicate is taken to no transfer');
  assert.deepEqual(await claimArrivals(db, 'you', 10, 60), []);
  await new Promise((done) => setTimeout(done, 1_200));
  const [late] = await claimArrivals(db, 'you', 10, 60);
  assert.deepEqual(late?.claim, { ...arrival?.claim, owner: 'you', claims: 2 });
  assert.ok(arrival);
  assert.equal(await completeArrival(db, arrival.claim, await storedTransfer(db)), false, 'the lease was over');
});

test('ten deliveries of one message at the same moment are one message', async () => {
  const message = acceptedMessage();
  const answers = await Promise.all(Array.from({ length: 10 }, () => accept(db, message)));
  assert.equal(answers.filter(({ fate }) => fate === 'new').length, 1);
  assert.equal(answers.filter(({ fate }) => fate === 'duplicate').length, 9);
});

test('an id that comes again with other bytes changes nothing and is recorded', async () => {
  const message = acceptedMessage();
  await accept(db, message);
  assert.equal((await accept(db, { ...message, digest: 'digest-2' })).fate, 'altered');
  const [arrival, ...others] = await claimArrivals(db, 'me', 10, 60);
  assert.deepEqual(arrival?.message, message.message);
  assert.equal(others.length, 0);
  const entries = await db.selectFrom('audit').select(['action', 'practice']).execute();
  assert.deepEqual(entries, [{ action: 'messageIdUsedTwice', practice: OWN }]);
});

test('text that PostgreSQL cannot keep does not keep a message out', async () => {
  const message = acceptedMessage();
  assert.ok('message' in message.message);
  const hostile = { ...message.message.message, interaction: 'unreadable', action: 'a\0b', fault: 'lone \ud800 surrogate' } as const;
  assert.equal((await accept(db, { ...message, action: 'a\0b', message: { message: hostile } })).fate, 'new');
  const [arrival] = await claimArrivals(db, 'me', 1, 60);
  assert.deepEqual(arrival?.message, { message: { ...hostile, action: 'a\ufffdb', fault: 'lone \ufffd surrogate' } });
});

test('a parked message comes back, a buried one is shown to its practice and can be replayed', async () => {
  await accept(db, acceptedMessage());
  const [first] = await claimArrivals(db, 'me', 1, 60);
  assert.ok(first);
  assert.equal(await parkArrival(db, first.claim, 0, 'unknown conversation'), true);
  const [second] = await claimArrivals(db, 'me', 1, 60);
  assert.equal(second?.attempts, 1);
  assert.equal(await completeArrival(db, first.claim, await storedTransfer(db)), false, 'the first claim is over');
  assert.ok(second);
  await buryArrival(db, second.claim, 'unknown conversation');
  assert.equal((await claimArrivals(db, 'me', 1, 60)).length, 0);
  assert.equal((await searchDeadLetters(db, { practice: OTHER }, 10)).length, 0);
  const [letter] = await searchDeadLetters(db, { practice: OWN }, 10);
  assert.equal(letter?.queue, 'inbox');
  assert.equal(await reviveArrival(db, OTHER, letter?.id ?? 0), false);
  assert.equal(await reviveArrival(db, OWN, letter?.id ?? 0), true);
  assert.equal((await claimArrivals(db, 'me', 1, 60)).length, 1);
});

test('a message that was dropped is gone from sight with its content, and is still told from a new one', async () => {
  const message = acceptedMessage();
  await accept(db, { ...message, message: { ...message.message, refused: { code: 'OtherXml', description: 'why' } } });
  const [arrival] = await claimArrivals(db, 'me', 1, 60);
  assert.ok(arrival);
  const { id } = arrival.claim;
  assert.equal(await dropArrival(db, OWN, id), false, 'nobody has put it aside');
  await buryArrival(db, arrival.claim, 'unknown conversation');
  assert.equal(await dropArrival(db, OTHER, id), false, 'it is not theirs');
  assert.equal(await dropArrival(db, OWN, id), true);
  assert.deepEqual(await searchDeadLetters(db, { id }, 10), []);
  assert.deepEqual(await readDeadLetterBody(db, { queue: 'inbox', id }), { refused: { code: 'OtherXml', description: 'why' } });
  assert.equal(await reviveArrival(db, OWN, id), false);
  const again = await accept(db, message);
  assert.deepEqual([again.fate, again.refused?.code], ['duplicate', 'OtherXml']);
  assert.equal((await claimArrivals(db, 'me', 1, 60)).length, 0);
});

test('a message that its transfer took does not come again', async () => {
  await accept(db, acceptedMessage({ messageId: messageId('once') }));
  const [arrival] = await claimArrivals(db, 'me', 1, 0);
  assert.ok(arrival);
  assert.equal(await completeArrival(db, arrival.claim, await storedTransfer(db)), true);
  assert.equal((await claimArrivals(db, 'me', 1, 60)).length, 0);
});

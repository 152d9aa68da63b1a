import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { ROW_BYTES } from '../base/content.ts';
import { messageId } from '../base/ids.ts';
import { putAsContent } from '../objects/content.ts';
import type { Inbound } from '../spine/endpoint.ts';
import { claimArrivals } from '../store/inbox.ts';
import { claim } from '../store/outbox.ts';
import { searchDeadLetters } from '../store/reads/dead-letters.ts';
import { listTransfers } from '../store/reads/transfers.ts';
import type { Received, Transfer } from '../transfer/types.ts';
import { type ArrivalOptions, createAccept, createDeliver } from './arrivals.ts';
import { from, PATIENT, register, type TestNode, testNode, testPractice, uuid } from './testing.ts';

const own = testPractice('Z81001');
const second = testPractice('Z81002');
const other = testPractice('Z82002');
let node: TestNode;
let options: ArrivalOptions;

before(async () => {
  node = await testNode([own, second]);
  options = { ...node, now: () => new Date(), owner: 'test', committed: () => undefined };
});
after(() => node.close());
beforeEach(async () => {
  await sql`truncate inbox, outbox, transfers, history, parts, sent_messages, tasks`.execute(node.db);
});

function inbound(message: Received, digest = 'digest'): Inbound {
  return {
    fromPartyKey: message.addressed.fromPartyKey,
    toPartyKey: message.addressed.toPartyKey,
    messageId: message.messageId,
    conversationId: message.conversationId,
    action: 'action',
    digest,
    receivedAt: message.at,
    message,
    wire: 1000,
    refused: null,
  };
}

/** What the inbox worker does, once. */
async function deliverAll(): Promise<number> {
  await sql`update inbox set due_at = now()`.execute(node.db);
  const arrivals = await claimArrivals(node.db, 'me', 100, 60);
  for (const arrival of arrivals) await createDeliver(options)(arrival);
  return arrivals.length;
}

function request(conversation = uuid(), nhsNumber = PATIENT): Received {
  return from(other, own, { conversationId: conversation } as Transfer, {
    interaction: 'request',
    requestId: uuid(),
    nhsNumber,
    from: other.ods,
    to: own.ods,
  });
}

test('a request that is delivered three times begins one transfer, of the practice it is addressed to', async () => {
  const message = request();
  const accept = createAccept(options);
  assert.deepEqual(
    [(await accept(inbound(message))).fate, (await accept(inbound(message))).fate, (await accept(inbound(message))).fate],
    ['new', 'duplicate', 'duplicate'],
  );
  assert.equal(await deliverAll(), 1);
  const [transfer, ...more] = await listTransfers(node.db, own.ods, {}, 10);
  assert.equal(more.length, 0);
  assert.equal(transfer?.role, 'sending');
  assert.equal(transfer?.otherPractice, other.ods);
  assert.deepEqual(await listTransfers(node.db, second.ods, {}, 10), []);
  assert.equal(await deliverAll(), 0, 'and is done');
});

test('a crash after the transfer was begun and before anything else does not begin another', async () => {
  const message = request();
  await createAccept(options)(inbound(message));
  const [doomed] = await claimArrivals(node.db, 'doomed', 1, 0);
  assert.ok(doomed);
  await deliverAll();
  // The first process comes back to life with what it held.
  await createDeliver(options)(doomed);
  assert.equal((await listTransfers(node.db, own.ods, {}, 10)).length, 1);
  assert.equal((await claim(node.db, 'job', 'me', 10, 60)).length, 1, 'one check was queued');
});

test('a newer request of the same practice for the same patient takes the place of the older one', async () => {
  await createAccept(options)(inbound(request()));
  await deliverAll();
  await createAccept(options)(inbound(request()));
  await deliverAll();
  const states = (await listTransfers(node.db, own.ods, {}, 10)).map(({ state, outcome }) => [state, outcome]);
  assert.deepEqual(states.sort(), [
    ['checking', null],
    ['ended', 'superseded'],
  ]);
});

test('a message of a conversation that nobody knows waits for it, and is taken when it is there', async () => {
  const transfer = await register(node, own.ods, other.ods);
  const early = from(other, own, { conversationId: transfer.conversationId } as Transfer, {
    interaction: 'unreadable',
    action: 'COPC_IN000001UK01',
    fault: 'cut short',
  });
  await createAccept(options)(inbound({ ...early, conversationId: uuid() as Transfer['conversationId'] }));
  await deliverAll();
  const row = await node.db.selectFrom('inbox').select(['fault', 'done_at', 'attempts']).executeTakeFirstOrThrow();
  assert.match(row.fault ?? '', /nobody here knows the conversation/);
  assert.equal(row.done_at, null);
  assert.equal(row.attempts, 1);

  await sql`update transfers set conversation_id = (select conversation_id from inbox)`.execute(node.db);
  await deliverAll();
  const taken = await node.db.selectFrom('inbox').select(['transfer', 'done_at']).executeTakeFirstOrThrow();
  assert.equal(taken.transfer, transfer.id);
  assert.ok(taken.done_at);
});

test('one that waited too long is shown to an operator of that practice, and to no other', async () => {
  await createAccept(options)(
    inbound(
      from(other, own, { conversationId: uuid() } as Transfer, {
        interaction: 'acknowledgement',
        of: messageId(uuid()),
        answer: { accepted: true },
      }),
    ),
  );
  await sql`update inbox set received_at = now() - interval '8 hours'`.execute(node.db);
  for (let i = 0; i < 3; i++) await deliverAll();
  assert.equal(await deliverAll(), 0);
  const [letter] = await searchDeadLetters(node.db, { practice: own.ods }, 10);
  assert.equal(letter?.queue, 'inbox');
  assert.match(letter?.fault ?? '', /nobody here knows/);
  assert.deepEqual(await searchDeadLetters(node.db, { practice: second.ods }, 10), []);
});

test('a core that names two thousand documents keeps its row small, and loses none of them', async () => {
  const transfer = await register(node, own.ods, other.ods);
  const hl7 = await putAsContent(node.objects, Buffer.from('<RCMR_IN030000UK06/>'));
  const references = Array.from({ length: 2000 }, (_, i) => ({
    compressed: false,
    skeleton: false,
    filename: `document ${i}.pdf`,
    contentType: 'application/pdf',
    at: 'message' as const,
    messageId: messageId(uuid()),
  }));
  const core = from(other, own, transfer, {
    interaction: 'extract',
    version: 'UK06',
    extractId: uuid(),
    nhsNumber: PATIENT,
    hl7,
    references,
  });
  await createAccept(options)(inbound(core));
  const { rows } = await sql<{ bytes: number }>`select length(message::text) as bytes from inbox`.execute(node.db);
  assert.ok((rows[0]?.bytes ?? 0) < ROW_BYTES, `${rows[0]?.bytes}`);
  // It was not asked for yet, so it is only noted; that it could be read is what counts.
  await deliverAll();
  const done = await node.db.selectFrom('inbox').select('done_at').executeTakeFirstOrThrow();
  assert.ok(done.done_at);
});

test('what is addressed to nobody here is not accepted', async () => {
  const stranger = testPractice('Z83003');
  const message = from(other, stranger, { conversationId: uuid() } as Transfer, {
    interaction: 'continue',
    of: null,
    from: other.ods,
    to: stranger.ods,
  });
  await assert.rejects(createAccept(options)(inbound(message)), /no practice has the party key/);
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ROW_BYTES } from '../base/content.ts';
import { type MessageId, messageId } from '../base/ids.ts';
import { wireLength } from '../base/wire.ts';
import { putAsContent } from '../objects/content.ts';
import { readHistory } from '../store/history.ts';
import { openStore } from '../store/open.ts';
import { claim, type Work } from '../store/outbox.ts';
import { readLedger } from '../store/parts.ts';
import { openTasks } from '../store/tasks.ts';
import { readTransfer } from '../store/transfers.ts';
import type { Reference, Transfer } from '../transfer/types.ts';
import { createPost } from './post.ts';
import { createPractices } from './practices.ts';
import { event, from, peerOf, register, type TestNode, testNode, testPractice, uuid } from './testing.ts';

const own = testPractice('Z81001');
const other = testPractice('Z82002');
let node: TestNode;
before(async () => {
  node = await testNode([own]);
});
after(() => node.close());

const onlyWork = async (kind: Work['task']['kind'], transfer: Transfer): Promise<Work[]> =>
  (await claim(node.db, kind, 'me', 1000, 600)).filter((work) => work.transfer === transfer.id);
const now = async (transfer: Transfer): Promise<Transfer> => {
  const read = await readTransfer(node.db, own.ods, transfer.id);
  assert.ok(read);
  return read;
};

/** A transfer that has asked for the record. */
async function asked(): Promise<{ transfer: Transfer; request: MessageId }> {
  const transfer = await register(node, own.ods, other.ods);
  const [job] = await onlyWork('job', transfer);
  assert.ok(job);
  const { transfer: next } = await node.post({
    practice: own.ods,
    transfer: transfer.id,
    event: event({ kind: 'done', result: { job: 'mayWeAsk', answer: { ask: true, peer: peerOf(other) } } }),
    cause: { queue: 'outbox', claim: job.claim },
  });
  assert.ok(next?.state === 'waitingForExtract');
  return { transfer: next, request: next.request };
}

test('a registration handed in twice begins one transfer, in one transaction each', async () => {
  const commits = node.commits();
  const first = await register(node, own.ods, other.ods, 'registration 1');
  const second = await register(node, own.ods, other.ods, 'registration 1');
  assert.equal(second.id, first.id);
  assert.equal(node.commits() - commits, 2);
  assert.equal((await onlyWork('job', first)).length, 1);
  assert.equal((await readHistory(node.db, own.ods, first.id)).length, 1);
});

test('a repeated event changes nothing, and closes the row that brought it again', async () => {
  const { transfer, request } = await asked();
  const [sending] = await onlyWork('message', transfer);
  assert.ok(sending);
  const sent = event({ kind: 'sent', messageId: request, interaction: 'request' }, 'sent once');
  const posting = { practice: own.ods, transfer: transfer.id, event: sent };
  assert.equal((await node.post(posting)).outcome, 'changed');
  const after = await now(transfer);
  const history = await readHistory(node.db, own.ods, transfer.id);
  assert.equal((await node.post({ ...posting, cause: { queue: 'outbox', claim: sending.claim } })).outcome, 'repeated');
  assert.deepEqual(await now(transfer), after);
  assert.deepEqual(await readHistory(node.db, own.ods, transfer.id), history);
  assert.equal(
    (await node.post({ ...posting, event: event({ kind: 'due', timer: 'undecided' }), cause: { queue: 'outbox', claim: sending.claim } }))
      .outcome,
    'lost',
  );
});

test('ten posts of the same event at the same moment are one', async () => {
  const { transfer, request } = await asked();
  const sent = event({ kind: 'sent', messageId: request, interaction: 'request' });
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, async () => (await node.post({ practice: own.ods, transfer: transfer.id, event: sent })).outcome),
  );
  assert.deepEqual(outcomes.sort(), ['changed', ...Array.from({ length: 9 }, () => 'repeated')]);
  assert.equal((await now(transfer)).version, transfer.version + 1);
});

test('two nodes that post the same event at the same moment are one', async () => {
  const { transfer, request } = await asked();
  const door = () =>
    createPost({ ...node, practice: node.practices.byOds, now: () => new Date(), newId: uuid, owner: uuid(), committed: () => undefined });
  const sent = event({ kind: 'sent', messageId: request, interaction: 'request' });
  const posting = { practice: own.ods, transfer: transfer.id, event: sent };
  const outcomes = await Promise.all(Array.from({ length: 6 }, async () => (await door()(posting)).outcome));
  assert.deepEqual(outcomes.sort(), ['changed', 'repeated', 'repeated', 'repeated', 'repeated', 'repeated']);
  assert.equal((await now(transfer)).version, transfer.version + 1);
});

test('a result whose claim was lost changes nothing at all', async () => {
  const transfer = await register(node, own.ods, other.ods);
  const [mine] = await claim(node.db, 'job', 'me', 1000, 0).then((works) => works.filter((work) => work.transfer === transfer.id));
  assert.ok(mine);
  const [theirs] = await onlyWork('job', transfer);
  assert.ok(theirs);
  const result = { job: 'mayWeAsk', answer: { ask: false, reason: 'NO_MATCH' } } as const;
  const posting = { practice: own.ods, transfer: transfer.id, event: event({ kind: 'done', result }) };
  assert.equal((await node.post({ ...posting, cause: { queue: 'outbox', claim: mine.claim } })).outcome, 'lost');
  assert.deepEqual(await now(transfer), transfer);
  assert.equal((await node.post({ ...posting, cause: { queue: 'outbox', claim: theirs.claim } })).outcome, 'changed');
  assert.equal((await now(transfer)).state, 'ended');
});

test('the request is queued with its exact bytes in the transaction that decides on it', async () => {
  const { transfer, request } = await asked();
  const [work] = await onlyWork('message', transfer);
  assert.ok(work?.task.kind === 'message');
  const { packed } = work.task;
  assert.equal(packed.messageId, request);
  assert.equal(wireLength(packed.body), packed.contentLength);
  const text = packed.body.map((piece) => (piece.in === 'row' ? new TextDecoder().decode(piece.data) : '')).join('');
  for (const expected of [request, transfer.conversationId, own.partyKey, other.partyKey, transfer.nhsNumber])
    assert.ok(text.includes(expected), expected);
});

test('parts that come before, after and beside their core are counted to the last, and start the conversion once', async () => {
  const { transfer } = await asked();
  const content = await putAsContent(node.objects, Buffer.from('a letter'));
  const hl7 = await putAsContent(node.objects, Buffer.from('<RCMR_IN030000UK06/>'));
  const said = { compressed: false, skeleton: false, filename: 'letter.txt', contentType: 'text/plain' };
  const piece = (id: MessageId) => ({
    ...from(other, own, transfer, {
      interaction: 'piece',
      part: { contentId: 'x', contentType: 'text/plain', content },
      announced: said,
      from: other.ods,
      to: own.ods,
    }),
    messageId: id,
  });
  const [early, late, child] = [messageId(uuid()), messageId(uuid()), messageId(uuid())];
  const at = (id: MessageId): Reference => ({ ...said, at: 'message', messageId: id });
  const arrive = async (message: Parameters<typeof from>[3] | ReturnType<typeof piece>) =>
    (
      await node.post({
        practice: own.ods,
        transfer: transfer.id,
        event: event({ kind: 'arrived', message: 'messageId' in message ? message : from(other, own, transfer, message) }),
      })
    ).transfer;

  assert.equal((await arrive(piece(early)))?.state, 'waitingForExtract');
  const core = await arrive({
    interaction: 'extract',
    version: 'UK06',
    extractId: uuid(),
    nhsNumber: transfer.nhsNumber,
    hl7,
    references: [at(early), at(late)],
  });
  assert.ok(core?.state === 'collecting' && core.outstanding === 1);
  const index = {
    ...from(other, own, transfer, { interaction: 'index', children: [at(child)], announced: said, from: other.ods, to: own.ods }),
    messageId: late,
  };
  const indexed = await arrive(index as never);
  assert.ok(indexed?.state === 'collecting' && indexed.outstanding === 1);
  const [repeated] = [await arrive(piece(early))];
  assert.ok(repeated?.state === 'collecting' && repeated.outstanding === 1, 'a repetition counts for nothing');
  assert.equal((await arrive(piece(child)))?.state, 'converting');
  assert.deepEqual(
    (await onlyWork('job', transfer)).map((work) => work.task.kind === 'job' && work.task.job),
    ['toFhir'],
  );
  const ledger = await readLedger(node.db, own.ods, transfer.id);
  assert.equal(ledger.filter((part) => part.content).length, 2);
});

test('what cannot be packed ends in a decision, not in a loop: no agreement with the other practice', async () => {
  const transfer = await register(node, own.ods, other.ods);
  const peer = { ...peerOf(other), contracts: { request: null, extract: null, part: null, acknowledgement: null } };
  const posted = await node.post({
    practice: own.ods,
    transfer: transfer.id,
    event: event({ kind: 'done', result: { job: 'mayWeAsk', answer: { ask: true, peer } } }),
  });
  assert.ok(posted.transfer?.state === 'ended');
  assert.equal(posted.transfer.outcome.kind, 'undeliverable');
  const kinds = (await readHistory(node.db, own.ods, transfer.id)).map((entry) => [entry.number, entry.kind]);
  assert.deepEqual(kinds, [
    [1, 'registered'],
    [2, 'done'],
    [3, 'notSent'],
  ]);
});

test('an envelope too large for a row goes to the store, and the row points at it', async () => {
  const big = await testNode([other]);
  try {
    const transfer = await beginSending(big);
    const hl7 = await putAsContent(big.objects, Buffer.from('<RCMR_IN030000UK06/>'.repeat(10)));
    const content = await putAsContent(big.objects, Buffer.alloc(4_000_000, 1));
    const documents = Array.from({ length: 60 }, (_, i) => ({
      compressed: false,
      skeleton: false,
      filename: `${i} ${'long name '.repeat(20)}.txt`,
      contentType: 'text/plain',
      content,
    }));
    const messageIdOfCore = messageId(uuid());
    await big.post({
      practice: other.ods,
      transfer: transfer.id,
      event: event({
        kind: 'done',
        result: {
          job: 'toHl7',
          answer: {
            converted: true,
            version: 'UK06',
            extractId: uuid(),
            messageId: messageIdOfCore,
            hl7,
            large: null,
            documents,
            report: { sha256: 'a'.repeat(64), bytes: 1 },
            summary: { issues: 0, degrades: 0, redactions: 0, missingDocuments: 0 },
          },
        },
      }),
    });
    const works = (await claim(big.db, 'message', 'me', 100, 60)).filter(
      (work) => work.task.kind === 'message' && work.task.interaction === 'extract',
    );
    const [work] = works;
    assert.ok(work?.task.kind === 'message');
    assert.ok(work.task.packed.body.every((piece) => piece.in === 'store' || piece.data.byteLength <= ROW_BYTES));
    assert.ok(work.task.packed.body.some((piece) => piece.in === 'store' && piece.encode === 'none' && piece.object.bytes > ROW_BYTES));
    assert.equal(wireLength(work.task.packed.body), work.task.packed.contentLength);

    // The continue asks for what was reserved: every message under the id that the core announced.
    const sent = event({ kind: 'sent', messageId: messageIdOfCore, interaction: 'extract' });
    await big.post({ practice: other.ods, transfer: transfer.id, event: sent, cause: { queue: 'outbox', claim: work.claim } });
    const goOn = from(own, other, transfer, { interaction: 'continue', of: messageIdOfCore, from: own.ods, to: other.ods });
    const { transfer: after } = await big.post({
      practice: other.ods,
      transfer: transfer.id,
      event: event({ kind: 'arrived', message: goOn }),
    });
    assert.ok(after?.state === 'sendingParts');
    const parts = await claim(big.db, 'message', 'me', 1000, 60);
    assert.equal(parts.length, after.unsent);
    let last: Transfer | null = after;
    for (const part of parts) {
      assert.ok(part.task.kind === 'message');
      const { messageId: id } = part.task.packed;
      const left = event({ kind: 'sent', messageId: id, interaction: part.task.interaction });
      ({ transfer: last } = await big.post({
        practice: other.ods,
        transfer: transfer.id,
        event: left,
        cause: { queue: 'outbox', claim: part.claim },
      }));
    }
    assert.equal(last?.state, 'waitingForAnswer');
    const yes = from(own, other, transfer, { interaction: 'acknowledgement', of: messageIdOfCore, answer: { accepted: true } });
    const { transfer: ended } = await big.post({
      practice: other.ods,
      transfer: transfer.id,
      event: event({ kind: 'arrived', message: yes }),
    });
    assert.ok(ended?.state === 'ended' && ended.outcome.kind === 'acknowledged');
  } finally {
    await big.close();
  }
});

async function beginSending(on: TestNode): Promise<Transfer> {
  const request = from(own, other, { conversationId: uuid() } as Transfer, {
    interaction: 'request',
    requestId: uuid(),
    nhsNumber: (await register(node, own.ods, other.ods)).nhsNumber,
    from: own.ods,
    to: other.ods,
  });
  assert.ok(request.interaction === 'request');
  const { transfer } = await on.post({
    practice: other.ods,
    begin: {
      id: uuid() as Transfer['id'],
      version: 0,
      conversationId: request.conversationId,
      practice: other.ods,
      nhsNumber: request.nhsNumber,
      startedAt: request.at,
      role: 'sending',
      request: request.messageId,
      requestId: request.requestId,
      state: 'checking',
      peer: null,
    },
    origin: { began: 'request', requester: own.ods, requesterAsid: own.asid, addressedTo: other.ods },
    event: event({ kind: 'arrived', message: request }),
  });
  assert.ok(transfer);
  const done = (result: Parameters<typeof event>[0]) => on.post({ practice: other.ods, transfer: transfer.id, event: event(result) });
  await done({ kind: 'done', result: { job: 'mayTheyAsk', answer: { send: true, peer: peerOf(own) } } });
  const object = { sha256: 'b'.repeat(64), bytes: 1 };
  await done({ kind: 'done', result: { job: 'fetch', answer: { fetched: true, bundle: object, documents: object } } });
  return transfer;
}

test('a person’s decision is audited with who and what; nobody’s else is', async () => {
  const { transfer } = await asked();
  await node.post({
    practice: own.ods,
    transfer: transfer.id,
    event: { ...event({ kind: 'decided', decision: 'withdraw' }), by: { kind: 'person', user: 'a.clerk', role: 'registration' } },
  });
  const entries = await node.db.selectFrom('audit').select(['actor', 'action', 'transfer']).execute();
  assert.deepEqual(entries, [{ actor: 'a.clerk (registration)', action: 'decided', transfer: transfer.id }]);
  assert.equal((await onlyWork('message', transfer)).length, 0, 'the request that had not left was struck');
});

test('an event for another practice’s transfer finds nothing', async () => {
  const { transfer } = await asked();
  const posted = await node.post({ practice: other.ods, transfer: transfer.id, event: event({ kind: 'decided', decision: 'withdraw' }) });
  assert.equal(posted.outcome, 'unknown');
  assert.deepEqual(await now(transfer), transfer);
  assert.deepEqual(await openTasks(node.db, other.ods, 10), []);
});

test('more posts at once than there are connections: none of them waits for one that another holds', async () => {
  const db = openStore(node.url, { connections: 2 });
  try {
    // Nothing is remembered: each post looks its practice up anew.
    const practices = createPractices(db, { freshMs: -1 });
    const options = { db, objects: node.objects, now: () => new Date(), newId: uuid, owner: 'few connections', committed: () => undefined };
    const post = createPost({ ...options, practice: practices.byOds });
    const began = performance.now();
    await Promise.all(Array.from({ length: 30 }, () => register({ post }, own.ods, other.ods)));
    assert.ok(performance.now() - began < 20_000, 'and not until the wait for a connection is over');
  } finally {
    await db.destroy();
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY, SECOND } from '../micros.ts';
import { assemble, type Note } from './conversation.ts';
import { BEGIN, classified, REQUESTER, SENDER, spine } from './testing.ts';
import { transferOf } from './transfer.ts';

const { request, core, next, fragment, senderAnswers, answers } = spine;

test('messages later than the cut-off after the first are not seen; one exactly at it is', () => {
  for (const days of [0.5, 1.5, 2.5]) {
    const rows = (late: number) => [request(), senderAnswers(), core(), answers('core', null, { after: days * DAY + late })];
    assert.equal(classified(rows(0), { cutoffDays: days })[0]?.status, 'Integrated on time');
    assert.equal(classified(rows(1), { cutoffDays: days })[0]?.failureReason, 'Transferred, not integrated');
  }
  // A cut-off of 0 drops nothing.
  const rows = [request(), core(), answers('core', null, { after: 20 * DAY })];
  assert.equal(classified(rows, { cutoffDays: 0 })[0]?.failureReason, 'Integrated late');
});

test('rows are grouped by conversation and put in order of time', () => {
  const rows = [answers('core', null, { after: 90 * SECOND }), core('core', { after: 60 * SECOND }), request()];
  const others = rows.slice(1).map((row) => ({ ...row, conversationId: 'C2' }));
  const transfers = classified([...rows, ...others]);
  assert.deepEqual(
    transfers.map(({ conversationId, status, failureReason }) => [conversationId, status, failureReason]),
    [
      ['C1', 'Integrated on time', null],
      ['C2', 'Technical failure', 'Request not acknowledged'],
    ],
  );
});

test('a conversation belongs to the day of its request: at its start in, at its end out', () => {
  const at = (after: number) => classified([request({ after })], { start: BEGIN, end: BEGIN + DAY }).length;
  assert.deepEqual([at(-1), at(0), at(DAY - 1), at(DAY)], [0, 1, 1, 0]);
});

test('a conversation whose first message is no request is no transfer', () => {
  assert.deepEqual(classified([core(), answers('core')]), []);
});

test('the duration runs from the core to the answer that decides, in whole seconds, halves to the even one', () => {
  const duration = (after: number) =>
    classified([request(), core('core', { after: 60 * SECOND }), answers('core', null, { after: 60 * SECOND + after })])[0]?.slaDuration;
  assert.deepEqual([duration(500_000), duration(1_500_000), duration(2_500_001), duration(3 * DAY + 500_000)], [0, 2, 3, 259_200]);
});

test('a negative duration counts as none and is noted', () => {
  // Messages are put in order of time, so it comes about only where a conversation is assembled from rows in another order.
  const notes: Note[] = [];
  const rows = [request(), core('core', { after: 60 * SECOND }), answers('core', null, { after: 30 * SECOND })];
  const conversation = assemble(rows, 14, (note) => notes.push(note));
  assert.ok(conversation);
  const known = { ods: 'A', name: null, sicblOds: null, sicblName: null };
  const transfer = transferOf(
    conversation,
    () => known,
    (note) => notes.push(note),
  );
  assert.equal(transfer.slaDuration, 0);
  assert.deepEqual(notes, [{ code: 'NEGATIVE_SLA_DETECTED', conversationId: 'C1', detail: '-30' }]);
});

test('there is no duration without a core, without an answer, and with answers of duplicates alone', () => {
  for (const rows of [
    [request(), senderAnswers()],
    [request(), core()],
    [request(), core(), core('b'), answers('core', 12), answers('b', 12)],
  ])
    assert.equal(classified(rows)[0]?.slaDuration, null);
});

test('of conflicting answers the success gives the duration; of failures the first that is no duplicate', () => {
  const first = { after: 100 * SECOND };
  const second = { after: 200 * SECOND };
  const at = (a: number | null, b: number | null) =>
    classified([request(), core('core', { after: 0 }), answers('core', a, first), answers('core', b, second)])[0]?.slaDuration;
  assert.deepEqual([at(11, null), at(11, 15), at(12, 31), at(11, 31)], [200, 200, 200, 100]);
});

test('error codes keep every answer: sender and final with positive ones, of fragments the negative alone', () => {
  const [transfer] = classified([
    request(),
    senderAnswers(),
    senderAnswers(19),
    core('a'),
    core('b'),
    answers('a', 42),
    answers('a'),
    answers('b', 12),
    next(),
    fragment('f'),
    fragment('g'),
    fragment('h'),
    answers('f', 30),
    answers('g'),
  ]);
  assert.deepEqual(transfer?.senderErrorCodes, [null, 19]);
  assert.deepEqual(transfer?.finalErrorCodes, [42, null, 12]);
  assert.deepEqual(transfer?.intermediateErrorCodes, [30]);
});

test('the sender was last heard of at its latest message, and after a success not later than the answer', () => {
  const last = (rows: Parameters<typeof classified>[0]) => {
    const at = classified(rows)[0]?.lastSenderMessageAt ?? null;
    return at === null ? null : (at - BEGIN) / SECOND;
  };
  assert.equal(last([request()]), null);
  assert.equal(last([request(), senderAnswers(null, { after: 30 * SECOND })]), 30);
  assert.equal(last([request(), core('core', { after: 60 * SECOND })]), 60);
  const large = [request(), core('core', { after: 60 * SECOND }), next({ after: 61 * SECOND }), fragment('f', { after: 70 * SECOND })];
  assert.equal(last(large), 70);
  assert.equal(last([...large, answers('f', 30, { after: 80 * SECOND })]), 70);
  const filed = [...large, answers('core', null, { after: 100 * SECOND })];
  assert.equal(last([...filed, core('copy', { after: 200 * SECOND })]), 70);
});

test('practices are named by their ASIDs; an unknown one is noted and its transfer kept', () => {
  const notes: Note[] = [];
  const [transfer] = classified([request()], {
    note: (note) => notes.push(note),
    organisationOf: (asid) =>
      asid === REQUESTER ? { ods: 'Z81001', name: 'A SURGERY', sicblOds: '99Z', sicblName: 'NHS X ICB - 99Z' } : null,
  });
  assert.deepEqual(transfer?.requesting, {
    asid: REQUESTER,
    supplier: 'EMIS',
    ods: 'Z81001',
    name: 'A SURGERY',
    sicblOds: '99Z',
    sicblName: 'NHS X ICB - 99Z',
  });
  assert.deepEqual(transfer?.sending, { asid: SENDER, supplier: 'SystmOne', ods: null, name: null, sicblOds: null, sicblName: null });
  assert.deepEqual(notes, [{ code: 'UNKNOWN_ODS_CODE_FOR_CONVERSATION', conversationId: 'C1', detail: SENDER }]);
});

test('an answer to nothing and a message of unknown purpose are noted', () => {
  const codes: string[] = [];
  classified([request(), answers('nothing'), spine.other({ guid: 'x' }), spine.next({ from: '3', guid: 'third' })], {
    note: ({ code }) => codes.push(code),
    organisationOf: () => ({ ods: 'A', name: null, sicblOds: null, sicblName: null }),
  });
  assert.deepEqual(codes, ['MISSING_MESSAGE_FOR_ACKNOWLEDGEMENT', 'UNKNOWN_MESSAGE_PURPOSE', 'UNKNOWN_MESSAGE_PURPOSE']);
});

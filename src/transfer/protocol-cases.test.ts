/** Cases of the protocol's test list that no other test of the decisions takes up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Content, storedLength, wholeObject } from '../base/content.ts';
import type { DocumentId, MessageId } from '../base/ids.ts';
import { CODES, responseCode } from './codes.ts';
import { PACKING, planCore } from './packing.ts';
import { assemble, type LedgerPart } from './parts.ts';
import { decideRequesting } from './requesting.ts';
import { route } from './routing.ts';
import { decideSending } from './sending.ts';
import { ANSWER_SECONDS } from './sending-steps.ts';
import {
  AE,
  arrivedEvent,
  CORE,
  doneEvent,
  endedRequesting,
  events,
  facts,
  messages,
  NOW,
  REQUEST,
  requestingStates,
  sendingStates,
} from './testing.ts';
import type { Decision, Document, Effect, RequestingOutcome, ResponseCode, Transfer } from './types.ts';

const does = (decision: Decision<Transfer>, what: Effect['do']) => decision.effects.filter((effect) => effect.do === what);
const answers = (decision: Decision<Transfer>) =>
  decision.effects.flatMap((effect) =>
    effect.do === 'send' && effect.message.interaction === 'acknowledgement'
      ? [`${effect.message.answer.accepted ? 'AA' : effect.message.answer.code} of ${effect.message.of}`]
      : [],
  );
const outcome = ({ transfer }: Decision<Transfer>) => (transfer.state === 'ended' ? transfer.outcome : null);
const event = (name: string) => events[name] as never;

test('a request of an unknown conversation begins one, everything else waits for its own', () => {
  for (const message of Object.values(messages))
    assert.equal(route(message).unfound, message.interaction === 'request' ? 'begin' : 'park', message.interaction);
});

test('an answer is looked for by what it answers, a part by its own id before its conversation, which may be wrong', () => {
  const by = (message: (typeof messages)[keyof typeof messages]) => route(message).lookUps.map((lookUp) => lookUp.by);
  assert.deepEqual(by(messages.positive), ['sentMessage']);
  assert.deepEqual(by(messages.undelivered), ['sentMessage']);
  assert.deepEqual(by(messages.continue), ['sentMessage', 'conversation']);
  assert.deepEqual(by(messages.index), ['expectedPart', 'conversation']);
  assert.deepEqual(by(messages.piece), ['expectedPart', 'conversation']);
});

test('a refusal of the request with any code, an unknown one or none ends it, and a person hears of it', () => {
  for (const code of [...(Object.keys(CODES) as ResponseCode[]), null]) {
    const refusal = arrivedEvent({ ...messages.negative, of: REQUEST, answer: AE(code) });
    const decision = decideRequesting(requestingStates.waitingForExtract, refusal, facts({ refersTo: 'request' }));
    assert.deepEqual(outcome(decision), { kind: 'refusedBySender', code });
    assert.deepEqual(does(decision, 'raise'), [{ do: 'raise', task: 'refusedBySender', due: null }]);
    assert.deepEqual(answers(decision), [], 'a refusal is not answered');
  }
});

test('codes are read as peers write them, and each says what it means, why it comes and whether to try again', () => {
  assert.deepEqual(['6', '06', ' 06 ', '99', '16', '0', 'XX', ''].map(responseCode), ['06', '06', '06', '99', null, null, null, null]);
  const tries = { success: 0, noOutcome: 0, business: 0, configuration: 0, askAgain: 0, sendAgain: 0 };
  for (const [code, { text, cause, class: kind }] of Object.entries(CODES)) {
    assert.ok(text.length > 10 && cause.length > 10, code);
    tries[kind]++;
  }
  assert.deepEqual(tries, { success: 2, noOutcome: 1, business: 5, configuration: 5, askAgain: 5, sendAgain: 6 });
});

test('the sender hears what became of the record: filed, suppressed, filed as a document, not integrated, another’s', () => {
  const { filing, waitingForDecision } = requestingStates;
  const filed = (as: typeof filing.as) => decideRequesting({ ...filing, as }, event('filed'), facts());
  assert.deepEqual(answers(filed('integrate')), [`AA of ${CORE}`]);
  assert.deepEqual(answers(filed('suppress')), [`15 of ${CORE}`]);
  assert.deepEqual(answers(filed('fileAsAttachment')), [`26 of ${CORE}`]);
  const rejected = (...reasons: string[]) => decideRequesting({ ...waitingForDecision, reasons }, event('reject'), facts());
  assert.deepEqual(answers(rejected('refusedBySystem')), [`11 of ${CORE}`]);
  assert.deepEqual(answers(rejected('returningPatient')), [`17 of ${CORE}`]);
  assert.deepEqual(answers(rejected()), [`28 of ${CORE}`]);
  for (const code of ['21', '29', '30', '31', '99'] as const) {
    const unusable = doneEvent({ job: 'toFhir', answer: { converted: false, code, fault: 'cannot be used' } });
    assert.deepEqual(answers(decideRequesting(requestingStates.converting, unusable, facts())), [`${code} of ${CORE}`]);
  }
});

test('a part that comes after the end is answered by how it ended, and nothing is kept', () => {
  const cases: [RequestingOutcome, string][] = [
    [{ kind: 'integrated', answer: 'AA' }, 'AA'],
    [{ kind: 'timedOut', waitingFor: 'parts' }, '25'],
    [{ kind: 'refusedBySender', code: '99' }, '99'],
    [{ kind: 'unusable', code: '21' }, '30'],
    [{ kind: 'rejected', code: '28' }, '30'],
    [{ kind: 'withdrawn' }, '30'],
  ];
  for (const [kind, answer] of cases) {
    for (const message of [messages.piece, messages.index]) {
      const decision = decideRequesting(endedRequesting(kind), arrivedEvent(message), facts());
      assert.deepEqual(answers(decision), [`${answer} of M1`], kind.kind);
      assert.deepEqual([...does(decision, 'keepPart'), ...does(decision, 'expect')], []);
    }
  }
});

test('a part that cannot be read is refused with 30, and the transfer goes on; a core that cannot, with 21, and it ends', () => {
  const part = decideRequesting(requestingStates.collecting, arrivedEvent(messages.unreadablePart), facts());
  assert.equal(part.transfer, requestingStates.collecting);
  assert.deepEqual(answers(part), ['30 of M1']);
  const core = decideRequesting(requestingStates.waitingForExtract, arrivedEvent(messages.unreadableCore), facts());
  assert.deepEqual(outcome(core), { kind: 'unusable', code: '21' });
});

test('a continue that cannot be sent ends the transfer with 99, a part that cannot with 30, a refusal that cannot is not answered by another', () => {
  assert.deepEqual(answers(decideRequesting(requestingStates.collecting, event('continueNotSent'), facts())), [`99 of ${CORE}`]);
  assert.deepEqual(answers(decideSending(sendingStates.sendingParts, event('partNotSent'), facts())), [`30 of ${REQUEST}`]);
  for (const transfer of Object.values(sendingStates)) {
    const decision = decideSending(transfer, event('answerNotSent'), facts());
    assert.deepEqual(answers(decision), []);
    assert.deepEqual(does(decision, 'raise'), [{ do: 'raise', task: 'answerNotSent', due: null }]);
  }
});

test('the eighth day is eight times twenty-four hours after the core left, in every state that waits, and tells nobody outside', () => {
  const left = decideSending(sendingStates.sendingCore, event('coreSent'), facts());
  const at = new Date(Date.parse(NOW) + 8 * 24 * 3600 * 1000).toISOString();
  assert.deepEqual(does(left, 'wake'), [{ do: 'wake', timer: 'answerLate', at }]);
  assert.equal(ANSWER_SECONDS, 8 * 24 * 3600);
  for (const state of ['waitingForContinue', 'sendingParts', 'waitingForAnswer'] as const) {
    const decision = decideSending(sendingStates[state], event('answerLate'), facts());
    assert.deepEqual(outcome(decision), { kind: 'unanswered' });
    assert.deepEqual(does(decision, 'send'), []);
    assert.deepEqual(does(decision, 'raise'), [{ do: 'raise', task: 'unanswered', due: null }]);
  }
});

// ---- large messages

const LIMIT = 5_000_000;
const core = CORE;
const document = (bytes: number, n: number, filename = `D${n}.pdf`): Document => ({
  documentId: `D${n}` as DocumentId,
  filename,
  contentType: 'application/pdf',
  compressed: false,
  skeleton: false,
  content: wholeObject({ sha256: String(n).padStart(64, '0'), bytes }),
});
const plan = (documents: readonly Document[]) => {
  let count = 0;
  const hl7 = wholeObject({ sha256: 'f'.repeat(64), bytes: LIMIT - PACKING.envelopeBytes });
  return planCore({ hl7, large: null, documents }, core, LIMIT, () => `id-${++count}`);
};
const row = (key: string, under: string, content: Content | null, more: Partial<LedgerPart> = {}): LedgerPart => ({
  key,
  under: under as MessageId,
  order: 0,
  announced: { compressed: false, skeleton: false },
  content,
  index: content === null,
  ...more,
});
const bytes = (count: number) => wholeObject({ sha256: String(count).padStart(64, '0'), bytes: count });

test('a document of exactly one message is sent whole, one byte more behind an index, and every cut but the last is on four characters', () => {
  const most = (PACKING.pieceCharacters / 4) * 3;
  assert.deepEqual(
    plan([document(most, 1)]).parts.map(({ kind }) => kind),
    ['piece'],
  );
  assert.deepEqual(
    plan([document(most + 1, 1)]).parts.map(({ kind }) => kind),
    ['index', 'piece', 'piece'],
  );
  const pieces = plan([document(20_000_000, 1)]).parts.filter(({ content }) => content !== null);
  for (const { content } of pieces.slice(0, -1)) assert.equal(content && storedLength(content) % 3, 0);
});

test('more documents than a message may have parts go outside it, and none is left out', () => {
  let count = 0;
  const documents = Array.from({ length: 150 }, (_, n) => document(100, n));
  const { references, parts } = planCore({ hl7: bytes(1000), large: null, documents }, core, LIMIT, () => `id-${++count}`);
  assert.equal(references.filter(({ at }) => at === 'here').length, PACKING.inlineParts);
  assert.equal(references.length, 150);
  assert.equal(parts.length, 52);
});

test('an index of a single message is an index, whatever was announced of it; content announced as large is content', () => {
  const announced = { compressed: false, skeleton: false, large: false };
  const [lonely] = assemble(core, [row('INDEX', CORE, null, { announced }), row('ONLY', 'INDEX', bytes(7))]);
  assert.equal(lonely?.content && storedLength(lonely.content), 7);
  const [whole] = assemble(core, [row('WHOLE', CORE, bytes(9), { announced: { ...announced, large: true } })]);
  assert.equal(whole?.content && storedLength(whole.content), 9);
});

test('an index with its first piece inside is joined in the order of its manifest', () => {
  const ledger = [row('P2', 'INDEX', bytes(2), { order: 1 }), row('INDEX#0', 'INDEX', bytes(1)), row('INDEX', CORE, null)];
  const [attachment] = assemble(core, ledger);
  assert.deepEqual(
    attachment?.content?.pieces.map((piece) => (piece.in === 'store' ? piece.to : 0)),
    [1, 2],
  );
});

test('an index that names itself, or a ring of them, has no content and comes to an end', () => {
  const [itself] = assemble(core, [row('A', CORE, null), row('A', 'A', null)]);
  assert.equal(itself?.content, null);
  const [ring] = assemble(core, [row('A', CORE, null), row('B', 'A', null), row('A', 'B', null)]);
  assert.equal(ring?.content, null);
});

test('lengths that are wrong, and names that are alike, do not keep attachments from being joined', () => {
  const said = { compressed: false, skeleton: false, filename: 'Untitled', length: 1 };
  const ledger = [
    row('A', CORE, null, { announced: { ...said, documentId: 'D1' as DocumentId } }),
    row('B', CORE, bytes(5), { order: 1, announced: { ...said, documentId: 'D2' as DocumentId } }),
    row('A1', 'A', bytes(3), { announced: said }),
    row('A2', 'A', bytes(4), { order: 1, announced: said }),
  ];
  assert.deepEqual(
    assemble(core, ledger).map(({ announced, content }) => [announced.documentId, content && storedLength(content)]),
    [
      ['D1', 7],
      ['D2', 5],
    ],
  );
});

test('whether an attachment is compressed the core says, not the index and not its pieces', () => {
  const said = (compressed: boolean) => ({ announced: { compressed, skeleton: false } });
  const ledger = [row('A', CORE, null, said(true)), row('A1', 'A', bytes(3), said(false))];
  assert.equal(assemble(core, ledger)[0]?.content?.gzip, true);
  const other = [row('A', CORE, null, said(false)), row('A1', 'A', bytes(3), said(true))];
  assert.equal(assemble(core, other)[0]?.content?.gzip, false);
});

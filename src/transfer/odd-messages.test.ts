/** Late, foreign and contradictory messages: what they may change, and what they must not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instant, MessageId } from '../base/ids.ts';
import { decideRequesting } from './requesting.ts';
import { decideSending } from './sending.ts';
import {
  AE,
  arrivedEvent,
  CORE,
  endedRequesting,
  endedSending,
  events,
  facts,
  messages,
  NOW,
  peer,
  REQUEST,
  requestingStates,
  sendingStates,
} from './testing.ts';
import { LONGEST_SECONDS, PERSIST, partsLateAt } from './time-outs.ts';
import type { Answer, Decision, Effect, Peer, Received, SendingOutcome, Transfer } from './types.ts';

const AA: Answer = { accepted: true };
const does = (decision: Decision<Transfer>, what: Effect['do']) => decision.effects.filter((effect) => effect.do === what);
const raised = (decision: Decision<Transfer>) => decision.effects.flatMap((effect) => (effect.do === 'raise' ? [effect.task] : []));
const answers = (decision: Decision<Transfer>) =>
  decision.effects.flatMap((effect) =>
    effect.do === 'send' && effect.message.interaction === 'acknowledgement'
      ? [`${effect.message.answer.accepted ? 'AA' : effect.message.answer.code} of ${effect.message.of}`]
      : [],
  );
const outcome = ({ transfer }: Decision<Transfer>) => (transfer.state === 'ended' ? transfer.outcome : null);
const event = (name: string) => events[name] as never;

const STRANGERS = [
  { fromPartyKey: 'X99999-900009', toPartyKey: 'B99902-900002', fromAsid: peer.asid, toAsid: null },
  { fromPartyKey: peer.partyKey, toPartyKey: 'B99902-900002', fromAsid: '200000009999', toAsid: null },
];

test('no message of another practice than the one a transfer is with changes it, whatever it says', () => {
  const about = facts({ refersTo: 'extract', part: { expected: true, seen: false, outstandingAfter: 0, messages: 1 } });
  for (const message of Object.values(messages) as Received[]) {
    if (message.interaction === 'undelivered') continue;
    for (const addressed of STRANGERS) {
      const foreign = arrivedEvent({ ...message, addressed });
      for (const transfer of Object.values(requestingStates)) {
        if (transfer.state === 'checking') continue;
        const decision = decideRequesting(transfer, foreign, about);
        assert.equal(decision.transfer, transfer);
        assert.deepEqual(decision.effects, [{ do: 'raise', task: 'foreignMessage', due: null }]);
      }
      for (const transfer of Object.values(sendingStates)) {
        if (transfer.state === 'checking') continue;
        const decision = decideSending(transfer, foreign, about);
        assert.equal(decision.transfer, transfer);
        assert.deepEqual(decision.effects, [{ do: 'raise', task: 'foreignMessage', due: null }]);
      }
    }
  }
});

test('a message that names no ASID is told by its party key alone, whatever its case', () => {
  const addressed = { ...messages.positive.addressed, fromPartyKey: peer.partyKey.toLowerCase(), fromAsid: null };
  const decision = decideSending(
    sendingStates.waitingForAnswer,
    arrivedEvent({ ...messages.positive, addressed }),
    facts({ refersTo: 'extract' }),
  );
  assert.equal(outcome(decision)?.kind, 'acknowledged');
});

test('the acknowledgement of the request proves that it left: a post whose answer was lost does not end the transfer', () => {
  const acknowledged = decideRequesting(
    requestingStates.waitingForExtract,
    arrivedEvent({ ...messages.positive, of: REQUEST }),
    facts({ refersTo: 'request' }),
  );
  assert.deepEqual(does(acknowledged, 'wake'), [{ do: 'wake', timer: 'extractLate', at: '2026-01-05T13:40:00.000Z' }]);
  assert.equal(decideRequesting(acknowledged.transfer, event('requestNotSent'), facts()).transfer.state, 'waitingForExtract');
  const alone = decideRequesting(requestingStates.waitingForExtract, event('requestNotSent'), facts());
  assert.equal(outcome(alone)?.kind, 'undeliverable');
  assert.deepEqual(raised(alone), ['undelivered']);
});

test('a continue that names an earlier core of ours brings no part; one that names nothing, or an id of its own, does', () => {
  const waiting = sendingStates.waitingForContinue;
  const earlier = arrivedEvent({ ...messages.continue, of: 'EARLIER' as MessageId });
  assert.equal(decideSending(waiting, earlier, facts({ refersTo: 'extract' })).transfer.state, 'waitingForContinue');
  assert.equal(decideSending(waiting, earlier, facts()).transfer.state, 'sendingParts');
  assert.equal(decideSending(waiting, arrivedEvent({ ...messages.continue, of: null }), facts()).transfer.state, 'sendingParts');
});

test('a record that was filed is acknowledged, though we had given up, refused, or begun to send it again', () => {
  const ack = arrivedEvent({ ...messages.positive, answer: AA });
  const about = facts({ refersTo: 'extract' });
  const gaveUp: SendingOutcome[] = [
    { kind: 'unanswered' },
    { kind: 'undeliverable', fault: '506' },
    { kind: 'refusedByUs', code: '99' },
    { kind: 'superseded', by: 'T2' as never },
  ];
  for (const kind of gaveUp) {
    const decision = decideSending(endedSending(kind), ack, about);
    assert.equal(outcome(decision)?.kind, 'acknowledged', kind.kind);
    assert.ok(does(decision, 'close').length > 0);
  }
  for (const state of ['fetching', 'converting', 'sendingCore', 'waitingForContinue', 'sendingParts', 'waitingForAnswer'] as const) {
    const earlier = arrivedEvent({ ...messages.positive, of: 'EARLIER' as MessageId, answer: AA });
    assert.equal(outcome(decideSending(sendingStates[state], earlier, about))?.kind, 'acknowledged', state);
    const refusal = arrivedEvent({ ...messages.positive, of: 'EARLIER' as MessageId, answer: AE('21') });
    assert.equal(decideSending(sendingStates[state], refusal, about).transfer, sendingStates[state], state);
  }
});

test('a final answer that contradicts the first changes nothing and goes to a person', () => {
  const about = facts({ refersTo: 'extract' });
  const ended = {
    filed: endedSending({ kind: 'acknowledged', answer: 'AA', missingDocuments: 0 }),
    refused: endedSending({ kind: 'refusedByRequester', code: '11' }),
  };
  for (const [transfer, answer, tasks] of [
    [ended.filed, AE('11'), ['contradiction']],
    [ended.filed, AA, []],
    [ended.filed, AE('12'), []],
    [ended.refused, AA, ['contradiction']],
    [ended.refused, AE('21'), []],
  ] as const) {
    const decision = decideSending(transfer, arrivedEvent({ ...messages.positive, answer }), about);
    assert.equal(decision.transfer, transfer);
    assert.deepEqual(raised(decision), tasks);
  }
});

test('a record filed as one document closes the transfer and is printed', () => {
  const decision = decideSending(
    sendingStates.waitingForAnswer,
    arrivedEvent({ ...messages.positive, answer: AE('26') }),
    facts({ refersTo: 'extract' }),
  );
  assert.equal(outcome(decision)?.kind, 'acknowledged');
  assert.deepEqual(raised(decision), ['printRecord']);
});

test('a withdrawn registration tells the sender whose core is here, and one whose core comes later', () => {
  for (const state of ['collecting', 'converting', 'waitingForDecision'] as const) {
    const decision = decideRequesting(requestingStates[state], event('withdraw'), facts());
    assert.deepEqual(answers(decision), [`28 of ${CORE}`], state);
  }
  const returning = { ...requestingStates.waitingForDecision, reasons: ['returningPatient'] };
  assert.deepEqual(answers(decideRequesting(returning, event('withdraw'), facts())), [`17 of ${CORE}`]);
  const asked = decideRequesting(requestingStates.waitingForExtract, event('withdraw'), facts());
  assert.deepEqual(answers(asked), []);
  assert.deepEqual(answers(decideRequesting(asked.transfer, arrivedEvent(messages.extract), facts())), ['28 of M1']);
});

test('a record that is being filed is not withdrawn: what the system says of it decides what the sender hears', () => {
  const decision = decideRequesting(requestingStates.filing, event('withdraw'), facts());
  assert.equal(decision.transfer, requestingStates.filing);
});

test('the code of a rejection says why the record came to a person', () => {
  for (const [reasons, code, kind] of [
    [[], '28', 'rejected'],
    [['otherPatient'], '28', 'rejected'],
    [['returningPatient'], '17', 'rejected'],
    [['otherPatient', 'returningPatient'], '17', 'rejected'],
    [['attachmentsMissing'], '31', 'unusable'],
    [['refusedBySystem'], '11', 'notIntegrated'],
    [['filingFailed'], '11', 'notIntegrated'],
  ] as const) {
    const decision = decideRequesting({ ...requestingStates.waitingForDecision, reasons }, event('reject'), facts());
    assert.deepEqual(answers(decision), [`${code} of ${CORE}`], reasons.join());
    assert.deepEqual(outcome(decision), { kind, code });
  }
});

test('the core that was refused does not begin again by coming again; one sent anew does', () => {
  const failed = endedRequesting({ kind: 'unusable', code: '21' });
  assert.equal(decideRequesting(failed, arrivedEvent(messages.coreAgain), facts()).transfer, failed);
  assert.equal(decideRequesting(failed, arrivedEvent(messages.extract), facts()).transfer.state, 'converting');
});

test('parts that came before a core whose waiting was over are not forgotten when it comes after all', () => {
  const late = decideRequesting(requestingStates.waitingForExtract, event('extractLate'), facts());
  const came = decideRequesting(late.transfer, arrivedEvent(messages.largeExtract), facts());
  assert.deepEqual(does(came, 'forgetParts'), []);
  const again = decideRequesting(endedRequesting({ kind: 'unusable', code: '21' }), arrivedEvent(messages.extract), facts());
  assert.equal(does(again, 'forgetParts').length, 1);
});

test('the time-out is A·P(extract) + B·N·P(part) from the time in the core, and an index makes N larger', () => {
  const given = { askedAt: '2026-01-05T08:00:00.000Z' as Instant, now: NOW };
  const { part } = peer.contracts;
  assert.ok(part);
  const short: Peer = { ...peer, contracts: { ...peer.contracts, part: { ...part, persistSeconds: 600 } } };
  const at = (from: string, messages: number, of = short) => partsLateAt(of, { at: from as Instant }, messages, given);
  assert.equal(at('2026-01-05T09:00:00.000Z', 2), '2026-01-05T13:30:00.000Z');
  assert.equal(at('2026-01-05T07:00:00.000Z', 0), '2026-01-05T12:10:00.000Z', 'not before it was asked for');
  assert.equal(at('2027-01-05T09:00:00.000Z', 0), '2026-01-05T13:40:00.000Z', 'not after it came');
  const none = { ...peer, contracts: { request: null, extract: null, part: null, acknowledgement: null } };
  assert.equal(Date.parse(at(NOW, 1, none)) - Date.parse(NOW), (PERSIST.extract + PERSIST.part) * 1000);
  assert.equal(Date.parse(at(NOW, 1000, none)) - Date.parse(NOW), LONGEST_SECONDS * 1000, 'and not longer than the sender waits');
  const index = decideRequesting(
    requestingStates.collecting,
    arrivedEvent(messages.index),
    facts({ part: { expected: true, seen: false, outstandingAfter: 3, messages: 5 } }),
  );
  assert.deepEqual(does(index, 'wake'), [
    { do: 'wake', timer: 'partsLate', at: partsLateAt(peer, { at: NOW }, 5, { askedAt: NOW, now: NOW }) },
  ]);
});

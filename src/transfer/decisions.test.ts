import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRequesting } from './requesting.ts';
import { decideSending } from './sending.ts';
import {
  AE,
  arrivedEvent,
  CORE,
  doneEvent,
  endedRequesting,
  endedSending,
  events,
  facts,
  messages,
  REQUEST,
  requestingStates,
  sendingStates,
} from './testing.ts';
import type { Decision, Effect, Facts, Transfer } from './types.ts';

const READ = { converted: true, record: requestingStates.waitingForDecision.record } as const;

/** What each event is about, so that every pair of state and event is tried with the facts it would have. */
const FACTS: Readonly<Record<string, Partial<Facts>>> = {
  largeExtract: { part: { expected: false, seen: false, outstandingAfter: 2, messages: 4 } },
  index: { part: { expected: true, seen: false, outstandingAfter: 2, messages: 4 } },
  piece: { part: { expected: true, seen: false, outstandingAfter: 1, messages: 4 } },
};

const sends = (decision: Decision<Transfer>) => decision.effects.flatMap((effect) => (effect.do === 'send' ? [effect.message] : []));
const does = (decision: Decision<Transfer>, what: Effect['do']) => decision.effects.filter((effect) => effect.do === what);
const answers = (decision: Decision<Transfer>) =>
  sends(decision).flatMap((message) =>
    message.interaction === 'acknowledgement' ? [`${message.answer.accepted ? 'AA' : message.answer.code} of ${message.of}`] : [],
  );

// Only pairs that change the state; every other pair must leave the transfer as it was, or only note something.
const REQUESTING: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  checking: { mayAsk: 'waitingForExtract', mayNotAsk: 'ended', checkFailed: 'ended', withdraw: 'ended' },
  waitingForExtract: {
    extract: 'converting',
    largeExtract: 'collecting',
    coreAgain: 'converting',
    unreadableCore: 'ended',
    requestNotSent: 'ended',
    extractLate: 'ended',
    withdraw: 'ended',
  },
  collecting: { partsLate: 'converting', continueNotSent: 'ended', withdraw: 'ended' },
  converting: { read: 'filing', readWithHold: 'waitingForDecision', notRead: 'ended', readFailed: 'ended', withdraw: 'ended' },
  waitingForDecision: { integrate: 'filing', reject: 'ended', withdraw: 'ended' },
  filing: { filed: 'ended', notFiled: 'waitingForDecision', fileFailed: 'waitingForDecision' },
  ended: {},
};
const SENDING: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  checking: { maySend: 'fetching', mayNotSend: 'ended', theirCheckFailed: 'ended', superseded: 'ended' },
  fetching: { fetched: 'converting', notFetched: 'ended', fetchFailed: 'ended', superseded: 'ended' },
  converting: { written: 'sendingCore', notWritten: 'ended', writeFailed: 'ended', superseded: 'ended' },
  sendingCore: { coreSent: 'waitingForContinue', coreNotSent: 'ended', continue: 'sendingParts', superseded: 'ended' },
  waitingForContinue: { continue: 'sendingParts', answerLate: 'ended', superseded: 'ended' },
  sendingParts: { partNotSent: 'ended', answerLate: 'ended', superseded: 'ended' },
  waitingForAnswer: { answerLate: 'ended', superseded: 'ended' },
  ended: {},
};

test('every pair of requesting state and event is decided, and only the named pairs change the state', () => {
  for (const [state, transfer] of Object.entries(requestingStates)) {
    for (const [name, event] of Object.entries(events)) {
      const decision = decideRequesting(transfer, event, facts(FACTS[name]));
      assert.equal(decision.transfer.state, REQUESTING[state]?.[name] ?? state, `${state} × ${name}: ${decision.note}`);
      assert.ok(decision.note, `${state} × ${name} says nothing`);
      assert.equal(decision.transfer.version, transfer.version, 'versions are counted by the store');
    }
  }
});

test('every pair of sending state and event is decided, and only the named pairs change the state', () => {
  for (const [state, transfer] of Object.entries(sendingStates)) {
    for (const [name, event] of Object.entries(events)) {
      const decision = decideSending(transfer, event, facts(FACTS[name]));
      assert.equal(decision.transfer.state, SENDING[state]?.[name] ?? state, `${state} × ${name}: ${decision.note}`);
      assert.ok(decision.note, `${state} × ${name} says nothing`);
    }
  }
});

test('no pair gives more than one answer to one message', () => {
  const all: Decision<Transfer>[] = [];
  for (const event of Object.entries(events)) {
    for (const transfer of Object.values(requestingStates)) all.push(decideRequesting(transfer, event[1], facts(FACTS[event[0]])));
    for (const transfer of Object.values(sendingStates)) all.push(decideSending(transfer, event[1], facts(FACTS[event[0]])));
  }
  for (const decision of all) {
    const of = sends(decision).flatMap((message) => (message.interaction === 'acknowledgement' ? [message.of] : []));
    assert.equal(new Set(of).size, of.length, decision.note);
  }
});

test('a small record: asked for, taken whole, filed, acknowledged once', () => {
  const asked = decideRequesting(requestingStates.checking, events['mayAsk'] as never, facts());
  assert.deepEqual(
    sends(asked).map((message) => message.interaction),
    ['request'],
  );
  const came = decideRequesting(asked.transfer, arrivedEvent(messages.extract), facts());
  assert.deepEqual(answers(came), [], 'the core is answered only when it is filed');
  assert.deepEqual(does(came, 'run'), [{ do: 'run', job: 'toFhir' }]);
  const filed = decideRequesting(requestingStates.filing, events['filed'] as never, facts());
  assert.deepEqual(answers(filed), [`AA of ${CORE}`]);
});

test('a core with parts elsewhere is answered with the continue, even if every part came before it', () => {
  const early = decideRequesting(requestingStates.waitingForExtract, arrivedEvent(messages.piece), facts());
  assert.deepEqual(answers(early), ['AA of M1']);
  assert.equal(does(early, 'keepPart').length, 1);
  const core = decideRequesting(
    early.transfer,
    arrivedEvent(messages.largeExtract),
    facts({ part: { expected: false, seen: false, outstandingAfter: 0, messages: 4 } }),
  );
  assert.equal(core.transfer.state, 'converting');
  assert.deepEqual(
    sends(core).map((message) => message.interaction),
    ['continue'],
  );
});

test('the last part starts the conversion; an index announces more', () => {
  const index = decideRequesting(
    requestingStates.collecting,
    arrivedEvent(messages.index),
    facts({ part: { expected: true, seen: false, outstandingAfter: 3, messages: 4 } }),
  );
  assert.equal(index.transfer.state === 'collecting' && index.transfer.outstanding, 3);
  assert.equal(does(index, 'expect').length, 1);
  const last = decideRequesting(
    requestingStates.collecting,
    arrivedEvent(messages.piece),
    facts({ part: { expected: true, seen: false, outstandingAfter: 0, messages: 4 } }),
  );
  assert.equal(last.transfer.state, 'converting');
  assert.deepEqual(does(last, 'run'), [{ do: 'run', job: 'toFhir' }]);
});

test('documents that are missing at the time-out become placeholders and a task, and do not fail the transfer', () => {
  const late = decideRequesting(requestingStates.collecting, events['partsLate'] as never, facts());
  assert.equal(late.transfer.state, 'converting');
  assert.deepEqual(answers(late), []);
  assert.deepEqual(does(late, 'run'), [{ do: 'run', job: 'toFhir' }]);
  assert.deepEqual(does(late, 'raise'), [{ do: 'raise', task: 'timedOut', due: null }]);
  const held = decideRequesting(late.transfer, doneEvent({ job: 'toFhir', answer: { ...READ, holds: ['attachmentsMissing'] } }), facts());
  assert.equal(held.transfer.state, 'waitingForDecision');
  assert.deepEqual(answers(decideRequesting(held.transfer, events['reject'] as never, facts())), [`31 of ${CORE}`]);
});

test('a document that comes while a person looks at the gap is taken, and with the last the record is read again', () => {
  const gap = { ...requestingStates.waitingForDecision, reasons: ['attachmentsMissing'] };
  const part = (outstandingAfter: number) => facts({ part: { expected: true, seen: false, outstandingAfter, messages: 4 } });
  const one = decideRequesting(gap, arrivedEvent(messages.piece), part(1));
  assert.equal(one.transfer.state, 'waitingForDecision');
  assert.equal(does(one, 'keepPart').length, 1);
  const last = decideRequesting(gap, arrivedEvent(messages.piece), part(0));
  assert.equal(last.transfer.state, 'converting');
  assert.deepEqual(answers(last), ['AA of M1']);
  assert.deepEqual(does(last, 'run'), [{ do: 'run', job: 'toFhir' }]);
  for (const state of ['converting', 'filing'] as const)
    assert.deepEqual(answers(decideRequesting(requestingStates[state], arrivedEvent(messages.piece), part(0))), ['25 of M1']);
});

test('a record that is itself missing at the time-out is refused with 31, and parts that come later get 25', () => {
  const late = decideRequesting(requestingStates.collecting, events['partsLate'] as never, facts({ recordMissing: true }));
  assert.deepEqual(answers(late), [`31 of ${CORE}`]);
  const after = decideRequesting(late.transfer, arrivedEvent(messages.piece), facts());
  assert.deepEqual(answers(after), ['25 of M1']);
});

test('a second extract is a duplicate while the first is good, and a fresh start after a failure', () => {
  for (const state of ['collecting', 'converting', 'waitingForDecision', 'filing'] as const) {
    assert.deepEqual(answers(decideRequesting(requestingStates[state], arrivedEvent(messages.extract), facts())), ['12 of M1']);
  }
  const failed = endedRequesting({ kind: 'unusable', code: '21' });
  const again = decideRequesting(failed, arrivedEvent(messages.extract), facts());
  assert.equal(again.transfer.state, 'converting');
  assert.equal(does(again, 'forgetParts').length, 1);
});

test('an acknowledgement of the request may come at any time and never moves a transfer back', () => {
  for (const transfer of Object.values(requestingStates)) {
    const decision = decideRequesting(transfer, arrivedEvent({ ...messages.positive, of: REQUEST }), facts({ refersTo: 'request' }));
    assert.equal(decision.transfer.state, transfer.state);
  }
});

test('a refusal of the request ends what is incomplete and takes nothing away from what is whole', () => {
  const refusal = arrivedEvent({ ...messages.negative, of: REQUEST, answer: AE('06') });
  for (const state of ['waitingForExtract', 'collecting'] as const) {
    const decision = decideRequesting(requestingStates[state], refusal, facts({ refersTo: 'request' }));
    assert.deepEqual(decision.transfer.state === 'ended' && decision.transfer.outcome, { kind: 'refusedBySender', code: '06' });
  }
  for (const state of ['converting', 'waitingForDecision', 'filing'] as const) {
    assert.equal(decideRequesting(requestingStates[state], refusal, facts({ refersTo: 'request' })).transfer.state, state);
  }
});

test('a record with a hold waits for a person, another patient’s can only be rejected', () => {
  const held = decideRequesting(requestingStates.converting, events['readWithHold'] as never, facts());
  assert.equal(held.transfer.state, 'waitingForDecision');
  assert.equal(decideRequesting(held.transfer, events['integrate'] as never, facts()).transfer.state, 'waitingForDecision');
  assert.deepEqual(answers(decideRequesting(held.transfer, events['reject'] as never, facts())), [`28 of ${CORE}`]);
});

test('waiting for a person never times out', () => {
  const decision = decideRequesting(requestingStates.waitingForDecision, events['undecided'] as never, facts());
  assert.equal(decision.transfer.state, 'waitingForDecision');
  assert.deepEqual(answers(decision), []);
  assert.equal(does(decision, 'raise').length, 1);
});

test('ids of all parts are fixed before the core leaves, and none leaves before the continue', () => {
  const decision = decideSending(sendingStates.converting, events['written'] as never, facts());
  assert.deepEqual(
    sends(decision).map((message) => message.interaction),
    ['extract'],
  );
  const [reserve] = does(decision, 'reserve');
  assert.equal(reserve?.do === 'reserve' && reserve.parts.length, 4, 'an index and three pieces of 9 MB');
  assert.equal(does(decision, 'sendParts').length, 0);
  const left = decideSending(decision.transfer, events['coreSent'] as never, facts());
  assert.equal(left.transfer.state, 'waitingForContinue');
  assert.equal(does(decideSending(left.transfer, arrivedEvent(messages.continue), facts()), 'sendParts').length, 1);
});

test('a continue that overtakes our own knowledge proves that the core left', () => {
  const decision = decideSending(sendingStates.sendingCore, arrivedEvent(messages.continue), facts());
  assert.equal(decision.transfer.state, 'sendingParts');
  assert.equal(does(decision, 'wake').length, 1);
});

test('the first final acknowledgement wins; 12 is none; 15 and 26 are successes; a late one heals the eighth day', () => {
  const ack = (answer: ReturnType<typeof AE> | { accepted: true }) => arrivedEvent({ ...messages.positive, answer });
  const about = facts({ refersTo: 'extract' });
  const waiting = sendingStates.waitingForAnswer;
  assert.equal(decideSending(waiting, ack(AE('12')), about).transfer.state, 'waitingForAnswer');
  for (const code of ['15', '26'] as const) {
    const decision = decideSending(waiting, ack(AE(code)), about);
    assert.deepEqual(decision.transfer.state === 'ended' && decision.transfer.outcome, {
      kind: 'acknowledged',
      answer: code,
      missingDocuments: 0,
    });
  }
  const refused = decideSending(waiting, ack(AE(null)), about);
  assert.deepEqual(refused.transfer.state === 'ended' && refused.transfer.outcome, { kind: 'refusedByRequester', code: null });
  assert.equal(decideSending(refused.transfer, ack({ accepted: true }), about).transfer, refused.transfer);
  const healed = decideSending(endedSending({ kind: 'unanswered' }), ack({ accepted: true }), about);
  assert.deepEqual(healed.transfer.state === 'ended' && healed.transfer.outcome.kind, 'acknowledged');
});

test('a final answer while parts are still leaving stops them', () => {
  const decision = decideSending(sendingStates.sendingParts, arrivedEvent(messages.positive), facts({ refersTo: 'extract' }));
  assert.equal(decision.transfer.state, 'ended');
  assert.equal(does(decision, 'stopSending').length, 1);
});

test('a refused document is recorded and the conversation stays open', () => {
  const decision = decideSending(sendingStates.waitingForAnswer, arrivedEvent(messages.negative), facts({ refersTo: 'piece' }));
  assert.equal(decision.transfer.state, 'waitingForAnswer');
  assert.equal(does(decision, 'partAnswered').length, 1);
});

test('every refusal answers the request with its code', () => {
  for (const [state, event, code] of [
    ['checking', 'mayNotSend', '19'],
    ['fetching', 'notFetched', '06'],
    ['fetching', 'fetchFailed', '20'],
    ['converting', 'notWritten', '10'],
    ['converting', 'writeFailed', '10'],
    ['sendingCore', 'coreNotSent', '99'],
    ['sendingParts', 'partNotSent', '30'],
  ] as const) {
    const decision = decideSending(sendingStates[state], events[event] as never, facts());
    assert.deepEqual(answers(decision), [`${code} of ${REQUEST}`], `${state} × ${event}`);
    assert.deepEqual(decision.transfer.state === 'ended' && decision.transfer.outcome, { kind: 'refusedByUs', code });
  }
});

test('a failed transfer can be sent again, a finished one cannot', () => {
  const again = decideSending(endedSending({ kind: 'unanswered' }), events['resend'] as never, facts());
  assert.equal(again.transfer.state, 'checking');
  assert.deepEqual(does(again, 'run'), [{ do: 'run', job: 'mayTheyAsk' }], 'whether they may have it is asked anew');
  assert.equal(decideSending(sendingStates.ended, events['resend'] as never, facts()).transfer.state, 'ended');
});

test('the same request again is answered again, without a second record', () => {
  const decision = decideSending(sendingStates.converting, arrivedEvent(messages.requestAgain), facts());
  assert.deepEqual(answers(decision), [`AA of ${REQUEST}`]);
  assert.deepEqual(does(decision, 'run'), []);
});

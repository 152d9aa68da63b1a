import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterRestore, RESTORE_TASKS } from './after-restore.ts';
import { decideRequesting } from './requesting.ts';
import { decideSending } from './sending.ts';
import { arrivedEvent, endedRequesting, endedSending, events, facts, messages, requestingStates, sendingStates } from './testing.ts';
import type { Effect } from './types.ts';

const taskOf = (states: Readonly<Record<string, Parameters<typeof afterRestore>[0]>>) =>
  Object.fromEntries(Object.entries(states).map(([state, transfer]) => [state, afterRestore(transfer)?.task ?? null]));
const closes = (effects: readonly Effect[]) => effects.flatMap((effect) => (effect.do === 'close' ? [effect.task] : []));

test('after a restore whoever waits for a message is named; whoever has everything, or has ended, goes on by itself', () => {
  assert.deepEqual(taskOf(requestingStates), {
    checking: 'recordMayBeLost',
    waitingForExtract: 'recordMayBeLost',
    collecting: 'recordMayBeLost',
    converting: null,
    waitingForDecision: null,
    filing: null,
    ended: null,
  });
  assert.deepEqual(taskOf(sendingStates), {
    checking: 'answerMayBeLost',
    fetching: 'answerMayBeLost',
    converting: 'answerMayBeLost',
    sendingCore: 'answerMayBeLost',
    waitingForContinue: 'answerMayBeLost',
    sendingParts: 'answerMayBeLost',
    waitingForAnswer: 'answerMayBeLost',
    ended: null,
  });
  assert.equal(afterRestore(endedRequesting({ kind: 'timedOut', waitingFor: 'extract' })), null, 'a task is open since its end');
  assert.equal(afterRestore(endedSending({ kind: 'unanswered' })), null, 'a task is open since its end');
});

test('a transfer that can lose a message is named: every state in which one would change what it does', () => {
  // The decisions themselves say what is waited for: a message of the other practice that takes the transfer to another state.
  const awaited = [messages.extract, messages.piece, messages.continue, messages.positive].map(arrivedEvent);
  const about = { part: { expected: true, seen: false, outstandingAfter: 0, messages: 2 } };
  const refersTo = ['extract', null] as const;
  for (const transfer of Object.values(requestingStates)) {
    const moves = awaited.some((event) => decideRequesting(transfer, event, facts(about)).transfer.state !== transfer.state);
    if (moves && transfer.state !== 'waitingForDecision') assert.ok(afterRestore(transfer), `requesting ${transfer.state}`);
  }
  for (const transfer of Object.values(sendingStates)) {
    const moves = awaited.some((event) =>
      refersTo.some((to) => decideSending(transfer, event, facts({ ...about, refersTo: to })).transfer.state !== transfer.state),
    );
    if (moves) assert.ok(afterRestore(transfer), `sending ${transfer.state}`);
  }
});

test('the task goes when what was feared lost comes after all', () => {
  const filed = decideRequesting(requestingStates.filing, events['filed'] ?? assert.fail(), facts());
  assert.ok(closes(filed.effects).includes('recordMayBeLost'));
  const heard = decideSending(sendingStates.waitingForAnswer, arrivedEvent(messages.positive), facts({ refersTo: 'extract' }));
  assert.ok(closes(heard.effects).includes('answerMayBeLost'));
  assert.deepEqual([...RESTORE_TASKS], ['recordMayBeLost', 'answerMayBeLost']);
});

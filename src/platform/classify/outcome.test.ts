import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY, SECOND } from '../micros.ts';
import type { SpineMessage } from './message.ts';
import { FAILURE_REASONS, readOutcome, STATUSES } from './outcome.ts';
import { classified, spine } from './testing.ts';

const outcome = (rows: readonly SpineMessage[]) => {
  const [transfer] = classified(rows);
  return transfer?.failureReason ?? transfer?.status ?? null;
};
const { request, core, next, fragment, senderAnswers, answers } = spine;

const CASES: Readonly<Record<string, [() => readonly SpineMessage[], string]>> = {
  'a request alone': [() => [request()], 'Request not acknowledged'],
  'a request and an acknowledgement of nothing': [() => [request(), answers('nothing')], 'Request not acknowledged'],
  'an acknowledged request': [() => [request(), senderAnswers()], 'Core extract not sent'],
  'two positive answers to a request': [() => [request(), senderAnswers(), senderAnswers()], 'Core extract not sent'],
  'a request refused with a code that is not fatal': [() => [request(), senderAnswers(19)], 'Core extract not sent'],
  'a fatal answer after a positive one': [() => [request(), senderAnswers(), senderAnswers(99)], 'Contains fatal sender error'],
  'a core that nobody answered': [() => [request(), senderAnswers(), core()], 'Transferred, not integrated'],
  'a core after a fatal answer': [() => [request(), senderAnswers(99), core()], 'Contains fatal sender error'],
  'a core after an answer that was not fatal': [() => [request(), senderAnswers(19), core()], 'Transferred, not integrated, with error'],
  'a core answered in time': [() => [request(), senderAnswers(), core(), answers('core')], 'Integrated on time'],
  'a core with redactions answered in time': [
    () => [request(), senderAnswers(), spine.coreWithRedactions(), answers('core')],
    'Integrated on time',
  ],
  'a core answered after exactly eight days': [
    () => [request(), senderAnswers(), core('core', { after: 60 * SECOND }), answers('core', null, { after: 8 * DAY + 60 * SECOND })],
    'Integrated on time',
  ],
  'a core answered a microsecond after eight days': [
    () => [request(), senderAnswers(), core('core', { after: 60 * SECOND }), answers('core', null, { after: 8 * DAY + 60 * SECOND + 1 })],
    'Integrated late',
  ],
  'a suppressed record': [() => [request(), senderAnswers(), core(), answers('core', 15)], 'Integrated on time'],
  'two cores, one called a duplicate, no common messages': [
    () => [request(), senderAnswers(), core('a'), core('b'), answers('a', 12)],
    'Transferred, not integrated',
  ],
  'two cores, both called duplicates': [
    () => [request(), senderAnswers(), core('a'), core('b'), answers('a', 12), answers('b', 12)],
    'Transferred, not integrated',
  ],
  'two cores, one called a duplicate, with common messages': [
    () => [request(), senderAnswers(), core('a'), core('b'), next(), fragment('f'), answers('f'), answers('a', 12)],
    'Ambiguous COPC messages',
  ],
  'a duplicate and a success': [
    () => [request(), senderAnswers(), core('a'), core('b'), answers('a', 12), answers('b')],
    'Integrated on time',
  ],
  'one core answered 11, 12 and well': [
    () => [request(), core(), answers('core', 11), answers('core', 12), answers('core')],
    'Integrated on time',
  ],
  'one core answered 11, 12 and 15': [
    () => [request(), core(), answers('core', 11), answers('core', 12), answers('core', 15)],
    'Integrated on time',
  ],
  'three cores, answered 12 and 11, 12, and not': [
    () => [request(), core('1'), core('2'), core('3'), answers('2', 12), answers('2', 11), answers('1', 12)],
    'Final error',
  ],
  'a first core filed, a second refused': [() => [request(), core('1'), core('2'), answers('1'), answers('2', 11)], 'Integrated on time'],
  'a first core refused, a second filed': [() => [request(), core('1'), core('2'), answers('1', 11), answers('2')], 'Integrated on time'],
  'several cores, all refused': [() => [request(), core('1'), core('2'), answers('1', 11), answers('2', 31)], 'Final error'],
  'a continue without fragments': [() => [request(), core(), next()], 'COPC(s) not sent'],
  'fragments that nobody acknowledged': [
    () => [request(), core(), next(), fragment('1'), fragment('2'), fragment('3')],
    'COPC(s) not acknowledged',
  ],
  'all fragments acknowledged, no final answer': [
    () => [request(), core(), next(), fragment('1'), answers('1')],
    'Transferred, not integrated',
  ],
  'a fragment refused, all acknowledged': [
    () => [request(), core(), next(), fragment('1'), answers('1', 30)],
    'Transferred, not integrated, with error',
  ],
  'a fragment refused, another without an answer': [
    () => [request(), core(), next(), fragment('1'), answers('1', 30), fragment('2')],
    'COPC(s) not acknowledged',
  ],
  'a fragment refused, the record filed': [
    () => [request(), core(), next(), fragment('1'), answers('1', 30), answers('core')],
    'Integrated on time',
  ],
  'a fatal answer, yet common messages': [() => [request(), senderAnswers(30), core(), next()], 'COPC(s) not sent'],
};

for (const [name, [rows, expected]] of Object.entries(CASES)) test(`${name}: ${expected}`, () => assert.equal(outcome(rows()), expected));

test('each fatal code of the sender fails a transfer without a core', () => {
  for (const code of [6, 7, 10, 14, 23, 24, 30, 99])
    assert.equal(outcome([request(), senderAnswers(code)]), 'Contains fatal sender error', String(code));
});

test('each negative final answer but a duplicate is a final error', () => {
  for (const code of [9, 11, 17, 21, 25, 26, 28, 29, 31, 99])
    assert.equal(outcome([request(), senderAnswers(), core(), answers('core', code)]), 'Final error', String(code));
});

test('outcomes are read by their words, with an empty reason for none; other words are refused', () => {
  for (const status of Object.values(STATUSES))
    for (const failureReason of Object.values(FAILURE_REASONS))
      assert.deepEqual(readOutcome(status, failureReason), { status, failureReason });
  for (const none of [null, ''])
    assert.deepEqual(readOutcome('Integrated on time', none), { status: 'Integrated on time', failureReason: null });
  assert.throws(() => readOutcome('PENDING', null), /status is none of Integrated on time, .*: "PENDING"/);
  assert.throws(() => readOutcome('', null), /status is none of/);
  assert.throws(() => readOutcome('Process failure', 'INTEGRATED_LATE'), /failure reason is not known: "INTEGRATED_LATE"/);
});

test('a guid that is used again takes the place of the first and its answers with it', () => {
  const rows = [request(), senderAnswers(), core('a'), core('b'), answers('a', 12), answers('b'), core('a', { after: 3600 * SECOND })];
  const [transfer] = classified(rows);
  assert.deepEqual(transfer?.finalErrorCodes, [null]);
  assert.equal(transfer?.status, 'Integrated on time');
});

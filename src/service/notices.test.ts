import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ods, transferId } from '../base/ids.ts';
import type { Practice } from '../store/practices.ts';
import { createNotices, type Notice } from './notices.ts';

const practice = (ods: string) => ({ ods: ods as Ods }) as Practice;
const notice = (state: string): Notice => ({ transferId: transferId('00000000-0000-4000-8000-000000000001'), state });

test('changes of the same moment are told by one call for each practice, in their order', async () => {
  const calls: { ods: string; states: string[] }[] = [];
  const notify = createNotices(async ({ ods }, notices) => {
    calls.push({ ods, states: notices.map(({ state }) => state) });
  }, 5);
  const told = ['filing', 'ended'].map((state) => notify(practice('A81001'), notice(state)));
  await Promise.all([...told, notify(practice('B81001'), notice('sending'))]);
  assert.deepEqual(calls, [
    { ods: 'A81001', states: ['filing', 'ended'] },
    { ods: 'B81001', states: ['sending'] },
  ]);
  await notify(practice('A81001'), notice('ended'));
  assert.deepEqual(calls[2], { ods: 'A81001', states: ['ended'] });
});

test('no call is about more than 500 changes', async () => {
  const calls: number[] = [];
  const notify = createNotices(async (_practice, notices) => {
    calls.push(notices.length);
  }, 5);
  await Promise.all(Array.from({ length: 1_200 }, () => notify(practice('A81001'), notice('ended'))));
  assert.deepEqual(calls, [500, 500, 200]);
});

test('one that a system does not like keeps no other from it', async () => {
  const told: string[] = [];
  const notify = createNotices(async (_practice, notices) => {
    if (notices.some(({ state }) => state === 'odd')) throw new Error('what is odd?');
    told.push(...notices.map(({ state }) => state));
  }, 5);
  const outcomes = await Promise.allSettled(['filing', 'odd', 'ended'].map((state) => notify(practice('A81001'), notice(state))));
  assert.deepEqual(told, ['filing', 'ended']);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

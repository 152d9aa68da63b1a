import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeClock } from './clock.ts';

test('hours pass at once where somebody moves the clock, and every sleeper wakes', async () => {
  const clock = makeClock();
  const began = Date.now();
  const woken: string[] = [];
  const all = [clock.sleep(7_200_000).then(() => woken.push('two hours')), clock.sleep(3_600_000).then(() => woken.push('one hour'))];
  clock.move(3_600_001);
  await all[1];
  assert.deepEqual(woken, ['one hour']);
  clock.move(3_600_000);
  await Promise.all(all);
  assert.ok(Date.now() - began < 5_000);
  assert.ok(clock.now().getTime() - Date.now() > 7_199_000);
});

test('a faster clock makes waits shorter, also those that have begun', async () => {
  const clock = makeClock();
  const began = Date.now();
  const slept = clock.sleep(60_000);
  clock.setRate(1_000);
  await slept;
  assert.ok(Date.now() - began < 5_000);
  assert.ok(clock.state().aheadMs > 50_000);
  assert.throws(() => clock.setRate(0), /between/);
});

test('a sleeper can be given up', async () => {
  const clock = makeClock();
  const abort = new AbortController();
  const slept = clock.sleep(1e9, abort.signal);
  abort.abort();
  await assert.rejects(slept);
  await assert.rejects(clock.sleep(1, abort.signal));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGate } from './gate.ts';

test('no more than the limit work at a time, and all come through in their order', async () => {
  const gate = createGate(3, 60_000);
  const order: number[] = [];
  let inside = 0;
  let most = 0;
  const work = (n: number) =>
    gate(async () => {
      order.push(n);
      most = Math.max(most, ++inside);
      await sleep(1);
      inside--;
      return n;
    });
  const all = await Promise.all(Array.from({ length: 30 }, (_, n) => work(n)));
  assert.deepEqual(all, order);
  assert.equal(most, 3);
});

test('whoever waits behind those that dawdle goes in after a while, and work that fails gives its place away', async () => {
  const gate = createGate(1, 30);
  const never = gate(() => new Promise<void>(() => undefined));
  assert.equal(await gate(async () => 'in'), 'in');
  await assert.rejects(
    gate(() => Promise.reject(new Error('broke'))),
    /broke/,
  );
  assert.equal(await gate(async () => 'in again'), 'in again');
  assert.equal(await Promise.race([never, sleep(5).then(() => 'waits')]), 'waits');
});

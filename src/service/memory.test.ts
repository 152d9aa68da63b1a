import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cachedDataVersionTag } from 'node:v8';
import { heapClearer, stayBelow } from './memory.ts';

test('a heap may grow while there is room, and as at the start when that ends', () => {
  // What compiled code is kept for: it changes with the engine's flags.
  const first = cachedDataVersionTag();
  const end = stayBelow(1_000_000_000_000);
  const roomy = cachedDataVersionTag();
  assert.notEqual(roomy, first);
  end();
  assert.equal(cachedDataVersionTag(), first);
  const tight = stayBelow(1);
  assert.notEqual(cachedDataVersionTag(), first);
  assert.notEqual(cachedDataVersionTag(), roomy);
  tight();
});

test('what a heap does not need is given back', () => {
  const clear = heapClearer();
  const keep: number[][] = [];
  for (let i = 0; i < 100; i++) keep.push(Array.from({ length: 50_000 }, (_, j) => i + j / 3));
  keep.length = 0;
  const before = process.memoryUsage();
  clear();
  const after = process.memoryUsage();
  assert.ok(before.heapTotal - after.heapTotal > 20_000_000, `${before.heapTotal} became ${after.heapTotal}`);
});

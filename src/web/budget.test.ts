import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBudget } from './budget.ts';

test('a burst passes at once, the rest at the rate, in the order of asking', async () => {
  const turn = createBudget(20, 5);
  const from = performance.now();
  const passed: { at: number; number: number }[] = [];
  await Promise.all(
    Array.from({ length: 15 }, async (_, number) => {
      await turn();
      passed.push({ at: performance.now() - from, number });
    }),
  );
  assert.deepEqual(
    passed.map(({ number }) => number),
    Array.from({ length: 15 }, (_, number) => number),
  );
  assert.ok((passed[4]?.at ?? 1e9) < 45, 'the burst');
  // Ten more at 50 ms each.
  assert.ok((passed[14]?.at ?? 0) >= 490, `${passed[14]?.at}`);
});

test('what is not used is saved up to the burst and no further', async () => {
  let at = 0;
  const turn = createBudget(1000, 2, () => at);
  await turn();
  at += 1_000_000;
  const from = performance.now();
  for (let each = 0; each < 12; each++) await turn();
  assert.ok(performance.now() - from >= 8, 'ten of twelve had to wait');
});

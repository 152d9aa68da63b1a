import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Reason } from './model.ts';
import { failureReasons, OTHER, REASONS } from './reasons.ts';

const failed = (failureReason: string, transfers: number): Reason => ({ status: 'Technical failure', failureReason, transfers });

test('an area shows every reason, a success none', () => {
  const { shown, total } = failureReasons(
    [
      failed('Final error', 2),
      failed('Core extract not sent', 9),
      { status: 'Process failure', failureReason: 'Integrated late', transfers: 50 },
    ],
    'area',
  );
  assert.equal(total, 11);
  assert.deepEqual(shown, [
    { name: 'Record not sent', transfers: 9 },
    { name: 'Not accepted by the new practice', transfers: 2 },
  ]);
});

test('a practice’s rare reasons stand together, with a larger one where they would be few all the same', () => {
  assert.deepEqual(
    failureReasons([failed('Final error', 3), failed('Core extract not sent', 9), failed('COPC(s) not sent', 4)], 'practice').shown,
    [
      { name: 'Record not sent', transfers: 9 },
      { name: OTHER, transfers: 7 },
    ],
  );
  const two = failureReasons(
    [failed('Final error', 1), failed('Core extract not sent', 9), failed('Contains fatal sender error', 6)],
    'practice',
  );
  assert.deepEqual(two.shown, [
    { name: 'Record not sent', transfers: 9 },
    { name: OTHER, transfers: 7 },
  ]);
  assert.deepEqual(failureReasons([failed('Final error', 4)], 'practice'), { shown: null, total: 4 });
});

test('nothing that a practice shows is fewer than five, and what it shows adds up', () => {
  const names = Object.keys(REASONS);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: names.length }), (counts) => {
      const { shown, total } = failureReasons(
        counts.map((transfers, at) => failed(names[at] ?? '', transfers)),
        'practice',
      );
      if (shown === null) return;
      assert.equal(
        shown.reduce((sum, { transfers }) => sum + transfers, 0),
        total,
      );
      for (const { transfers } of shown) assert.ok(transfers >= 5);
    }),
  );
});

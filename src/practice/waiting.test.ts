import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instant } from '../base/ids.ts';
import { fileBy, toldBefore, waitingDay } from './waiting.ts';

const START = '2026-03-02T09:00:00.000Z' as Instant;
const later = (days: number, ms = 0) => new Date(Date.parse(START) + days * 86_400_000 + ms).toISOString() as Instant;

test('a record that is not filed is told on the third, the sixth and the eighth day, and not a moment sooner', () => {
  assert.deepEqual(
    [0, 2, 3, 5, 6, 7, 8, 100].map((days) => waitingDay(START, later(days))),
    [null, null, 3, 3, 6, 6, 8, 8],
  );
  assert.deepEqual(
    [3, 6, 8].map((days) => waitingDay(START, later(days, -1))),
    [null, 3, 6],
  );
});

test('days have 24 hours, also when the clocks change', () => {
  assert.equal(waitingDay('2026-03-28T12:00:00.000Z' as Instant, '2026-03-31T11:59:59.999Z' as Instant), null);
  assert.equal(fileBy(START), later(8));
  assert.equal(waitingDay(toldBefore(START), START), 3);
});

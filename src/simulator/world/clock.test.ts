import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../seeded.ts';
import { makeWorldClock } from './clock.ts';

test('what is set for later happens in the order of its time, and of its being set where that is the same', () => {
  const clock = makeWorldClock(1000);
  const random = seeded(3);
  const due = Array.from({ length: 500 }, (_, order) => ({ order, ms: Math.floor(random() * 50) }));
  const seen: typeof due = [];
  for (const each of due) clock.after(each.ms, () => seen.push(each));
  while (clock.step());
  assert.deepEqual(
    seen,
    due.toSorted((a, b) => a.ms - b.ms || a.order - b.order),
  );
  assert.equal(clock.now(), 1000 + Math.max(...due.map(({ ms }) => ms)));
});

test('what happens may set more', () => {
  const clock = makeWorldClock(0);
  const seen: number[] = [];
  clock.after(10, () => clock.after(5, () => seen.push(clock.now())));
  clock.after(12, () => seen.push(clock.now()));
  while (clock.step());
  assert.deepEqual(seen, [12, 15]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localText, microsOf, readTime } from '../micros.ts';
import { monthOf, monthStart, monthsBefore, monthText, readMonth } from './month.ts';

test('months before an anchor, over new year, newest first', () => {
  assert.deepEqual(monthsBefore(microsOf('2026-02-15T07:00:00'), 4).map(monthText), ['2026-01', '2025-12', '2025-11', '2025-10']);
});

test('an anchor in British summer time is resolved through UTC', () => {
  // 1 July, 00:30 in London, is 30 June in UTC: the month before it is May.
  const anchor = readTime('2026-07-01 00:30:00 BST') ?? 0;
  assert.deepEqual(monthsBefore(anchor, 1).map(monthText), ['2026-05']);
  assert.deepEqual(monthsBefore(anchor, 1, 'Europe/London').map(monthText), ['2026-06']);
});

test('a request at half past midnight in summer is of the old month by UTC, of the new one in London', () => {
  const at = readTime('2026-07-01 00:30:00 BST') ?? 0;
  assert.deepEqual([monthText(monthOf(at, 'UTC')), monthText(monthOf(at, 'Europe/London'))], ['2026-06', '2026-07']);
  assert.equal(localText(monthStart({ year: 2026, month: 7 }, 'Europe/London')), '2026-06-30T23:00:00.000000');
  assert.equal(localText(monthStart({ year: 2026, month: 12 }, 'Europe/London')), '2026-12-01T00:00:00.000000');
});

test('months are read as they are written, and nothing else is', () => {
  assert.deepEqual(readMonth('2026-02'), { year: 2026, month: 2 });
  for (const text of ['2026-13', '2026-2', '2026-00', '26-01', '']) assert.equal(readMonth(text), null);
});

test('times are read in UTC, in summer time and with offsets; without a zone and outside the calendar they are none', () => {
  const read = (text: string) => {
    const at = readTime(text);
    return at === null ? null : localText(at);
  };
  assert.equal(read('2019-07-01 10:10:00.334 BST'), '2019-07-01T09:10:00.334000');
  assert.equal(read('2019-12-31 18:44:00.123456 UTC'), '2019-12-31T18:44:00.123456');
  assert.equal(read('2019-07-01T10:10:00+02:30'), '2019-07-01T07:40:00.000000');
  assert.equal(read('2019-07-01T10:10:00-0500'), '2019-07-01T15:10:00.000000');
  assert.equal(read('2019-07-01T10:10:00Z'), '2019-07-01T10:10:00.000000');
  for (const text of ['2019-07-01 10:10:00', '2019-02-30 10:10:00 UTC', 'yesterday', '']) assert.equal(read(text), null);
});

test('a time without a zone is of UTC where existing files have none', () => {
  assert.equal(localText(microsOf('2019-12-05T18:02:29.985000')), '2019-12-05T18:02:29.985000');
  assert.equal(microsOf('2019-12-05 18:02:29.985'), microsOf('2019-12-05T18:02:29.985000Z'));
  assert.equal(microsOf('2019-06-05T00:00:00'), Date.UTC(2019, 5, 5) * 1000);
});

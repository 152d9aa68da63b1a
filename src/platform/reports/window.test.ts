import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY, localText, microsOf, readTime } from '../micros.ts';
import { classificationWindow, overflowDays, reportingWindow, reportKey } from './window.ts';

const NOW = microsOf('2026-03-16T07:00:00');
const dates = ({ start, end }: { start: number; end: number }) => [localText(start).slice(0, 10), localText(end).slice(0, 10)];

test('a custom window needs both dates, at midnight, in order', () => {
  const at = (start?: string, end?: string) => ({
    ...(start && { start: microsOf(start) }),
    ...(end && { end: microsOf(end) }),
    cutoffDays: 14,
  });
  assert.deepEqual(dates(reportingWindow(at('2026-01-01T00:00:00', '2026-02-01T00:00:00'), NOW)), ['2026-01-01', '2026-02-01']);
  assert.throws(() => reportingWindow(at('2026-01-01T00:00:00'), NOW), /the end is missing/);
  assert.throws(() => reportingWindow(at(undefined, '2026-01-01T00:00:00'), NOW), /the start is missing/);
  assert.throws(() => reportingWindow(at('2026-01-01T00:00:01', '2026-02-01T00:00:00'), NOW), /the start is not midnight UTC/);
  assert.throws(() => reportingWindow(at('2026-01-01T00:00:00', '2026-02-01T10:00:00'), NOW), /the end is not midnight UTC/);
  assert.throws(() => reportingWindow(at('2026-02-02T00:00:00', '2026-02-01T00:00:00'), NOW), /lies after the end/);
});

test('days end at the cut-off before today; months are whole ones; dates come before days, days before months', () => {
  assert.deepEqual(dates(reportingWindow({ days: 1, cutoffDays: 0 }, NOW)), ['2026-03-15', '2026-03-16']);
  assert.deepEqual(dates(reportingWindow({ days: 7, cutoffDays: 2 }, NOW)), ['2026-03-07', '2026-03-14']);
  assert.deepEqual(dates(reportingWindow({ months: 2, cutoffDays: 14 }, NOW)), ['2026-01-01', '2026-03-01']);
  assert.deepEqual(dates(reportingWindow({ days: 1, months: 2, cutoffDays: 0 }, NOW)), ['2026-03-15', '2026-03-16']);
  const custom = { start: microsOf('2026-01-01T00:00:00'), end: microsOf('2026-01-02T00:00:00'), days: 1, cutoffDays: 0 };
  assert.equal(reportingWindow(custom, NOW).name, 'custom');
  assert.throws(() => reportingWindow({ cutoffDays: 0 }, NOW), /no window is given/);
});

test('a daily classification is about the day that lies the cut-off before yesterday, and reads the days after it', () => {
  const window = classificationWindow({ cutoffDays: 14 }, NOW);
  assert.deepEqual(dates(window), ['2026-03-01', '2026-03-02']);
  assert.equal(overflowDays(window).length, 14);
  assert.equal(overflowDays(window)[0], window.end);
  assert.equal((overflowDays(window).at(-1) ?? 0) + DAY, microsOf('2026-03-16T00:00:00'));
  const today = classificationWindow({ cutoffDays: 0 }, NOW);
  assert.deepEqual(dates(today), ['2026-03-15', '2026-03-16']);
  assert.deepEqual(overflowDays(today), []);
});

test('today in British summer time is the day of UTC', () => {
  const now = readTime('2026-07-02 00:30:00 BST') ?? 0;
  assert.deepEqual(dates(classificationWindow({ cutoffDays: 0 }, now)), ['2026-06-30', '2026-07-01']);
});

test('a report file is named by its window, dates, report and cut-off', () => {
  const window = reportingWindow({ days: 7, cutoffDays: 2 }, NOW);
  assert.equal(
    reportKey(window, 'TRANSFER_DETAILS_BY_HOUR'),
    '7-days/2026/03/14/2026-03-07-to-2026-03-13-transfer_details_by_hour--2-days-cutoff.csv',
  );
});

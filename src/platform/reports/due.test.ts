import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY, localText, microsOf } from '../micros.ts';
import { dueBetween, dueText, weekday } from './due.ts';

const at = (text: string) => microsOf(`${text}:00`);
const texts = (since: string, now: string, schedule?: Parameters<typeof dueBetween>[2]) =>
  dueBetween(at(since), at(now), schedule).map((due) => `${localText(due.at).slice(0, 16)} ${dueText(due)}`);

test('each day: degrades of yesterday at six, reports of yesterday at seven with what was seen that day', () => {
  assert.deepEqual(texts('2026-02-03T00:00', '2026-02-03T23:59'), [
    '2026-02-03T06:00 degrades of 2026-02-02',
    '2026-02-03T07:00 v5/1-days/2026/02/03/2026-02-02-to-2026-02-02-transfer_outcomes_per_supplier_pathway--0-days-cutoff.csv',
    '2026-02-03T07:00 v5/1-days/2026/02/03/2026-02-02-to-2026-02-02-transfer_level_technical_failures--0-days-cutoff.csv',
    '2026-02-03T07:00 v5/1-days/2026/02/03/2026-02-02-to-2026-02-02-transfer_details_by_hour--0-days-cutoff.csv',
  ]);
});

test('on Mondays: the week before, of reports with two days for what comes late', () => {
  const monday = texts('2026-02-09T00:00', '2026-02-09T23:59');
  assert.deepEqual(monday.slice(0, 2), [
    '2026-02-09T06:00 degrades of 2026-02-08',
    '2026-02-09T06:00 degrades of the week from 2026-02-02',
  ]);
  assert.deepEqual(
    monday.filter((text) => text.includes('7-days')),
    ['transfer_outcomes_per_supplier_pathway', 'transfer_level_technical_failures', 'transfer_details_by_hour'].map(
      (name) => `2026-02-09T07:00 v5/7-days/2026/02/07/2026-01-31-to-2026-02-06-${name}--2-days-cutoff.csv`,
    ),
  );
});

test('on the 15th: the month before, with fourteen days for what comes late, and its publication', () => {
  const monthly = texts('2026-03-15T06:30', '2026-03-15T07:00').filter((text) => !text.includes('1-days'));
  assert.deepEqual(monthly, [
    '2026-03-15T07:00 v5/1-months/2026/03/01/2026-02-01-to-2026-02-28-transfer_outcomes_per_supplier_pathway--14-days-cutoff.csv',
    '2026-03-15T07:00 v5/1-months/2026/03/01/2026-02-01-to-2026-02-28-sub_icb_location_level_integration_times--14-days-cutoff.csv',
    '2026-03-15T07:00 publication of 2026-02',
  ]);
});

test('nothing is due twice, and nothing before its minute', () => {
  assert.deepEqual(texts('2026-02-03T07:00', '2026-02-04T05:59'), []);
  assert.equal(texts('2026-02-03T06:59', '2026-02-03T07:00').length, 3);
  const [first, second] = [
    dueBetween(at('2026-01-01T00:00'), at('2026-02-10T12:00')),
    dueBetween(at('2026-02-10T12:00'), at('2026-03-20T00:00')),
  ];
  assert.deepEqual([...first, ...second], dueBetween(at('2026-01-01T00:00'), at('2026-03-20T00:00')));
});

test('times are those that are set', () => {
  const schedule = { degradesAt: 90 * 60, reportsAt: 2 * 3600, monthlyOn: 20 };
  assert.deepEqual(texts('2026-02-20T00:00', '2026-02-20T01:59', schedule), ['2026-02-20T01:30 degrades of 2026-02-19']);
  assert.ok(texts('2026-02-20T00:00', '2026-02-20T02:00', schedule).includes('2026-02-20T02:00 publication of 2026-01'));
});

test('weekdays are those of the calendar', () => {
  for (let day = microsOf('2026-02-02T00:00:00'), number = 1; number <= 7; day += DAY, number++) assert.equal(weekday(day), number);
});

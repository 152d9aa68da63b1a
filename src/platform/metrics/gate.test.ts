import assert from 'node:assert/strict';
import { test } from 'node:test';
import { microsOf } from '../micros.ts';
import { NO_TRANSFERS } from './counts.ts';
import { implausibleChange, PUBLISHED_MONTHS, publicationFaults } from './gate.ts';
import { monthsBefore } from './month.ts';
import { nationalMetrics } from './national.ts';
import { practiceMetrics } from './practices.ts';

const NOW = microsOf('2026-03-15T07:04:11.123456');
const MONTHS = monthsBefore(NOW, PUBLISHED_MONTHS);
const counts = { ...NO_TRANSFERS, within3: 200_000 };
const practice = (ods: string) => ({ ods, name: ods, sicblOds: '99Z', sicblName: 'NHS X', months: MONTHS.map(() => counts) });
const files = (months = MONTHS, now = NOW) => practiceMetrics([practice('Z1'), practice('Z2')], months, now);
const national = (total = 200_000, month = MONTHS[0] ?? { year: 0, month: 1 }) =>
  nationalMetrics(month, { ...NO_TRANSFERS, within3: total }, NOW);

test('whole figures of the month before may be published', () => {
  assert.deepEqual(publicationFaults(files(), national()), []);
});

test('a truncated month is not published', () => {
  assert.deepEqual(publicationFaults(files(), national(149_999)), [
    '149999 transfers in the month are fewer than 150000: the month is truncated',
  ]);
  assert.deepEqual(publicationFaults(files(), national(150_000)), []);
});

test('a month that fell or rose by more than a third is looked at first', () => {
  assert.equal(implausibleChange(129_999, 200_000), '129999 transfers after 200000 in the month before: more than 35 % apart');
  assert.match(implausibleChange(270_001, 200_000) ?? '', /^270001 transfers after 200000/);
  for (const near of [130_000, 200_000, 270_000]) assert.equal(implausibleChange(near, 200_000), null);
  assert.equal(implausibleChange(200_000, null), null);
  assert.equal(implausibleChange(200_000, 0), null);
});

test('the wrong month is not published, nor the right month of another year', () => {
  const lastYear = { year: 2025, month: 2 };
  assert.equal(publicationFaults(files(), national(200_000, lastYear)).length, 1);
  const old = MONTHS.map(({ year, month }) => ({ year: year - 1, month }));
  assert.equal(publicationFaults(files(old), national()).length, 2);
});

test('fewer than six months are not published', () => {
  const faults = publicationFaults(files(MONTHS.slice(0, 5)), national());
  assert.deepEqual(faults, ['Z1 has 5 months of 6', 'Z2 has 5 months of 6']);
});

test('a practice without ODS code, a location without practices and a practice that is not there are faults, wherever they stand', () => {
  const good = files();
  const [first, second] = good.practices;
  assert.ok(first && second);
  const nameless = {
    ...good,
    practices: [first, { ...second, odsCode: '' }],
    sicbls: [...good.sicbls, { odsCode: '98Z', name: null, practices: [] }],
  };
  assert.deepEqual(publicationFaults(nameless, national()), [
    'a practice has no ODS code',
    'sub ICB location 99Z names Z2, which has no figures',
    'sub ICB location 98Z has no practice',
  ]);
  assert.deepEqual(publicationFaults({ ...good, practices: [], sicbls: [] }, national()), [
    'there are no practices',
    'there are no sub ICB locations',
  ]);
});

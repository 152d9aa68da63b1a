import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURE_REASONS, STATUSES } from '../classify/outcome.ts';
import { syntheticEngland } from './england.ts';
import { loadDemo } from './load.ts';
import { transfersOf } from './transfers.ts';

const OCTOBER = { year: 2026, month: 10 };

test('the same seed makes the same England, another one another', () => {
  const some = (seed: number) => JSON.stringify([...transfersOf(syntheticEngland(seed, 60), OCTOBER, seed)].slice(0, 50));
  assert.equal(some(3), some(3));
  assert.notEqual(some(3), some(4));
});

test('England has its practices and areas, codes and postcodes of its own', () => {
  const { practices, areas } = syntheticEngland(1);
  assert.equal(practices.length, 6500);
  assert.equal(new Set(practices.map(({ code }) => code)).size, 6500);
  const count = (kind: string) => areas.filter((area) => area.kind === kind).length;
  assert.deepEqual([count('region'), count('icb'), count('sicbl')], [7, 42, 106]);
  for (const { postcode } of practices) assert.match(postcode, /^[QVX][A-Z]\d{1,2} \d[A-Z]{2}$/);
  const emis = practices.filter(({ supplier }) => supplier === 'EMIS').length / practices.length;
  assert.ok(emis > 0.53 && emis < 0.61, `${emis}`);
});

test('transfers end, and go from system to system, in the proportions that were published', () => {
  const transfers = [...transfersOf(syntheticEngland(1, 600), OCTOBER, 1)];
  const share = (holds: (each: (typeof transfers)[number]) => boolean) => transfers.filter(holds).length / transfers.length;
  const near = (value: number, wanted: number, by: number, what: string) =>
    assert.ok(Math.abs(value - wanted) < by, `${what}: ${value} for ${wanted}`);
  assert.ok(transfers.length > 20_000);
  near(
    share(({ status }) => status === STATUSES.INTEGRATED_ON_TIME),
    0.88,
    0.025,
    'on time',
  );
  near(
    share(({ status }) => status === STATUSES.TECHNICAL_FAILURE),
    0.0451,
    0.006,
    'technical',
  );
  near(
    share(({ failureReason }) => failureReason === FAILURE_REASONS.FATAL_SENDER_ERROR),
    0.0162,
    0.004,
    'fatal sender error',
  );
  near(
    share(({ requesting, sending }) => requesting.supplier === 'EMIS' && sending.supplier === 'EMIS'),
    0.595,
    0.02,
    'EMIS to EMIS',
  );
  for (const { status, slaDuration, requesting, sending } of transfers) {
    assert.notEqual(requesting.ods, sending.ods);
    if (status === STATUSES.INTEGRATED_ON_TIME) assert.ok(slaDuration !== null && slaDuration <= 691_200);
  }
});

test('everything that was made is counted, and months are told as they are done', async () => {
  const told: number[] = [];
  const { reads, transfers } = await loadDemo(
    { seed: 2, practices: 40, months: 3 },
    Date.UTC(2026, 10, 27) * 1000,
    ({ months }) => void told.push(months),
  );
  assert.deepEqual(told, [1, 2, 3]);
  const { months } = await reads.england('region', OCTOBER);
  assert.deepEqual(months[0] && [months[0].year, months[0].month], [2026, 10]);
  const sum = months.flatMap(({ counts }) => Object.values(counts)).reduce((total, each) => total + each, 0);
  assert.equal(sum, transfers);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURE_REASONS, STATUSES } from '../classify/outcome.ts';
import { operationalReads } from '../site/operational-reads.ts';
import { storeReads } from '../site/store-reads.ts';
import { testPlatform } from '../testing.ts';
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

test('everything that was made is loaded, folded, counted and published, and each step is told', { timeout: 120_000 }, async () => {
  const platform = await testPlatform();
  try {
    const told: number[] = [];
    const now = Date.UTC(2026, 10, 27, 12) * 1000;
    const { transfers, events } = await loadDemo(
      platform.db,
      platform.url,
      { seed: 2, practices: 40, months: 3 },
      now,
      ({ done }) => void told.push(done),
    );
    assert.deepEqual(told, [1, 2, 3, 4, 5, 6, 7, 8]);
    const reads = storeReads(platform.db);
    const { months } = await reads.england('region', OCTOBER);
    assert.deepEqual(months[0] && [months[0].year, months[0].month], [2026, 10]);
    const sum = months.flatMap(({ counts }) => Object.values(counts)).reduce((total, each) => total + each, 0);
    assert.equal(sum, transfers);
    assert.ok(events > transfers, `${events} events`);
    const operational = operationalReads(platform.db, () => new Date(now / 1000));
    // The newest day is that of what is on its way.
    assert.ok(((await operational.newestDay()) ?? '') >= '2026-11-25');
    const october = { from: '2026-10-01', days: 31 };
    const hours = await operational.report('TRANSFER_DETAILS_BY_HOUR', october);
    const inOctober = Object.values(months[0]?.counts ?? {}).reduce((total, each) => total + each, 0);
    assert.equal(
      hours.rows.reduce((total, row) => total + Number(row[1]), 0),
      inOctober,
    );
    assert.ok((await operational.degradeDays(october)).length > 100);
  } finally {
    await platform.close();
  }
});

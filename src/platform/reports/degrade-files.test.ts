/** The daily and the weekly file of degrades: what they count, when they are made, and what they hold of days and weeks without any. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { DAY, microsOf } from '../micros.ts';
import { writeDegrades } from '../store/events.ts';
import { type TestPlatform, testPlatform } from '../testing.ts';
import { type Due, degradesDaily, degradesWeekly, dueBetween } from './due.ts';
import { writeDue } from './write.ts';

let platform: TestPlatform;
let folder: string;
before(async () => {
  platform = await testPlatform();
});
after(() => platform.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-degrades-'));
  await sql`truncate platform.degrades, platform.written_files`.execute(platform.db);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const day = (date: string) => microsOf(`${date}T00:00:00`);
const NOW = day('2026-03-31');
type Kind = readonly ['MEDICATION' | 'PLAN' | 'REFERRAL', 'CODE' | 'OTHER'];
/** One event with these degrades, received at noon. */
const received = (date: string, ...kinds: readonly Kind[]) =>
  writeDegrades(
    platform.db,
    {
      reportingSystemSupplier: 'ZZ901',
      payload: { degrades: kinds.map(([type, reason]) => ({ type, reason, coding: [{ code: '1', system: 'S' }] })) },
    },
    new Date(`${date}T12:00:00Z`),
  );
const made = (due: Exclude<Due, { kind: 'publication' }>, again = false) => writeDue(platform.db, due, { folder, now: NOW, again });
const text = (path: string) => readFile(join(folder, path), 'utf8');
const WEEKS = 'reports/degrades_weekly_report.csv';

test('the file of a day counts its degrades by type and reason, of all events together and of no other day', async () => {
  await received('2026-03-09', ['PLAN', 'CODE'], ['MEDICATION', 'OTHER'], ['PLAN', 'CODE']);
  await received('2026-03-09', ['PLAN', 'CODE'], ['MEDICATION', 'CODE']);
  await received('2026-03-08', ['REFERRAL', 'CODE']);
  await received('2026-03-10', ['REFERRAL', 'CODE']);
  assert.equal((await made(degradesDaily(day('2026-03-09'), NOW))).done, 'written');
  assert.equal(
    await text('reports/daily/2026-03-09.csv'),
    'Type,Reason,Count\n"MEDICATION","CODE",1\n"MEDICATION","OTHER",1\n"PLAN","CODE",3\n',
  );
});

test('a day without degrades has no file, nor has one on which only empty events came', async () => {
  await received('2026-03-09');
  assert.equal((await made(degradesDaily(day('2026-03-09'), NOW))).done, 'empty');
  assert.deepEqual(await readdir(folder), []);
});

test('a week is summed from its Monday to its Sunday; the first makes the file, each later one adds its rows, one without any adds none', async () => {
  for (const date of ['2026-03-02', '2026-03-05', '2026-03-08']) await received(date, ['PLAN', 'CODE']);
  await received('2026-03-01', ['REFERRAL', 'CODE']);
  await received('2026-03-16', ['REFERRAL', 'OTHER'], ['PLAN', 'CODE']);
  const head = 'Week_beginning,Type,Reason,Count\n';
  const first = '"2026-03-02","PLAN","CODE",3\n';
  await made(degradesWeekly(day('2026-03-02'), NOW));
  assert.equal(await text(WEEKS), head + first);
  assert.equal((await made(degradesWeekly(day('2026-03-09'), NOW))).done, 'empty');
  assert.equal(await text(WEEKS), head + first);
  await made(degradesWeekly(day('2026-03-16'), NOW));
  const all = `${head}${first}"2026-03-16","PLAN","CODE",1\n"2026-03-16","REFERRAL","OTHER",1\n`;
  assert.equal(await text(WEEKS), all);
  // Made once more, a week stands there once.
  assert.equal((await made(degradesWeekly(day('2026-03-16'), NOW))).done, 'before');
  await made(degradesWeekly(day('2026-03-16'), NOW), true);
  assert.equal(await text(WEEKS), all);
});

test('the first week of all without degrades makes no file', async () => {
  assert.equal((await made(degradesWeekly(day('2026-03-09'), NOW))).done, 'empty');
  assert.deepEqual(await readdir(folder), []);
});

test('at six each morning the day before is due, and on Mondays alone the week before', () => {
  for (let at = day('2026-03-09'), weekday = 0; weekday < 7; at += DAY, weekday++) {
    const found = dueBetween(at, at + DAY / 4).flatMap((due) =>
      due.kind === 'degradesDaily' ? [(due.day - at) / DAY] : due.kind === 'degradesWeekly' ? [(due.monday - at) / DAY] : [],
    );
    assert.deepEqual(found, weekday === 0 ? [-1, -7] : [-1]);
    assert.deepEqual(dueBetween(at, at + DAY / 4 - 1), []);
  }
});

/** Running totals beside what is counted from the transfers themselves. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { migrate } from '../../database/migrate.ts';
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { syntheticEngland } from '../demo/england.ts';
import { transfersOf } from '../demo/transfers.ts';
import { foldWritten, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { PLATFORM_MIGRATIONS } from './open.ts';
import type { Days } from './operational.ts';
import { writeOrganisations } from './organisations.ts';
import { practiceTimes } from './received.ts';
import { loadTransfers } from './spine.ts';

let platform: TestPlatform;
before(async () => {
  platform = await testPlatform();
  await writeOrganisations(platform.db, [
    { code: 'QAA', kind: 'icb', name: 'ONE', parent: null },
    { code: '01A', kind: 'sicbl', name: 'ONE - 01A', parent: 'QAA' },
    { code: 'Z1', kind: 'practice', name: 'RED', parent: '01A' },
    { code: 'Z2', kind: 'practice', name: 'BLUE', parent: '01A' },
  ]);
});
after(() => platform.close());

/** From every transfer of these days. */
const countedAnew = async ({ from, days }: Days) =>
  (
    await sql<Record<string, unknown>>`select requesting as ods,
        count(*) filter (where category = 'within3')::int as within3, count(*) filter (where category = 'within8')::int as within8,
        count(*) filter (where category = 'late')::int as late, count(*) filter (where category = 'notIntegrated')::int as "notIntegrated"
      from platform.transfers where status is not null and category not in ('technical', 'unclassified')
        and measured_at >= ${`${from}T00:00:00Z`}::timestamptz
        and measured_at < ${`${from}T00:00:00Z`}::timestamptz + make_interval(days => ${days})
      group by requesting order by coalesce(requesting, '') collate "C"`.execute(platform.db)
  ).rows;
const fromTotals = async (days: Days) =>
  (await practiceTimes(platform.db, days)).practices
    .map(({ ods, counts: { within3, within8, late, notIntegrated } }) => ({ ods, within3, within8, late, notIntegrated }))
    .sort((a, b) => ((a.ods ?? '') < (b.ods ?? '') ? -1 : 1));
const totals = async () => (await sql`select * from platform.received order by month, practice`.execute(platform.db)).rows;
const DAY_MS = 86_400_000;
/** Days in a month, over its ends and over a year's; the edges of a February and of months of 30 and 31 days. */
const SPANS: readonly Days[] = [
  ...Array.from({ length: 130 }, (_, at) => ({
    from: new Date(Date.UTC(2025, 11, 20) + at * DAY_MS).toISOString().slice(0, 10),
    days: 1 + ((at * 11) % 67),
  })),
  { from: '2026-02-28', days: 1 },
  { from: '2026-02-28', days: 2 },
  { from: '2026-03-01', days: 31 },
  { from: '2026-01-31', days: 29 },
  { from: '2025-06-01', days: 366 },
];
const allSpansAgree = async (name: string) => {
  for (const days of SPANS)
    assert.deepEqual(await fromTotals(days), await countedAnew(days), `${name}: ${days.days} days from ${days.from}`);
};

test('spans of days are what the transfers say, while events come late and move transfers between days, practices and outcomes', async () => {
  let seed = 11;
  const below = (count: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * count);
  };
  const pick = <Each>(...of: readonly Each[]) => of[below(of.length)] as Each;
  const moves = new Set<string>();
  for (let round = 0; round < 12; round++) {
    const events = Array.from({ length: 25 }, () => {
      const at = new Date(Date.UTC(2025, 11, 25) + below(110 * 86_400) * 1000).toISOString();
      const over = { conversationId: `C${below(30)}`, requestingPracticeOdsCode: pick('Z1', 'Z2', 'NOBODY') };
      return pick(
        () => stored('ehr-requests', at, over),
        () => stored('ehr-responses', at, over),
        () => stored('ehr-integrations', at, over),
        () => stored('errors', at, over),
      )();
    });
    await write(platform.db, events);
    await foldWritten(platform.db);
    if (round % 4 === 3) await allSpansAgree(`round ${round}`);
    moves.add(JSON.stringify(await countedAnew({ from: '2025-06-01', days: 366 })));
  }
  assert.ok(moves.size > 8, `${moves.size} of 12 rounds changed something`);
  const { rows } = await sql<{ least: number }>`select min(least(within3[day], within8[day], late[day], not_integrated[day])) as least
    from platform.received cross join generate_series(1, 31) as day`.execute(platform.db);
  assert.equal(rows[0]?.least, 0);
});

test('a practice of which nothing is left has no row', async () => {
  const over = { conversationId: 'leaves', requestingPracticeOdsCode: 'Z9' };
  const months = async () =>
    (await sql<{ month: string }>`select month::text as month from platform.received where practice = 'Z9'`.execute(platform.db)).rows;
  await write(platform.db, [stored('ehr-requests', '2026-01-10T10:00:00Z', over), stored('ehr-responses', '2026-01-10T10:05:00Z', over)]);
  await foldWritten(platform.db);
  assert.deepEqual(await months(), [{ month: '2026-01-01' }]);
  await write(platform.db, [stored('ehr-requests', '2025-12-31T23:59:59Z', over)]);
  await foldWritten(platform.db);
  assert.deepEqual(await months(), [{ month: '2025-12-01' }]);
});

test('a part has its rows of the whole, in its order, and the number of all, behind the last one too', async () => {
  const days = { from: '2025-12-01', days: 120 };
  const { practices, total } = await practiceTimes(platform.db, days);
  assert.deepEqual(
    practices.map(({ ods, name, sicblOds, sicblName }) => [ods, name, sicblOds, sicblName]),
    [
      ['NOBODY', null, null, null],
      ['Z9', null, null, null],
      ['Z2', 'BLUE', '01A', 'ONE - 01A'],
      ['Z1', 'RED', '01A', 'ONE - 01A'],
    ],
  );
  assert.equal(total, 4);
  assert.deepEqual(await practiceTimes(platform.db, days, { offset: 1, limit: 2 }), { practices: practices.slice(1, 3), total: 4 });
  assert.deepEqual(await practiceTimes(platform.db, days, { offset: 100, limit: 100 }), { practices: [], total: 4 });
  assert.deepEqual(await practiceTimes(platform.db, { from: '2024-01-01', days: 31 }, { offset: 0, limit: 100 }), {
    practices: [],
    total: 0,
  });
});

test('transfers of the Spine’s log count too, of practices that nobody knows as well, and once more where they are replaced', async () => {
  const england = syntheticEngland(5, 20);
  const unknown = { ods: null, name: null, sicblOds: null, sicblName: null };
  const transfers: ClassifiedTransfer[] = [];
  for (const each of transfersOf(england, { year: 2026, month: 1 }, 5))
    transfers.push(transfers.length % 9 === 4 ? { ...each, requesting: { ...each.requesting, ...unknown } } : each);
  await loadTransfers(platform.url, transfers, 14);
  await foldWritten(platform.db);
  assert.ok((await fromTotals({ from: '2026-01-01', days: 31 })).some(({ ods }) => ods === null));
  await allSpansAgree('Spine');
  const late = transfers.map(
    (each): ClassifiedTransfer => ({ ...each, status: 'Process failure', failureReason: 'Integrated late', slaDuration: 700_000 }),
  );
  await loadTransfers(platform.url, late.slice(0, 200), 14);
  await foldWritten(platform.db);
  await allSpansAgree('replaced');
});

test('a database of before has the same totals as one that counted from the beginning', async () => {
  const expected = await totals();
  assert.ok(expected.length > 20);
  await sql`drop table platform.received`.execute(platform.db);
  await sql`delete from migrations where name = 'platform' and number = 7`.execute(platform.db);
  assert.deepEqual(await migrate(platform.db, PLATFORM_MIGRATIONS, 'platform'), [7]);
  assert.deepEqual(await totals(), expected);
});

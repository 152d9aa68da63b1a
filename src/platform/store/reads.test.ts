import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { readOrganisationMetadata } from '../organisations.ts';
import { foldWritten, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { readAsids, writeMetadata, writeOrganisations } from './organisations.ts';
import {
  monthsWithFigures,
  nationalPage,
  pathways,
  placePage,
  placesOf,
  practiceCounts,
  practicePage,
  publishedMonth,
  search,
  spread,
  trend,
} from './reads.ts';

let platform: TestPlatform;
let number = 0;
const FEBRUARY = { year: 2026, month: 2 };

/** A transfer of an hour from its request. */
const transfer = (requesting: string, at: string, outcome: string | null = 'INTEGRATED') => {
  const over = { conversationId: `C${++number}`, reportingPracticeOdsCode: requesting, requestingPracticeOdsCode: requesting };
  const later = (hours: number) => new Date(Date.parse(at) + hours * 3_600_000).toISOString();
  return [
    stored('ehr-requests', at, over),
    stored('ehr-responses', later(0.1), { ...over, reportingPracticeOdsCode: 'Z82002' }),
    ...(outcome ? [stored('ehr-integrations', later(1), { ...over, payload: { integration: { outcome } } })] : []),
  ];
};

before(async () => {
  platform = await testPlatform();
  await writeOrganisations(platform.db, [
    { code: 'Y1', kind: 'region', name: 'NORTH', parent: null },
    { code: 'QAA', kind: 'icb', name: 'NHS ONE ICB', parent: 'Y1' },
    { code: '01A', kind: 'sicbl', name: 'NHS ONE ICB - 01A', parent: 'QAA' },
    { code: '01B', kind: 'sicbl', name: 'NHS ONE ICB - 01B', parent: 'QAA' },
    { code: 'Z81001', kind: 'practice', name: 'THE RED SURGERY', parent: '01A', address: ['1 HIGH STREET', 'TOWN'], postcode: 'AB1 2CD' },
    { code: 'Z81002', kind: 'practice', name: 'RED HOUSE', parent: '01A' },
    { code: 'Z81003', kind: 'practice', name: 'BLUE_SURGERY', parent: '01B' },
    { code: 'Z81009', kind: 'practice', name: 'CLOSED SURGERY', parent: '01B', active: false },
  ]);
  const events = [
    ...transfer('Z81001', '2026-02-03T10:00:00Z'),
    ...transfer('Z81001', '2026-02-04T10:00:00Z', 'REJECTED'),
    ...transfer('Z81001', '2025-12-03T10:00:00Z', null),
    ...transfer('Z81003', '2026-02-03T10:00:00Z'),
    ...transfer('NOBODY', '2026-02-03T10:00:00Z'),
  ];
  await write(platform.db, events);
  await foldWritten(platform.db);
});
after(() => platform.close());

test('a practice has its months, newest first, in both roles, with its location and England beside them', async () => {
  const page = await practicePage(platform.db, 'Z81001', { months: 3 });
  assert.ok(page);
  assert.deepEqual(page.practice, {
    code: 'Z81001',
    kind: 'practice',
    name: 'THE RED SURGERY',
    active: true,
    address: ['1 HIGH STREET', 'TOWN'],
    postcode: 'AB1 2CD',
    supplier: null,
  });
  assert.deepEqual(
    page.above.map(({ code }) => code),
    ['01A', 'QAA', 'Y1'],
  );
  assert.deepEqual(
    page.months.map(({ year, month, counts, more }) => [
      year,
      month,
      counts.within3,
      counts.technical,
      counts.notIntegrated,
      more.rejected,
      more.open,
    ]),
    [
      [2026, 2, 1, 1, 0, 1, 0],
      [2026, 1, 0, 0, 0, 0, 0],
      [2025, 12, 0, 0, 1, 0, 1],
    ],
  );
  assert.deepEqual(
    page.sicbl.map(({ counts }) => counts.within3),
    [1, 0, 0],
  );
  // The unknown practice is in England's figures and in nobody else's.
  assert.deepEqual(
    page.england.map(({ counts }) => counts.within3),
    [3, 0, 0],
  );
  const [sender] = await trend(platform.db, 'sending', 'practice', 'Z82002', { months: 1 });
  assert.equal(sender?.more.requested, 4);
  assert.equal(await practicePage(platform.db, 'NOBODY'), null);
  assert.equal(await practicePage(platform.db, '01A'), null);
});

test('a location, a board and a region have what lies in them, practices without transfers too', async () => {
  const sicbl = await placePage(platform.db, 'sicbl', '01A', { months: 1 });
  assert.deepEqual(
    sicbl?.members.map(({ code, months }) => [code, months.map(({ counts }) => counts.within3)]),
    [
      ['Z81002', [0]],
      ['Z81001', [1]],
    ],
  );
  const icb = await placePage(platform.db, 'icb', 'QAA', { months: 1 });
  assert.deepEqual(
    icb?.members.map(({ code, months }) => [code, months[0]?.counts.within3]),
    [
      ['01A', 1],
      ['01B', 1],
    ],
  );
  assert.equal(icb?.months[0]?.counts.within3, 2);
  const national = await nationalPage(platform.db);
  assert.deepEqual(
    national.months.map(({ counts }) => counts.within3),
    [3, 0, 0].slice(0, national.months.length),
  );
  assert.deepEqual(
    national.regions.map(({ code, months }) => [code, months[0]?.counts.within3]),
    [['Y1', 2]],
  );
  assert.equal(await placePage(platform.db, 'icb', '01A'), null);
});

test('search wants every word, in any case, in code, name or postcode; signs of the search language are plain', async () => {
  const codes = async (text: string) => (await search(platform.db, text)).map(({ code }) => code);
  assert.deepEqual(await codes('red'), ['Z81002', 'Z81001']);
  assert.deepEqual(await codes('Surgery RED'), ['Z81001']);
  assert.deepEqual(await codes('z81001'), ['Z81001']);
  assert.deepEqual(await codes('ab12cd'), ['Z81001']);
  assert.deepEqual(await codes('one'), ['QAA', '01A', '01B']);
  assert.deepEqual(await codes('_'), ['Z81003']);
  assert.deepEqual(await codes('%'), []);
  assert.deepEqual(await codes('closed'), []);
  assert.deepEqual(await codes('  '), []);
  assert.equal((await search(platform.db, 'z81001'))[0]?.sicbl, '01A');
  assert.deepEqual(
    (await placesOf(platform.db, 'sicbl')).map(({ code, parent }) => [code, parent]),
    [
      ['01A', 'QAA'],
      ['01B', 'QAA'],
    ],
  );
});

test('counts for files: practices with transfers in these months, of England or of one place; all active ones where asked', async () => {
  const ods = async (options: Parameters<typeof practiceCounts>[1]) =>
    (await practiceCounts(platform.db, { newest: FEBRUARY, months: 2, ...options })).practices.map((practice) => practice.ods);
  assert.deepEqual(await ods({}), ['Z81001', 'Z81003']);
  assert.deepEqual(await ods({ within: { kind: 'sicbl', code: '01A' } }), ['Z81001']);
  assert.deepEqual(await ods({ within: { kind: 'icb', code: 'QAA' } }), ['Z81001', 'Z81003']);
  assert.deepEqual(await ods({ within: { kind: 'practice', code: 'Z81003' } }), ['Z81003']);
  assert.deepEqual(await ods({ all: true }), ['Z81001', 'Z81002', 'Z81003']);
});

test('the newest published month decides which months are shown; before the first, the newest with figures', async () => {
  assert.equal(await publishedMonth(platform.db), null);
  assert.deepEqual(await monthsWithFigures(platform.db), [FEBRUARY, { year: 2025, month: 12 }]);
  await sql`insert into platform.publications (month, transfers) values ('2025-12-01', 200000)`.execute(platform.db);
  try {
    assert.deepEqual((await publishedMonth(platform.db))?.month, { year: 2025, month: 12 });
    const page = await practicePage(platform.db, 'Z81001');
    assert.deepEqual(
      page?.months.map(({ month, counts }) => [month, counts.notIntegrated]),
      [12, 11, 10, 9, 8, 7].map((month) => [month, month === 12 ? 1 : 0]),
    );
  } finally {
    await sql`truncate platform.publications`.execute(platform.db);
  }
});

test('outcomes by suppliers and reason, of England and of one practice', async () => {
  const england = await pathways(platform.db, { newest: FEBRUARY, months: 1 });
  assert.deepEqual(
    england.map(({ requestingSupplier, sendingSupplier, status, failureReason, transfers }) => [
      requestingSupplier,
      sendingSupplier,
      status,
      failureReason,
      transfers,
    ]),
    [
      ['EMIS', 'SystmOne', 'Integrated on time', null, 3],
      ['EMIS', 'SystmOne', 'Technical failure', 'Final error', 1],
    ],
  );
  assert.deepEqual(
    (await pathways(platform.db, { newest: FEBRUARY, months: 1, practice: 'Z81003' })).map(({ transfers }) => transfers),
    [1],
  );
});

test('quartiles leave out practices with few transfers', async () => {
  assert.deepEqual(await spread(platform.db, 'integratedWithin8Days', { newest: FEBRUARY, months: 1 }), []);
  const many = Array.from({ length: 10 }, (_, at) =>
    transfer('Z81002', `2026-01-${10 + at}T10:00:00Z`, at < 5 ? 'INTEGRATED' : null),
  ).flat();
  await write(platform.db, many);
  await foldWritten(platform.db);
  assert.deepEqual(await spread(platform.db, 'integratedWithin8Days', { newest: { year: 2026, month: 1 }, months: 1 }), [
    { month: '2026-01', practices: 1, lower: 50, median: 50, upper: 50 },
  ]);
});

test('a practice that moves takes its months with it', async () => {
  await writeOrganisations(platform.db, [{ code: 'Z81003', kind: 'practice', name: null, parent: '01A' }]);
  const sicbl = await placePage(platform.db, 'sicbl', '01A', { newest: FEBRUARY, months: 1 });
  assert.equal(sicbl?.months[0]?.counts.within3, 2);
  assert.equal(sicbl?.members.find(({ code }) => code === 'Z81003')?.name, 'BLUE_SURGERY');
});

test('organisations of a month are kept with it', async () => {
  const file = readOrganisationMetadata(
    JSON.stringify({
      year: 2026,
      month: 1,
      practices: [{ ods_code: 'Z91', name: 'NEW', asids: ['1', '2'] }],
      sicbls: [{ ods_code: '09Z', name: 'NHS NINE', practices: ['Z91'] }],
    }),
  );
  await writeMetadata(platform.db, file);
  const find = await readAsids(platform.db);
  const january = Date.UTC(2026, 0, 5) * 1000;
  assert.deepEqual(find('2', january), { ods: 'Z91', name: 'NEW', sicblOds: '09Z', sicblName: 'NHS NINE' });
  assert.equal((await practicePage(platform.db, 'Z91'))?.above[0]?.code, '09Z');
});

/** Pages and files without a browser: what they say for each kind of figure, name and question. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Counts, NO_TRANSFERS } from '../metrics/counts.ts';
import { DATASETS, downloadLines, downloadName, monthsOfTimeframe, readFileName } from './downloads.ts';
import { monthTable } from './figures.ts';
import { type Member, readView, sorted } from './members.ts';
import type { PracticeModel, SearchHit, SiteReads } from './model.ts';
import { errorPage, searchPage } from './pages.ts';
import { practiceBody } from './practice.ts';
import { STANDING } from './standing.ts';
import { percentText, titleCase } from './words.ts';

const MONTHS = Array.from({ length: 8 }, (_, at) => ({ year: at < 2 ? 2026 : 2025, month: at < 2 ? 2 - at : 14 - at }));
const [FEBRUARY = { year: 0, month: 0 }] = MONTHS;
const figures = (counts: Partial<Counts>) => ({ ...FEBRUARY, counts: { ...NO_TRANSFERS, ...counts } });

/** The first lines of the files that the former site made. */
const BASE = 'Sub ICB Location name,Sub ICB Location ODS,Requesting practice name,Practice ODS,Month';
const REQUESTED =
  'GP2GP transfers requested,GP2GP transfers received,GP2GP transfers received - %,GP2GP technical failures (paper copy requested),GP2GP technical failures (paper copy requested) - %';
const INTEGRATION =
  'GP2GP Transfers received,Integrated within 3 days,Integrated within 3 days - %,Integrated within 8 days ,Integrated within 8 days - %,Not integrated within 8 days (paper copy requested),Not integrated within 8 days (paper copy requested) - %';
const PRACTICE = {
  ods: 'Z81001',
  name: 'RED HOUSE, THE',
  sicblOds: '99Z',
  sicblName: 'NHS A, B ICB - 99Z',
  months: [{ within3: 30, within8: 4, late: 1, notIntegrated: 2, technical: 2, unclassified: 1 }, NO_TRANSFERS],
};

test('the first line of each download is today’s, byte for byte', () => {
  const head = (dataset: (typeof DATASETS)[number]) => [...downloadLines(dataset, [], [])].join('');
  assert.equal(head('all'), `${BASE},${REQUESTED},${INTEGRATION}\n`);
  assert.equal(head('transfers-requested'), `${BASE},${REQUESTED}\n`);
  assert.equal(head('integration-times'), `${BASE},${INTEGRATION}\n`);
});

test('a download has a row for each month, names with commas in quotes, and n/a where there is nothing to have a share of', () => {
  const lines = [...downloadLines('all', [PRACTICE], MONTHS.slice(0, 2))];
  const names = '"NHS A, B ICB - 99Z","99Z","RED HOUSE, THE","Z81001"';
  assert.deepEqual(lines.slice(1), [
    `${names},"February 2026",40,37,"92.5%",3,"7.5%",37,30,"81.1%",4,"10.8%",3,"8.1%"\n`,
    `${names},"January 2026",0,0,"n/a",0,"n/a",0,0,"n/a",0,"n/a",0,"n/a"\n`,
  ]);
});

test('a download is of the latest month, of six or of all, each under its name', () => {
  assert.deepEqual(
    (['latest-month', 'last-6-months', 'all-months'] as const).map((timeframe) => monthsOfTimeframe(timeframe, MONTHS).length),
    [1, 6, 8],
  );
  for (const dataset of DATASETS) assert.deepEqual(readFileName(`${dataset}-last-6-months.csv`), { dataset, timeframe: 'last-6-months' });
  for (const name of ['all.csv', 'all-latest-month', 'all-latest-year.csv', '../all-latest-month.csv'])
    assert.equal(readFileName(name), null);
  assert.equal(downloadName('RED HOUSE', 'all', 'latest-month'), 'GP Registrations Data Red House all-latest-month.csv');
});

test('a share of nothing is n/a, none of something 0%, and a whole number has no decimal', () => {
  assert.deepEqual([null, 0, 100, 8.1].map(percentText), ['n/a', '0%', '100%', '8.1%']);
  const table = monthTable('By month', [figures({}), figures({ technical: 1 })]).markup;
  assert.match(table, /n\/a/);
  assert.match(table, /100%/);
});

test('names keep the capitals of NHS, GP and ICB and the code behind the last of several dashes', () => {
  assert.deepEqual(['GP SURGERY', 'NHS A - B - C ICB - 99Z', 'NHS STOKE-ON-TRENT ICB - 05W', 'THE ICB', 'A - LONGER'].map(titleCase), [
    'GP Surgery',
    'NHS A - B - C ICB - 99Z',
    'NHS Stoke-On-Trent ICB - 05W',
    'The ICB',
    'A - Longer',
  ]);
});

// ---- the table of an area

const member = (name: string, counts: Partial<Counts>): Member => ({ code: name, kind: 'practice', name, figures: figures(counts) });
const MEMBERS = [
  // Of 10 requested, 8 received: shares of all kinds, none of them in the order of the names.
  member('C', { within3: 4, within8: 2, late: 1, notIntegrated: 1, technical: 1, unclassified: 1 }),
  member('A', { within3: 8, within8: 8, late: 2, notIntegrated: 2 }),
  member('B', { technical: 3 }),
  member('D', {}),
];
const ORDERS: Readonly<Record<string, readonly [descending: string, ascending: string]>> = {
  name: ['DCBA', 'ABCD'],
  requested: ['ACBD', 'DBCA'],
  received: ['ACBD', 'DBCA'],
  'within-3-days': ['CABD', 'BDAC'],
  'within-8-days': ['ACBD', 'BDCA'],
  'not-within-8-days': ['CABD', 'BDAC'],
  failures: ['BCAD', 'DACB'],
};

test('each column sorts both ways: by its share where it has one, what has none below everything, equals by name', () => {
  for (const [sort, orders] of Object.entries(ORDERS))
    for (const [at, order] of ['desc', 'asc'].entries()) {
      const view = readView({ sort, order }, MONTHS);
      assert.ok(view, sort);
      const found = sorted(MEMBERS, view).map(({ code }) => code);
      assert.equal(found.join(''), orders[at], `${sort} ${order}`);
    }
});

test('without a wish the worst stand first in the newest month, and a month keeps the order that was asked for', () => {
  assert.deepEqual(readView({}, MONTHS), { month: FEBRUARY, sort: 'not-within-8-days', order: 'desc' });
  assert.deepEqual(readView({ month: '2025-12', sort: 'failures', order: 'asc' }, MONTHS), {
    month: { year: 2025, month: 12 },
    sort: 'failures',
    order: 'asc',
  });
  assert.deepEqual(readView({ sort: 'name' }, MONTHS)?.order, 'asc');
  for (const query of [{ month: '2020-01' }, { month: '2026-2' }, { sort: 'colour' }, { order: 'up' }])
    assert.equal(readView(query, MONTHS), null);
});

// ---- a practice

const page = (practice: Partial<PracticeModel['practice']>) =>
  practiceBody(
    {
      practice: {
        code: 'Z81001',
        kind: 'practice',
        name: 'RED HOUSE',
        active: true,
        address: [],
        postcode: null,
        supplier: null,
        ...practice,
      },
      above: [],
      months: [figures({ within3: 1 })],
      sending: [],
      sicbl: [],
      england: [],
      reasons: [],
      spread: null,
    },
    false,
  ).markup;

test('an address is shown with all its lines, with one, and not at all where none is known', () => {
  assert.ok(page({ address: ['1 HIGH STREET', 'BATH'], postcode: 'BA1 2CD' }).includes('<p>1 High Street<br>Bath<br>BA1 2CD</p>'));
  assert.ok(page({ address: ['1 HIGH STREET'] }).includes('<p>1 High Street</p>'));
  assert.ok(page({ postcode: 'BA1 2CD' }).includes('<p>BA1 2CD</p>'));
  assert.doesNotMatch(page({}), /<p>\s*<\/p>\s*<p>|High Street/);
});

// ---- search

const hit = (code: string, name: string): SearchHit => ({ code, kind: 'practice', name, postcode: null });
const found = async (q: string | undefined, ...hits: readonly SearchHit[]) => {
  const reads: Pick<SiteReads, 'search'> = { search: (_text, limit) => Promise.resolve(hits.slice(0, limit)) };
  const answer = await searchPage(reads as SiteReads, q === undefined ? {} : { q });
  return 'to' in answer ? answer.to : `${answer.title}: ${answer.body.markup}`;
};

test('a search with one hit, or with the very code of one, leads to it; several are listed; none and nothing are told beside the box', async () => {
  const [red, blue] = [hit('Z81001', 'RED HOUSE'), hit('Z82002', 'RED BARN')];
  assert.equal(await found('red h', red), '/practice/Z81001');
  assert.equal(await found('z81001', red, blue), '/practice/Z81001');
  // Text that was changed after a code was in the box is searched as it stands.
  assert.match(await found('z81001 x', red, blue), /^Search: z81001 x: /);
  const several = await found('red', red, blue);
  assert.ok(several.includes('href="/practice/Z81001"') && several.includes('href="/practice/Z82002"'));
  assert.match(await found('Z99999'), /^Error: Search: .*role="alert"/s);
  assert.match(await found('  '), /^Error: Search: .*role="alert"/s);
  assert.doesNotMatch(await found(undefined), /role="alert"/);
});

// ---- the other pages

test('each standing page and each page that says what is wrong has a title, a heading and a description of its own', () => {
  const pages = [
    ...STANDING.map(({ heading, description }) => ({ heading, description })),
    ...[400, 404, 500].map((status) => errorPage(status, null)),
  ];
  for (const name of ['heading', 'description'] as const)
    assert.ok(
      pages.every((each) => each[name].length > 5),
      name,
    );
  assert.equal(new Set(STANDING.map(({ description }) => description)).size, STANDING.length);
  assert.equal(new Set(pages.map(({ heading }) => heading)).size, pages.length);
  assert.ok(STANDING.some(({ path }) => path === '/definitions-and-notes-about-this-data'));
});

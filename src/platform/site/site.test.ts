/** The site as people meet it, in a real browser, over a small synthetic England. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { noBrowser, openBrowser } from '../../console/testing.ts';
import { listen } from '../../web/server.ts';
import { lookForAlerts } from '../alerts/look.ts';
import { type Loaded, loadDemo } from '../demo/load.ts';
import { type TestPlatform, testPlatform } from '../testing.ts';
import { SITE_HEADERS } from './answer.ts';
import { DASHBOARDS } from './dashboards.ts';
import type { SiteReads } from './model.ts';
import { operationalReads } from './operational-reads.ts';
import { siteServer } from './site.ts';
import { storeReads } from './store-reads.ts';
import { titleCase } from './words.ts';

const NOW = Date.UTC(2026, 10, 27, 12) * 1000;
let platform: TestPlatform;
let loaded: Loaded;
let reads: SiteReads;
let server: FastifyInstance;
let url: string;
let conversation: string;
let browser: Browser;
const faults: string[] = [];

before(async () => {
  platform = await testPlatform();
  loaded = await loadDemo(platform.db, platform.url, { seed: 1, practices: 90, months: 14 }, NOW);
  const looked = await lookForAlerts(platform.db, { now: new Date(NOW / 1000), failurePercent: 5, rates: true, posted: false });
  assert.ok((looked?.raised.length ?? 0) > 0);
  reads = { ...storeReads(platform.db), operational: operationalReads(platform.db, () => new Date(NOW / 1000)) };
  const [told] = (await reads.operational?.list('integrated', { from: '2026-10-26', days: 2 }))?.transfers ?? [];
  conversation = told?.conversation ?? assert.fail();
  server = await siteServer(reads, { synthetic: true, onFault: (thrown, where) => void faults.push(`${where}: ${thrown}`) });
  url = await listen(server);
  if (noBrowser === null) browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await server?.close();
  await platform?.close();
});

const skip = noBrowser ?? false;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 320, height: 740 };
const practice = () => loaded.england.practices[7] ?? assert.fail();
const sicbl = () => practice().sicbl;
const icb = () => sicbl().parent ?? assert.fail();
/** Every page, found and not found. */
const pages = () => [
  '/',
  '/search',
  '/search?q=surgery',
  '/search?q=nowhere+at+all',
  `/practice/${practice().code}`,
  `/practice/${practice().code}?months=all`,
  `/practice/${practice().code}/download-data`,
  `/sub-icb-location/${sicbl().code}`,
  `/sub-icb-location/${sicbl().code}/download-data`,
  `/integrated-care-board/${icb().code}`,
  `/region/${icb().parent?.code}`,
  '/england',
  '/england?by=sicbl',
  '/sub-icb-locations',
  '/integrated-care-boards',
  '/regions',
  '/download-data',
  '/definitions-and-notes-about-this-data',
  '/accessibility-statement',
  '/your-privacy',
  '/cookies-policy',
  '/contact-us',
  '/reports',
  '/reports/transfer-outcomes-per-supplier-pathway?days=7',
  '/reports/transfer-level-technical-failures?days=1',
  '/reports/sub-icb-location-level-integration-times?days=31',
  '/reports/transfer-details-by-hour',
  '/degrades',
  '/alerts',
  ...DASHBOARDS.map(({ slug }, at) => `/dashboards/${slug}?from=2026-10-01&days=31&step=${['week', 'month', 'day', ''][at % 4]}`),
  '/transfers/errors?from=2026-10-26&days=2',
  '/transfers/placeholders?from=2026-10-26&days=2',
  '/transfers/attachments-failed?from=2026-10-01&days=31',
  '/transfers/broken-24-hours',
  `/conversations/${conversation}`,
  `/practice/${practice().code}/more`,
  `/sub-icb-location/${sicbl().code}/more`,
  `/region/${icb().parent?.code}/more`,
  '/england/more',
  '/england/systems',
  '/practice/Z99999',
  '/practice/a-b',
  '/nowhere',
];

async function onPage<T>(path: string, viewport: { width: number; height: number }, look: (page: Page) => Promise<T>): Promise<T> {
  // The content policy holds for pages; what a test looks with comes from outside.
  const context = await browser.newContext({ viewport, bypassCSP: true });
  try {
    const page = await context.newPage();
    const troubles: string[] = [];
    // A file that is kept instead of shown ends its request for the browser.
    page.on(
      'requestfailed',
      (request) => request.url().endsWith('.csv') || void troubles.push(`${request.url()} ${request.failure()?.errorText}`),
    );
    page.on('request', (request) => request.url().startsWith(url) || void troubles.push(`asks ${request.url()}`));
    page.on('pageerror', (error) => void troubles.push(error.message));
    await page.goto(`${url}${path}`);
    const result = await look(page);
    assert.deepEqual(troubles, [], path);
    return result;
  } finally {
    await context.close();
  }
}

for (const viewport of [DESKTOP, PHONE])
  test(`nothing stands in the way of any reader: axe finds no fault on any page, ${viewport.width} wide`, {
    skip,
    timeout: 600_000,
  }, async () => {
    const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
    const found: string[] = [];
    for (const path of pages())
      await onPage(path, viewport, async (page) => {
        // What is folded is looked at too.
        await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
        const { scroll, inner } = (await page.evaluate('({ scroll: document.documentElement.scrollWidth, inner: innerWidth })')) as {
          scroll: number;
          inner: number;
        };
        if (scroll > inner) found.push(`${path}: ${scroll} wide on ${inner}`);
        await page.evaluate(axe);
        const violations = await page.evaluate(async () => {
          const { violations: all } = await (
            globalThis as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
          ).axe.run({ resultTypes: ['violations'] });
          return all.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
        });
        found.push(...violations.map((each) => `${path} at ${viewport.width}: ${each}`));
      });
    assert.deepEqual(found, []);
  });

test('on a small desktop the widest report scrolls in its own frame', { skip }, async () => {
  const path = '/reports/transfer-level-technical-failures?days=1';
  const { scroll, inner } = (await onPage(path, { width: 1024, height: 800 }, (page) =>
    page.evaluate('({ scroll: document.documentElement.scrollWidth, inner: innerWidth })'),
  )) as { scroll: number; inner: number };
  assert.ok(scroll <= inner, `${scroll} wide on ${inner}`);
});

test('on the narrowest phone each value says what it is', { skip, timeout: 120_000 }, async () => {
  await onPage(`/practice/${practice().code}`, PHONE, async (page) => {
    const cards = page.locator('#gp2gp-transfers-requested + table td .nhsuk-table__heading:visible', {
      hasText: 'Not integrated within 8 days',
    });
    assert.equal(await cards.count(), 12);
  });
});

test('a search by code, by postcode in any spelling or by a name that is alone leads to the practice', { skip }, async () => {
  const { code, postcode, name } = practice();
  const heading = `${titleCase(name)} - ${code}`;
  for (const typed of [code.toLowerCase(), postcode, ` ${postcode.toLowerCase().replace(' ', '')} `, postcode.replace(' ', '-')])
    await onPage('/', DESKTOP, async (page) => {
      await page.locator('#q').fill(typed);
      await page.getByRole('button', { name: 'Search' }).click();
      await page.waitForURL(`**/practice/${code}`);
      assert.equal(await page.locator('h1').textContent(), heading);
      assert.equal(await page.title(), `${heading} - GP Registrations Data`);
    });
});

test('a search that finds several lists them by kind with the words marked; one that finds nothing says so beside the box', {
  skip,
}, async () => {
  await onPage('/search?q=icb', DESKTOP, async (page) => {
    assert.ok(await page.getByRole('heading', { name: 'Sub ICB Locations' }).isVisible());
    assert.equal(await page.locator('main li a strong').first().textContent(), 'ICB');
  });
  await onPage('/', DESKTOP, async (page) => {
    await page.locator('#q').fill('<b>nobody</b>');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/search?q=*');
    assert.match((await page.locator('[role=alert]').textContent()) ?? '', /Nothing is found for “<b>nobody<\/b>”/);
    assert.match(await page.title(), /^Error: /);
    await page.locator('[role=alert] a').click();
    assert.equal(await page.locator(':focus').getAttribute('id'), 'q');
    assert.equal(await page.locator('#q').inputValue(), '<b>nobody</b>');
  });
  await onPage('/search?q=', DESKTOP, async (page) => {
    assert.match((await page.locator('[role=alert]').textContent()) ?? '', /Enter a practice’s name/);
  });
});

test('the table of a location is sorted by its heads, says how, and keeps the order when the month changes', { skip }, async () => {
  const shares = (page: Page, column: number) =>
    page
      .locator(`#members ~ table`)
      .first()
      .locator(`tbody tr:not(:first-child) td:nth-child(${column}) .site-share`)
      .allTextContents()
      .then((texts) => texts.map((text) => (text === 'n/a' ? -1 : Number(text.replace('%', '')))));
  await onPage(`/sub-icb-location/${sicbl().code}`, DESKTOP, async (page) => {
    const head = (name: string) => page.locator('th[data-sort]', { hasText: name });
    assert.equal(await head('Not integrated within 8 days').getAttribute('aria-sort'), 'descending');
    const first = await shares(page, 6);
    assert.ok(first.length > 5);
    assert.deepEqual(
      first,
      first.toSorted((a, b) => b - a),
    );
    await head('Technical failures').locator('a').click();
    await page.waitForURL(/sort=failures/);
    assert.equal(await head('Not integrated within 8 days').getAttribute('aria-sort'), null);
    assert.deepEqual(
      await shares(page, 7),
      (await shares(page, 7)).toSorted((a, b) => b - a),
    );
    await head('Technical failures').locator('a').click();
    await page.waitForURL(/order=asc/);
    assert.equal(await head('Technical failures').getAttribute('aria-sort'), 'ascending');
    assert.deepEqual(
      await shares(page, 7),
      (await shares(page, 7)).toSorted((a, b) => a - b),
    );
    await page.getByLabel('Month', { exact: true }).selectOption({ label: 'March 2026' });
    await page.getByRole('button', { name: 'Show' }).click();
    await page.waitForURL(/month=2026-03/);
    assert.equal(await head('Technical failures').getAttribute('aria-sort'), 'ascending');
    assert.match((await page.locator('caption').first().textContent()) ?? '', /March 2026/);
  });
});

test('a file is downloaded from the page, under the name that the former site gave it', { skip }, async () => {
  await onPage(`/practice/${practice().code}/download-data`, DESKTOP, async (page) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('table a').nth(1).click()]);
    assert.equal(download.suggestedFilename(), `GP Registrations Data ${titleCase(practice().name)} all-last-6-months.csv`);
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
    assert.equal(lines.length, 7);
    assert.equal(
      lines[0],
      'Sub ICB Location name,Sub ICB Location ODS,Requesting practice name,Practice ODS,Month,GP2GP transfers requested,GP2GP transfers received,GP2GP transfers received - %,GP2GP technical failures (paper copy requested),GP2GP technical failures (paper copy requested) - %,GP2GP Transfers received,Integrated within 3 days,Integrated within 3 days - %,Integrated within 8 days ,Integrated within 8 days - %,Not integrated within 8 days (paper copy requested),Not integrated within 8 days (paper copy requested) - %',
    );
    assert.ok(lines[1]?.startsWith(`"${sicbl().name}","${sicbl().code}","${practice().name}","${practice().code}","October 2026",`));
  });
});

test('the keyboard alone reaches everything: past the menu, through a search to a practice, and back', { skip }, async () => {
  await onPage('/', DESKTOP, async (page) => {
    const focused = async () => ((await page.locator(':focus').textContent()) ?? '').trim();
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to main content');
    assert.ok(await page.locator(':focus').isVisible());
    for (let n = 0; n < 20 && (await page.locator(':focus').getAttribute('id')) !== 'q'; n++) await page.keyboard.press('Tab');
    await page.keyboard.type(practice().code);
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/practice/${practice().code}`);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    // Past menu and trail: the first link of the page itself.
    assert.match(await focused(), new RegExp(sicbl().code));
    for (let n = 0; n < 60 && (await focused()) !== 'The trend as a table'; n++) await page.keyboard.press('Tab');
    assert.equal(await page.locator('caption', { hasText: 'by month' }).last().isVisible(), false);
    await page.keyboard.press('Enter');
    assert.ok(await page.locator('caption', { hasText: 'Integrated within 8 days, by month' }).isVisible());
    await page.locator('.nhsuk-breadcrumb a').first().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(`${url}/`);
  });
});

test('without a script, by keyboard alone: days are chosen, a dashboard leads to a list, the list to what was told of a transfer', {
  skip,
  timeout: 120_000,
}, async () => {
  const context = await browser.newContext({ viewport: PHONE, javaScriptEnabled: false });
  try {
    const page = await context.newPage();
    const reach = async (text: RegExp) => {
      for (let n = 0; n < 200; n++) {
        await page.keyboard.press('Tab');
        const focused = page.locator(':focus');
        if ((await focused.count()) > 0 && text.test((await focused.textContent()) ?? '')) return;
      }
      assert.fail(`${text} is not reached`);
    };
    await page.goto(`${url}/dashboards/transfer-status?from=2026-10-01&days=14`);
    await page.locator('#days').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('31');
    await page.keyboard.press('Enter');
    await page.waitForURL(/days=31/);
    await reach(/^Rejected$/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/transfers\/rejected\?from=2026-10-01&days=31/);
    await reach(/^[0-9A-F]{8}-/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/conversations\//);
    assert.match((await page.locator('main').textContent()) ?? '', /REJECTED/);
  } finally {
    await context.close();
  }
});

test('every chart says what it shows, and its numbers stand in a table of the page', { skip }, async () => {
  await onPage(`/practice/${practice().code}`, DESKTOP, async (page) => {
    const images = page.getByRole('img');
    assert.equal(await images.count(), 3);
    for (const image of await images.all()) {
      const label = await image.evaluate((node) =>
        (node.getAttribute('aria-labelledby') ?? '')
          .split(' ')
          .map((id: string) => node.ownerDocument.getElementById(id)?.textContent ?? '')
          .join(' '),
      );
      assert.match(label, /The table below has every month/);
    }
    // The highest part of the newest bar is the share within three days that the table has.
    const own = (await reads.practice(practice().code)) ?? assert.fail();
    const newest = own.months[0]?.counts ?? assert.fail();
    const received = newest.within3 + newest.within8 + newest.late + newest.notIntegrated;
    const cell = await page.locator('#gp2gp-transfers-requested + table tbody tr:first-child td:nth-child(4) .site-of').textContent();
    assert.equal(Number(cell), newest.within3);
    const bars = page.locator('figure').first().locator('rect.chart-a[x]');
    const heights = await bars.evaluateAll((nodes) => nodes.map((node) => Number(node.getAttribute('height'))));
    assert.ok(
      Math.abs((heights.at(-1) ?? 0) - (212 * newest.within3) / received) < 1.5,
      `${heights.at(-1)} for ${newest.within3}/${received}`,
    );
  });
});

test('every address of the former site answers, or leads to its better twin', async () => {
  const { code } = practice();
  const expected: Readonly<Record<string, string>> = {
    [`/practice/${code}/integration-times`]: `/practice/${code}#integration-times`,
    [`/practice/${code}/gp2gp-transfers-requested`]: `/practice/${code}#gp2gp-transfers-requested`,
    [`/sub-ICB-location/${sicbl().code}/integration-times`]: `/sub-icb-location/${sicbl().code}?sort=not-within-8-days#members`,
    [`/sub-ICB-location/${sicbl().code}/gp2gp-transfers-requested`]: `/sub-icb-location/${sicbl().code}?sort=failures#members`,
    [`/sub-ICB-location/${sicbl().code}/download-data`]: `/sub-icb-location/${sicbl().code}/download-data`,
    '/sub-ICB-locations': '/sub-icb-locations',
    '/national-gp2gp-statistics': '/england',
    '/cookie-confirmation': '/cookies-policy',
  };
  for (const [path, to] of Object.entries(expected)) {
    const answer = await fetch(`${url}${path}`, { redirect: 'manual' });
    assert.deepEqual([answer.status, answer.headers.get('location')], [308, to], path);
    const there = await fetch(`${url}${path}`);
    const text = await there.text();
    assert.equal(there.status, 200, path);
    const anchor = to.split('#')[1];
    if (anchor) assert.ok(text.includes(`id="${anchor}"`), `${to} has its place on the page`);
  }
  for (const path of [
    '/',
    `/practice/${code}/download-data`,
    '/definitions-and-notes-about-this-data',
    '/contact-us',
    '/accessibility-statement',
    '/your-privacy',
    '/cookies-policy',
  ])
    assert.equal((await fetch(`${url}${path}`)).status, 200, path);
});

type Raw = { readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly body: Buffer };
/** What crosses the wire, nothing unpacked and nothing added. */
function raw(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(`${url}${path}`, { method, headers }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('every answer has the headers that browsers are held to, errors, redirects and files included', async () => {
  const { 'cache-control': _, ...headers } = SITE_HEADERS;
  const answers = [
    ...pages(),
    '/practice/%zz',
    '/sub-ICB-locations',
    `/data/practice/${practice().code}/all-latest-month.csv`,
    '/data/england/none.csv',
    '/assets/icon.svg',
  ];
  for (const path of answers) {
    const { status, headers: got } = await raw(path);
    assert.notEqual(status, 500, path);
    for (const [name, value] of Object.entries(headers)) assert.equal(got[name], value, `${name} of ${path}`);
    assert.equal(got['server'], undefined);
    assert.equal(got['set-cookie'], undefined);
    assert.equal(
      got['cache-control'],
      status >= 400 || status === 303
        ? 'no-store'
        : path.startsWith('/assets')
          ? 'public, max-age=31536000, immutable'
          : 'public, max-age=300',
      path,
    );
  }
});

test('a page with all that it loads crosses the wire in less than 150 kB, and its styles only once', async () => {
  const sizes: number[] = [];
  for (const path of pages()) {
    const { body, headers } = await raw(path, { 'accept-encoding': 'gzip' });
    const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body).toString() : body.toString();
    assert.doesNotMatch(text, /<script|<style| style="| on[a-z]+="/, path);
    let bytes = body.length;
    for (const [, asset = ''] of text.matchAll(/<link rel="(?:stylesheet|icon)" href="([^"]+)"/g))
      bytes += (await raw(asset, { 'accept-encoding': 'gzip' })).body.length;
    sizes.push(bytes);
    assert.ok(bytes < 150_000, `${path} needs ${bytes} bytes`);
  }
  assert.ok(Math.min(...sizes) > 20_000, 'the styles are counted');
});

test('answers are packed as the browser likes, and not sent again to who has them', async () => {
  const path = `/practice/${practice().code}`;
  const plain = await raw(path);
  const br = await raw(path, { 'accept-encoding': 'gzip, deflate, br' });
  assert.equal(br.headers['content-encoding'], 'br');
  assert.deepEqual(brotliDecompressSync(br.body), plain.body);
  assert.equal((await raw(path, { 'accept-encoding': 'br;q=0, gzip;q=0.5' })).headers['content-encoding'], 'gzip');
  assert.equal(br.headers['vary'], 'Accept-Encoding');
  assert.notEqual(br.headers['etag'], plain.headers['etag']);
  const again = await raw(path, { 'accept-encoding': 'br', 'if-none-match': String(br.headers['etag']) });
  assert.deepEqual([again.status, again.body.length, again.headers['etag']], [304, 0, br.headers['etag']]);
  assert.equal((await raw(path, { 'if-none-match': '"other"' })).status, 200);
  const head = await raw(path, {}, 'HEAD');
  assert.deepEqual([head.status, head.body.length, head.headers['etag']], [200, 0, plain.headers['etag']]);
});

test('what is not there, not understood or not possible is answered with a page in the same design', async () => {
  const expect: readonly (readonly [string, number, RegExp])[] = [
    ['/nowhere', 404, /Page not found/],
    ['/practice/Z99999', 404, /There is no practice Z99999/],
    ['/sub-icb-location/99Z9', 404, /There is no Sub ICB Location 99Z9/],
    ['/practice/<b>', 400, /not understood/],
    ['/practice/%zz', 400, /not understood/],
    [`/sub-icb-location/${sicbl().code}?month=2026-13`, 400, /not understood/],
    [`/sub-icb-location/${sicbl().code}?sort=colour`, 400, /not understood/],
    ['/england?by=colour', 400, /not understood/],
    ['/degrades?days=400', 400, /Between 1 and 366 days/],
    ['/reports/none', 404, /There is no report none/],
  ];
  for (const [path, status, words] of expect) {
    const answer = await raw(path);
    const text = answer.body.toString();
    assert.equal(answer.status, status, path);
    assert.match(text, words, path);
    assert.match(text, /<header class="nhsuk-header"/, path);
  }
  assert.deepEqual(faults, []);
});

test('a practice’s code in small letters leads to its page', async () => {
  assert.match((await raw(`/practice/${practice().code.toLowerCase()}`)).body.toString(), new RegExp(`- ${practice().code}</h1>`));
});

test('the files of the national pipeline are there, and agree with the pages', async () => {
  const practices = JSON.parse((await raw('/data/practiceMetrics.json')).body.toString()) as {
    practices: { odsCode: string; metrics: { month: number; requestedTransfers: { requestedCount: number } }[] }[];
    sicbls: unknown[];
  };
  const national = JSON.parse((await raw('/data/nationalMetrics.json')).body.toString()) as {
    metrics: [{ year: number; month: number; transferCount: number }];
  };
  const newest = practices.practices.reduce((sum, { metrics }) => sum + (metrics[0]?.requestedTransfers.requestedCount ?? 0), 0);
  assert.deepEqual([national.metrics[0].year, national.metrics[0].month, national.metrics[0].transferCount], [2026, 10, newest]);
  assert.equal(practices.practices[0]?.metrics.length, 6);
  const page = (await raw('/england')).body.toString();
  assert.ok(page.includes(newest.toLocaleString('en-GB')));
});

test('degrades are summed by day and by week as the existing monitoring has them, and never twice', async () => {
  const week = (await raw('/data/degrades/weekly/2026-10-26.csv')).body.toString().trimEnd().split('\n');
  assert.equal(week[0], 'Week_beginning,Type,Reason,Count');
  const sum = (lines: readonly string[]) => lines.slice(1).reduce((total, line) => total + Number(line.split(',').at(-1)), 0);
  let days = 0;
  for (let day = 26; day <= 31; day++)
    days += sum((await raw(`/data/degrades/daily/2026-10-${day}.csv`)).body.toString().trimEnd().split('\n'));
  days += sum((await raw('/data/degrades/daily/2026-11-01.csv')).body.toString().trimEnd().split('\n'));
  assert.ok(days > 0);
  assert.equal(sum(week), days);
  assert.equal((await raw('/data/degrades/weekly/2026-10-27.csv')).status, 404);
});

test('a report’s file has every row, its page the first hundred and the way to the others', async () => {
  const path = 'transfer-level-technical-failures';
  const lines = (await raw(`/data/reports/${path}/2026-10-01-31-days.csv`)).body.toString().trimEnd().split('\n');
  assert.ok(lines.length > 102);
  assert.match(lines[0] ?? '', /^sending practice ASID,sending supplier,/);
  const rows = async (page: number) =>
    (await raw(`/reports/${path}?from=2026-10-01&days=31&page=${page}`)).body
      .toString()
      .match(/<tr class="nhsuk-table__row" role="row"><th/g)?.length;
  assert.equal(await rows(1), 100);
  assert.equal(await rows(Math.ceil((lines.length - 1) / 100)), ((lines.length - 2) % 100) + 1);
  assert.equal((await raw(`/reports/${path}?from=2026-10-01&days=31&page=999`)).status, 404);
});

test('what the transfers of a list say one by one stands below it and in a file, and adds up to what the list counts', async () => {
  const cells = async (path: string) =>
    (await raw(path)).body
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => line.split(',').map((cell) => cell.replaceAll('"', '')));
  const days = '2026-10-12-7-days.csv';
  for (const [list, counted] of [
    ['placeholders', 'placeholders'],
    ['attachments-failed', 'attachments_failed'],
  ] as const) {
    const [head = [], ...transfers] = await cells(`/data/transfers/${list}/${days}`);
    const [, ...details] = await cells(`/data/transfers/${list}/details/${days}`);
    assert.ok(details.length >= transfers.length && transfers.length > 0, `${list}: ${details.length} of ${transfers.length}`);
    const sums = new Map<string, number>();
    for (const [id = '', , , , , , alike] of details) sums.set(id, (sums.get(id) ?? 0) + Number(alike));
    assert.deepEqual(
      [...sums].sort(),
      transfers.map((row): [string, number] => [row[0] ?? '', Number(row[head.indexOf(counted)])]).sort(),
      list,
    );
    const page = (await raw(`/transfers/${list}?from=2026-10-12&days=7`)).body.toString();
    assert.match(page, /<h2[^>]*id="details"/);
    assert.match(page, new RegExp(`/data/transfers/${list}/details/${days}`));
  }
  assert.doesNotMatch((await raw('/transfers/integrated?from=2026-10-12&days=7')).body.toString(), /id="details"/);
  assert.equal((await raw(`/data/transfers/integrated/details/${days}`)).status, 404);
  assert.equal((await raw('/data/transfers/errors/details/2026-10-12-40-days.csv')).status, 404);
});

test('while the reads fail, pages that were read before are given as they were, and others say that it is not the reader’s fault', async () => {
  let broken = false;
  const told: string[] = [];
  const failing = new Proxy(reads, {
    get: (target, name) => (broken ? () => Promise.reject(new Error('no database')) : Reflect.get(target, name)),
  }) as SiteReads;
  const frail = await siteServer(failing, { onFault: (_, where) => void told.push(where), freshMs: 0 });
  const at = await listen(frail);
  try {
    const before = await (await fetch(`${at}/england`)).text();
    broken = true;
    const after = await fetch(`${at}/england`);
    assert.deepEqual([after.status, await after.text()], [200, before]);
    const other = await fetch(`${at}/practice/${practice().code}`);
    assert.equal(other.status, 500);
    const text = await other.text();
    assert.match(text, /Something went wrong/);
    assert.doesNotMatch(text, /no database/);
    assert.deepEqual(told, ['an older answer was given', '/practice/:code']);
  } finally {
    await frail.close();
  }
});

test('where no reports are read, none are served', async () => {
  const { operational: _, ...others } = reads;
  const plain = await siteServer(others);
  const at = await listen(plain);
  try {
    assert.equal((await fetch(`${at}/reports`)).status, 404);
    const home = await (await fetch(`${at}/`)).text();
    assert.doesNotMatch(home, /Operational reports|Invented data|noindex/);
  } finally {
    await plain.close();
  }
});

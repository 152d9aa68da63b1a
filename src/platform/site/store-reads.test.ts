/** The site over a real database, from events to pages. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { listen } from '../../web/server.ts';
import { addSubmitter } from '../ingest/submitters.ts';
import { startPlatform } from '../serve.ts';
import { writeOrganisations } from '../store/organisations.ts';
import { foldWritten, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import type { SiteReads } from './model.ts';
import { siteServer } from './site.ts';
import { storeReads } from './store-reads.ts';

let platform: TestPlatform;
let reads: SiteReads;
let server: FastifyInstance;
let url: string;
let number = 0;
const FEBRUARY = { year: 2026, month: 2 };

const transfer = (requesting: string, at: string, outcome: string) => {
  const over = { conversationId: `C${++number}`, reportingPracticeOdsCode: requesting, requestingPracticeOdsCode: requesting };
  const later = (hours: number) => new Date(Date.parse(at) + hours * 3_600_000).toISOString();
  return [
    stored('ehr-requests', at, over),
    stored('ehr-responses', later(0.1), { ...over, reportingPracticeOdsCode: 'Z82002' }),
    stored('ehr-integrations', later(1), { ...over, payload: { integration: { outcome } } }),
  ];
};

before(async () => {
  platform = await testPlatform();
  await writeOrganisations(platform.db, [
    { code: 'Y1', kind: 'region', name: 'NORTH', parent: null },
    { code: 'QAA', kind: 'icb', name: 'NHS ONE ICB', parent: 'Y1' },
    { code: '01A', kind: 'sicbl', name: 'NHS ONE ICB - 01A', parent: 'QAA' },
    { code: 'Z81001', kind: 'practice', name: 'THE RED SURGERY', parent: '01A', address: ['1 HIGH STREET', 'TOWN'], postcode: 'AB1 2CD' },
    { code: 'Z81002', kind: 'practice', name: 'RED HOUSE', parent: '01A' },
  ]);
  await write(platform.db, [
    ...transfer('Z81001', '2025-12-03T10:00:00Z', 'INTEGRATED'),
    ...transfer('Z81001', '2026-02-03T10:00:00Z', 'INTEGRATED'),
    ...transfer('Z81001', '2026-02-04T10:00:00Z', 'REJECTED'),
    // Not published yet.
    ...transfer('Z81001', '2026-03-04T10:00:00Z', 'INTEGRATED'),
  ]);
  await foldWritten(platform.db);
  reads = storeReads(platform.db);
});
after(async () => {
  await server?.close();
  await platform.close();
});

test('before anything is published there are pages, and they say that there are no figures', async () => {
  const early = await siteServer(reads);
  const at = await listen(early);
  try {
    const statuses = [];
    for (const path of ['/', '/england', '/sub-icb-locations', '/data/nationalMetrics.json', '/search?q=red'])
      statuses.push((await fetch(`${at}${path}`)).status);
    assert.deepEqual(statuses, [200, 200, 200, 404, 200]);
    assert.match(await (await fetch(`${at}/england`)).text(), /No month has been published yet/);
  } finally {
    await early.close();
  }
});

test('what is published is read up to its month, months without transfers between others included', async () => {
  await sql`insert into platform.publications (month, published_at, transfers) values ('2026-02-01', '2026-03-15T07:00:00Z', 2)`.execute(
    platform.db,
  );
  assert.deepEqual(await reads.published(), {
    months: [FEBRUARY, { year: 2026, month: 1 }, { year: 2025, month: 12 }],
    at: '2026-03-15T07:00:00.000Z',
  });
  const practice = (await reads.practice('Z81001')) ?? assert.fail();
  assert.deepEqual(
    practice.months.map(({ counts }) => [counts.within3, counts.technical]),
    [
      [1, 1],
      [0, 0],
      [1, 0],
    ],
  );
  assert.deepEqual(
    practice.reasons.filter(({ status }) => status === 'Technical failure').map(({ transfers }) => transfers),
    [1],
  );
  assert.equal(await reads.practice('Z99999'), null);
  const region = (await reads.area('region', 'Y1', FEBRUARY)) ?? assert.fail();
  assert.deepEqual(
    region.members.map(({ code, figures }) => [code, figures.counts.within3]),
    [['QAA', 1]],
  );
  assert.equal(
    region.reasons.reduce((sum, { transfers }) => sum + transfers, 0),
    3,
  );
  const england = await reads.england('sicbl', FEBRUARY);
  assert.deepEqual(
    england.members.map(({ code, figures }) => [code, figures.counts.technical]),
    [['01A', 1]],
  );
});

test('every page is made from the database, a practice without a transfer among them', async () => {
  server = await siteServer(reads);
  url = await listen(server);
  const texts = new Map<string, string>();
  for (const path of [
    '/',
    '/england?by=icb',
    '/practice/Z81001',
    '/practice/Z81002',
    '/sub-icb-location/01A',
    '/region/Y1',
    '/search?q=red',
  ]) {
    const answer = await fetch(`${url}${path}`);
    assert.equal(answer.status, 200, path);
    texts.set(path, await answer.text());
  }
  assert.match(texts.get('/practice/Z81001') ?? '', /The Red Surgery - Z81001<\/h1>/);
  assert.match(texts.get('/sub-icb-location/01A') ?? '', /Red House - Z81002/);
  const csv = await (await fetch(`${url}/data/sub-icb-location/01A/transfers-requested-latest-month.csv`)).text();
  assert.deepEqual(csv.trimEnd().split('\n').slice(1), [
    '"NHS ONE ICB - 01A","01A","THE RED SURGERY","Z81001","February 2026",2,1,"50%",1,"50%"',
    '"NHS ONE ICB - 01A","01A","RED HOUSE","Z81002","February 2026",0,0,"n/a",0,"n/a"',
  ]);
  assert.equal((await fetch(`${url}/practice/AB12CD`)).status, 404);
  assert.match((await fetch(`${url}/search?q=ab12cd`)).url, /\/practice\/Z81001$/);
});

test('beside the national definitions: both clocks, rejections, calendars, quartiles and systems, of a place and of England', async () => {
  const more = (await reads.more({ kind: 'practice', code: 'Z81001' })) ?? assert.fail();
  assert.deepEqual(
    more.above.map(({ code }) => code),
    ['01A', 'QAA', 'Y1'],
  );
  const [newest] = more.requesting;
  assert.deepEqual([newest?.more.within3OfRequest, newest?.more.rejected, newest?.more.failed, newest?.counts.technical], [1, 1, 0, 1]);
  assert.equal(more.london[0]?.counts.technical, 1);
  // Ten transfers are needed to be compared.
  assert.deepEqual(more.benchmarks, []);
  assert.equal(await reads.more({ kind: 'practice', code: 'Z99999' }), null);
  assert.equal((await reads.more(null))?.requesting[0]?.counts.within3, 1);
  const [pathway] = await reads.pathways(FEBRUARY);
  assert.deepEqual(pathway, {
    requestingSupplier: 'EMIS',
    sendingSupplier: 'SystmOne',
    transfers: 2,
    onTime: 1,
    failed: 1,
    reasons: [{ reason: 'Final error', code: null, transfers: 1 }],
  });
  const completeness = await reads.monthCounts('completeness', FEBRUARY);
  assert.deepEqual(completeness, []);
  for (const path of ['/england/more', '/england/systems', '/practice/Z81001/more', '/sub-icb-location/01A/more', '/region/Y1/more'])
    assert.equal((await fetch(`${url}${path}`)).status, 200, path);
  assert.equal((await fetch(`${url}/practice/Z99999/more`)).status, 404);
});

test('few are not told of a single practice, and are of an area', async () => {
  const page = async (path: string) => (await (await fetch(`${url}${path}`)).text()).replace(/\s+/g, ' ');
  assert.match(await page('/practice/Z81001/more'), /<span class="site-share">few<\/span><span class="site-of">1 to 7<\/span>/);
  assert.doesNotMatch(await page('/sub-icb-location/01A/more'), /1 to 7/);
});

test('the public has no operational page; whoever shows a reader’s key has them, and nobody on the way keeps them', async () => {
  for (const path of ['/reports', '/transfers/errors', '/dashboards/errors', '/data/transfers/errors/2026-02-01-7-days.csv'])
    assert.equal((await fetch(`${url}${path}`)).status, 404, path);
  const running = await startPlatform(platform.db, {
    host: '127.0.0.1',
    port: 0,
    reports: { host: '127.0.0.1', port: 0 },
    mode: 'compatible',
    foldMs: 50,
    onFault: (thrown, where) => assert.fail(`${where}: ${thrown}`),
  });
  try {
    const reader = await addSubmitter(platform.db, 'An analyst', 'readers');
    const submitter = await addSubmitter(platform.db, 'A supplier');
    const ask = (path: string, key?: string) =>
      fetch(`${running.reports}${path}`, {
        headers: key === undefined ? {} : { authorization: `Basic ${Buffer.from(`anyone:${key}`).toString('base64')}` },
      });
    for (const key of [undefined, '', 'wrong', submitter]) {
      for (const path of ['/', '/reports', '/transfers/errors?from=2026-02-01&days=7', '/nowhere', '/data/england/all-latest-month.csv']) {
        const answer = await ask(path, key);
        assert.deepEqual(
          [answer.status, answer.headers.get('www-authenticate'), answer.headers.get('cache-control')],
          [401, 'Basic realm="Operational reports", charset="UTF-8"', 'no-store'],
          `${path} with ${key}`,
        );
        assert.doesNotMatch(await answer.text(), /Z81001|Red Surgery/);
      }
    }
    // A reader sends nothing.
    assert.equal(
      (
        await fetch(`${running.api}/ehr-requests`, {
          method: 'POST',
          headers: { apikey: reader, 'content-type': 'application/json' },
          body: '{}',
        })
      ).status,
      401,
    );
    let answer = await ask('/transfers/rejected?from=2026-02-01&days=7', reader);
    for (let tries = 0; tries < 100 && !/Rejected - /.test(await answer.clone().text()); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      answer = await ask('/transfers/rejected?from=2026-02-01&days=7', reader);
    }
    assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'no-store']);
    const id = /\/conversations\/(C\d+)/.exec(await answer.text())?.[1] ?? assert.fail();
    assert.match(await (await ask(`/conversations/${id}`, reader)).text(), /REJECTED/);
    assert.equal((await ask('/reports/transfer-outcomes-per-supplier-pathway?from=2026-02-01&days=28', reader)).status, 200);
    assert.equal((await fetch(`${running.site}/conversations/${id}`)).status, 404);
  } finally {
    await running.close();
  }
});

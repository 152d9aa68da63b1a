/** The read API and the files with everything open, over a real database. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { sql } from 'kysely';
import { z } from 'zod';
import { noBrowser, openBrowser } from '../../console/testing.ts';
import { listen } from '../../web/server.ts';
import { readCsv } from '../csv.ts';
import { siteServer } from '../site/site.ts';
import { storeReads } from '../site/store-reads.ts';
import { writeOrganisations } from '../store/organisations.ts';
import { foldWritten, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { DATASETS } from './datasets.ts';
import { OPERATIONS } from './openapi.ts';
import { SHAPES, type ShapeName } from './shapes.ts';

let platform: TestPlatform;
let server: FastifyInstance;
let url: string;
const faults: string[] = [];
let number = 0;
/** Whatever a conversation is called in these tests; nothing open may hold it. */
const CONVERSATION = 'SECRET-CONVERSATION-';
const NHS_NUMBER = '9434765919';

const transfer = (requesting: string, at: string, outcome: string, errorCode: string | null = null) => {
  const over = {
    conversationId: `${CONVERSATION}${++number}`,
    reportingPracticeOdsCode: requesting,
    requestingPracticeOdsCode: requesting,
  };
  const later = (hours: number) => new Date(Date.parse(at) + hours * 3_600_000).toISOString();
  return [
    stored('registrations', at, over),
    stored('ehr-requests', at, over),
    stored('ehr-responses', later(0.1), { ...over, reportingPracticeOdsCode: 'Z82002' }),
    ...(errorCode === null
      ? []
      : [
          stored('errors', later(0.5), {
            ...over,
            payload: { error: { errorCode, errorDescription: `told about ${NHS_NUMBER}`, failurePoint: 'EHR_INTEGRATION' } },
          }),
        ]),
    stored('ehr-integrations', later(1), { ...over, payload: { integration: { outcome } } }),
  ];
};

before(async () => {
  platform = await testPlatform();
  await writeOrganisations(platform.db, [
    { code: 'Y1', kind: 'region', name: 'NORTH', parent: null },
    { code: 'QAA', kind: 'icb', name: 'NHS ONE ICB', parent: 'Y1' },
    { code: '01A', kind: 'sicbl', name: 'NHS ONE ICB - 01A', parent: 'QAA' },
    { code: '01B', kind: 'sicbl', name: 'NHS ONE ICB - 01B', parent: 'QAA' },
    {
      code: 'Z81001',
      kind: 'practice',
      name: 'THE "RED" SURGERY, =1',
      parent: '01A',
      address: ['1 HIGH STREET', 'TOWN'],
      postcode: 'AB1 2CD',
    },
    { code: 'Z81002', kind: 'practice', name: 'RED HOUSE', parent: '01A' },
    { code: 'Z81003', kind: 'practice', name: null, parent: '01B' },
    { code: 'Z81009', kind: 'practice', name: 'CLOSED', parent: '01B', active: false },
  ]);
  await write(platform.db, [
    ...transfer('Z81001', '2025-12-03T10:00:00Z', 'INTEGRATED'),
    ...transfer('Z81001', '2026-02-03T10:00:00Z', 'INTEGRATED'),
    ...transfer('Z81001', '2026-02-04T10:00:00Z', 'REJECTED'),
    ...transfer('Z81003', '2026-02-05T10:00:00Z', 'FAILED_TO_INTEGRATE', NHS_NUMBER),
    ...transfer('NOBODY', '2026-02-05T10:00:00Z', 'INTEGRATED'),
    // Not open yet.
    ...transfer('Z81002', '2026-03-04T10:00:00Z', 'INTEGRATED'),
  ]);
  await foldWritten(platform.db);
  const degrade = (day: string, times: number, code: string, system = 'http://read.info/ctv3') =>
    sql`insert into platform.degrades (event_id, number, day, supplier, type, reason, coding)
      select gen_random_uuid(), n, ${day}::date, 'YGJ', 'RECORD_ENTRY', 'CODE', ${JSON.stringify([{ code, system }])}::jsonb
      from generate_series(1, ${times}) as n`.execute(platform.db);
  await degrade('2026-02-03', 5, 'XaBVJ');
  await degrade('2026-02-03', 4, 'Rare1');
  await degrade('2026-02-04', 6, NHS_NUMBER);
  await degrade('2026-02-04', 7, '1234567890123', 'http://snomed.info/sct');
  await degrade('2026-03-04', 9, 'Later');
  await sql`insert into platform.publications (month, published_at, transfers) values ('2026-02-01', '2026-03-15T07:00:00Z', 4)`.execute(
    platform.db,
  );
  server = await siteServer(storeReads(platform.db), { onFault: (thrown, where) => void faults.push(`${where}: ${thrown}`) });
  url = await listen(server);
});
after(async () => {
  await server?.close();
  await platform.close();
});

type Problem = { readonly status: number; readonly code: string; readonly field?: string; readonly remedy?: string };
type Rows = { readonly data: readonly Readonly<Record<string, unknown>>[]; readonly next: string | null };
const get = async <Answer = Rows>(path: string): Promise<Answer> => {
  const answer = await fetch(`${url}${path.startsWith('/') ? path : `/api/v1/${path}`}`);
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return (await answer.json()) as Answer;
};
const refused = async (path: string): Promise<Problem> => {
  const answer = await fetch(`${url}/api/v1/${path}`);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, path);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
  const problem = SHAPES.problem.parse(await answer.json());
  assert.equal(problem.status, answer.status);
  return problem as Problem;
};
const strict = (shape: z.ZodType): z.ZodType => z.fromJSONSchema(z.toJSONSchema(shape) as never);

test('every address answers in the shape that its description names', async () => {
  const { paths } = await get<{ paths: Readonly<Record<string, { get: { responses: Record<string, unknown> } }>> }>('openapi.json');
  assert.deepEqual(
    Object.keys(paths),
    OPERATIONS.map(({ path }) => path),
  );
  for (const { path, example, answer } of OPERATIONS) {
    const found = await get(`/api/v1${example.replace('{code}', 'Z81001')}`);
    if (answer !== null) strict(SHAPES[answer]).parse(found);
    assert.ok(paths[path]?.get.responses['200']);
  }
  for (const name of Object.keys(SHAPES) as ShapeName[])
    assert.equal((await get<{ title: string; type: string }>(`schemas/${name}.json`)).type, 'object');
  assert.deepEqual((await get<{ months: string[] }>('months')).months, ['2026-02', '2026-01', '2025-12']);
});

test('what an answer says beyond its shape would be noticed', () => {
  assert.throws(() => strict(SHAPES.months).parse({ months: [], publishedAt: null, more: 1 }));
  assert.throws(() => strict(SHAPES.months).parse({ months: ['2026-13'], publishedAt: null }));
});

test('organisations are listed by kind, by what they lie in, and one by one in any case', async () => {
  const codes = async (query: string) => (await get(`organisations${query}`)).data.map(({ code }) => code);
  assert.deepEqual(await codes(''), ['01A', '01B', 'QAA', 'Y1', 'Z81001', 'Z81002', 'Z81003', 'Z81009']);
  assert.deepEqual(await codes('?kind=sicbl'), ['01A', '01B']);
  assert.deepEqual(await codes('?kind=practice&within=QAA&active=true'), ['Z81001', 'Z81002', 'Z81003']);
  assert.deepEqual(await codes('?within=01b'), ['Z81003', 'Z81009']);
  assert.deepEqual(await codes('?active=false'), ['Z81009']);
  const one = await get<Record<string, unknown>>('organisations/z81001');
  assert.deepEqual([one['code'], one['parent'], one['address'], one['postcode']], ['Z81001', '01A', ['1 HIGH STREET', 'TOWN'], 'AB1 2CD']);
});

test('a place has its months by the national definitions, by the improved measures, or by both', async () => {
  const { data } = await get('organisations/Z81001/metrics');
  assert.deepEqual(
    data.map(({ month }) => month),
    ['2025-12', '2026-01', '2026-02'],
  );
  const [, , february] = data as readonly { national: Record<string, unknown>; improved: Record<string, unknown>; sicbl: string }[];
  assert.equal(february?.sicbl, '01A');
  const { national, improved } = february;
  assert.deepEqual(
    [national['calendar'], national['requestedCount'], national['receivedPercentOfRequested'], national['failuresTotalCount']],
    ['UTC', 2, 50, 1],
  );
  const measures = ['calendar', 'rejected', 'failed', 'integrated', 'within8OfRequestPercentOfRequested'];
  // Of one practice: small numbers are not told, and no shares that would tell them.
  assert.deepEqual(
    measures.map((name) => improved[name]),
    ['Europe/London', null, 0, null, null],
  );
  const area = (await get('organisations/01A/metrics')).data as readonly { month: string; improved: Record<string, unknown> }[];
  assert.deepEqual(
    measures.map((name) => area.find(({ month }) => month === '2026-02')?.improved[name]),
    ['Europe/London', 1, 0, 1, 50],
  );
  const [first] = (await get('organisations/Z81001/metrics?definitions=national')).data;
  assert.deepEqual(['improved' in (first ?? {}), 'national' in (first ?? {})], [false, true]);
  const [second] = (await get('organisations/Z81001/metrics?definitions=improved')).data;
  assert.deepEqual(['improved' in (second ?? {}), 'national' in (second ?? {})], [true, false]);
});

test('levels above practices have sums, active practices without transfers zeroes, England those of unknown practices too', async () => {
  const requested = async (path: string) =>
    (await get(path)).data.map(({ code, month, national }) => [code, month, (national as Record<string, unknown>)['requestedCount']]);
  assert.deepEqual(await requested('metrics/practices'), [
    ['Z81001', '2026-02', 2],
    ['Z81002', '2026-02', 0],
    ['Z81003', '2026-02', 1],
  ]);
  assert.deepEqual(await requested('metrics/sub-icb-locations?within=QAA'), [
    ['01A', '2026-02', 2],
    ['01B', '2026-02', 1],
  ]);
  assert.deepEqual(await requested('metrics/integrated-care-boards'), [['QAA', '2026-02', 3]]);
  assert.deepEqual(await requested('metrics/regions?from=2025-12&to=2025-12'), [['Y1', '2025-12', 1]]);
  assert.deepEqual(await requested('metrics/england?from=2026-01'), [
    ['England', '2026-01', 0],
    ['England', '2026-02', 4],
  ]);
  assert.deepEqual(await requested('metrics/practices?role=sending&within=01A'), [
    ['Z81001', '2026-02', 0],
    ['Z81002', '2026-02', 0],
  ]);
});

test('pages follow each other by "next" and by the header Link, and together are the whole list', async () => {
  const all = (await get('metrics/practices?from=2025-12')).data;
  const found: unknown[] = [];
  let next: string | null = '/api/v1/metrics/practices?from=2025-12&limit=2';
  let pages = 0;
  while (next !== null) {
    const answer: Response = await fetch(`${url}${next}`);
    const body = (await answer.json()) as Rows;
    assert.equal(answer.headers.get('link'), body.next === null ? null : `<${body.next}>; rel="next"`);
    assert.ok(body.data.length <= 2);
    found.push(...body.data);
    next = body.next;
    pages++;
  }
  assert.equal(pages, 5);
  assert.deepEqual(found, all);
  for (const path of ['organisations', 'outcomes', 'degrades']) {
    const whole = (await get(path)).data;
    const first = await get(`${path}?limit=1`);
    const rest = await get(first.next ?? assert.fail());
    assert.deepEqual([...first.data, ...rest.data].slice(0, 2), whole.slice(0, 2), path);
  }
});

test('outcomes stand by the systems of both practices; a text as long as an NHS number is not repeated', async () => {
  const { data } = await get('outcomes');
  assert.deepEqual(
    data.map(({ requestingSupplier, sendingSupplier, status, failureReason, errorCode, transfers }) => [
      requestingSupplier,
      sendingSupplier,
      status,
      failureReason,
      errorCode,
      transfers,
    ]),
    [
      ['EMIS', 'SystmOne', 'Integrated on time', '', '', 2],
      ['EMIS', 'SystmOne', 'Technical failure', 'Final error', '', 1],
      ['EMIS', 'SystmOne', 'Technical failure', 'Final error', 'not shown', 1],
    ],
  );
  assert.equal((await get('outcomes?requestingSupplier=Vision')).data.length, 0);
});

test('codes of fewer than five degrades stand together, and months that are not open are not there', async () => {
  const { data } = await get('degrades?from=2025-12');
  assert.deepEqual(
    data.map(({ month, supplier, system, code, degrades }) => [month, supplier, system, code, degrades]),
    [
      ['2026-02', 'EMIS', null, null, 10],
      ['2026-02', 'EMIS', 'http://read.info/ctv3', 'XaBVJ', 5],
      ['2026-02', 'EMIS', 'http://snomed.info/sct', '1234567890123', 7],
    ],
  );
});

test('a question that is wrong is refused with the name of its field and what to do', async () => {
  for (const [path, status, code, field] of [
    ['organisations?kind=surgery', 400, 'parameter.malformed', 'kind'],
    ['organisations?limit=0', 400, 'parameter.malformed', 'limit'],
    ['organisations?limit=5&limit=6', 400, 'parameter.malformed', 'limit'],
    ['organisations?colour=red', 400, 'parameter.unknown', 'colour'],
    ['organisations?after=%22', 400, 'parameter.malformed', 'after'],
    ['organisations?after=abc', 400, 'parameter.malformed', 'after'],
    ['organisations/Z99999', 404, 'organisation.unknown', 'code'],
    ['organisations/a-b', 400, 'parameter.malformed', 'code'],
    ['organisations/Z81001/metrics?role=both', 400, 'parameter.malformed', 'role'],
    ['metrics/hospitals', 400, 'parameter.malformed', 'level'],
    ['metrics/practices?from=2026-2', 400, 'parameter.malformed', 'from'],
    ['metrics/practices?to=2026-03', 404, 'month.closed', 'to'],
    ['metrics/practices?from=2026-02&to=2025-12', 400, 'months.reversed', 'from'],
    ['outcomes?sendingSupplier=%00', 400, 'parameter.malformed', 'sendingSupplier'],
    ['schemas/nothing.json', 404, 'schema.unknown', 'name'],
    ['months?x=1', 400, 'parameter.unknown', 'x'],
  ] as const) {
    const problem = await refused(path);
    assert.deepEqual([problem.status, problem.code, problem.field], [status, code, field], path);
    assert.ok((problem.remedy ?? '').length > 10, path);
  }
  assert.equal((await refused('nowhere')).code, 'address.unknown');
  const written = await fetch(`${url}/api/v1/organisations`, { method: 'POST' });
  assert.deepEqual([written.status, written.headers.get('allow')], [405, 'GET, HEAD, OPTIONS']);
});

test('any site may read, what is not new costs nothing, and HEAD has no body', async () => {
  const first = await fetch(`${url}/api/v1/metrics/england`);
  assert.equal(first.headers.get('access-control-allow-origin'), '*');
  assert.equal(first.headers.get('cross-origin-resource-policy'), 'cross-origin');
  assert.match(first.headers.get('cache-control') ?? '', /public, max-age=300/);
  const etag = first.headers.get('etag') ?? assert.fail();
  assert.equal((await fetch(`${url}/api/v1/metrics/england`, { headers: { 'if-none-match': etag } })).status, 304);
  assert.equal((await fetch(`${url}/api/v1/metrics/england`, { headers: { 'if-none-match': '"other"' } })).status, 200);
  const asked = await fetch(`${url}/api/v1/months`, { method: 'OPTIONS' });
  assert.equal(asked.status, 204);
  assert.match(asked.headers.get('access-control-allow-headers') ?? '', /If-None-Match/);
  const head = await fetch(`${url}/api/v1/months`, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
});

test('every file that is listed is there in both formats, with the same rows and the columns of its schema', async () => {
  const { data } = await get<{ data: readonly { name: string; schema: string; files: readonly { csv: string; parquet: string }[] }[] }>(
    'datasets',
  );
  assert.deepEqual(
    data.map(({ name }) => name),
    DATASETS.map(({ name }) => name),
  );
  const counts: Record<string, number> = {};
  for (const { schema, files } of data) {
    const { properties } = await get<{ properties: object }>(schema);
    for (const { csv, parquet } of files) {
      const text = await (await fetch(`${url}${csv}`)).text();
      const lines: (readonly string[])[] = [];
      for await (const row of readCsv(
        (async function* () {
          yield text;
        })(),
      ))
        lines.push('cells' in row ? row.cells : assert.fail(row.fault));
      const [head = [], ...rows] = lines;
      assert.deepEqual(head, Object.keys(properties), csv);
      const file = await (await fetch(`${url}${parquet}`)).arrayBuffer();
      const read = (await parquetReadObjects({ file })) as readonly Record<string, unknown>[];
      assert.equal(Number(parquetMetadata(file).num_rows), rows.length, parquet);
      const plain = (value: unknown) => (value === null || value === undefined ? '' : String(value)).replace(/^=/, "'=");
      assert.deepEqual(
        read.map((row) => head.map((column) => plain(row[column]))),
        rows,
        parquet,
      );
      counts[csv] = rows.length;
    }
  }
  assert.equal(counts['/data/open/organisations/all.csv'], 8);
  // Three active practices, two roles, three months.
  assert.equal(counts['/data/open/practices/all.csv'], 18);
  assert.equal(counts['/data/open/practices/2026-02.csv'], 6);
  assert.equal(counts['/data/open/areas/2026-02.csv'], 10);
  assert.equal(counts['/data/open/degrades/2026-01.csv'], 0);
});

test('nothing that is open holds a conversation, an NHS number or a description of an error', async () => {
  const { data } = await get<{ data: readonly { files: readonly { csv: string; parquet: string }[] }[] }>('datasets');
  const files = data.flatMap((each) => each.files.flatMap(({ csv, parquet }) => [csv, parquet]));
  const lists = ['organisations', 'metrics/practices?from=2025-12', 'metrics/england', 'outcomes', 'degrades'].map(
    (each) => `/api/v1/${each}`,
  );
  for (const path of [...files, ...lists]) {
    const text = Buffer.from(await (await fetch(`${url}${path}`)).arrayBuffer()).toString('latin1');
    for (const secret of [CONVERSATION, NHS_NUMBER, 'told about']) assert.ok(!text.includes(secret), `${path} holds ${secret}`);
  }
});

test('a file can be read in part, and is not sent again while it is the same', async () => {
  const path = `${url}/data/open/practices/all.parquet`;
  const whole = await fetch(path);
  const bytes = Buffer.from(await whole.arrayBuffer());
  assert.equal(Number(whole.headers.get('content-length')), bytes.length);
  assert.match(whole.headers.get('content-disposition') ?? '', /gp-registrations-data-practices-all\.parquet/);
  const etag = whole.headers.get('etag') ?? assert.fail();
  const part = async (range: string, more: Record<string, string> = {}) => {
    const answer = await fetch(path, { headers: { range, ...more } });
    return { status: answer.status, range: answer.headers.get('content-range'), bytes: Buffer.from(await answer.arrayBuffer()) };
  };
  const end = await part('bytes=-8');
  assert.deepEqual([end.status, end.range], [206, `bytes ${bytes.length - 8}-${bytes.length - 1}/${bytes.length}`]);
  assert.equal(end.bytes.subarray(4).toString(), 'PAR1');
  assert.deepEqual((await part('bytes=0-3')).bytes, bytes.subarray(0, 4));
  assert.deepEqual((await part('bytes=4-')).bytes, bytes.subarray(4));
  assert.deepEqual((await part('bytes=0-3', { 'if-range': '"another"' })).bytes, bytes);
  assert.equal((await part(`bytes=${bytes.length}-`)).status, 416);
  assert.equal((await fetch(path, { headers: { 'if-none-match': etag } })).status, 304);
  const head = await fetch(path, { method: 'HEAD' });
  assert.deepEqual([head.status, Number(head.headers.get('content-length'))], [200, bytes.length]);
  for (const wrong of ['practices/2026-03.csv', 'practices/2026-02.xlsx', 'organisations/2026-02.csv', 'patients/all.csv'])
    assert.equal((await fetch(`${url}/data/open/${wrong}`)).status, 404, wrong);
});

test('the page about the API and the page of downloads lead to every address', async () => {
  const page = async (path: string) => (await fetch(`${url}${path}`)).text();
  const developers = await page('/developers');
  for (const { path } of OPERATIONS) assert.ok(developers.includes(`/api/v1${path}`), path);
  const downloads = await page('/download-data');
  for (const { name } of DATASETS) assert.ok(downloads.includes(`/data/open/${name}/all.parquet`), name);
  assert.ok(downloads.includes('/data/open/practices/2025-12.csv'));
  assert.ok(downloads.includes('href="/developers"'));
});

test('nothing stands in the way of readers of both pages, on a desktop and on a phone', { skip: noBrowser ?? false }, async () => {
  const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  const browser = await openBrowser();
  try {
    for (const width of [1280, 320])
      for (const path of ['/developers', '/download-data']) {
        // The content policy holds for pages; what a test looks with comes from outside.
        const context = await browser.newContext({ viewport: { width, height: 800 }, bypassCSP: true });
        const page = await context.newPage();
        await page.goto(`${url}${path}`);
        await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
        await page.evaluate(axe);
        const violations = await page.evaluate(async () => {
          type Run = { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          const found = await (globalThis as unknown as { axe: Run }).axe.run({ resultTypes: ['violations'] });
          return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
        });
        assert.deepEqual(violations, [], `${path}, ${width} wide`);
        const [inside, outside] = await page.evaluate(() => {
          const { document, innerWidth } = globalThis as unknown as {
            document: { documentElement: { scrollWidth: number } };
            innerWidth: number;
          };
          return [innerWidth, document.documentElement.scrollWidth];
        });
        assert.ok((outside ?? 0) <= (inside ?? 0), `${path} is ${outside} wide on a screen of ${inside}`);
        await context.close();
      }
  } finally {
    await browser.close();
  }
});

test('nothing failed unseen', () => assert.deepEqual(faults, []));

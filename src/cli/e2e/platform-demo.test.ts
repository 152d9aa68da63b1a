/** The demonstration of the platform as a process: what it serves to people and to programs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

const BIN = join(import.meta.dirname, '..', '..', '..', 'bin');
const ARGV = ['--seed', '3', '--practices', '12', '--months', '2', '--json'];
type Loaded = { readonly url: string; readonly practices: number; readonly transfers: number; readonly months: number };

let demo: ReturnType<typeof start>;
let loaded: Loaded;

function start() {
  return spawn(process.execPath, [join(BIN, 'dev.mjs'), join(BIN, 'gp2gp.ts'), 'platform', 'demo', ...ARGV], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

before(async () => {
  demo = start();
  let said = '';
  demo.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [line] = (await Promise.race([
    once(createInterface({ input: demo.stdout }), 'line'),
    once(demo, 'exit').then(() => assert.fail(`it ended before it served: ${said}`)),
  ])) as [string];
  loaded = JSON.parse(line) as Loaded;
});
after(async () => {
  if (demo.exitCode !== null) return;
  // In peace: it takes its database server along.
  demo.kill('SIGTERM');
  await once(demo, 'exit');
});

const ask = async (path: string) => {
  const response = await fetch(new URL(path, loaded.url));
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const json = async (path: string) => {
  const { status, text } = await ask(path);
  assert.equal(status, 200, path);
  return JSON.parse(text) as Record<string, unknown>;
};

test('programs read what the site shows: months, practices, their figures, files, and the description says that all is invented', async () => {
  const { addresses } = (await json('/api/v1')) as { addresses: { path: string }[] };
  const described = (await json('/api/v1/openapi.json')) as { openapi: string; info: { description: string }; paths: object };
  assert.equal(described.openapi, '3.1.0');
  assert.match(described.info.description, /^Invented data: no practice, transfer or figure here is real\./);
  assert.deepEqual(
    Object.keys(described.paths).map((path) => `/api/v1${path}`),
    addresses.map(({ path }) => path),
  );

  const { months } = (await json('/api/v1/months')) as { months: string[] };
  assert.equal(months.length, loaded.months);
  const { data: organisations } = (await json('/api/v1/organisations?kind=practice')) as { data: { code: string }[] };
  assert.equal(organisations.length, loaded.practices);
  const { data } = (await json(`/api/v1/metrics/practices?definitions=national&from=${months.at(-1)}&to=${months[0]}&limit=1000`)) as {
    data: { code: string; month: string; national: { requestedCount: number } }[];
  };
  assert.equal(data.length, loaded.months * loaded.practices);
  // The site's own file of the newest month says the same of each practice.
  const newest = months[0];
  const { practices } = (await json('/data/practiceMetrics.json')) as {
    practices: { odsCode: string; metrics: { requestedTransfers: { requestedCount: number } }[] }[];
  };
  assert.deepEqual(
    practices.map(({ odsCode, metrics }) => [odsCode, metrics[0]?.requestedTransfers.requestedCount]).sort(),
    data
      .filter(({ month, national }) => month === newest && national.requestedCount > 0)
      .map(({ code, national }) => [code, national.requestedCount])
      .sort(),
  );
  assert.match((await ask('/developers')).text, /openapi\.json/);
  const refused = await ask('/api/v1/metrics/practices?limit=many');
  assert.equal(refused.status, 400);
  assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/);
});

test('the operational reports are there without a key, and Ctrl-C ends it', async () => {
  const { status, text } = await ask('/reports');
  assert.equal(status, 200);
  assert.match(text, /Invented data: no practice, transfer or figure on this site is real\./);
  demo.kill('SIGINT');
  const [code] = (await once(demo, 'exit')) as [number | null];
  assert.equal(code, 0);
});

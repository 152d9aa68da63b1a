/**
 * National reporting over GP2GP_BENCH_EVENTS events (ten million unless said otherwise), at a tenth of them and at all: loading and folding
 * them, taking more one by one over HTTP beside the same server that keeps nothing, and what is read from them.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Pool } from 'undici';
import { copyLine, copySession } from '../src/database/copy.ts';
import { startEmbedded } from '../src/database/embedded.ts';
import { addSubmitter } from '../src/platform/ingest/submitters.ts';
import { addMonths, monthStart } from '../src/platform/metrics/month.ts';
import { practiceMetrics } from '../src/platform/metrics/practices.ts';
import { operationalReads } from '../src/platform/site/operational-reads.ts';
import { siteServer } from '../src/platform/site/site.ts';
import { storeReads } from '../src/platform/site/store-reads.ts';
import { loadEvents } from '../src/platform/store/bulk.ts';
import { countDays } from '../src/platform/store/days.ts';
import { foldAll } from '../src/platform/store/fold.ts';
import { openPlatform, PLATFORM_SETTINGS, type PlatformDb } from '../src/platform/store/open.ts';
import { writeOrganisations } from '../src/platform/store/organisations.ts';
import { publishMonth } from '../src/platform/store/publish.ts';
import { practiceCounts } from '../src/platform/store/reads.ts';
import { listen } from '../src/web/server.ts';
import { type Figure, median, peakRss, print } from './figure.ts';
import { england, eventOf, events, NEWEST, organisations } from './platform-events.ts';

const ALL = Number(process.env['GP2GP_BENCH_EVENTS'] ?? 10_000_000);
if (!Number.isInteger(ALL) || ALL < 100_000) throw new Error('GP2GP_BENCH_EVENTS: a whole number from 100000 is wanted');
const TENTH = Math.floor(ALL / 10);
/** Lines of the bare COPY. */
const BARE = Math.min(TENTH, 300_000);
const ROUNDS = 5;
/** Turns of storing and not storing; a minute of each in the end. */
const TURNS = 6;
const TURN_MS = { tenth: 2_000, all: 10_000 };
const CONNECTIONS = 64;
/** As many suppliers: each may send so many a second. */
const KEYS = 16;
/** Kinds of pages, and how many of each nobody asked a server for before. */
const PAGES = { practice: 10, area: 10, england: 1, integrationTimes: 1 } as const;
type PageKind = keyof typeof PAGES;
const KINDS = Object.keys(PAGES) as PageKind[];

const folder = await mkdtemp(join(tmpdir(), 'gp2gp-bench-platform-'));
await chmod(folder, 0o755);
const children: ChildProcess[] = [];
const figures: Figure[] = [];
const database = await startEmbedded(join(folder, 'database'), { settings: PLATFORM_SETTINGS });
const db = await openPlatform(database.url);
let posted = ALL;
try {
  await writeOrganisations(db, organisations());
  const keys = await Promise.all(Array.from({ length: KEYS }, (_, at) => addSubmitter(db, `bench ${at}`)));
  const bare = BARE / (await secondsOf(() => copyBare(BARE)));
  const tenth = await measured(0, TENTH, keys, TURN_MS.tenth);
  const all = await measured(TENTH, ALL, keys, TURN_MS.all);
  figure('load', 'events/s', all.load, 'COPY into a table without an index', bare);
  figure('fold', 'events/s', all.fold, 'the first tenth', tenth.fold);
  figure('ingest', 'events/s', all.ingest.kept, 'the same server, nothing kept', all.ingest.bare, all.ingest.peak);
  figure('month', 's', all.month, 'at a tenth of the events', tenth.month);
  for (const kind of KINDS) figure(`page.${kind}`, 'ms', all.pages[kind], 'at a tenth of the events', tenth.pages[kind]);
  const firstByte = ({ pages }: Measured) => Math.max(...KINDS.map((kind) => pages[kind]));
  const growth = (name: string, unit: string, of: (each: Measured) => number, peak?: number) =>
    figure(`growth.${name}`, unit, of(all), `at ${TENTH} events`, of(tenth), peak);
  growth('load', 'events/s', ({ load }) => load);
  growth('fold', 'events/s', ({ fold }) => fold);
  growth('ingest', 'events/s', ({ ingest }) => ingest.kept, all.ingest.peak);
  growth('month', 's', ({ month }) => month);
  growth('firstByte', 'ms', firstByte);
  growth('size', 'MB', ({ megabytes }) => megabytes);
  print(figures);
} finally {
  for (const child of children) child.kill();
  await db.destroy();
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}

type Measured = Awaited<ReturnType<typeof measured>>;

async function measured(from: number, until: number, keys: readonly string[], turnMs: number) {
  const { loading, folding } = await load(from, until);
  const seen = await reads(db);
  const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(db);
  const ingested = await ingest(keys, turnMs);
  return {
    load: (until - from) / loading,
    fold: (until - from) / folding,
    megabytes: (rows[0]?.bytes ?? 0) / 1e6,
    ingest: ingested,
    ...seen,
  };
}

function figure(name: string, unit: string, value: number, baseline: string, baselineValue: number, peakRssBytes = peakRss()): void {
  figures.push({ name: `platform.${name}`, unit, value, baseline, baselineValue, peakRssBytes });
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

async function load(from: number, until: number): Promise<{ readonly loading: number; readonly folding: number }> {
  const loading = await secondsOf(async () => {
    const { written } = await loadEvents(db, database.url, events(from, until), progress('loaded', from));
    if (written !== until - from) throw new Error(`${written} of ${until - from} events were new`);
  });
  const folding = await secondsOf(() => foldAll(db, progress('transfers folded', 0)));
  await allCounted(until);
  // Reports are there once a day is counted.
  await countDays(db, 1);
  const published = await publishMonth(db, NEWEST, 1);
  if ('faults' in published) throw new Error(published.faults.slice(0, 5).join('; '));
  return { loading, folding };
}

function progress(what: string, before: number): (count: number) => void {
  const from = performance.now();
  return (count) => console.error(`${((performance.now() - from) / 1000).toFixed(0).padStart(5)} s  ${before + count} ${what}`);
}

/** England has every request once, and no month lies among the others. */
async function allCounted(until: number): Promise<void> {
  const { rows } = await sql<{ counted: number; strays: number }>`
    select (select sum(requested)::int from platform.months where calendar = 'UTC' and role = 'requesting' and level = 'england') as counted,
      (select count(*)::int from platform.events_other) as strays`.execute(db);
  const { rows: transfers } = await sql<{ requests: number }>`
    select count(*)::int as requests from platform.transfers where requested_at is not null`.execute(db);
  const requests = transfers[0]?.requests;
  if (rows[0]?.counted !== requests || rows[0]?.strays !== 0 || (posted === ALL && requests !== Math.floor((until + 3) / 6)))
    throw new Error(`${rows[0]?.counted} requests are counted of ${requests}, ${rows[0]?.strays} events lie outside their month`);
}

/** The same lines, made as costly, into a table that nothing else belongs to. */
async function copyBare(count: number): Promise<void> {
  const session = await copySession(database.url);
  await session.run('create table bare (like platform.events)');
  await session.run('alter table bare alter received_at drop not null, alter batch drop not null');
  await session.copy(
    'copy bare (at, event_id, digest, type, conversation, supplier, reporting, requesting, sending, payload) from stdin',
    (function* () {
      let text = '';
      let lines = 0;
      for (const { at, eventId, digest, type, conversation, supplier, reporting, requesting, sending, payload } of events(0, count)) {
        text += copyLine([at, eventId, digest, type, conversation, supplier, reporting, requesting, sending, payload]);
        if (++lines % 500 > 0) continue;
        yield text;
        text = '';
      }
      yield text;
    })(),
  );
  await session.run('drop table bare');
  await session.end();
}

/** The six months that are published, of all practices, as a file; and pages that nobody asked for before, up to their first byte. */
async function reads(of: PlatformDb): Promise<{ readonly month: number; readonly pages: Readonly<Record<PageKind, number>> }> {
  const months: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    months.push(
      await secondsOf(async () => {
        const found = await practiceCounts(of, { newest: NEWEST, months: 6, all: true });
        const metrics = practiceMetrics(found.practices, found.months, monthStart(addMonths(NEWEST, 1), 'UTC'));
        if (metrics.practices.length !== england.practices.length) throw new Error(`${metrics.practices.length} practices`);
        return JSON.stringify(metrics);
      }),
    );
  }
  const areas = england.areas.filter(({ kind }) => kind === 'sicbl');
  const pathOf = {
    practice: (at: number) => `/practice/${england.practices[(at * 97) % england.practices.length]?.code}`,
    area: (at: number) => `/sub-icb-location/${areas[at % areas.length]?.code}`,
    england: () => '/england?by=sicbl',
    // Days of two months.
    integrationTimes: () =>
      `/reports/sub-icb-location-level-integration-times?from=${NEWEST.year}-${String(NEWEST.month - 1).padStart(2, '0')}-20&days=31`,
  };
  const pages = { practice: 0, area: 0, england: 0, integrationTimes: 0 };
  for (const kind of KINDS) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // A server that has kept no answer yet; its connection is made by a page that is not counted.
      const server = await siteServer({ ...storeReads(of), operational: operationalReads(of) });
      const at = await listen(server);
      await (await fetch(`${at}/accessibility-statement`)).text();
      for (let page = 0; page < PAGES[kind]; page++) {
        const from = performance.now();
        const response = await fetch(`${at}${pathOf[kind](round * 10 + page)}`);
        times.push(performance.now() - from);
        if (response.status !== 200) throw new Error(`${response.status} for ${kind}`);
        await response.arrayBuffer();
      }
      await server.close();
    }
    pages[kind] = median(times);
  }
  return { month: median(months), pages };
}

/** One event a request, in turns with the server that keeps nothing. */
async function ingest(
  keys: readonly string[],
  turnMs: number,
): Promise<{ readonly kept: number; readonly bare: number; readonly peak: number }> {
  const start = async (...args: readonly string[]) => {
    const child = fork(join(import.meta.dirname, 'platform-server.ts'), [...args]);
    children.push(child);
    const [url] = (await once(child, 'message')) as [string];
    return { child, pool: new Pool(url, { connections: CONNECTIONS }) };
  };
  const own = await start(database.url);
  const bare = await start();
  const rate = async ({ pool }: { readonly pool: Pool }, milliseconds: number): Promise<number> => {
    const from = performance.now();
    let taken = 0;
    const send = async () => {
      while (performance.now() - from < milliseconds) {
        const number = posted++;
        const { path, body } = eventOf(number, true);
        const { statusCode, body: answer } = await pool.request({
          method: 'POST',
          path: `/${path}`,
          headers: { apikey: keys[number % KEYS] ?? '', 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        const text = await answer.text();
        if (statusCode !== 200) throw new Error(`${statusCode}: ${text}`);
        taken++;
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, send));
    return (taken * 1000) / (performance.now() - from);
  };
  // Both are warm before it counts.
  await rate(own, 2_000);
  await rate(bare, 2_000);
  const rates = { own: [] as number[], bare: [] as number[] };
  for (let turn = 0; turn < TURNS; turn++) {
    rates.own.push(await rate(own, turnMs));
    rates.bare.push(await rate(bare, turnMs));
  }
  own.child.send('peak');
  const [peak] = (await once(own.child, 'message')) as [number];
  await Promise.all([own.pool.close(), bare.pool.close()]);
  for (const { child } of [own, bare]) {
    child.kill();
    await once(child, 'exit');
  }
  return { kept: mean(rates.own), bare: mean(rates.bare), peak };
}

/** Over the whole time: what a fold takes meanwhile is part of it. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

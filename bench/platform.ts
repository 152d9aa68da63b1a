/**
 * National reporting over GP2GP_BENCH_EVENTS events (a million unless said otherwise): loading and folding them, taking them one by one over
 * HTTP beside the same server over a database that keeps nothing, and what is read from them, at a tenth of the events and at all.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { copyLine, copySession } from '../src/database/copy.ts';
import { startEmbedded } from '../src/database/embedded.ts';
import { addSubmitter } from '../src/platform/ingest/submitters.ts';
import { addMonths, monthStart } from '../src/platform/metrics/month.ts';
import { practiceMetrics } from '../src/platform/metrics/practices.ts';
import { siteServer } from '../src/platform/site/site.ts';
import { storeReads } from '../src/platform/site/store-reads.ts';
import { loadEvents } from '../src/platform/store/bulk.ts';
import { foldAll } from '../src/platform/store/fold.ts';
import { openPlatform, type PlatformDb } from '../src/platform/store/open.ts';
import { writeOrganisations } from '../src/platform/store/organisations.ts';
import { publishMonth } from '../src/platform/store/publish.ts';
import { practiceCounts } from '../src/platform/store/reads.ts';
import { listen } from '../src/web/server.ts';
import { type Figure, median, peakRss, print } from './figure.ts';
import { england, eventOf, events, NEWEST, organisations } from './platform-events.ts';

const ALL = Number(process.env['GP2GP_BENCH_EVENTS'] ?? 1_000_000);
if (!Number.isInteger(ALL) || ALL < 100_000) throw new Error('GP2GP_BENCH_EVENTS: a whole number from 100000 is wanted');
const TENTH = Math.floor(ALL / 10);
const ROUNDS = 5;
const ROUND_MS = 2_000;
const CONNECTIONS = 64;
const KINDS = ['practice', 'area', 'england'] as const;

const folder = await mkdtemp(join(tmpdir(), 'gp2gp-bench-platform-'));
await chmod(folder, 0o755);
const children: ChildProcess[] = [];
const figures: Figure[] = [];
const database = await startEmbedded(join(folder, 'database'));
const db = await openPlatform(database.url);
try {
  await writeOrganisations(db, organisations());
  const key = await addSubmitter(db, 'bench');
  const bare = await secondsOf(() => copyBare(TENTH));
  const first = await load(0, TENTH);
  const small = await reads(db);
  const rest = await load(TENTH, ALL);
  const large = await reads(db);
  figure('load', 'events/s', ALL / (first.loading + rest.loading), 'COPY into a table without an index', TENTH / bare);
  figure('fold', 'events/s', (ALL - TENTH) / rest.folding, 'the first tenth', TENTH / first.folding);
  figure('month', 's', large.month, 'at a tenth of the events', small.month);
  for (const kind of KINDS) figure(`page.${kind}`, 'ms', large.pages[kind], 'at a tenth of the events', small.pages[kind]);
  await ingest(key);
  print(figures);
} finally {
  for (const child of children) child.kill();
  await db.destroy();
  await database.stop();
  await rm(folder, { recursive: true, force: true });
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
    const { written } = await loadEvents(db, database.url, events(from, until));
    if (written !== until - from) throw new Error(`${written} of ${until - from} events were new`);
  });
  const folding = await secondsOf(() => foldAll(db));
  const published = await publishMonth(db, NEWEST, 1);
  if ('faults' in published) throw new Error(published.faults.slice(0, 5).join('; '));
  return { loading, folding };
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
async function reads(
  of: PlatformDb,
): Promise<{ readonly month: number; readonly pages: Readonly<Record<(typeof KINDS)[number], number>> }> {
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
  };
  const pages = { practice: 0, area: 0, england: 0 };
  for (const kind of KINDS) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // A server that has kept no answer yet; its connection is made by a page that is not counted.
      const server = await siteServer(storeReads(of));
      const at = await listen(server);
      await (await fetch(`${at}/accessibility-statement`)).text();
      for (let page = 0; page < (kind === 'england' ? 1 : 10); page++) {
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

async function ingest(key: string): Promise<void> {
  const start = async (...args: readonly string[]) => {
    const child = fork(join(import.meta.dirname, 'platform-server.ts'), [...args]);
    children.push(child);
    const [url] = (await once(child, 'message')) as [string];
    return { child, pool: new Pool(url, { connections: CONNECTIONS }) };
  };
  const own = await start(database.url);
  const bare = await start();
  let next = ALL;
  const rate = async ({ pool }: { readonly pool: Pool }): Promise<number> => {
    const from = performance.now();
    let taken = 0;
    const send = async () => {
      while (performance.now() - from < ROUND_MS) {
        const { path, body } = eventOf(next++);
        const { statusCode, body: answer } = await pool.request({
          method: 'POST',
          path: `/${path}`,
          headers: { apikey: key, 'content-type': 'application/json' },
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
  const rates = { own: [] as number[], bare: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    const [kept, not] = [await rate(own), await rate(bare)];
    // The first warms both up.
    if (round === 0) continue;
    rates.own.push(kept);
    rates.bare.push(not);
  }
  own.child.send('peak');
  const [peak] = (await once(own.child, 'message')) as [number];
  figure('ingest', 'events/s', median(rates.own), 'the same server, nothing kept', median(rates.bare), peak);
  await Promise.all([own.pool.close(), bare.pool.close()]);
}

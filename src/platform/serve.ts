/** The platform at work: events are taken, folded into figures, and shown. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckMode } from '../mi/check.ts';
import { createServer, listen } from '../web/server.ts';
import { type WatchOptions, watchAlerts } from './alerts/watch.ts';
import { ingestApi } from './ingest/api.ts';
import { keyring } from './ingest/submitters.ts';
import { keepSchedule, type ScheduleOptions } from './reports/schedule.ts';
import { operationalReads } from './site/operational-reads.ts';
import { siteServer } from './site/site.ts';
import { storeReads } from './site/store-reads.ts';
import { countDays } from './store/days.ts';
import { foldNew } from './store/fold.ts';
import type { PlatformDb } from './store/open.ts';

export type PlatformOptions = {
  readonly host: string;
  readonly port: number;
  /** A port of its own for the nine endpoints; left out, they are where the site is. */
  readonly apiPort?: number;
  /** A port of its own for the operational reports, which a reader's key opens; left out, they are not served. */
  readonly reports?: { readonly host: string; readonly port: number };
  /** Report files and publications at their times; left out, nothing is written and months are opened by hand. */
  readonly schedule?: Pick<ScheduleOptions, 'folder' | 'publish' | 'schedule' | 'gaps'>;
  readonly mode: CheckMode;
  /** How long to rest when all that came is folded. */
  readonly foldMs: number;
  /** How often alerts are looked for, what a day may have of technical failures, and who hears of them; left out, none are looked for. */
  readonly alerts?: Pick<WatchOptions, 'everyMs' | 'failurePercent' | 'webhook' | 'say'>;
  readonly onFault: (thrown: unknown, where: string) => void;
};
export type RunningPlatform = {
  readonly site: string;
  readonly api: string;
  readonly reports: string | null;
  /** Takes nothing new; what was taken is written, a fold that has begun comes to its end. */
  close(): Promise<void>;
};

/** Whoever looks after transfers wants to see what came a minute ago. */
const REPORTS_FRESH_MS = 10_000;
/** After a fold that failed: the database may be away for a while. */
const AFTER_FAULT_MS = 5_000;

/** Serves the endpoints, the site and the reports, folds what comes, and looks for alerts. The database stays the caller's. */
export async function startPlatform(db: PlatformDb, options: PlatformOptions): Promise<RunningPlatform> {
  const { host, port, apiPort, reports, mode, onFault } = options;
  const site = await siteServer(storeReads(db), { onFault });
  const staff = reports ? await reportsServer(db, onFault) : null;
  const own = apiPort === undefined ? null : createServer({ onFault: (thrown, { route }) => onFault(thrown, route) });
  const ingest = await ingestApi(own ?? site, { db, mode, onFault: (thrown) => onFault(thrown, 'an event was not kept') });
  const closeServers = async () => {
    await Promise.all([site.close(), staff?.close(), own?.close()]);
    await ingest.idle();
  };
  try {
    const siteUrl = await listen(site, { host, port });
    const api = own && apiPort !== undefined ? await listen(own, { host, port: apiPort }) : siteUrl;
    const reportsUrl = staff && reports ? await listen(staff, reports) : null;
    const stop = new AbortController();
    let upToDate = false;
    const folding = foldUntil(db, stop.signal, options, (all) => {
      upToDate = all;
    });
    const watching = options.alerts && watchAlerts(db, stop.signal, { ...options.alerts, onFault, upToDate: () => upToDate });
    const writing =
      options.schedule &&
      keepSchedule(db, stop.signal, {
        ...options.schedule,
        onFault: (thrown) => onFault(thrown, 'on schedule'),
        onBroken: (thrown) => onFault(thrown, 'the schedule'),
      });
    return {
      site: siteUrl,
      api,
      reports: reportsUrl,
      async close() {
        stop.abort();
        await closeServers();
        await Promise.all([folding, watching, writing]);
      },
    };
  } catch (thrown) {
    await closeServers();
    throw thrown;
  }
}

/** The site with the operational reports, for those who have a key. */
async function reportsServer(db: PlatformDb, onFault: PlatformOptions['onFault']) {
  const readerOf = keyring(db, undefined, 'readers');
  return siteServer(
    { ...storeReads(db), operational: operationalReads(db) },
    { onFault, freshMs: REPORTS_FRESH_MS, mayRead: async (key) => (await readerOf(key)) !== null },
  );
}

/** `tell` hears after each fold whether all that came is folded. */
async function foldUntil(
  db: PlatformDb,
  stopped: AbortSignal,
  { foldMs, onFault }: PlatformOptions,
  tell: (all: boolean) => void,
): Promise<void> {
  while (!stopped.aborted) {
    let rest = foldMs;
    try {
      const folded = await foldNew(db);
      tell(!folded.more);
      // Days are counted when nothing more waits to be folded.
      if (folded.more || (await countDays(db)).more) rest = 0;
    } catch (thrown) {
      tell(false);
      onFault(thrown, 'folding');
      rest = AFTER_FAULT_MS;
    }
    if (rest > 0) await sleep(rest, undefined, { signal: stopped }).catch(() => undefined);
  }
}

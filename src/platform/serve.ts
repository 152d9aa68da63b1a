/** The platform at work: events are taken, folded into figures, and shown. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckMode } from '../mi/check.ts';
import { createServer, listen } from '../web/server.ts';
import { ingestApi } from './ingest/api.ts';
import { siteServer } from './site/site.ts';
import { storeReads } from './site/store-reads.ts';
import { foldNew } from './store/fold.ts';
import type { PlatformDb } from './store/open.ts';

export type PlatformOptions = {
  readonly host: string;
  readonly port: number;
  /** A port of its own for the nine endpoints; left out, they are where the site is. */
  readonly apiPort?: number;
  readonly mode: CheckMode;
  /** How long to rest when all that came is folded. */
  readonly foldMs: number;
  readonly onFault: (thrown: unknown, where: string) => void;
};
export type RunningPlatform = {
  readonly site: string;
  readonly api: string;
  /** Takes nothing new; what was taken is written, a fold that has begun comes to its end. */
  close(): Promise<void>;
};

/** After a fold that failed: the database may be away for a while. */
const AFTER_FAULT_MS = 5_000;

/** Serves the endpoints and the site, and folds what comes. The database stays the caller's. */
export async function startPlatform(db: PlatformDb, options: PlatformOptions): Promise<RunningPlatform> {
  const { host, port, apiPort, mode, onFault } = options;
  const site = await siteServer(storeReads(db), { onFault });
  const own = apiPort === undefined ? null : createServer({ onFault: (thrown, { route }) => onFault(thrown, route) });
  const ingest = await ingestApi(own ?? site, { db, mode, onFault: (thrown) => onFault(thrown, 'an event was not kept') });
  const closeServers = async () => {
    await Promise.all([site.close(), own?.close()]);
    await ingest.idle();
  };
  try {
    const siteUrl = await listen(site, { host, port });
    const api = own && apiPort !== undefined ? await listen(own, { host, port: apiPort }) : siteUrl;
    const stop = new AbortController();
    const folding = foldUntil(db, stop.signal, options);
    return {
      site: siteUrl,
      api,
      async close() {
        stop.abort();
        await closeServers();
        await folding;
      },
    };
  } catch (thrown) {
    await closeServers();
    throw thrown;
  }
}

async function foldUntil(db: PlatformDb, stopped: AbortSignal, { foldMs, onFault }: PlatformOptions): Promise<void> {
  while (!stopped.aborted) {
    let rest = foldMs;
    try {
      if ((await foldNew(db)).more) rest = 0;
    } catch (thrown) {
      onFault(thrown, 'folding');
      rest = AFTER_FAULT_MS;
    }
    if (rest > 0) await sleep(rest, undefined, { signal: stopped }).catch(() => undefined);
  }
}

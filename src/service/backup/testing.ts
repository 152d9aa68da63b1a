import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wholeObject } from '../../base/content.ts';
import { conversationId, instant, messageId, transferId } from '../../base/ids.ts';
import type { Db } from '../../database/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../../database/embedded.ts';
import { type Objects, openObjects } from '../../objects/objects.ts';
import { openStore, prepareStore } from '../../store/open.ts';
import type { Tables } from '../../store/tables.ts';
import { insertTransfer } from '../../store/transfers.ts';
import { requestingStates, sendingStates } from '../../transfer/testing.ts';
import type { Transfer } from '../../transfer/types.ts';
import { type BackupDone, backup } from './backup.ts';
import type { Point } from './folder.ts';

/** A node's data without a node: a server of its own, objects, and rows that point at them. */
export type Place = {
  readonly folder: string;
  readonly data: string;
  readonly server: EmbeddedServer;
  readonly db: Db<Tables>;
  readonly objects: Objects;
  close(): Promise<void>;
};

export async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-backup-'));
  await chmod(folder, 0o755);
  const data = join(folder, 'data');
  const opened = await openPlace(data);
  return {
    folder,
    ...opened,
    async close() {
      await opened.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts what a restore, or an earlier start, left in a data folder. */
export async function openPlace(data: string): Promise<Omit<Place, 'folder'>> {
  const server = await startEmbedded(join(data, 'database'));
  const db = openStore(server.url, { connections: 4 });
  const objects = await openObjects(join(data, 'objects'));
  await prepareStore(db, objects.storeId);
  return {
    data,
    server,
    db,
    objects,
    async close() {
      await db.destroy();
      await server.stop();
    },
  };
}

/** Stores a transfer with an object of its own, in the order of a node: first the object, then the row. Gives its id when it is committed. */
export async function commitTransfer(
  { db, objects }: Pick<Place, 'db' | 'objects'>,
  like: Transfer = requestingStates.converting,
): Promise<string> {
  const id = randomUUID().toUpperCase();
  const object = await objects.put(Buffer.from(`the record of ${id}`));
  const core = { messageId: messageId(`CORE-${id}`), at: instant(new Date()), version: 'UK06', hl7: wholeObject(object) } as const;
  const transfer = {
    ...like,
    id: transferId(id),
    conversationId: conversationId(randomUUID().toUpperCase()),
    ...('core' in like && { core }),
  } as Transfer;
  const registration = {
    type: 'newRegistration',
    permanent: true,
    returning: false,
    authenticated: true,
    traceMatched: true,
    gpLinksComplete: true,
  } as const;
  await insertTransfer(db, transfer, { began: 'registration', registrationId: `R-${id}`, registration });
  return id;
}

/** Transfers that wait for somebody, whose rows point at no object that does not exist. */
export const WAITING = {
  extract: requestingStates.waitingForExtract,
  answer: { ...sendingStates.checking, version: 1 },
} as const;

export type Running = {
  /** Resolves when everything that was committed before it was called is in the backup. */
  caughtUp(): Promise<void>;
  readonly lags: readonly number[];
  readonly said: readonly string[];
  stop(): Promise<BackupDone>;
};

/** A backup that goes on, in this process. */
export function keepBackingUp({ server, data }: Pick<Place, 'server' | 'data'>, into: string): Running {
  const stop = new AbortController();
  const lags: number[] = [];
  const said: string[] = [];
  let point: Point | null = null;
  let whole = false;
  const done = backup({
    url: server.url,
    objects: { folder: join(data, 'objects'), s3: null },
    into,
    once: false,
    baseEveryHours: 24,
    keepDays: 30,
    now: () => new Date(),
    say(line) {
      said.push(line);
      whole ||= /is whole/.test(line);
    },
    onPoint(reached, lagMs) {
      point = reached;
      if (whole) lags.push(lagMs);
    },
    stop: stop.signal,
  });
  done.catch(() => undefined);
  return {
    lags,
    said,
    async caughtUp() {
      const since = new Date().toISOString();
      for (const end = Date.now() + 60_000; ; ) {
        const isTaking = !whole && said.some((line) => /base backup begins/.test(line));
        if (!isTaking && point !== null && (point as Point).at > since) return;
        if (Date.now() > end) throw new Error(`the backup does not catch up: ${said.join('; ')}`);
        await Promise.race([new Promise((later) => setTimeout(later, 50)), done]);
      }
    },
    async stop() {
      stop.abort();
      return done;
    },
  };
}

/**
 * Continuous backup. The log is taken while it is written; before any of it is put into the backup, the objects that are new are. An object
 * is on the node's disk before the row that names it is committed, so the backup never holds a row without its objects.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type Base, takeBase } from '../../database/backup/base.ts';
import { openLogArchive } from '../../database/backup/log-archive.ts';
import { type LogStream, streamLog } from '../../database/backup/log-stream.ts';
import { lsnNumber, lsnText } from '../../database/backup/lsn.ts';
import { openServer, type Position, type Server } from '../../database/backup/server.ts';
import { isDatabaseAway } from '../../database/connect.ts';
import type { Mirror } from '../../objects/mirror.ts';
import { type Mirrored, mirrored } from '../../objects/mirrored.ts';
import type { ObjectsPlace } from '../../objects/place.ts';
import { type BackupFolder, beginBackup, createPoints, type Point, resumeAt } from './folder.ts';
import { prune } from './prune.ts';

export type BackupOptions = {
  readonly url: string;
  readonly objects: ObjectsPlace;
  readonly into: string;
  /** Ends when a new base backup is whole. */
  readonly once: boolean;
  /** A new base backup after so many hours: the older it is, the longer a restore takes. */
  readonly baseEveryHours: number;
  /** How far back a restore may go. */
  readonly keepDays: number;
  readonly now: () => Date;
  readonly say: (line: string) => void;
  readonly onPoint?: (point: Point, lagMs: number) => void;
  /** Before the first byte is copied: who copies is written down. */
  readonly onBegin?: (folder: string) => Promise<void>;
  readonly stop: AbortSignal;
};
export type BackupDone = {
  readonly point: Point | null;
  readonly bases: number;
  readonly objects: number;
  readonly objectBytes: number;
  readonly logBytes: number;
  /** The longest time between a commit and its being in the backup. */
  readonly lagMs: number;
  /** Objects of the node whose bytes are not what their name promises. */
  readonly altered: readonly string[];
};

const IDLE_MS = 1_000;
const AGAIN_MS = 2_000;
const TAKEN = 'backup.taken';

type State = { -readonly [Name in Exclude<keyof BackupDone, 'altered'>]: BackupDone[Name] } & { readonly altered: Set<string> };

/** Backs up until it is told to stop, or `once`. While the database is away it waits; every other fault ends it. */
export async function backup(options: BackupOptions): Promise<BackupDone> {
  const { once, say, stop } = options;
  const state: State = { point: null, bases: 0, objects: 0, objectBytes: 0, logBytes: 0, lagMs: 0, altered: new Set() };
  const store = await mirrored(options.objects);
  const mirrors = new Map<string, Mirror>();
  let begun = false;
  for (let isAway = false; ; ) {
    try {
      await session(options, state, store, mirrors, async (folder) => {
        if (isAway) say('the database is back');
        isAway = false;
        if (!begun) await options.onBegin?.(folder);
        begun = true;
      });
      return { ...state, altered: [...state.altered] };
    } catch (error) {
      // A turn that our own connection held before it broke may be there for a while.
      const comesBack = isDatabaseAway(error) || (isAway && error instanceof Fault && error.code === TAKEN);
      if (once || !comesBack) throw error;
      if (!isAway) say(`the database is away (${reasonOf(error)}); the backup goes on when it is back`);
      isAway = true;
    }
    await sleep(AGAIN_MS, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return { ...state, altered: [...state.altered] };
  }
}

async function session(
  options: BackupOptions,
  state: State,
  store: Mirrored,
  mirrors: Map<string, Mirror>,
  connected: (folder: string) => Promise<void>,
): Promise<void> {
  const server = await openServer(options.url);
  try {
    const folder = await beginBackup(options.into, server.identity.system);
    // Two that write the same log into one folder spoil it.
    if (!(await server.holdAlone(folder.turn)))
      throw new Fault(TAKEN, `another gp2gp store backup writes into ${folder.home} now`, {
        remedy: 'Let that one go on: it takes base backups by itself (--base-every). Or end it first, or name another folder.',
      });
    await connected(folder.home);
    const mirror = mirrors.get(folder.objects) ?? (await store.openMirror(folder.objects));
    mirrors.set(folder.objects, mirror);
    // The first time it may take long, and the server need not hold its log for it.
    await copyObjects(mirror, state, options.say);
    await follow(options, server, folder, { store, mirror }, state);
  } finally {
    await server.close();
  }
}

async function follow(
  options: BackupOptions,
  server: Server,
  folder: BackupFolder,
  { store, mirror }: { readonly store: Mirrored; readonly mirror: Mirror },
  state: State,
): Promise<void> {
  const { once, say, stop, now } = options;
  const { identity } = server;
  const known = await resumeAt(folder, identity.timeline);
  const { stream, resumed } = await openStream(options, server, known?.end ?? null);
  const archive = await openLogArchive(folder.log, { ...identity, from: stream.from });
  const note = createPoints(folder);
  let newest: Base | null = resumed ? (known?.base ?? null) : null;
  if (!resumed && known) say(`the server has log no more from ${lsnText(known.end)} on: a new base backup begins`);
  const over = new AbortController();
  let taking: Promise<Base> | null = null;
  let taken: { base: Base } | { error: unknown } | null = null;
  let asked: Position | null = null;
  let last: Position | null = null;
  const isDue = (): boolean =>
    newest === null || (once && state.bases === 0) || now().getTime() - Date.parse(newest.startedAt) > options.baseEveryHours * 3_600_000;
  try {
    for (;;) {
      if (taking === null && isDue()) {
        say('a base backup begins');
        taking = takeBase(options.url, identity, folder.bases, now, over.signal);
        taking.then(
          (base) => (taken = { base }),
          (error: unknown) => (taken = { error }),
        );
      }
      asked ??= await server.position();
      const pieces = await stream.take(IDLE_MS);
      // Whatever has come names only objects that are there by now; where nothing has, no row names a new one.
      if (pieces.length > 0) await copyObjects(mirror, state, say);
      for (const piece of pieces) {
        await archive.append(piece);
        state.logBytes += piece.data.byteLength;
      }
      const tail = await archive.sync();
      stream.confirm(tail.lsn);
      if (tail.lsn >= asked.lsn) {
        last = asked;
        asked = null;
        state.point = { at: last.at, lsn: lsnText(tail.lsn), timeline: identity.timeline, tail: tail.sha256 };
        await note(state.point);
        const lagMs = now().getTime() - Date.parse(last.at);
        if (newest) state.lagMs = Math.max(state.lagMs, lagMs);
        options.onPoint?.(state.point, lagMs);
      }
      const outcome = taken as { base: Base } | { error: unknown } | null;
      if (outcome && 'error' in outcome) throw outcome.error;
      if (outcome && tail.lsn >= lsnNumber(outcome.base.stopLsn)) {
        newest = outcome.base;
        state.bases++;
        [taking, taken] = [null, null];
        say(`the base backup ${newest.name} is whole: ${newest.bytes} bytes`);
        const removed = await prune(folder, store.names, options.keepDays, now());
        if (removed.bases > 0)
          say(`${removed.bases} base backups older than ${options.keepDays} days are removed, and ${removed.objects} objects`);
        asked = null;
        last = null;
      }
      // The point after the base: what was committed until now.
      if (once && state.bases > 0 && last !== null) return;
      if (stop.aborted) return;
      if (pieces.length > 0) await sleep(store.restMs);
    }
  } finally {
    over.abort();
    await archive.close();
    await stream.close();
    // What became of it, if it was not done, is of no interest any more.
    await (taking as Promise<Base> | null)?.catch(() => undefined);
  }
}

/** Where the log can be had without a gap it goes on from there. */
async function openStream(
  { url, once }: BackupOptions,
  { identity }: Server,
  from: bigint | null,
): Promise<{ stream: LogStream; resumed: boolean }> {
  const open = (at: bigint | null): Promise<LogStream> => streamLog(url, { ...identity, from: at, once });
  if (from === null) return { stream: await open(null), resumed: false };
  try {
    return { stream: await open(from), resumed: true };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'backup.logRemoved') throw error;
    return { stream: await open(null), resumed: false };
  }
}

async function copyObjects(mirror: Mirror, state: State, say: (line: string) => void): Promise<void> {
  const { copied, bytes, altered } = await mirror.copyNew();
  state.objects += copied;
  state.objectBytes += bytes;
  for (const name of altered) {
    if (state.altered.has(name)) continue;
    state.altered.add(name);
    say(`the node's object ${name} is not what its name says, and is left out: its disk is to be looked at`);
  }
}

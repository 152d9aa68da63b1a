/**
 * Puts a backup back: the database as it was at a moment, every object that its rows name, and a list by name of every conversation that
 * may have lost a message after that moment.
 */
import { chmod, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type Instant, instant } from '../../base/ids.ts';
import type { Base } from '../../database/backup/base.ts';
import { lsnText } from '../../database/backup/lsn.ts';
import { recover } from '../../database/backup/recover.ts';
import { type Db, transaction } from '../../database/connect.ts';
import { type EmbeddedServer, isAlive, serverOn } from '../../database/embedded.ts';
import { type Copied, openMirror } from '../../objects/mirror.ts';
import { putBack } from '../../objects/mirror-s3.ts';
import { openStoreAgain } from '../../objects/mirrored.ts';
import { type Objects, openObjects } from '../../objects/objects.ts';
import type { S3Settings } from '../../objects/s3-client.ts';
import { audit } from '../../store/audit.ts';
import { giveUpDegrades } from '../../store/mi-events.ts';
import { openStore, prepareStore } from '../../store/open.ts';
import { changedSince, knownOf, type NamedTransfer, ownersOf, referencedAddresses, runningEverywhere } from '../../store/restored.ts';
import type { Tables } from '../../store/tables.ts';
import { raiseTask } from '../../store/tasks.ts';
import { afterRestore } from '../../transfer/after-restore.ts';
import { referencedNow } from '../retention.ts';
import { type Backup, readBackup, type Span, spanFor } from './folder.ts';
import { discardNow, discardScratch, markFinished, markUnfinished, unfinishedBy } from './unfinished.ts';

export type RestoreOptions = {
  readonly from: string;
  /** The data folder of the node that is to go on. */
  readonly to: string;
  /** `null`: everything that the backup holds. */
  readonly at: Date | null;
  /** The bucket that the objects go back to; left out, into the data folder. */
  readonly s3?: S3Settings;
  /** PostgreSQL's programs of another version than ours. */
  readonly programs?: string;
  readonly now: () => Date;
  readonly say: (line: string) => void;
  /** Who does it, for the audit of the node that goes on. */
  readonly by: string;
  /** Called with the folder in which something is put now: what whoever is interrupted discards. */
  readonly onFolder?: (folder: string) => void;
};
export type Listed = NamedTransfer & {
  /** `person`: a task stands in its practice's list. `unknown`: it began after the moment, and this node does not know it. */
  readonly who: 'person' | 'unknown' | 'later';
  readonly why: string;
};
export type Restored = {
  /** Under which the database was asked, and of which version of PostgreSQL it is. */
  readonly database: Pick<Base, 'user' | 'database' | 'major'>;
  /** Everything committed before is there. */
  readonly at: string;
  readonly lsn: string;
  readonly objects: number;
  /** Objects that rows name and the backup has not, or not as they were: and whose they are. */
  readonly missing: readonly { readonly sha256: string; readonly of: readonly string[] }[];
  readonly list: readonly Listed[];
  readonly seconds: { readonly database: number; readonly objects: number; readonly all: number };
};

/**
 * Restores into an empty folder. The database's server is stopped again; a node that is started there goes on. Of a restore that fails
 * nothing stays; one that is killed is marked, and replaced by the next.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const backup = await readBackup(options.from);
  const span = spanFor(backup, options.at);
  const home = resolve(options.to);
  await emptyTarget(home, options.say);
  await mkdir(home, { recursive: true });
  await markUnfinished(home);
  options.onFolder?.(home);
  try {
    const restored = await putAllBack(options, backup, span, home);
    await markFinished(home);
    return restored;
  } catch (error) {
    discardNow(home);
    throw error;
  }
}

async function putAllBack(options: RestoreOptions, backup: Backup, span: Span, home: string): Promise<Restored> {
  const { at, now, say } = options;
  const began = now().getTime();
  say(`the base backup ${span.base.name} and ${span.segments.length} log segments are put in place`);
  const recovered = await recoverSpan(backup, span, join(home, 'database'), at, options.programs);
  const database = now().getTime();
  try {
    say('the objects are copied');
    const { objects, copied, altered } = await objectsBack(backup.folder.objects, join(home, 'objects'), options.s3);
    for (const name of altered) say(`the object ${name} is not what it was, and is left out`);
    const copiedAt = now().getTime();
    const moment = instant(at ?? new Date(span.to));
    const list = await onStore(recovered.server, async (db) => {
      await prepareStore(db, objects.storeId);
      const detail = { to: moment, from: backup.folder.home };
      await audit(db, { practice: null, transfer: null, actor: options.by, action: 'databaseRestored', detail });
      const missing = await missingObjects(db, objects);
      const degrades = await giveUpDegrades(db);
      if (degrades > 0) say(`${degrades} posts of degrades waited then: they may have been told since, and are not told again`);
      const running = await markRunning(db, moment);
      const later = at === null ? [] : await laterThan(backup, db, moment, home, options);
      return { missing, list: [...running, ...later] };
    });
    const ended = now().getTime();
    await writeFile(join(home, 'after-restore.json'), `${JSON.stringify({ at: moment, ...list }, null, 1)}\n`, { mode: 0o600 });
    return {
      database: { user: span.base.user, database: span.base.database, major: span.base.major },
      at: moment,
      lsn: lsnText(recovered.reached),
      objects: copied,
      ...list,
      seconds: { database: (database - began) / 1_000, objects: (copiedAt - database) / 1_000, all: (ended - began) / 1_000 },
    };
  } finally {
    await recovered.server.stop();
  }
}

/** The objects in their new place. What is damaged is not put there. */
async function objectsBack(from: string, folder: string, s3: S3Settings | undefined): Promise<Copied & { readonly objects: Objects }> {
  if (!s3) {
    const copied = await (await openMirror(from, folder)).copyNew();
    return { ...copied, objects: await openObjects(folder) };
  }
  const objects = await openStoreAgain(s3, (await readFile(join(from, 'store-id'), 'utf8')).trim());
  return { ...(await putBack(from, objects)), objects };
}

export function recoverSpan(backup: Backup, span: Span, into: string, at: Date | null, programs: string | undefined) {
  const { base, segments, tail } = span;
  return recover({
    base,
    baseFolder: join(backup.folder.bases, base.name),
    logFolder: backup.folder.log,
    segments,
    tail,
    into,
    ...(at && { until: at }),
    ...(programs !== undefined && { programs }),
  });
}

/** A restore writes over nothing but what an unfinished one has left. */
async function emptyTarget(home: string, say: (line: string) => void): Promise<void> {
  const pid = await unfinishedBy(home);
  if (pid !== null) {
    if (pid !== process.pid && isAlive(pid))
      throw new Fault('restore.taken', `another restore (process ${pid}) puts something into ${home} now`, {
        remedy: 'Let it end, or name another folder.',
      });
    say(`what an unfinished restore has left in ${home} is replaced`);
    discardNow(home);
  }
  for (const place of [home, join(home, 'database')]) {
    const server = await serverOn(place);
    if (server !== null)
      throw new Fault('restore.running', `a node's database (process ${server}) runs on ${place}`, {
        remedy: 'Stop the node, then restore into a new folder and start it there.',
      });
  }
  const there = await readdir(home).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
  if (there.length > 0)
    throw new Fault('restore.notEmpty', `${home} is not empty`, {
      remedy: 'Name a folder that is empty or does not exist; move the old one away, and keep it until all is well.',
    });
}

export async function onStore<Result>(server: EmbeddedServer, work: (db: Db<Tables>) => Promise<Result>): Promise<Result> {
  const db = openStore(server.url, { connections: 2 });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** Objects that a row points at and that are not there. Their bytes were checked when they were copied. */
export async function missingObjects(db: Db<Tables>, objects: Objects): Promise<Restored['missing']> {
  const addresses = await transaction(
    db,
    async (store) => {
      await referencedNow(store, objects);
      return referencedAddresses(store);
    },
    { snapshot: true },
  );
  const missing = [];
  const there = new Set<string>();
  for await (const { ref } of objects.list()) there.add(ref.sha256);
  for (const sha256 of addresses) {
    if (there.has(sha256)) continue;
    const owners = await ownersOf(db, sha256);
    missing.push({ sha256, of: owners.map(({ practice, transfer }) => `${practice}/${transfer ?? 'a message without a transfer'}`) });
  }
  return missing;
}

/** Every transfer that waited for a message goes to a person's list. */
async function markRunning(db: Db<Tables>, moment: Instant): Promise<Listed[]> {
  const list: Listed[] = [];
  for (const { named, transfer } of await runningEverywhere(db)) {
    const after = afterRestore(transfer);
    if (!after) continue;
    const { practice, id } = named;
    await transaction(db, async (store) => {
      await raiseTask(store, practice, id, after.task, null);
      await audit(store, { practice, transfer: id, actor: 'restore', action: 'restored', detail: { to: moment, task: after.task } });
    });
    list.push({ ...named, who: 'person', why: after.why });
  }
  return list;
}

/** Where the backup knows what came after the moment, by name what is undone: a second server reads the log to its end. */
async function laterThan(
  backup: Backup,
  db: Db<Tables>,
  moment: Instant,
  home: string,
  { programs, say }: RestoreOptions,
): Promise<Listed[]> {
  const newest = spanFor(backup, null);
  if (newest.to <= moment) return [];
  say('what happened after that moment is looked up in the rest of the log');
  const scratch = await scratchFolder(home);
  try {
    const { server } = await recoverSpan(backup, newest, join(scratch, 'database'), null, programs);
    try {
      const later = await onStore(server, (there) => changedSince(there, moment));
      const known = await knownOf(
        db,
        later.map(({ id }) => id),
      );
      return later.map((named) =>
        known.has(named.id)
          ? { ...named, who: 'later', why: `it had gone on, to ${named.outcome ?? named.state}: what was decided or said since is undone` }
          : {
              ...named,
              who: 'unknown',
              why:
                named.role === 'requesting'
                  ? `it was registered after that moment: the practice's system hands in ${named.registrationId ?? 'the registration'} again`
                  : 'it was asked for after that moment: the new practice has to ask again',
            },
      );
    } finally {
      await server.stop();
    }
  } finally {
    discardScratch(scratch);
  }
}

/** Beside a folder, where there is room; open to the account that PostgreSQL runs as. */
export async function scratchFolder(beside: string): Promise<string> {
  const scratch = await mkdtemp(join(beside, 'scratch-')).catch((cause: unknown) => {
    throw new Fault('input.scratch', `${beside}: no scratch folder can be made there (${reasonOf(cause)})`, {
      remedy: 'Name a folder with room for the whole database with --scratch.',
      cause,
    });
  });
  await chmod(scratch, ((await stat(beside)).mode & 0o777) | 0o711);
  return scratch;
}

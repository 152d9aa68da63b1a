/**
 * A backup's folder: `bases/` the copies of the database's files, `log/` what was written since, `objects/` the objects, `point.json` how far
 * all of it reaches, `points.jsonl` how far it reached when.
 */
import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type Base, listBases } from '../../database/backup/base.ts';
import { contiguous, endOf, listLog, type Segment, type Tail } from '../../database/backup/log-archive.ts';
import { lsnNumber, lsnText } from '../../database/backup/lsn.ts';
import { writeWhole } from '../../objects/file.ts';

/** Everything that was committed before `at` is in the backup: rows and objects. */
export type Point = { readonly at: string; readonly lsn: string; readonly timeline: number; readonly tail: string | null };
export type BackupFolder = {
  readonly home: string;
  /** What whoever writes into it holds, at the server that it is a backup of. */
  readonly turn: string;
  readonly bases: string;
  readonly log: string;
  readonly objects: string;
};
/** What can be restored from one base: any moment from its end to `to`. */
export type Span = {
  readonly base: Base;
  readonly segments: readonly Segment[];
  readonly end: bigint;
  readonly from: string;
  readonly to: string;
  readonly tail: Tail | null;
};
export type Backup = {
  readonly folder: BackupFolder;
  readonly system: string;
  readonly point: Point | null;
  readonly spans: readonly Span[];
  /** Base backups whose log does not reach their end, and why. */
  readonly half: readonly string[];
};

const MARK = 'backup.json';
const FORMAT = 1;
/** A line for so many seconds is enough to tell spans apart. */
const POINTS_SECONDS = 30;

type Mark = { readonly format: number; readonly system: string; readonly id?: string };

function foldersOf(path: string, turn: string): BackupFolder {
  const home = resolve(path);
  return { home, turn, bases: join(home, 'bases'), log: join(home, 'log'), objects: join(home, 'objects') };
}

/** Makes a backup's folder for one database, or finds the one of that database there. */
export async function beginBackup(path: string, system: string): Promise<BackupFolder> {
  const home = resolve(path);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const mark = (await readMark(home)) ?? (await makeMark(home, system));
  if (mark.system !== system)
    throw new Fault('backup.otherDatabase', `${home} is the backup of another database (${mark.system}, not ${system})`, {
      remedy: 'Name another folder: two databases never share one.',
    });
  const folder = foldersOf(home, turnOf(mark));
  for (const each of [folder.bases, folder.log, folder.objects]) await mkdir(each, { recursive: true, mode: 0o700 });
  return folder;
}

async function makeMark(home: string, system: string): Promise<Mark> {
  const there = await readdir(home);
  if (there.length > 0)
    throw new Fault('backup.folder', `${home} is not empty and is no backup`, {
      remedy: 'Name an empty folder, or one that does not exist.',
    });
  const mark: Mark = { format: FORMAT, system, id: randomUUID() };
  await writeFile(join(home, MARK), `${JSON.stringify(mark)}\n`, { mode: 0o600, flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    // Of two that begin at once one takes what the other has made.
    if (cause.code !== 'EEXIST') throw cause;
  });
  return (await readMark(home)) ?? mark;
}

/** Folders of versions that gave them no id share one turn a server: too few at once, never too many. */
function turnOf({ id, system }: Mark): string {
  return `gp2gp backup ${id ?? system}`;
}

/** Reads what a backup's folder holds. A folder that is none, or half of one, is a `Fault`. */
export async function readBackup(path: string): Promise<Backup> {
  const home = resolve(path);
  const there = await readdir(home).catch(() => null);
  if (!there)
    throw new Fault('backup.missing', `there is no folder ${home}`, { remedy: 'Name the folder that `gp2gp store backup` wrote.' });
  const mark = await readMark(home);
  if (!mark)
    throw new Fault('backup.missing', `${home} is no backup: it has no ${MARK}`, {
      remedy: 'Name the folder that `gp2gp store backup` wrote.',
    });
  const folder = foldersOf(home, turnOf(mark));
  for (const name of ['bases', 'log', 'objects'])
    if (!there.includes(name)) throw new Fault('backup.half', `the backup ${folder.home} is half: ${name} is missing`, { remedy: HALF });
  if (!(await stat(join(folder.objects, 'store-id')).catch(() => null)))
    throw new Fault('backup.half', `the backup ${folder.home} is half: its objects are not those of a store`, { remedy: HALF });
  const bases = await listBases(folder.bases);
  const point = await readPoint(folder);
  const points = await readPoints(folder);
  const spans: Span[] = [];
  const half: string[] = [];
  for (const base of bases) {
    const start = lsnNumber(base.startLsn);
    const segments = contiguous(await listLog(folder.log, base.segmentBytes), base.timeline, start, base.segmentBytes);
    const end = await endOf(folder.log, segments, base.segmentBytes);
    if (end === null || end < lsnNumber(base.stopLsn)) {
      half.push(`${base.name}: the log reaches ${end === null ? 'nowhere' : lsnText(end)}, and has to reach ${base.stopLsn}`);
      continue;
    }
    const inside = [...points, ...(point ? [point] : [])].filter(
      ({ timeline, lsn }) => timeline === base.timeline && lsnNumber(lsn) <= end && lsnNumber(lsn) >= start,
    );
    const last = [base.endedAt, ...inside.map(({ at }) => at)].sort().at(-1) ?? base.endedAt;
    const tail = point && point.timeline === base.timeline ? { lsn: lsnNumber(point.lsn), sha256: point.tail } : null;
    spans.push({ base, segments, end, from: base.endedAt, to: last, tail });
  }
  return { folder, system: mark.system, point, spans, half };
}

export const HALF = 'Let `gp2gp store backup` run until it says that the base backup is whole, or use another backup.';

/** The span that holds a moment, or the newest, which has to reach as far as the backup once did. */
export function spanFor({ folder, spans, half, point }: Backup, at: Date | null): Span {
  const newest = spans.at(-1);
  if (!newest) throw new Fault('backup.half', `the backup ${folder.home} is half: ${half[0] ?? 'it has no base backup'}`, { remedy: HALF });
  if (at === null) {
    if (point && point.timeline === newest.base.timeline && lsnNumber(point.lsn) > newest.end)
      throw new Fault(
        'restore.gap',
        `the log breaks off at ${lsnText(newest.end)}, before ${point.lsn}: what came later cannot be restored`,
        {
          remedy: `Find the missing segments, or go without them: --at ${newest.to}`,
        },
      );
    return newest;
  }
  const wanted = at.toISOString();
  const found = spans.findLast(({ from, to }) => from <= wanted && wanted <= to);
  if (found) return found;
  throw new Fault('restore.moment', `the backup does not hold ${wanted}`, {
    remedy: `It holds ${spans.map(({ from, to }) => `${from} to ${to}`).join('; ')}.`,
  });
}

/** Where a base backup's log ends, to go on from there; `null`: a new base is needed. */
export async function resumeAt(folder: BackupFolder, timeline: number): Promise<{ readonly base: Base; readonly end: bigint } | null> {
  const base = (await listBases(folder.bases)).findLast((each) => each.timeline === timeline);
  if (!base) return null;
  const segments = contiguous(await listLog(folder.log, base.segmentBytes), timeline, lsnNumber(base.startLsn), base.segmentBytes);
  const end = await endOf(folder.log, segments, base.segmentBytes);
  return end === null ? null : { base, end };
}

/** Notes how far the backup reaches; it never goes back. */
export function createPoints(folder: BackupFolder): (point: Point) => Promise<void> {
  let noted = 0;
  let last: Point | null | undefined;
  return async (point) => {
    last ??= await readPoint(folder);
    if (last && last.timeline === point.timeline && lsnNumber(last.lsn) > lsnNumber(point.lsn)) return;
    last = point;
    const path = join(folder.home, 'point.json');
    await writeWhole(path, `${JSON.stringify(point)}\n`, { mode: 0o600 });
    const seconds = Date.parse(point.at) / 1_000;
    if (seconds - noted < POINTS_SECONDS) return;
    noted = seconds;
    await appendFile(join(folder.home, 'points.jsonl'), `${JSON.stringify({ ...point, tail: null })}\n`, { mode: 0o600 });
  };
}

async function readPoint({ home }: BackupFolder): Promise<Point | null> {
  const text = await readFile(join(home, 'point.json'), 'utf8').catch(() => null);
  return text === null ? null : parse<Point>(text, join(home, 'point.json'));
}

async function readPoints({ home }: BackupFolder): Promise<Point[]> {
  const text = await readFile(join(home, 'points.jsonl'), 'utf8').catch(() => '');
  // The last line may have been cut off by a crash.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => parse<Point>(line, join(home, 'points.jsonl')));
}

async function readMark(home: string): Promise<Mark | null> {
  const text = await readFile(join(home, MARK), 'utf8').catch(() => null);
  if (text === null) return null;
  const mark = parse<Mark>(text, join(home, MARK));
  if (mark.format !== FORMAT)
    throw new Fault('backup.format', `${home} was written by another version (format ${mark.format})`, {
      remedy: 'Use the program that wrote it.',
    });
  return mark;
}

function parse<Result>(text: string, path: string): Result {
  try {
    return JSON.parse(text) as Result;
  } catch (cause) {
    throw new Fault('backup.half', `${path} cannot be read: ${reasonOf(cause)}`, { remedy: 'Use another copy of the backup.', cause });
  }
}

/** What a restore has begun and not finished: marked, so that nobody takes it for whole, and taken away again. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../base/errors.ts';

const MARK = 'restore-unfinished';
const STOP_MS = 10_000;
const LOOK_MS = 20;

/** Before anything is put there. */
export async function markUnfinished(home: string): Promise<void> {
  await writeFile(join(home, MARK), `${process.pid}\n`, { mode: 0o600, flush: true });
}

/** When everything is there. */
export async function markFinished(home: string): Promise<void> {
  await rm(join(home, MARK));
}

/** The process that began a restore there which is not finished; null where there is none. */
export async function unfinishedBy(home: string): Promise<number | null> {
  const text = await readFile(join(home, MARK), 'utf8').catch(() => null);
  return text === null ? null : Number(text);
}

/** A node that started on half a restore would miss what is not there yet. Throws a `Fault` `restore.unfinished`. */
export async function demandFinished(home: string): Promise<void> {
  if ((await unfinishedBy(home)) === null) return;
  throw new Fault('restore.unfinished', `${home} holds a restore that was not finished`, {
    remedy: 'Restore into it again with gp2gp store restore: what is there is replaced.',
  });
}

/**
 * Ends the servers of an unfinished restore and empties its folder. Without a pause in which the restore could go on: whoever is
 * interrupted calls this last.
 */
export function discardNow(home: string): void {
  const names = namesIn(home);
  for (const place of [home, ...names.filter((name) => name.startsWith('scratch-')).map((name) => join(home, name))]) endServer(place);
  // The mark goes last.
  for (const name of [...names.filter((each) => each !== MARK), MARK])
    rmSync(join(home, name), { recursive: true, force: true, maxRetries: 5 });
}

/** The same of a scratch folder, and the folder itself. */
export function discardScratch(folder: string): void {
  discardNow(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function endServer(place: string): void {
  const file = join(place, 'database', 'cluster', 'postmaster.pid');
  const pid = serverPid(file);
  if (pid === null) return;
  // An immediate shutdown: of what it would write nothing is kept.
  if (!signalled(pid, 'SIGQUIT')) return;
  for (let waited = 0; waited < STOP_MS; waited += LOOK_MS) {
    // It takes its file away last. That it ended is told to its parent later, and the parent may be waiting here.
    if (serverPid(file) !== pid || !signalled(pid, 0)) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
  }
  throw new Fault('restore.server', `the database server of the unfinished restore in ${place} (process ${pid}) does not end`, {
    remedy: `End it (kill -9 ${pid}), and delete ${place}.`,
  });
}

function signalled(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function serverPid(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

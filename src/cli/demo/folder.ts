import { readFileSync, rmSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, reasonOf } from '../../base/errors.ts';
import { writeWhole } from '../../objects/file.ts';

/** What a demonstration remembers between two starts on one folder. */
export type Memory = {
  readonly layout: typeof LAYOUT;
  readonly practices: number;
  readonly seed: number;
  /** By NHS number: the practice that holds the record now. */
  readonly holders: Readonly<Record<string, string>>;
};

const LAYOUT = 1;

/** Makes the folder, or finds it again. Throws a `Fault` that says what is in the way. */
export async function openFolder(folder: string): Promise<Memory | null> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new Fault('input.folder', `the data folder ${folder} cannot be made: ${reasonOf(cause)}`, {
      remedy: 'Name another with --data DIR.',
      cause,
    });
  }
  let text: string;
  try {
    text = await readFile(join(folder, 'demo.json'), 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw new Fault('input.folder', `the data folder ${folder} cannot be read: ${reasonOf(cause)}`, {
      remedy: 'Name another with --data DIR.',
      cause,
    });
  }
  const memory = parse(text);
  if (!memory)
    throw new Fault('input.folder', `${join(folder, 'demo.json')} is damaged`, {
      remedy: 'Remove the folder, or name another with --data DIR.',
    });
  if (memory.layout > LAYOUT) {
    throw new Fault('input.newer', `the data folder ${folder} was made by a newer version of this program`, {
      remedy: 'Use that version, or name another folder with --data DIR.',
    });
  }
  return memory;
}

function parse(text: string): Memory | null {
  try {
    const value = JSON.parse(text) as Memory;
    return typeof value === 'object' && value !== null && typeof value.layout === 'number' && typeof value.holders === 'object'
      ? value
      : null;
  } catch {
    return null;
  }
}

export async function remember(folder: string, memory: Omit<Memory, 'layout'>): Promise<void> {
  const path = join(folder, 'demo.json');
  await writeWhole(path, `${JSON.stringify({ layout: LAYOUT, ...memory }, null, 2)}\n`);
}

/**
 * Takes the folder for this process until `release`, or until the process is gone: two demonstrations on one folder would share a
 * database, and the first to end would end it for both. Throws a `Fault` that names the other process.
 */
export async function holdFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const path = join(folder, 'demo.pid');
  const own = `${path}.${process.pid}`;
  try {
    await writeFile(own, `${process.pid}\n`);
  } catch (cause) {
    throw new Fault('input.folder', `the data folder ${folder} cannot be written: ${reasonOf(cause)}`, {
      remedy: 'Name another with --data DIR.',
      cause,
    });
  }
  try {
    for (;;) {
      try {
        // Unlike opening for writing, this never shows anybody a file without a number in it.
        await link(own, path);
        break;
      } catch (cause) {
        if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
        const holder = holderIn(path);
        if (holder !== null && holder !== process.pid && isDemonstration(holder)) {
          throw new Fault('input.folder', `the data folder ${folder} is in use by another demonstration (process ${holder})`, {
            remedy: 'End that one, or name another folder with --data DIR.',
          });
        }
        await rm(path, { force: true });
      }
    }
  } finally {
    await rm(own, { force: true });
  }
  const atExit = () => rmSync(path, { force: true });
  process.once('exit', atExit);
  return {
    async release() {
      process.off('exit', atExit);
      await rm(path, { force: true });
    },
  };
}

function holderIn(path: string): number | null {
  try {
    return Number(readFileSync(path, 'utf8')) || null;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null;
    throw thrown;
  }
}

/** Whether a process lives and may be one of ours; after a restart of the machine its number may be anybody's. */
function isDemonstration(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
  try {
    return /\bdemo\b/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
  } catch {
    // Only Linux tells; elsewhere a living process is believed.
    return true;
  }
}

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Fault, reasonOf } from '../../base/errors.ts';

/** What a demonstration remembers between two starts on one folder. */
export type Memory = {
  readonly layout: typeof LAYOUT;
  readonly practices: number;
  readonly seed: number;
  /** By NHS number: the practice that holds the record now. */
  readonly holders: Readonly<Record<string, string>>;
};

const LAYOUT = 1;

/** Where data lie unless `--data` says otherwise: the user's data directory, as the XDG base directory specification has it. */
export function defaultDataFolder(): string {
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'gp2gp', 'demo');
}

/** Makes the folder, or finds it again. Throws a `Fault` that says what is in the way. */
export async function openFolder(folder: string): Promise<Memory | null> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new Fault('demo.folder', `the data folder ${folder} cannot be made: ${reasonOf(cause)}`, {
      remedy: 'Name another with --data DIR.',
      cause,
    });
  }
  let text: string;
  try {
    text = await readFile(join(folder, 'demo.json'), 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw new Fault('demo.folder', `the data folder ${folder} cannot be read: ${reasonOf(cause)}`, {
      remedy: 'Name another with --data DIR.',
      cause,
    });
  }
  const memory = parse(text);
  if (!memory)
    throw new Fault('demo.folder', `${join(folder, 'demo.json')} is damaged`, {
      remedy: 'Remove the folder, or name another with --data DIR.',
    });
  if (memory.layout > LAYOUT) {
    throw new Fault('demo.newer', `the data folder ${folder} was made by a newer version of this program`, {
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
  await writeFile(`${path}.new`, `${JSON.stringify({ layout: LAYOUT, ...memory }, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

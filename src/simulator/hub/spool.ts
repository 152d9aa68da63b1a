/**
 * Where the hub keeps messages until they are delivered: files that are used again. A file system such as ext4 gives nobody the number of a
 * file that was deleted in the last minutes, and looks at each of them for every new file; a hub that made and deleted one for each message
 * spent more time on that than on anything else.
 */
import { constants, rmSync } from 'node:fs';
import { mkdir, readdir, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** How many files, and how many bytes of them, may wait to be used again. */
const MOST_FILES = 1_000;
const MOST_BYTES = 200_000_000;
/** Opens a file of the spool for a new message: what it held is written over, and stays where the new message is shorter. */
export const OVER = constants.O_WRONLY | constants.O_CREAT;

export type Spool = {
  /** The name of a file for a new message, which may hold an older one. */
  take(): string;
  pathOf(name: string): string;
  /** Gives a file back that holds so many bytes, or was never made: whoever read it has ended. */
  give(name: string, bytes: number): void;
};

/**
 * Opens a folder as a spool. `kept`: what an earlier life left there undelivered, by name with its length, behind which nothing stays;
 * anything else there is deleted. `again`: false where others hold its files too, which must then never change.
 */
export async function openSpool(folder: string, kept: ReadonlyMap<string, number>, again: boolean): Promise<Spool> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const length = kept.get(name);
    if (length === undefined) await unlink(join(folder, name));
    else await truncate(join(folder, name), length);
  }
  const free: { readonly name: string; readonly bytes: number }[] = [];
  let freeBytes = 0;
  let last = 0;
  const pathOf = (name: string): string => join(folder, name);
  return {
    take: () => {
      const found = free.pop();
      if (found) {
        freeBytes -= found.bytes;
        return found.name;
      }
      let name: string;
      do name = `${++last}.mime`;
      while (kept.has(name));
      return name;
    },
    pathOf,
    give: (name, bytes) => {
      if (again && free.length < MOST_FILES && freeBytes + bytes <= MOST_BYTES) {
        free.push({ name, bytes });
        freeBytes += bytes;
      } else rmSync(pathOf(name), { force: true });
    },
  };
}

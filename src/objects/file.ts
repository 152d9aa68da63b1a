/**
 * Files by their descriptors. What looks up, makes or changes a name is done at once: it takes microseconds, and handing it to the pool
 * of threads and back takes several times as long. What moves bytes or waits for the disk goes to the pool.
 */
import { closeSync, fdatasync, fsync, openSync, read, renameSync, utimesSync, write, writeFileSync } from 'node:fs';

/** Opens a file or a folder with the flags and the mode of `open`, lets `work` use it, and closes it. */
export async function withFile<Result>(
  path: string,
  flags: 'r' | 'w' | number,
  work: (file: number) => Promise<Result>,
  mode?: number,
): Promise<Result> {
  const file = openSync(path, flags, mode);
  try {
    return await work(file);
  } finally {
    closeSync(file);
  }
}

/** Appends all of the bytes; a short write is legal. */
export async function writeAll(file: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) {
    const from = at;
    at += await new Promise<number>((done, fail) => {
      write(file, bytes, from, bytes.byteLength - from, null, (fault, written) => (fault ? fail(fault) : done(written)));
    });
  }
}

/**
 * Puts a small text into the place of a file, whole or not at all: beside it first, where `flush` is set onto the disk, then under its
 * name. The folder is not synced: after a power cut there may be what was there before.
 */
export async function writeWhole(
  path: string,
  text: string,
  { flush = false, mode }: { readonly flush?: boolean; readonly mode?: number } = {},
): Promise<void> {
  const write = async (file: number): Promise<void> => {
    writeFileSync(file, text);
    if (flush) await syncFile(file);
  };
  await withFile(`${path}.new`, 'w', write, mode);
  renameSync(`${path}.new`, path);
}

/** Reads what there is from a byte on into the room, and gives how much that was. */
export function readAt(file: number, room: Uint8Array, position: number): Promise<number> {
  return new Promise((done, fail) => {
    read(file, room, 0, room.byteLength, position, (fault, bytes) => (fault ? fail(fault) : done(bytes)));
  });
}

/** Resolves when the bytes of a file, and its length, are on the disk. */
export function syncFile(file: number): Promise<void> {
  return new Promise((done, fail) => {
    fdatasync(file, (fault) => (fault ? fail(fault) : done()));
  });
}

/** Resolves when the names in a folder are on the disk. */
export function syncFolder(path: string): Promise<void> {
  const sync = (folder: number): Promise<void> =>
    new Promise((done, fail) => {
      fsync(folder, (fault) => (fault ? fail(fault) : done()));
    });
  return withFile(path, 'r', sync);
}

/** Sets the time of modification to now; false where there is no such file. */
export function refresh(path: string): boolean {
  const now = new Date();
  try {
    utimesSync(path, now, now);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw thrown;
  }
}

/** A second place for a store of files: what is new is copied, and nothing is copied that is not what its name says. */
import { createHash, randomUUID } from 'node:crypto';
import { constants, copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../base/errors.ts';

export type Copied = {
  readonly copied: number;
  readonly bytes: number;
  /** Objects whose bytes are not those that their name promises: left out. */
  readonly altered: readonly string[];
};
export type Mirror = {
  /** Copies every object that is in the one store and not yet in the other; safe on the disk when it resolves. */
  copyNew(): Promise<Copied>;
};

const HASH = /^[0-9a-f]{64}$/;
const SHELF = /^[0-9a-f]{2}$/;
const READ_BYTES = 1_048_576;
/** A folder's time is coarse: one that changed just now may change again within the same time. */
const SETTLED_MS = 2_000;

/** From the store of files at `from` to the folder `to`, which has the same shape. */
export async function openMirror(from: string, to: string): Promise<Mirror> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  /** Shelves that held nothing new at this time of theirs. */
  const looked = new Map<string, number>();
  return {
    async copyNew() {
      await copyFile(join(from, 'store-id'), join(to, 'store-id'), constants.COPYFILE_EXCL).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT')
          throw new Fault('objects.noStore', `${from} is no object store of a node: it has no store-id`, {
            remedy: 'Start the node once, mount the disk that it is on, or correct objects.folder.',
            cause,
          });
        if (cause.code !== 'EEXIST') throw cause;
      });
      const altered: string[] = [];
      let copied = 0;
      let bytes = 0;
      for (const shelf of await readdir(from)) {
        if (!SHELF.test(shelf)) continue;
        const { mtimeMs } = await stat(join(from, shelf));
        if (looked.get(shelf) === mtimeMs) continue;
        const there = new Set(await namesIn(join(to, shelf)));
        const fresh = (await namesIn(join(from, shelf))).filter((name) => !there.has(name));
        if (fresh.length > 0) await mkdir(join(to, shelf), { recursive: true, mode: 0o700 });
        for (const name of fresh) {
          const size = await copyObject(join(from, shelf, name), join(to, shelf, name), name);
          if (size === 'altered') altered.push(name);
          else if (size !== 'gone') {
            copied++;
            bytes += size;
          }
        }
        if (fresh.length > 0) await syncFolder(join(to, shelf));
        if (Date.now() - mtimeMs > SETTLED_MS && altered.length === 0) looked.set(shelf, mtimeMs);
      }
      return { copied, bytes, altered };
    },
  };
}

async function copyObject(from: string, to: string, sha256: string): Promise<number | 'altered' | 'gone'> {
  const source = await open(from, 'r').catch(absent);
  // Removed meanwhile: its time of keeping was over.
  if (!source) return 'gone';
  const partial = `${to}.${randomUUID().slice(0, 8)}`;
  const target = await open(partial, 'wx', 0o600);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, buffer.byteLength, bytes);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      await target.write(buffer, 0, bytesRead, bytes);
      bytes += bytesRead;
    }
    await target.datasync();
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    await target.close();
    await source.close();
  }
  if (hash.digest('hex') !== sha256) {
    await rm(partial, { force: true });
    return 'altered';
  }
  await rename(partial, to);
  return bytes;
}

/** Every object of a folder in a store's shape that is not what its name says; and how many were looked at. */
export async function checkObjects(
  folder: string,
): Promise<{ readonly objects: number; readonly bytes: number; readonly altered: readonly string[] }> {
  const altered: string[] = [];
  let objects = 0;
  let bytes = 0;
  for (const shelf of (await readdir(folder)).sort()) {
    if (!SHELF.test(shelf)) continue;
    for (const name of await namesIn(join(folder, shelf))) {
      const file = await open(join(folder, shelf, name), 'r');
      const hash = createHash('sha256');
      try {
        for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: READ_BYTES })) {
          hash.update(chunk as Buffer);
          bytes += (chunk as Buffer).byteLength;
        }
      } finally {
        await file.close();
      }
      objects++;
      if (hash.digest('hex') !== name) altered.push(name);
    }
  }
  return { objects, bytes, altered };
}

/** The objects of a folder in a store's shape. */
export async function namesBelow(folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const shelf of await readdir(folder)) {
    if (!SHELF.test(shelf)) continue;
    for (const name of await namesIn(join(folder, shelf))) found.add(name);
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(absent))?.filter((name) => HASH.test(name)) ?? [];
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function absent(cause: NodeJS.ErrnoException): null {
  if (cause.code === 'ENOENT') return null;
  throw cause;
}

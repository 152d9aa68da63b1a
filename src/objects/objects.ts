import { createHash, randomUUID } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { mkdir, open, opendir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ObjectRef } from '../base/content.ts';
import { Fault, reasonOf } from '../base/errors.ts';
import { createRooms } from '../base/rooms.ts';
import { readAt, refresh, syncFile, syncFolder, writeAll } from './file.ts';

export type ObjectHead = { readonly bytes: number; readonly modifiedAt: Date };
export type ObjectEntry = { readonly ref: ObjectRef; readonly modifiedAt: Date };
export type Bytes = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Content-addressed objects: written once, never changed. The address is the plain SHA-256 of the bytes. */
export interface Objects {
  /** Made with the store; a database that knows another one is refused by the node. */
  readonly storeId: string;
  /** `written`: bytes that went to the disk; `kept`: bytes of objects that did not exist before; `refused`: puts beyond their limit. */
  readonly counters: { readonly written: number; readonly kept: number; readonly refused: number };
  /**
   * Stores what the source yields; a piece is the source's again when the next is asked for. When this resolves, the object survives a
   * power cut. An object that exists already is not written again, its time of modification is refreshed, so that no sweep takes it. More
   * than `limit` bytes: `Fault` `objects.tooLarge`.
   */
  put(source: Bytes, limit?: number): Promise<ObjectRef>;
  /**
   * Bytes `from` (inclusive) to `to` (exclusive). `Fault` `objects.missing` where there is no such object. `into`: room that is read into
   * again and again, for whoever has done with a piece when it asks for the next.
   */
  get(ref: ObjectRef, from?: number, to?: number, into?: Uint8Array): AsyncIterable<Uint8Array>;
  head(ref: ObjectRef): Promise<ObjectHead | null>;
  delete(ref: ObjectRef): Promise<void>;
  /**
   * Deletes an object that nobody has stored, or stored again, since `before`; false: somebody has, and it stays. Who stores the same
   * bytes at this moment ends up with the object, whichever of both comes first.
   */
  expire(ref: ObjectRef, before: Date): Promise<boolean>;
  list(): AsyncIterable<ObjectEntry>;
  /** Free bytes of the disk, and its size: below the floor a node accepts no more messages. Infinite where nobody counts them. */
  space(): Promise<{ readonly free: number; readonly total: number }>;
}

/** What is smaller is held in memory until its hash is known: one file operation less, and none where the object exists. */
const BUFFER_BYTES = 262_144;
/** Rooms for that which are kept for the next object. */
const SPARE_ROOMS = 16;
const READ_BYTES = 262_144;
/** Before the address of an object that is on its way out. */
const EXPIRED = 'expired-';
const HASH = /^[0-9a-f]{64}$/;

/**
 * Objects as files `ab/abcd…` below a folder, for the nodes of one machine. Written to `incoming/`, synced, renamed, and the folder
 * synced: a name never leads to half an object.
 */
export async function openObjects(folder: string): Promise<Objects> {
  const home = resolve(folder);
  const incoming = join(home, 'incoming');
  try {
    // Documents of patients: for the node's own account and nobody else's.
    await mkdir(home, { recursive: true, mode: 0o700 });
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    await makeShelves(home);
  } catch (cause) {
    throw diskFault(cause, `cannot make the object store ${home}`);
  }
  const storeId = await identify(home);
  const counters = { written: 0, kept: 0, refused: 0 };
  const rooms = createRooms(BUFFER_BYTES, SPARE_ROOMS);
  const pathOf = (ref: ObjectRef): string => join(home, addressOf(ref));

  async function put(source: Bytes, limit = Number.POSITIVE_INFINITY): Promise<ObjectRef> {
    const hash = createHash('sha256');
    // Pieces are copied out of the buffers in which they came. Those would else live until the disk has them, outlast the quick
    // collections of garbage and lie about by the dozen megabytes until the next great one; and their owner may use them again.
    const room = rooms.take();
    let heldBytes = 0;
    let bytes = 0;
    let temporary: Temporary | null = null;
    const spill = async (): Promise<Temporary> => {
      if (!temporary) {
        const path = join(incoming, `${process.pid}-${randomUUID()}`);
        temporary = { path, file: openSync(path, 'wx', 0o600), isOpen: true };
      }
      await writeAll(temporary.file, room.subarray(0, heldBytes));
      counters.written += heldBytes;
      heldBytes = 0;
      return temporary;
    };
    const keep = async (chunk: Uint8Array): Promise<void> => {
      for (let from = 0; from < chunk.byteLength; ) {
        const piece = chunk.subarray(from, from + BUFFER_BYTES - heldBytes);
        room.set(piece, heldBytes);
        heldBytes += piece.byteLength;
        from += piece.byteLength;
        if (heldBytes === BUFFER_BYTES) await spill();
      }
    };
    try {
      for await (const chunk of source instanceof Uint8Array ? [source] : source) {
        bytes += chunk.byteLength;
        if (bytes > limit) {
          counters.refused++;
          throw new Fault('objects.tooLarge', `more than ${limit} bytes`);
        }
        hash.update(chunk);
        await keep(chunk);
      }
      const ref: ObjectRef = { sha256: hash.digest('hex'), bytes };
      if (temporary === null && refresh(join(home, addressOf(ref)))) {
        await syncFolder(dirname(join(home, addressOf(ref))));
        return ref;
      }
      const written = await spill();
      await syncFile(written.file);
      close(written);
      if (await shelve(home, written.path, ref)) counters.kept += bytes;
      return ref;
    } catch (cause) {
      discard(temporary);
      throw cause instanceof Fault ? cause : diskFault(cause, 'cannot store an object');
    } finally {
      rooms.give(room);
    }
  }

  async function* get(ref: ObjectRef, from = 0, to = ref.bytes, into?: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
    const file = openObject(ref);
    try {
      for (let at = from; at < to; ) {
        const wanted = Math.min(into?.byteLength ?? READ_BYTES, to - at);
        const room = into?.subarray(0, wanted) ?? Buffer.allocUnsafe(wanted);
        const bytesRead = await readAt(file, room, at);
        if (bytesRead === 0) throw new Fault('objects.short', `object ${ref.sha256} ends at byte ${at}, before ${to}`);
        at += bytesRead;
        yield bytesRead === wanted ? room : room.subarray(0, bytesRead);
      }
    } finally {
      closeSync(file);
    }
  }

  function openObject(ref: ObjectRef): number {
    try {
      return openSync(pathOf(ref), 'r');
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw diskFault(cause, `cannot read object ${ref.sha256}`);
      throw new Fault('objects.missing', `object ${ref.sha256} is not in the store ${home}`, {
        remedy: 'Restore the objects from a backup; it must not be older than that of the database.',
      });
    }
  }

  return {
    storeId,
    counters,
    put,
    get,
    async head(ref) {
      const found = statSync(pathOf(ref), { throwIfNoEntry: false });
      return found ? { bytes: found.size, modifiedAt: found.mtime } : null;
    },
    async delete(ref) {
      await rm(pathOf(ref), { force: true });
    },
    async expire(ref, before) {
      const place = pathOf(ref);
      // Out of reach first: a writer that comes now finds nothing and writes anew; one that came before has left its mark.
      const aside = join(incoming, `${EXPIRED}${ref.sha256}`);
      try {
        await rename(place, aside);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return true;
        throw diskFault(cause, `cannot delete object ${ref.sha256}`);
      }
      if ((await stat(aside)).mtime < before) {
        await rm(aside);
        return true;
      }
      await rename(aside, place);
      await syncFolder(dirname(place));
      return false;
    },
    list: () => listObjects(home),
    async space() {
      const { bavail, blocks, bsize } = statfsSync(home);
      return { free: bavail * bsize, total: blocks * bsize };
    },
  };
}

/** Where an object lies below the store's folder. */
function addressOf(ref: ObjectRef): string {
  const sha256 = demandAddress(ref);
  return join(sha256.slice(0, 2), sha256);
}

/** An address that is one, and leads nowhere else. */
export function demandAddress({ sha256 }: ObjectRef): string {
  if (!HASH.test(sha256)) throw new Fault('objects.address', `"${sha256.slice(0, 80)}" is no SHA-256 in lower-case hexadecimal`);
  return sha256;
}

/** Gives a synced temporary file its place. False: the object was there already, and the file is gone. */
export async function shelve(home: string, path: string, ref: ObjectRef): Promise<boolean> {
  const place = join(home, addressOf(ref));
  if (refresh(place)) {
    // Whoever wrote it first may not have come to the sync of the folder yet.
    await syncFolder(dirname(place));
    rmSync(path, { force: true });
    return false;
  }
  renameSync(path, place);
  await syncFolder(dirname(place));
  return true;
}

/** The 256 folders at once, so that no put has to sync the folder above. Also clears what a killed process left half-written. */
async function makeShelves(home: string): Promise<void> {
  const present = new Set(await readdir(home));
  for (let i = 0; i < 256; i++) {
    const shelf = i.toString(16).padStart(2, '0');
    if (!present.has(shelf)) await mkdir(join(home, shelf), { recursive: true });
  }
  await syncFolder(home);
  const incoming = join(home, 'incoming');
  const dayAgo = Date.now() - 86_400_000;
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    // Its expiry was interrupted: whether it is to go is asked again.
    if (name.startsWith(EXPIRED)) {
      await rename(path, join(home, addressOf({ sha256: name.slice(EXPIRED.length), bytes: 0 })));
      continue;
    }
    const found = await stat(path).catch(absent);
    if (found && found.mtimeMs < dayAgo) await rm(path, { force: true });
  }
}

async function identify(home: string): Promise<string> {
  const path = join(home, 'store-id');
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(randomUUID());
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(home);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw diskFault(cause, `cannot write ${path}`);
  }
  // Another process may have made the file and be about to fill it.
  for (let attempt = 0; attempt < 50; attempt++) {
    const id = (await readFile(path, 'utf8')).trim();
    if (id) return id;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Fault('objects.storeId', `${path} is empty`, { remedy: 'Restore it from a backup of the object store.' });
}

type Temporary = { readonly path: string; readonly file: number; isOpen: boolean };

function close(temporary: Temporary): void {
  temporary.isOpen = false;
  closeSync(temporary.file);
}

function discard(temporary: Temporary | null): void {
  if (!temporary) return;
  if (temporary.isOpen) close(temporary);
  rmSync(temporary.path, { force: true });
}

async function* listObjects(home: string): AsyncGenerator<ObjectEntry, void, void> {
  for (const shelf of (await readdir(home)).sort()) {
    if (!/^[0-9a-f]{2}$/.test(shelf)) continue;
    for await (const { name } of await opendir(join(home, shelf))) {
      if (!HASH.test(name)) continue;
      const found = await stat(join(home, shelf, name)).catch(absent);
      if (found) yield { ref: { sha256: name, bytes: found.size }, modifiedAt: found.mtime };
    }
  }
}

function absent(cause: NodeJS.ErrnoException): null {
  if (cause.code === 'ENOENT') return null;
  throw cause;
}

function diskFault(cause: unknown, what: string): Fault {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Fault('objects.noSpace', `${what}: the disk is full`, {
      remedy: 'Free some space; messages are sent again by their senders.',
      cause,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST') {
    return new Fault('objects.folder', `${what}: ${reasonOf(cause)}`, {
      remedy: 'Check the owner and the path of the data folder.',
      cause,
    });
  }
  // A fault of the source (a client that went away, a bad encoding) is its own.
  return cause instanceof Error && code === undefined
    ? new Fault('objects.source', reasonOf(cause), { cause })
    : new Fault('objects.failed', `${what}: ${reasonOf(cause)}`, { cause });
}

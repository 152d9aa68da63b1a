/** Files by their descriptors, without the steps that `node:fs/promises` hands to the pool of threads one by one. */
import { closeSync, fdatasync, openSync, read, write } from 'node:fs';

/** Opens a file, lets `work` use it, and closes it: neither takes as long as handing it to another thread. */
export async function withFile<Result>(path: string, flags: 'r' | 'w', work: (file: number) => Promise<Result>): Promise<Result> {
  const file = openSync(path, flags);
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

import { createHash, randomUUID } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ObjectRef } from '../base/content.ts';
import { type Objects, shelve } from './objects.ts';

/** Takes an object in pieces, at once and without promises; for a thread in which a conversion runs and nothing else. */
export type ObjectWriter = {
  write(text: string): void;
  /** Durable when it resolves, like `Objects.put`. */
  end(): Promise<WrittenObject>;
  /** Leaves nothing behind. */
  abandon(): void;
};
/** `written`, `kept`: bytes, and those that the store did not have before, that the store's own counters do not have. */
export type WrittenObject = { readonly ref: ObjectRef; readonly written: number; readonly kept: number };

const BUFFER_CHARACTERS = 262_144;
const READ_BYTES = 262_144;

/** Writes into the file store at `folder`, which `openObjects` has made. */
export function openWriter(folder: string): ObjectWriter {
  const home = resolve(folder);
  const hash = createHash('sha256');
  return writerOf(
    join(home, 'incoming', `${process.pid}-${randomUUID()}`),
    async (path, bytes) => {
      const ref: ObjectRef = { sha256: hash.digest('hex'), bytes };
      return { ref, written: bytes, kept: (await shelve(home, path, ref)) ? bytes : 0 };
    },
    { sync: true, each: (chunk) => hash.update(chunk) },
  );
}

/** Writes into a store that only takes what is given with time to wait for it: into a file of `folder` first. */
export function openSpoolWriter(folder: string, objects: Objects): ObjectWriter {
  return writerOf(
    join(folder, `${process.pid}-${randomUUID()}`),
    async (path) => {
      const ref = await objects.put(createReadStream(path, { highWaterMark: READ_BYTES }));
      rmSync(path);
      return { ref, written: 0, kept: 0 };
    },
    { sync: false },
  );
}

function writerOf(
  path: string,
  store: (path: string, bytes: number) => Promise<WrittenObject>,
  { sync, each }: { readonly sync: boolean; readonly each?: (chunk: Buffer) => void },
): ObjectWriter {
  const file = openSync(path, 'wx', 0o600);
  let held: string[] = [];
  let heldCharacters = 0;
  let bytes = 0;
  let open = true;
  const flush = (): void => {
    const chunk = Buffer.from(held.join(''), 'utf8');
    held = [];
    heldCharacters = 0;
    each?.(chunk);
    for (let at = 0; at < chunk.byteLength; ) at += writeSync(file, chunk, at);
    bytes += chunk.byteLength;
  };
  const close = (): void => {
    if (open) closeSync(file);
    open = false;
  };
  const abandon = (): void => {
    close();
    rmSync(path, { force: true });
  };
  return {
    write(text) {
      held.push(text);
      heldCharacters += text.length;
      if (heldCharacters >= BUFFER_CHARACTERS) flush();
    },
    async end() {
      try {
        flush();
        if (sync) fsyncSync(file);
        close();
        return await store(path, bytes);
      } catch (error) {
        abandon();
        throw error;
      }
    },
    abandon,
  };
}

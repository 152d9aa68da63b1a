import { createHash, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ObjectRef } from '../base/content.ts';
import { shelve } from './objects.ts';

/** Takes an object in pieces, at once and without promises; for a thread in which a conversion runs and nothing else. */
export type ObjectWriter = {
  write(text: string): void;
  /** Durable when it resolves, like `Objects.put`. `kept`: the bytes that the store did not have before. */
  end(): Promise<{ readonly ref: ObjectRef; readonly kept: number }>;
  /** Leaves nothing behind. */
  abandon(): void;
};

const BUFFER_CHARACTERS = 262_144;

/** Writes into the file store at `folder`, which `openObjects` has made. */
export function openWriter(folder: string): ObjectWriter {
  const home = resolve(folder);
  const path = join(home, 'incoming', `${process.pid}-${randomUUID()}`);
  const hash = createHash('sha256');
  const file = openSync(path, 'wx', 0o600);
  let held: string[] = [];
  let heldCharacters = 0;
  let bytes = 0;
  let open = true;
  const flush = (): void => {
    const chunk = Buffer.from(held.join(''), 'utf8');
    held = [];
    heldCharacters = 0;
    hash.update(chunk);
    for (let at = 0; at < chunk.byteLength; ) at += writeSync(file, chunk, at);
    bytes += chunk.byteLength;
  };
  const abandon = (): void => {
    if (!open) return;
    open = false;
    closeSync(file);
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
        fsyncSync(file);
        closeSync(file);
        open = false;
        const ref: ObjectRef = { sha256: hash.digest('hex'), bytes };
        return { ref, kept: (await shelve(home, path, ref)) ? bytes : 0 };
      } catch (error) {
        abandon();
        throw error;
      }
    },
    abandon,
  };
}

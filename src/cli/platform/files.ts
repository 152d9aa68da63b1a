import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { BrokenRow } from '../../platform/load-spine.ts';
import { plain } from '../operator/words.ts';

/** Broken rows that are named; the rest are counted. */
const NAMED = 100;

/** Rows that could not be read, each named on standard error with its file and line; none costs another one. */
export type BrokenRows = { readonly of: (file: string) => (row: BrokenRow) => void; readonly count: () => number };

export function brokenRows(): BrokenRows {
  let count = 0;
  return {
    of:
      (file) =>
      ({ line, fault }) => {
        if (count < NAMED) process.stderr.write(plain(`${file}:${line}: ${fault}\n`));
        if (count === NAMED) process.stderr.write('More rows are broken; they are only counted.\n');
        count++;
      },
    count: () => count,
  };
}

/** The bytes of a file, unpacked where its name ends in `.gz`; a `Fault` that names it where it cannot be read. */
export async function* piecesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of file.endsWith('.gz') ? unpacked(file) : createReadStream(file)) yield piece as Uint8Array;
  } catch (cause) {
    throw new Fault('input.file', `${file}: cannot be read (${reasonOf(cause)})`, { cause });
  }
}

function unpacked(file: string): Gunzip {
  const stream = createReadStream(file);
  const gunzip = createGunzip();
  stream.on('error', (cause) => gunzip.destroy(cause));
  return stream.pipe(gunzip);
}

/** Throws a `Fault` that names the first file that cannot be read: before anything is loaded, not in the midst of it. */
export async function readable(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const handle = await open(file).catch((cause: unknown) => {
      throw new Fault('input.file', `${file}: cannot be read (${reasonOf(cause)})`, { cause });
    });
    const stat = await handle.stat();
    await handle.close();
    if (stat.isDirectory()) throw new Fault('input.file', `${file}: cannot be read (it is a folder)`);
  }
}

/** What a reader of one file finds wrong with the whole of it, with the file's name. */
export async function* named<Row>(file: string, rows: AsyncIterable<Row>): AsyncGenerator<Row> {
  try {
    yield* rows;
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code === 'input.file') throw thrown;
    throw new Fault(thrown.code, `${file}: ${thrown.message}`, { cause: thrown, ...(thrown.remedy && { remedy: thrown.remedy }) });
  }
}

/** Exit 1 where rows were left out: what was read is kept all the same. */
export function tellBroken(broken: BrokenRows): void {
  if (broken.count() === 0) return;
  process.stderr.write(`${broken.count()} rows were left out.\n`);
  process.exitCode = 1;
}

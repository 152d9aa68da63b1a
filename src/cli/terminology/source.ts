/** A release as it came: a zip, or the folder it was unzipped into. Only the files that are needed are opened. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { Fault, reasonOf } from '../../base/errors.ts';

export type ReleaseFile = {
  /** Without folders. */
  readonly name: string;
  /** How messages name it. */
  readonly shown: string;
  readonly bytes: number;
  read(): AsyncIterable<Uint8Array>;
};
export type Source = { readonly name: string; readonly files: readonly ReleaseFile[]; close(): void };

/** A national release has some hundred files. */
const MOST_FILES = 20_000;
const MOST_BYTES = 32 * 2 ** 30;
/** Tables of text shrink to a tenth; a file that grows more than this is no table. */
const MOST_RATIO = 200;
const RATIO_FREE_BYTES = 2 ** 20;
const BLOCK_BYTES = 2 ** 20;

/** Throws a `Fault` `input.terminology` for what is neither. */
export async function openSource(path: string): Promise<Source> {
  const name = basename(resolve(path)).replace(/\.zip$/i, '');
  let folder: boolean;
  try {
    folder = (await stat(path)).isDirectory();
  } catch (cause) {
    throw new Fault('input.terminology', `${path}: cannot be read (${reasonOf(cause)})`, { cause });
  }
  return folder ? { name, files: await filesIn(path), close: () => undefined } : openZip(path, name);
}

async function filesIn(folder: string): Promise<ReleaseFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  if (entries.length > MOST_FILES) throw new Fault('input.terminology', `${folder}: it has more than ${MOST_FILES} files`);
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(
    paths.sort().map(async (path) => ({
      name: basename(path),
      shown: join(folder, relative(folder, path)),
      bytes: (await stat(path)).size,
      read: () => createReadStream(path, { highWaterMark: BLOCK_BYTES }),
    })),
  );
}

async function openZip(path: string, name: string): Promise<Source> {
  let zip: ZipFile | undefined;
  try {
    zip = await yauzl.openPromise(path, { autoClose: false });
    if (zip.entryCount > MOST_FILES) throw new Error(`it has more than ${MOST_FILES} files`);
    const opened = zip;
    const files: ReleaseFile[] = [];
    for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith('/')) files.push(fileOf(opened, entry, path));
    return { name, files, close: () => opened.close() };
  } catch (cause) {
    zip?.close();
    throw new Fault('input.terminology', `${path}: it is no whole zip (${reasonOf(cause)})`, {
      cause,
      remedy: 'Fetch the release again, or name the folder it was unzipped into.',
    });
  }
}

function fileOf(zip: ZipFile, entry: Entry, path: string): ReleaseFile {
  const shown = `${path}: ${entry.fileName}`;
  const { uncompressedSize: bytes, compressedSize } = entry;
  return { name: basename(entry.fileName), shown, bytes, read };

  // The library ends a file that is longer or shorter than the directory says; what the directory says is checked here.
  async function* read(): AsyncGenerator<Uint8Array, void, void> {
    if (bytes > MOST_BYTES || bytes > RATIO_FREE_BYTES + compressedSize * MOST_RATIO)
      throw new Fault(
        'input.terminology',
        `${shown}: it would grow from ${compressedSize} to ${bytes} bytes, which no table of a release does`,
      );
    let crc = 0;
    try {
      for await (const block of await zip.openReadStreamPromise(entry)) {
        crc = crc32(block as Uint8Array, crc);
        yield block as Uint8Array;
      }
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw damaged(reasonOf(cause), cause);
    }
    if (crc !== entry.crc32) throw damaged('its checksum does not fit');
  }

  function damaged(why: string, cause?: unknown): Fault {
    return new Fault('input.terminology', `${shown}: it is damaged (${why})`, { cause, remedy: 'Fetch the release again.' });
  }
}

import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Content, type ObjectRef, wholeObject } from '../base/content.ts';
import { Fault, reasonOf } from '../base/errors.ts';
import { asBase64Text, decodeBase64 } from '../ebxml/base64.ts';
import type { Bytes, Objects } from './objects.ts';

/** What unzipping may yield: hostile gzip grows a thousandfold. `ratio` counts beyond the first MiB of output. */
export type UnzipLimits = { readonly bytes: number; readonly ratio: number };
export const UNZIP: UnzipLimits = { bytes: 512 * 1024 * 1024, ratio: 200 };
const RATIO_FREE_BYTES = 1024 * 1024;

/** The bytes of a content as they are stored, slice after slice; nothing is undone. `into`: see `Objects.get`. */
export async function* readStored(objects: Objects, content: Content, into?: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  for (const piece of content.pieces) {
    if (piece.in === 'row') yield piece.data;
    else yield* objects.get(piece.object, piece.from, piece.to, into);
  }
}

/**
 * The bytes that a content means: all its slices joined, base64 undone where it was stored so, and unzipped once where it is one
 * gzip stream. A slice is never unzipped alone. Throws `Fault` `content.*`. `into`: see `Objects.get`; only what is given as it is stored
 * is read into it.
 */
export function readContent(
  objects: Objects,
  content: Content,
  { limits = UNZIP, into }: { readonly limits?: UnzipLimits; readonly into?: Uint8Array | undefined } = {},
): AsyncIterable<Uint8Array> {
  if (content.stored === 'bytes' && !content.gzip) return readStored(objects, content, into);
  const bytes = content.stored === 'base64' ? decodeBase64(readText(objects, content)) : readStored(objects, content);
  return content.gzip ? unzipped(bytes, limits) : bytes;
}

/** Base64 text, slice after slice; leaves that had been decoded are written again as the text that they came as. */
async function* readText(objects: Objects, { pieces }: Content): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < pieces.length; ) {
    const isText = pieces[at]?.as !== 'base64';
    let end = at + 1;
    while (end < pieces.length && (pieces[end]?.as !== 'base64') === isText) end++;
    const [first, ...others] = pieces.slice(at, end);
    if (!first) return;
    const stored = readStored(objects, { pieces: [first, ...others], stored: 'bytes', gzip: false });
    yield* isText ? stored : asBase64Text(stored, Number.POSITIVE_INFINITY);
    at = end;
  }
}

/** A sender may call compressed what is not: bytes without the mark of gzip are what they are. */
async function* unzipped(bytes: AsyncIterable<Uint8Array>, limits: UnzipLimits): AsyncGenerator<Uint8Array, void, void> {
  const source = bytes[Symbol.asyncIterator]();
  try {
    const begun: Uint8Array[] = [];
    let length = 0;
    while (length < MARK.length) {
      const next = await source.next();
      if (next.done) break;
      begun.push(next.value);
      length += next.value.byteLength;
    }
    const isGzip = MARK.every((byte, at) => Buffer.concat(begun)[at] === byte);
    const whole = restOf(begun, source);
    yield* isGzip ? unzip(whole, limits) : capped(whole, limits);
  } finally {
    await source.return?.();
  }
}

const MARK = [0x1f, 0x8b];

async function* restOf(begun: readonly Uint8Array[], source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  yield* begun;
  for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
}

async function* capped(bytes: AsyncIterable<Uint8Array>, { bytes: limit }: UnzipLimits): AsyncGenerator<Uint8Array, void, void> {
  let seen = 0;
  for await (const chunk of bytes) {
    seen += chunk.byteLength;
    if (seen > limit) throw new Fault('content.bomb', `more than ${limit} bytes`);
    yield chunk;
  }
}

/** The whole of a content in memory, for what is known to be small. More than `limit` bytes: `Fault` `content.tooLarge`. */
export async function contentBytes(objects: Objects, content: Content, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of readContent(objects, content, { limits: { ...UNZIP, bytes: limit } })) {
    bytes += chunk.byteLength;
    if (bytes > limit) throw new Fault('content.tooLarge', `more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/**
 * The whole of an object in memory, once: its size is known, so that nothing is gathered first. More than `limit` bytes: `Fault`
 * `content.tooLarge`.
 */
export async function objectBytes(objects: Objects, object: ObjectRef, limit: number): Promise<Uint8Array> {
  if (object.bytes > limit) throw new Fault('content.tooLarge', `more than ${limit} bytes`);
  const whole = Buffer.allocUnsafe(object.bytes);
  let at = 0;
  for await (const chunk of objects.get(object)) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole.subarray(0, at);
}

/** Stores a source as one object and points at the whole of it. */
export async function putAsContent(
  objects: Objects,
  source: Bytes,
  as: { readonly gzip?: boolean; readonly stored?: Content['stored']; readonly limit?: number } = {},
): Promise<Content> {
  const content = wholeObject(await objects.put(source, as.limit), as.gzip ?? false);
  return as.stored ? { ...content, stored: as.stored } : content;
}

/**
 * Node's gunzip ignores `maxOutputLength` when it streams, so what comes out is counted here, against what went in. Concatenated
 * members count as one; a gzip inside the gzip stays as it is.
 */
async function* unzip(source: AsyncIterable<Uint8Array>, limits: UnzipLimits): AsyncGenerator<Uint8Array, void, void> {
  let read = 0;
  let written = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of source) {
      read += chunk.byteLength;
      yield chunk;
    }
  }
  const output = new PassThrough({ highWaterMark: 65_536 });
  const done = pipeline(Readable.from(counted()), createGunzip(), output).then(
    () => null,
    (error: unknown) => error,
  );
  try {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      written += chunk.byteLength;
      if (written > limits.bytes) throw new Fault('content.bomb', `unzips to more than ${limits.bytes} bytes`);
      if (written > RATIO_FREE_BYTES && written - RATIO_FREE_BYTES > read * limits.ratio) {
        throw new Fault('content.bomb', `unzips to more than ${limits.ratio} times its size`);
      }
      yield chunk;
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw (await done) instanceof Fault
      ? await done
      : new Fault('content.notGzip', `not a whole gzip stream: ${reasonOf(error)}`, { cause: error });
  } finally {
    output.destroy();
    await done;
  }
}

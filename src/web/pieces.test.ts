import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inPieces, PIECE_BYTES } from './pieces.ts';

const sha256 = (...pieces: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
};

/** Reads as a reader may: it has done with a piece, and spoils it, before it asks for the next. */
async function read(source: Readable, expected: number | null, waitMs = 0): Promise<{ sha256: string; sizes: number[] }> {
  const pieces = inPieces(source, expected);
  const hash = createHash('sha256');
  const sizes: number[] = [];
  for (let piece = await pieces.next(); piece; piece = await pieces.next()) {
    if (waitMs) await sleep(waitMs);
    hash.update(piece);
    sizes.push(piece.byteLength);
    piece.fill(0);
  }
  pieces.close();
  return { sha256: hash.digest('hex'), sizes };
}

test('whatever comes in whatever sizes is given whole, in pieces of one size, to quick readers and slow ones', async () => {
  for (const step of [1_000, 16_384, 100_000, PIECE_BYTES, 3 * PIECE_BYTES + 1]) {
    for (const waitMs of [0, 2]) {
      const whole = randomBytes(5 * PIECE_BYTES + 77);
      const chunks = Array.from({ length: Math.ceil(whole.byteLength / step) }, (_, i) => whole.subarray(i * step, (i + 1) * step));
      const got = await read(Readable.from(chunks, { objectMode: false }), null, waitMs);
      assert.equal(got.sha256, sha256(whole), `steps of ${step}`);
      assert.deepEqual(got.sizes, [...Array<number>(5).fill(PIECE_BYTES), 77]);
    }
  }
});

test('two streams at once do not see each other in their rooms', async () => {
  const bodies = Array.from({ length: 6 }, () => randomBytes(2_000_000));
  const got = await Promise.all(
    bodies.map((body, i) => {
      const source = new PassThrough();
      for (let at = 0; at < body.byteLength; at += 16_384) source.write(body.subarray(at, at + 16_384));
      source.end();
      return read(source, body.byteLength, i % 3);
    }),
  );
  assert.deepEqual(
    got.map((each) => each.sha256),
    bodies.map((body) => sha256(body)),
  );
});

test('a short stream, an empty one and one that is longer than was said', async () => {
  const short = randomBytes(700);
  assert.deepEqual(await read(Readable.from([short]), 700), { sha256: sha256(short), sizes: [700] });
  assert.deepEqual((await read(Readable.from([]), 0)).sizes, []);
  assert.equal((await read(Readable.from([short, short]), 500)).sha256, sha256(short, short));
});

test('a stream that breaks off is a fault, before the first piece and behind it; a reader that stopped is not kept waiting', async () => {
  const early = new PassThrough();
  early.destroy();
  await assert.rejects(inPieces(early, null).next());
  const late = new PassThrough();
  const pieces = inPieces(late, null);
  late.write(Buffer.alloc(PIECE_BYTES));
  assert.equal((await pieces.next())?.byteLength, PIECE_BYTES);
  late.write(Buffer.alloc(10));
  const next = pieces.next();
  late.destroy(new Error('gone'));
  await assert.rejects(next, /gone/);
  const open = new PassThrough();
  const left = inPieces(open, null);
  const waiting = left.next();
  left.close();
  assert.equal(await waiting, null);
  assert.equal(await left.next(), null);
});

/**
 * Large bodies by way of rooms of memory that are used again and again. Bytes that wait for a disk or a connection in the buffers in which
 * they came outlive the quick collections of garbage; thousands of them make the great ones, which take more time than the bytes.
 */
import { open } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { Fault } from '../base/errors.ts';
import { createRooms } from '../base/rooms.ts';

const ROOMS = createRooms(262_144, 32);

/** Hands on what a stream gives, in pieces of a room's size, the last shorter. A piece is good until `take` resolves. A fault ends the stream. */
export async function gather(source: Readable, take: (piece: Buffer) => Promise<void>): Promise<void> {
  const room = ROOMS.take();
  try {
    await new Promise<void>((done, fail) => {
      let filled = 0;
      const pour = async (chunk: Buffer): Promise<void> => {
        for (let from = 0; from < chunk.byteLength; ) {
          const piece = chunk.subarray(from, from + room.byteLength - filled);
          room.set(piece, filled);
          filled += piece.byteLength;
          from += piece.byteLength;
          if (filled < room.byteLength) continue;
          await take(room);
          filled = 0;
        }
      };
      const giveUp = (thrown: unknown): void => {
        source.destroy();
        fail(thrown);
      };
      let pouring: Promise<void> = Promise.resolve();
      source.on('data', (chunk: Buffer) => {
        if (filled + chunk.byteLength < room.byteLength) {
          room.set(chunk, filled);
          filled += chunk.byteLength;
          return;
        }
        source.pause();
        pouring = pour(chunk);
        pouring.then(() => source.resume(), giveUp);
      });
      source.on('end', () => {
        if (filled === 0) done();
        else take(room.subarray(0, filled)).then(done, giveUp);
      });
      // The room is another's as soon as this ends: not before whoever has a piece is done with it.
      const failLater = (thrown: unknown): void => void pouring.then(() => fail(thrown), fail);
      source.on('error', failLater);
      source.on('close', () => {
        if (!source.readableEnded) failLater(new Fault('simulator.broken', 'the body broke off'));
      });
    });
  } finally {
    ROOMS.give(room);
  }
}

/** The same for what is iterated. */
export async function gatherEach(source: AsyncIterable<Uint8Array>, take: (piece: Buffer) => Promise<void>): Promise<void> {
  const room = ROOMS.take();
  let filled = 0;
  for await (const chunk of source) {
    for (let from = 0; from < chunk.byteLength; ) {
      const piece = chunk.subarray(from, from + room.byteLength - filled);
      room.set(piece, filled);
      filled += piece.byteLength;
      from += piece.byteLength;
      if (filled < room.byteLength) continue;
      await take(room);
      filled = 0;
    }
  }
  if (filled > 0) await take(room.subarray(0, filled));
  ROOMS.give(room);
}

/** Writes a file from a byte on into `target`, and ends that. Throws where `target` closes before. */
export async function pourFile(path: string, from: number, target: Writable): Promise<void> {
  const closed = new Promise<never>((_, fail) => {
    target.once('close', () => fail(new Fault('simulator.broken', 'the connection closed early')));
  });
  closed.catch(() => undefined);
  const file = await open(path, 'r');
  try {
    const room = ROOMS.take();
    for (let at = from; ; ) {
      const { bytesRead } = await file.read(room, 0, room.byteLength, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      const left = new Promise<void>((done, fail) => {
        target.write(room.subarray(0, bytesRead), (thrown) => (thrown ? fail(thrown) : done()));
      });
      left.catch(() => undefined);
      await Promise.race([left, closed]);
    }
    // Only here: where it broke off, the room may still be on its way.
    ROOMS.give(room);
  } finally {
    await file.close();
  }
  target.end();
}

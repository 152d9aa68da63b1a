/**
 * Large bodies by way of rooms of memory that are used again and again. Bytes that wait for a disk or a connection in the buffers in which
 * they came outlive the quick collections of garbage; thousands of them make the great ones, which take more time than the bytes.
 */
import type { Readable, Writable } from 'node:stream';
import { Fault } from '../base/errors.ts';
import { createRooms } from '../base/rooms.ts';
import { readAt, withFile } from '../objects/file.ts';

const ROOMS = createRooms(262_144, 32);

/**
 * Hands on what a stream gives, behind `before`, in pieces of a room's size, the last shorter. A piece is good until `take` resolves. A
 * fault ends the stream.
 */
export async function gather(source: Readable, before: Uint8Array, take: (piece: Buffer) => Promise<void>): Promise<void> {
  const room = ROOMS.take();
  try {
    await new Promise<void>((done, fail) => {
      const filling = fill(room, take);
      let pouring = filling.pour(before);
      const giveUp = (thrown: unknown): void => {
        source.destroy();
        fail(thrown);
      };
      source.on('data', (chunk: Buffer) => {
        if (filling.fits(chunk)) return;
        source.pause();
        pouring = filling.pour(chunk);
        pouring.then(() => source.resume(), giveUp);
      });
      source.on('end', () => {
        filling.end().then(done, giveUp);
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
  const filling = fill(room, take);
  try {
    for await (const chunk of source) await filling.pour(chunk);
    await filling.end();
  } finally {
    ROOMS.give(room);
  }
}

/** Chunks are put into `room`, which is taken each time it is full and at the end. */
function fill(room: Buffer, take: (piece: Buffer) => Promise<void>) {
  let filled = 0;
  const put = (piece: Uint8Array): void => {
    room.set(piece, filled);
    filled += piece.byteLength;
  };
  return {
    /** Puts a chunk that does not fill the room, without waiting; false where it would. */
    fits: (chunk: Uint8Array): boolean => {
      if (filled + chunk.byteLength >= room.byteLength) return false;
      put(chunk);
      return true;
    },
    pour: async (chunk: Uint8Array): Promise<void> => {
      for (let from = 0; from < chunk.byteLength; ) {
        const piece = chunk.subarray(from, from + room.byteLength - filled);
        put(piece);
        from += piece.byteLength;
        if (filled < room.byteLength) continue;
        await take(room);
        filled = 0;
      }
    },
    end: async (): Promise<void> => {
      if (filled > 0) await take(room.subarray(0, filled));
    },
  };
}

/** Writes so many bytes of a file from one on into `target`, and ends that. Throws where `target` closes before, or the file is shorter. */
export async function pourFile(path: string, from: number, bytes: number, target: Writable): Promise<void> {
  const closed = new Promise<never>((_, fail) => {
    target.once('close', () => fail(new Fault('simulator.broken', 'the connection closed early')));
  });
  closed.catch(() => undefined);
  await withFile(path, 'r', async (file) => {
    const room = ROOMS.take();
    for (let at = from; at < from + bytes; ) {
      const bytesRead = await readAt(file, room.subarray(0, from + bytes - at), at);
      if (bytesRead === 0) throw new Fault('simulator.short', `${path} ends ${from + bytes - at} bytes early`);
      at += bytesRead;
      const left = new Promise<void>((done, fail) => {
        target.write(room.subarray(0, bytesRead), (thrown) => (thrown ? fail(thrown) : done()));
      });
      left.catch(() => undefined);
      await Promise.race([left, closed]);
    }
    // Only here: where it broke off, the room may still be on its way.
    ROOMS.give(room);
  });
  target.end();
}

/** Streams in few large pieces, by way of rooms of memory that are used again and again. */
import { finished, type Readable, type Writable } from 'node:stream';
import { Fault } from '../base/errors.ts';
import { createRooms } from '../base/rooms.ts';

export type Pieces = {
  /** The next piece, `null` behind the last. It is good until the next one is asked for, or until `close`. Throws what broke the stream. */
  next(): Promise<Uint8Array | null>;
  /** Gives the rooms back. What has not been read is left with the stream. */
  close(): void;
};

export const PIECE_BYTES = 131_072;
type Room = Buffer<ArrayBuffer>;
const ROOMS = createRooms(PIECE_BYTES, 16);

/**
 * TLS gives 16 kB at a time, each in a buffer of its own: what is done for each of them costs more than what is done with its bytes,
 * and those that wait outlive the quick collections of garbage. Here they are copied out as they come, while the reader has the piece before.
 * `expected`: the length of the stream, where it is known; a short one needs no large room.
 */
export function inPieces(source: Readable, expected: number | null): Pieces {
  const roomBytes = Math.max(1, Math.min(PIECE_BYTES, expected ?? PIECE_BYTES));
  let filling: Room | null = null;
  let filled = 0;
  let given: Room | null = null;
  let free: Room | null = null;
  /** What did not fit into the room: the source is paused. */
  let over: Buffer | null = null;
  let isFull = false;
  let ended = false;
  let broken: { readonly by: unknown } | null = null;
  let closed = false;
  let wake = (): void => undefined;
  let stopListening: (() => void) | null = null;

  const take = (chunk: Buffer): void => {
    if (isFull) {
      over = over ? Buffer.concat([over, chunk]) : chunk;
      return;
    }
    filling ??= free ?? roomOf(roomBytes);
    if (filling === free) free = null;
    const piece = chunk.subarray(0, filling.byteLength - filled);
    filling.set(piece, filled);
    filled += piece.byteLength;
    isFull = filled === filling.byteLength;
    over = piece.byteLength < chunk.byteLength ? chunk.subarray(piece.byteLength) : null;
    if (!isFull) return;
    source.pause();
    wake();
  };
  const onEnd = (): void => {
    ended = true;
    wake();
  };
  const listen = (): (() => void) => {
    source.on('data', take).on('end', onEnd);
    const forget = finished(source, { writable: false }, (fault) => {
      if (!fault) ended = true;
      else if (!ended) broken = { by: fault };
      wake();
    });
    source.resume();
    return () => {
      source.off('data', take).off('end', onEnd).pause();
      forget();
    };
  };

  return {
    async next() {
      if (closed) return null;
      if (given) free = given;
      given = null;
      stopListening ??= listen();
      while (!isFull && !ended && !broken) {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      if (broken) throw broken.by;
      if (!filling || filled === 0) return null;
      const piece = filling.subarray(0, filled);
      given = filling;
      filling = null;
      filled = 0;
      isFull = false;
      const rest = over;
      over = null;
      if (rest) take(rest);
      if (!isFull) source.resume();
      return piece;
    },
    close() {
      stopListening?.();
      if (closed) return;
      closed = true;
      ended = true;
      for (const room of new Set([filling, given, free])) if (room?.byteLength === PIECE_BYTES) ROOMS.give(room);
      [filling, given, free, filled] = [null, null, null, 0];
      wake();
    },
  };
}

function roomOf(bytes: number): Room {
  return bytes === PIECE_BYTES ? ROOMS.take() : Buffer.allocUnsafeSlow(bytes);
}

/** Writes pieces, each of which has left before the next is asked for; does not end the stream. Throws where it closes early. */
export async function writePieces(target: Writable, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  let stop = (): void => undefined;
  const closed = new Promise<never>((_, fail) => {
    stop = finished(target, { readable: false }, (fault) => fail(fault ?? new Fault('http.closed', 'the connection ended early')));
  });
  closed.catch(() => undefined);
  try {
    for await (const piece of pieces) {
      const left = new Promise<void>((done, fail) => {
        target.write(piece, (fault) => (fault ? fail(fault) : done()));
      });
      left.catch(() => undefined);
      await Promise.race([left, closed]);
    }
  } finally {
    stop();
  }
}

import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, reasonOf } from '../base/errors.ts';
import { inPieces, type Pieces } from '../web/pieces.ts';

/** More bytes than one message may have. */
export class BodyTooLarge extends Fault {
  constructor(limit: number) {
    super('endpoint.tooLarge', `the message has more than ${limit} bytes`);
    this.name = 'BodyTooLarge';
  }
}

/** The sender went away before the end: nobody is left to answer, and nothing of it was accepted. */
export class BrokenBody extends Fault {
  constructor(cause: unknown) {
    super('endpoint.broken', `the connection ended inside the message: ${reasonOf(cause)}`, { cause });
    this.name = 'BrokenBody';
  }
}

/**
 * The body of a request as it arrives, counted. A piece is good until the next one is asked for. What has been read is remembered until
 * `settle`, so that a message that turns out to be another service's can be passed on byte for byte.
 */
export class InboundBody implements AsyncIterable<Uint8Array> {
  bytes = 0;
  #pieces: Pieces;
  #limit: number;
  #remembered: Uint8Array[] | null = [];

  constructor(request: IncomingMessage, limit: number) {
    const length = request.headers['content-length'];
    // Left open when a reader stops early: the connection has an answer to carry yet.
    this.#pieces = inPieces(request, length === undefined ? null : Number(length));
    this.#limit = limit;
  }

  /** One reading only; a second iteration goes on where the first stopped. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  /** When nobody reads any more. */
  close(): void {
    this.#pieces.close();
  }

  /** From here on nothing is remembered. */
  settle(): void {
    this.#remembered = null;
  }

  /** Everything from the first byte, in pieces that can be kept: what was read already, then the rest. Must come before `settle`. */
  async *fromStart(): AsyncGenerator<Uint8Array> {
    const before = this.#remembered ?? [];
    this.#remembered = null;
    yield* before;
    for await (const piece of this) yield Uint8Array.from(piece);
  }

  /**
   * Lets what is still coming go by, up to `most` bytes and for so long: a sender that is writing when its connection is closed may
   * never read why. A sender that breaks off, dawdles or wrote more is left alone.
   */
  async letGo(most: number, forMs: number): Promise<void> {
    this.#remembered = null;
    const late = new AbortController();
    const going = this.#drop(most, late.signal);
    await Promise.race([going, sleep(forMs, undefined, { signal: late.signal, ref: false }).catch(() => undefined)]);
    late.abort();
  }

  async #drop(most: number, late: AbortSignal): Promise<void> {
    try {
      for (let left = most; left > 0 && !late.aborted; ) {
        const piece = await this.#pieces.next();
        if (!piece) return;
        left -= piece.byteLength;
      }
    } catch {
      // Nobody is left to answer.
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    let piece: Uint8Array | null;
    try {
      piece = await this.#pieces.next();
    } catch (thrown) {
      throw new BrokenBody(thrown);
    }
    if (!piece) return { done: true, value: undefined };
    this.bytes += piece.byteLength;
    if (this.bytes > this.#limit) throw new BodyTooLarge(this.#limit);
    this.#remembered?.push(Uint8Array.from(piece));
    return { done: false, value: piece };
  }
}

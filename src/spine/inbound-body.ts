import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, reasonOf } from '../base/errors.ts';

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
 * The body of a request as it arrives, counted. What has been read is remembered until `settle`, so that a message that turns out to be
 * another service's can be passed on byte for byte.
 */
export class InboundBody implements AsyncIterable<Uint8Array> {
  bytes = 0;
  #source: AsyncIterator<Uint8Array>;
  #limit: number;
  #remembered: Uint8Array[] | null = [];

  constructor(request: IncomingMessage, limit: number) {
    // Left alone when a reader stops early: the connection has an answer to carry yet.
    this.#source = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
    this.#limit = limit;
  }

  /** One reading only; a second iteration goes on where the first stopped. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  /** From here on nothing is remembered. */
  settle(): void {
    this.#remembered = null;
  }

  /** Everything from the first byte: what was read already, then the rest. Must come before `settle`. */
  async *fromStart(): AsyncGenerator<Uint8Array> {
    const before = this.#remembered ?? [];
    this.#remembered = null;
    yield* before;
    yield* this;
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
        const step = await this.#source.next();
        if (step.done) return;
        left -= step.value.byteLength;
      }
    } catch {
      // Nobody is left to answer.
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    let step: IteratorResult<Uint8Array>;
    try {
      step = await this.#source.next();
    } catch (thrown) {
      throw new BrokenBody(thrown);
    }
    if (step.done) return step;
    this.bytes += step.value.byteLength;
    if (this.bytes > this.#limit) throw new BodyTooLarge(this.#limit);
    this.#remembered?.push(step.value);
    return step;
  }
}

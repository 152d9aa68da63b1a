import { setTimeout as sleep } from 'node:timers/promises';
import type { EventContext, Message, Receiver } from 'rhea';
import { Fault } from '../../base/errors.ts';
import { ANSWER_MS, KEPT, type Opened, openConnection, within } from './amqp.ts';
import { addressOf, type QueueSettings } from './brokers.ts';

const RECONNECT_MS = [250, 1_000, 5_000, 15_000];
/**
 * A broker that has forgotten us looks like an empty queue: nothing comes, and the connection lives. There is no question that every broker
 * answers (RabbitMQ 3 ends the session over a drain), so that a quiet connection is made anew now and then.
 */
const QUIET_MS = 60_000;

/** What becomes of a message that was taken: it is done with, or it is wanted again. */
export type Settled = 'accept' | 'again';
export type Consumer = { close(): Promise<void> };
export type ConsumerOptions = QueueSettings & {
  /** Durable when it resolves with `accept`. */
  readonly take: (message: Message, redeliveries: number) => Promise<Settled>;
  /** Messages in hand at the same time: each may have several megabytes. */
  readonly atOnce?: number;
  /** How long a message that is wanted again is kept back, so that it does not come round at once. */
  readonly pauseMs?: number;
  /** How long a broker may take to answer, and nothing may come before the connection is made anew. */
  readonly answerMs?: number;
  readonly quietMs?: number;
  readonly onFault: (error: unknown) => void;
};

/**
 * Takes messages from a queue until it is closed, whatever becomes of the connection. One counts as taken only when we have said so; until
 * then it is the broker's, and comes again.
 */
export function startConsumer(options: ConsumerOptions): Consumer {
  const { atOnce = 4, pauseMs = 1_000, answerMs = ANSWER_MS, quietMs = QUIET_MS, take, onFault } = options;
  const closing = new AbortController();
  let opened: Opened | null = null;
  let stop: () => void = () => undefined;
  const inHand = new Set<Promise<void>>();

  async function handle(receiver: Receiver, { message, delivery }: EventContext): Promise<void> {
    if (!message || !delivery) return;
    let settled: Settled = 'again';
    try {
      settled = await take(message, Number(message.delivery_count ?? 0));
    } catch (error) {
      onFault(error);
    }
    if (settled === 'again') await pause(pauseMs);
    // Over a link that is gone this says nothing to anybody: the broker gives the message out again.
    if (!lives(receiver)) return;
    if (settled === 'accept') delivery.accept();
    // Not `modified`: a delivery that counts as failed ends among the dead letters while our database is away, and RabbitMQ 3 does not know it.
    else delivery.release();
  }

  /** Until the connection ends, says why; `null` when it was quiet for so long that another is to be made, or we are to close. */
  async function consume(over: Opened): Promise<string | null> {
    const receiver = over.connection.open_receiver({
      source: { address: addressOf(options), durable: KEPT },
      credit_window: 0,
      autoaccept: false,
    });
    const enough = new Promise<null>((done) => {
      stop = () => done(null);
    });
    let mine = 0;
    let coming = 0;
    /**
     * More is asked for only when what was asked for has come: a broker that reckons with what it has sent, and not with what its queue has
     * let go of (RabbitMQ 3), gives too much otherwise. What is in hand from an earlier connection counts.
     */
    const ask = (): void => {
      if (closing.signal.aborted || !lives(receiver) || coming > 0 || inHand.size >= atOnce) return;
      coming = atOnce - inHand.size;
      receiver.add_credit(coming);
    };
    const quiet = setTimeout(() => {
      if (mine > 0) quiet.refresh();
      else stop();
    }, quietMs);
    receiver.on('message', (context: EventContext) => {
      mine++;
      coming--;
      quiet.refresh();
      const work = handle(receiver, context).finally(() => {
        mine--;
        quiet.refresh();
        inHand.delete(work);
        ask();
      });
      inHand.add(work);
      ask();
    });
    try {
      const unanswered = await within(over, answerMs, (done) => receiver.once('receiver_open', done));
      if (unanswered !== null) return `the queue ${options.queue} is not given: ${unanswered}`;
      ask();
      return closing.signal.aborted ? null : await Promise.race([over.ended, enough]);
    } finally {
      clearTimeout(quiet);
    }
  }

  async function loop(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      let why: unknown = null;
      try {
        opened = await openConnection(options.brokers);
        const began = performance.now();
        const ended = await consume(opened);
        if (ended !== null) why = new Fault('queue.lost', `the connection to the broker was lost and is made again: ${ended}`);
        // One that is lost as soon as it is made is no better than none.
        if (ended === null || performance.now() - began > answerMs) failures = 0;
      } catch (error) {
        why = error;
      }
      if (closing.signal.aborted) return;
      await opened?.shut();
      if (why === null) continue;
      onFault(why);
      await pause(RECONNECT_MS[Math.min(failures++, RECONNECT_MS.length - 1)] ?? 0);
    }
  }

  const pause = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal: closing.signal }).catch(() => undefined);
  const ended = loop();
  return {
    async close() {
      closing.abort();
      // What is in hand is settled on the connection that it came over.
      await Promise.all(inHand);
      stop();
      await opened?.shut();
      await ended;
      // One that was being made in the meantime.
      await opened?.shut();
    },
  };
}

function lives(receiver: Receiver): boolean {
  return receiver.is_open() && receiver.connection.is_open();
}

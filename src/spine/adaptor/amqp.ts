/**
 * Queues over AMQP 1.0. A message counts as handed over only when the broker has said `accepted`; until then it is ours. One that we take
 * counts as taken only when we have said so; until then it is the broker's, and comes again.
 */
import rhea, {
  type Connection,
  type ConnectionOptions,
  type Delivery,
  type EventContext,
  type Message,
  type Receiver,
  type Sender,
  type SenderOptions,
} from 'rhea';
import { Fault, reasonOf } from '../../base/errors.ts';
import { addressOf, type Broker, type QueueSettings } from './brokers.ts';

export type { Message } from 'rhea';

const CONNECT_MS = 10_000;
const ANSWER_MS = 30_000;
const IDLE_MS = 30_000;
/** Terminus durability `unsettled-state`: a broker that makes queues on demand makes one that outlives it. */
const KEPT = 2;
const RECONNECT_MS = [250, 1_000, 5_000, 15_000];

export type Publisher = {
  /** Resolves when the broker has accepted the message for good; throws a `Fault` `queue.notAccepted` or `queue.unreachable`, and then it may be there or not. */
  publish(message: Message): Promise<void>;
  close(): Promise<void>;
};

/** Publishes to a queue over one connection, made when it is needed and again after it broke. */
export function createPublisher(settings: QueueSettings): Publisher {
  let link: Promise<{ connection: Connection; sender: Sender }> | null = null;
  const waiting = new Map<Delivery, { done: () => void; fail: (fault: Fault) => void }>();

  const failAll = (why: string): void => {
    for (const { fail } of waiting.values()) fail(unaccepted(`the connection ended before the broker answered: ${why}`));
    waiting.clear();
  };
  async function open(): Promise<{ connection: Connection; sender: Sender }> {
    const connection = await connectToAny(settings.brokers);
    const sender = connection.open_sender({
      target: { address: addressOf(settings), durable: KEPT },
      autosettle: true,
      treat_modified_as_released: false,
    } as SenderOptions);
    const lost = (context: EventContext): void => {
      link = null;
      failAll(errorText(context));
    };
    connection.on('disconnected', lost);
    connection.on('connection_close', lost);
    sender.on('sender_close', lost);
    const ended = (deliver: (waiter: { done: () => void; fail: (fault: Fault) => void }) => void) => (context: EventContext) => {
      const { delivery } = context;
      const waiter = delivery && waiting.get(delivery);
      if (!delivery || !waiter) return;
      waiting.delete(delivery);
      deliver(waiter);
    };
    sender.on(
      'accepted',
      ended(({ done }) => done()),
    );
    for (const outcome of ['released', 'modified', 'rejected'] as const)
      sender.on(
        outcome,
        ended(({ fail }) => fail(unaccepted(`the broker answered "${outcome}"`))),
      );
    await onceOpen(connection, (done, fail) => {
      sender.once('sendable', done);
      sender.once('sender_error', (context: EventContext) => fail(errorText(context)));
    });
    return { connection, sender };
  }

  return {
    async publish(message) {
      link ??= open().catch((thrown) => {
        link = null;
        throw thrown;
      });
      const { connection, sender } = await link;
      if (!sender.sendable()) await onceOpen(connection, (done) => sender.once('sendable', done));
      await new Promise<void>((done, fail) => {
        const timer = setTimeout(() => {
          fail(unaccepted('the broker did not answer in time'));
          // What it answers later nobody waits for: the next attempt has a connection of its own.
          link = null;
          connection.close();
        }, ANSWER_MS);
        const end =
          <T>(work: (value: T) => void) =>
          (value: T): void => {
            clearTimeout(timer);
            work(value);
          };
        const delivery = sender.send(message);
        waiting.set(delivery, { done: end(() => done()) as () => void, fail: end(fail) });
      });
    },
    async close() {
      const open = await link?.catch(() => null);
      link = null;
      if (open) await closed(open.connection);
    },
  };
}

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
  readonly onFault: (error: unknown) => void;
};

/** Takes messages from a queue until it is closed, whatever becomes of the connection. */
export function startConsumer(options: ConsumerOptions): Consumer {
  const { atOnce = 4, pauseMs = 1_000, take, onFault } = options;
  let closing = false;
  let connection: Connection | null = null;
  let wake: () => void = () => undefined;
  const inHand = new Set<Promise<void>>();

  async function handle(receiver: Receiver, delivery: Delivery, message: Message): Promise<void> {
    let settled: Settled = 'again';
    try {
      settled = await take(message, Number(message.delivery_count ?? 0));
    } catch (error) {
      onFault(error);
    }
    if (settled === 'again' && !closing) await new Promise((done) => setTimeout(done, pauseMs));
    // On a connection that is gone this says nothing to anybody: the broker gives the message out again.
    if (!receiver.is_open()) return;
    if (settled === 'accept') delivery.accept();
    else delivery.release({ delivery_failed: true });
    if (!closing) receiver.add_credit(1);
  }

  async function loop(): Promise<void> {
    for (let failures = 0; !closing; failures++) {
      try {
        connection = await connectToAny(options.brokers);
        failures = 0;
        const receiver = connection.open_receiver({
          source: { address: addressOf(options), durable: KEPT },
          credit_window: 0,
          autoaccept: false,
        });
        receiver.on('message', ({ message, delivery }: EventContext) => {
          if (!message || !delivery) return;
          const work = handle(receiver, delivery, message).finally(() => inHand.delete(work));
          inHand.add(work);
        });
        receiver.add_credit(atOnce);
        const over = connection;
        await new Promise<void>((done) => {
          wake = done;
          over.once('disconnected', () => done());
          over.once('connection_close', () => done());
          receiver.once('receiver_close', () => done());
        });
        if (!closing) onFault(new Fault('queue.lost', 'the connection to the broker was lost; it is made again'));
      } catch (error) {
        onFault(error);
      }
      if (connection && !closing) await closed(connection);
      if (!closing)
        await new Promise<void>((done) => {
          const timer = setTimeout(done, RECONNECT_MS[Math.min(failures, RECONNECT_MS.length - 1)]);
          wake = () => {
            clearTimeout(timer);
            done();
          };
        });
    }
  }
  const ended = loop();
  return {
    async close() {
      closing = true;
      // What is in hand is settled on the connection that it came over.
      await Promise.all(inHand);
      wake();
      if (connection) await closed(connection);
      await ended;
    },
  };
}

/** The first of the brokers that takes us. */
async function connectToAny(brokers: readonly Broker[]): Promise<Connection> {
  const faults: string[] = [];
  for (const broker of brokers) {
    try {
      return await connect(broker);
    } catch (thrown) {
      faults.push(`${broker.host}:${broker.port}: ${reasonOf(thrown)}`);
    }
  }
  throw new Fault('queue.unreachable', `no broker takes us: ${faults.join('; ')}`, {
    remedy: 'check the addresses, the user and the password, and whether a broker runs that speaks AMQP 1.0',
  });
}

function connect({ host, port, tls, username, password }: Broker): Promise<Connection> {
  const options = {
    host,
    port,
    reconnect: false,
    idle_time_out: IDLE_MS,
    container_id: `gp2gp-${process.pid}`,
    ...(tls && { transport: 'tls', servername: host, rejectUnauthorized: true }),
    ...(username !== undefined && { username, password: password ?? '' }),
  } as ConnectionOptions;
  return new Promise((done, fail) => {
    const container = rhea.create_container();
    const connection = container.connect(options);
    const timer = setTimeout(() => end('no answer'), CONNECT_MS);
    function end(why: string | null): void {
      clearTimeout(timer);
      if (why === null) {
        done(connection);
        return;
      }
      connection.removeAllListeners();
      // Whatever comes after nobody waits for; an event without a listener would end the process.
      connection.on('error', () => undefined);
      connection.close();
      fail(new Error(why));
    }
    connection.on('error', () => undefined);
    connection.on('connection_error', (context: EventContext) => end(errorText(context)));
    connection.once('connection_open', () => end(null));
    connection.once('disconnected', (context: EventContext) => end(errorText(context)));
  });
}

/** Waits for something of a connection that may break or keep silent first. */
function onceOpen(connection: Connection, listen: (done: () => void, fail: (why: string) => void) => void): Promise<void> {
  return new Promise((done, fail) => {
    const lost = (context: EventContext): void => end(errorText(context));
    const timer = setTimeout(() => end('no answer'), ANSWER_MS);
    function end(why: string | null): void {
      clearTimeout(timer);
      connection.removeListener('disconnected', lost);
      if (why === null) done();
      else fail(new Fault('queue.unreachable', `the queue cannot be used: ${why}`));
    }
    connection.once('disconnected', lost);
    listen(
      () => end(null),
      (why) => end(why),
    );
  });
}

function closed(connection: Connection): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, 1_000);
    const end = (): void => {
      clearTimeout(timer);
      done();
    };
    if (!connection.is_open()) {
      end();
      return;
    }
    connection.once('connection_close', end);
    connection.once('disconnected', end);
    connection.close();
  });
}

function errorText({ error, connection, sender }: EventContext): string {
  const found = error ?? sender?.error ?? connection?.error;
  if (found instanceof Error) return reasonOf(found);
  const { condition, description } = (found ?? {}) as { condition?: string; description?: string };
  return [condition, description].filter(Boolean).join(': ') || 'without a reason';
}

function unaccepted(why: string): Fault {
  return new Fault('queue.notAccepted', `the message was not taken over: ${why}`);
}

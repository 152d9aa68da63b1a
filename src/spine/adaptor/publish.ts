import type { Delivery, EventContext, Message, Sender, SenderOptions } from 'rhea';
import { Fault } from '../../base/errors.ts';
import { ANSWER_MS, KEPT, type Opened, openConnection, within } from './amqp.ts';
import { addressOf, type QueueSettings } from './brokers.ts';

export type Publisher = {
  /** Resolves when the broker has accepted the message for good; throws a `Fault` `queue.notAccepted` or `queue.unreachable`, and then it may be there or not. */
  publish(message: Message): Promise<void>;
  close(): Promise<void>;
};

type Waiting = { readonly done: () => void; readonly fail: (why: string) => void };
type Link = {
  readonly opened: Opened;
  readonly sender: Sender;
  readonly waiting: Map<Delivery, Waiting>;
  /** The next attempt has a connection of its own. */
  readonly letGo: () => void;
};

/**
 * Publishes to a queue over one connection, made when it is needed and again after it broke. A message counts as handed over only when the
 * broker has said `accepted`; until then it is ours.
 */
export function createPublisher(settings: QueueSettings): Publisher {
  let link: Promise<Link> | null = null;
  const begin = (): Promise<Link> => {
    const opening = openLink(settings, () => {
      if (link === opening) link = null;
    });
    return opening;
  };
  return {
    async publish(message) {
      link ??= begin();
      const { opened, sender, waiting, letGo } = await link;
      const full = sender.sendable() ? null : await within(opened, ANSWER_MS, (done) => sender.once('sendable', done));
      if (full !== null) {
        letGo();
        throw unaccepted(full);
      }
      await new Promise<void>((done, reject) => {
        const fail = (why: string): void => {
          clearTimeout(timer);
          reject(unaccepted(why));
        };
        const timer = setTimeout(() => {
          // What it answers later nobody waits for.
          letGo();
          fail('the broker did not answer in time');
        }, ANSWER_MS);
        waiting.set(sender.send(message), {
          done: () => {
            clearTimeout(timer);
            done();
          },
          fail,
        });
      });
    },
    async close() {
      const made = await link?.catch(() => null);
      link = null;
      await made?.opened.shut();
    },
  };
}

async function openLink(settings: QueueSettings, over: () => void): Promise<Link> {
  try {
    const opened = await openConnection(settings.brokers);
    const letGo = (): void => {
      over();
      void opened.shut();
    };
    const sender = opened.connection.open_sender({
      target: { address: addressOf(settings), durable: KEPT },
      autosettle: true,
      treat_modified_as_released: false,
    } as SenderOptions);
    const waiting: Link['waiting'] = new Map();
    const answered = (say: (waiter: Waiting) => void) => (context: EventContext) => {
      const waiter = context.delivery && waiting.get(context.delivery);
      if (!context.delivery || !waiter) return;
      waiting.delete(context.delivery);
      say(waiter);
    };
    sender.on(
      'accepted',
      answered(({ done }) => done()),
    );
    for (const outcome of ['released', 'modified', 'rejected'] as const)
      sender.on(
        outcome,
        answered(({ fail }) => fail(`the broker answered "${outcome}"`)),
      );
    void opened.ended.then((why) => {
      letGo();
      for (const { fail } of waiting.values()) fail(`the connection ended before the broker answered: ${why}`);
      waiting.clear();
    });
    const unusable = await within(opened, ANSWER_MS, (done) => sender.once('sendable', done));
    if (unusable !== null) {
      letGo();
      throw new Fault('queue.unreachable', `the queue ${settings.queue} cannot be used: ${unusable}`);
    }
    return { opened, sender, waiting, letGo };
  } catch (thrown) {
    over();
    throw thrown;
  }
}

function unaccepted(why: string): Fault {
  return new Fault('queue.notAccepted', `the message was not taken over: ${why}`);
}

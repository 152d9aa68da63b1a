/** A node behind an existing message adaptor: what that has put on its queue comes into our inbox. */
import type { Logger } from 'pino';
import { Fault, reasonOf } from '../base/errors.ts';
import { isDatabaseAway } from '../database/connect.ts';
import type { Objects } from '../objects/objects.ts';
import type { QueueSettings } from '../spine/adaptor/brokers.ts';
import { type Consumer, startConsumer } from '../spine/adaptor/consume.ts';
import { createPublisher } from '../spine/adaptor/publish.ts';
import { createTake, type TakeOptions } from '../spine/adaptor/take.ts';
import { hasRoom } from './health.ts';
import type { Metrics } from './metrics.ts';

export type AdaptorQueueOptions = {
  readonly queue: QueueSettings;
  /** Queue that what nobody can use is put on. */
  readonly deadLetters: string;
  /** The queue of another consumer of the same messages. */
  readonly forward: QueueSettings | null;
  /** Messages in hand at the same time. */
  readonly atOnce: number;
  readonly objects: Objects;
  readonly take: Pick<TakeOptions, 'accept' | 'ownsPartyKey' | 'isMine'>;
  readonly now: () => Date;
  readonly metrics: Metrics;
  readonly log: Logger;
};

export function startAdaptorQueue(options: AdaptorQueueOptions): Consumer {
  const { queue, objects, metrics, log } = options;
  const dead = createPublisher({ ...queue, queue: options.deadLetters });
  const forward = options.forward && createPublisher(options.forward);
  const take = createTake({
    ...options.take,
    objects,
    forward,
    dead,
    now: options.now,
    alert: ({ code, ...about }) => {
      metrics.alert(code);
      log.warn({ code, ...about }, 'alert');
    },
  });
  const consumer = startConsumer({
    ...queue,
    atOnce: options.atOnce,
    async take(message, redeliveries) {
      if (await hasRoom(objects)) return await take(message, redeliveries);
      metrics.alert('disk.full');
      throw new Fault('disk.full', 'no message can be taken from the queue at the moment');
    },
    onFault(error) {
      metrics.fault('queue');
      log[isDatabaseAway(error) || error instanceof Fault ? 'warn' : 'error'](
        { fault: reasonOf(error) },
        'the queue of the message adaptor',
      );
    },
  });
  return {
    async close() {
      await consumer.close();
      await dead.close();
      await forward?.close();
    },
  };
}

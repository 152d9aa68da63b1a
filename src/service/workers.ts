import { reasonOf } from '../base/errors.ts';
import type { Db } from '../database/connect.ts';
import { listen } from '../database/listen.ts';
import { type Arrival, claimArrivals, releaseArrivals, renewArrivals } from '../store/inbox.ts';
import { CHANNEL, claim, type Kind, readWakeCall, release, renew, type Work } from '../store/outbox.ts';
import type { Claim, Tables } from '../store/tables.ts';
import { type Lane, startLane } from './lane.ts';

export type WorkersOptions = {
  readonly db: Db<Tables>;
  readonly databaseUrl: string;
  /** This process's name in claims; never the same twice. */
  readonly owner: string;
  readonly deliver: (arrival: Arrival) => Promise<void>;
  readonly carryOut: (work: Work) => Promise<void>;
  /** How many of each kind are worked on at the same time. */
  readonly atOnce: Readonly<Record<Kind | 'inbox', number>>;
  readonly leaseSeconds: number;
  readonly pollMs: number;
  readonly onFault: (what: string, error: unknown) => void;
};
export type Workers = {
  /** Has the queues looked at that were added to; left out, all. */
  wake(queues?: Iterable<string>): void;
  stop(): Promise<void>;
};

/** What is in hand this long after a stop was asked for is left to another node. */
const STOP_MS = 7_000;

/**
 * Takes due work from the queues and carries it out: messages that came, messages to send, jobs, timers, notices. Leases are renewed
 * while the work goes on; a process that dies loses its leases, and another takes the work.
 */
export function startWorkers(options: WorkersOptions): Workers {
  const { db, owner, leaseSeconds, pollMs, atOnce } = options;
  const held = { inbox: new Set<number>(), outbox: new Set<number>() };

  const holding =
    <Item extends { readonly claim: Claim }>(ids: Set<number>, work: (item: Item) => Promise<void>) =>
    async (item: Item): Promise<void> => {
      ids.add(item.claim.id);
      try {
        await work(item);
      } finally {
        ids.delete(item.claim.id);
      }
    };
  const lane = (kind: Kind): Lane =>
    startLane({
      limit: atOnce[kind],
      claim: (limit) => claim(db, kind, owner, limit, leaseSeconds),
      work: holding(held.outbox, options.carryOut),
      pollMs,
      onFault: (error) => options.onFault(`outbox (${kind})`, error),
    });
  const inbox = startLane({
    limit: atOnce.inbox,
    claim: (limit) => claimArrivals(db, owner, limit, leaseSeconds),
    work: holding(held.inbox, options.deliver),
    pollMs,
    onFault: (error) => options.onFault('inbox', error),
  });
  const lanes = new Map<string, Lane>([
    ['inbox', inbox],
    ...(['message', 'job', 'timer', 'notice', 'mi'] as const).map((kind) => [kind, lane(kind)] as const),
  ]);
  const wake: Workers['wake'] = (queues = lanes.keys()) => {
    for (const queue of queues) lanes.get(queue)?.wake();
  };
  // Other nodes' commits. Notifications may be lost; the lanes look by themselves as well.
  const ear = listen(options.databaseUrl, CHANNEL, (said) => {
    const call = readWakeCall(said);
    if (call.owner !== owner) wake(call.queues ?? undefined);
  });
  const renewal = setInterval(
    () => {
      const late = (error: unknown): void => options.onFault('lease renewal', reasonOf(error));
      if (held.outbox.size > 0) renew(db, owner, [...held.outbox], leaseSeconds).catch(late);
      if (held.inbox.size > 0) renewArrivals(db, owner, [...held.inbox], leaseSeconds).catch(late);
    },
    (leaseSeconds * 1000) / 3,
  );

  return {
    wake,
    async stop() {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((done) => {
        timer = setTimeout(done, STOP_MS);
      });
      await Promise.race([Promise.all([...lanes.values()].map((each) => each.stop())), patience]);
      clearTimeout(timer);
      clearInterval(renewal);
      await ear.close();
      await release(db, owner);
      await releaseArrivals(db, owner);
    },
  };
}

import { reasonOf } from '../base/errors.ts';
import type { Db } from '../database/connect.ts';
import { listen } from '../database/listen.ts';
import { type Arrival, claimArrivals, releaseArrivals, renewArrivals } from '../store/inbox.ts';
import { CHANNEL, claim, type Kind, readWakeCall, release, renew, type Work, wake } from '../store/outbox.ts';
import type { Claim, Tables } from '../store/tables.ts';
import { type Lane, type Room, startLane } from './lane.ts';

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
  /** Has the queues looked at that were added to, here and soon in the other processes; left out, all, and only here. */
  wake(queues?: ReadonlySet<Kind | 'inbox'>): void;
  /** A free hand for one task, or for one message that has come. */
  readonly hands: Hands;
  readonly arrivalHands: () => Place<Arrival> | null;
  stop(): Promise<void>;
};
/** A hand that is kept free for something that is just being written; until then it is in nobody's lease. */
export type Place<Item = Work> = Room<Item> & { readonly leaseSeconds: number };
export type Hands = (kind: Kind) => Place | null;

/** Other processes are called this long after something was left lying, once for all of it: they poll besides. */
const CALL_MS = 25;

/** What is in hand this long after a stop was asked for is left to another node. */
const STOP_MS = 7_000;

/**
 * Takes due work from the queues and carries it out: messages that came, messages to send, jobs, timers, notices. Leases are renewed
 * while the work goes on; a process that dies loses its leases, and another takes the work.
 */
export function startWorkers(options: WorkersOptions): Workers {
  const { db, owner, leaseSeconds, pollMs, atOnce } = options;
  const held = { inbox: new Set<number>(), outbox: new Set<number>() };

  const lane = <Item extends { readonly claim: Claim }>(
    limit: number,
    ids: Set<number>,
    claimed: (limit: number) => Promise<readonly Item[]>,
    work: (item: Item) => Promise<void>,
    what: string,
  ): Lane<Item> =>
    startLane({
      limit,
      claim: async (wanted) => {
        const items = await claimed(wanted);
        for (const item of items) ids.add(item.claim.id);
        return items;
      },
      work: async (item) => {
        ids.add(item.claim.id);
        try {
          await work(item);
        } finally {
          ids.delete(item.claim.id);
        }
      },
      pollMs,
      onFault: (error) => options.onFault(what, error),
    });
  const inbox = lane(atOnce.inbox, held.inbox, (limit) => claimArrivals(db, owner, limit, leaseSeconds), options.deliver, 'inbox');
  const outbox = new Map(
    (['message', 'job', 'timer', 'notice', 'mi'] as const).map((kind) => [
      kind,
      lane(atOnce[kind], held.outbox, (limit) => claim(db, kind, owner, limit, leaseSeconds), options.carryOut, `outbox (${kind})`),
    ]),
  );
  const lanes = new Map<string, Pick<Lane<never>, 'wake' | 'stop'>>([['inbox', inbox], ...outbox]);
  const wakeHere = (queues: Iterable<string> = lanes.keys()): void => {
    for (const queue of queues) lanes.get(queue)?.wake();
  };
  const place = <Item>(room: Room<Item> | null | undefined): Place<Item> | null => (room ? { ...room, leaseSeconds } : null);
  const called = new Set<Kind | 'inbox'>();
  let call: NodeJS.Timeout | undefined;
  const callOthers = (queues: Iterable<Kind | 'inbox'>): void => {
    for (const queue of queues) called.add(queue);
    if (called.size === 0) return;
    call ??= setTimeout(() => {
      call = undefined;
      const said = [...called];
      called.clear();
      wake(db, owner, said).catch((error: unknown) => options.onFault('call', error));
    }, CALL_MS);
  };
  // Other nodes' commits. Notifications may be lost; the lanes look by themselves as well.
  const ear = listen(options.databaseUrl, CHANNEL, (said) => {
    const call = readWakeCall(said);
    if (call.owner !== owner) wakeHere(call.queues ?? undefined);
  });
  const prolong = alone(
    () => (held.outbox.size > 0 ? renew(db, owner, [...held.outbox], leaseSeconds) : null),
    (error) => options.onFault('lease renewal', reasonOf(error)),
  );
  const prolongArrivals = alone(
    () => (held.inbox.size > 0 ? renewArrivals(db, owner, [...held.inbox], leaseSeconds) : null),
    (error) => options.onFault('lease renewal', reasonOf(error)),
  );
  const renewal = setInterval(
    () => {
      prolong();
      prolongArrivals();
    },
    (leaseSeconds * 1000) / 3,
  );

  return {
    wake(queues) {
      wakeHere(queues);
      if (queues) callOthers(queues);
    },
    hands: (kind) => place(outbox.get(kind)?.room()),
    arrivalHands: () => place(inbox.room()),
    async stop() {
      clearTimeout(call);
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

/** Not again before the last time is over: two renewals at once would meet in the same rows, each in an order of its own. */
function alone(renewal: () => Promise<unknown> | null, onFault: (error: unknown) => void): () => void {
  let under = false;
  return () => {
    if (under) return;
    under = true;
    Promise.resolve(renewal())
      .catch(onFault)
      .finally(() => {
        under = false;
      });
  };
}

/** One practice's node: what came is kept, posted and answered as the service does it, over a store that survives what the process does not. */
import type { TransferId } from '../../base/ids.ts';
import { begunBy, supersededBy } from '../../transfer/decide.ts';
import type { LookUp } from '../../transfer/routing.ts';
import type { Event, OwnPractice, Peer, Received, Transfer } from '../../transfer/types.ts';
import type { Habits } from './habits.ts';
import { claimOf, type Inside, LEASE_MS, LostClaim } from './inside.ts';
import { makePost } from './post.ts';
import { Crashed, conversationKey, type Fate, type InboxRow, makeStore, type OutboxRow } from './store.ts';
import { instantOf, type World, type WorldNode } from './types.ts';
import { makeWork } from './work.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
/** How long a message waits for its conversation, and how often at least it is tried. */
const PARKED_MS = 7 * HOUR;
const TRIES = 3;
/** The service looks every minute; nothing happens in between. */
const LONGEST_PARK_MS = 20 * 60 * SECOND;

export function makeNode(world: World, { own, asPeer, habits }: { own: OwnPractice; asPeer: Peer; habits: Habits }): WorldNode {
  const { clock, chance, coverage, machine, watch } = world;
  const store = makeStore();
  const { tables, put, onCommit } = store;
  let [up, life, offset, rows] = [true, 0, 0, 0];

  const node: WorldNode = {
    name: own.ods,
    own,
    asPeer,
    habits,
    store,
    now: () => clock.now() + offset,
    isUp: () => up,
    accept,
    post: (target, event) => guarded(() => post(target, event, null)),
    crash,
    jumpClock(ms) {
      offset += ms;
      coverage.fault(ms > 0 ? 'clock forward' : 'clock back');
      lookAtAll();
    },
  };
  const inside: Inside = { world, node, transaction, later, look, owner: () => `${own.ods}-${life}` };
  const post = makePost(inside);
  const work = makeWork(inside, post);

  // ---- the process

  function crash(): void {
    if (!up) return;
    up = false;
    life++;
    if (!machine.keeps.timers) for (const row of tables.outbox.values()) if (row.kind === 'timer') tables.outbox.delete(row.id);
    const away = chance.happens(0.03) ? chance.between(1, 30) * HOUR : chance.between(1, 300) * SECOND;
    clock.after(away, () => {
      up = true;
      lookAtAll();
    });
  }

  function fate(): Fate {
    if (!chance.happens(0.0012)) return 'commit';
    const isBefore = chance.happens(0.5);
    coverage.fault(isBefore ? 'crash before commit' : 'crash after commit');
    return isBefore ? 'crash' : 'lostAnswer';
  }

  function transaction<T>(body: () => T): T {
    try {
      return store.transaction(body, fate);
    } catch (thrown) {
      if (thrown instanceof Crashed) {
        crash();
      }
      throw thrown;
    }
  }

  /** What a process was at when it ended is over; what it had committed is taken up again. */
  function guarded(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      if (thrown instanceof LostClaim) coverage.fault('lost claim');
      else if (!(thrown instanceof Crashed)) throw thrown;
    }
  }

  function later(ms: number, run: () => void): void {
    const mine = life;
    clock.after(ms, () => {
      if (up && mine === life) guarded(run);
    });
  }

  // ---- the queues

  function lookAtAll(): void {
    for (const row of tables.outbox.values()) look(row);
    for (const row of tables.inbox.values()) if (!row.done) lookAtArrival(row);
  }

  function look({ id, dueAt }: OutboxRow): void {
    later(dueAt - node.now(), () => {
      const row = tables.outbox.get(id);
      if (!row || row.dead || row.dueAt > node.now()) {
        // Set anew meanwhile, or somebody has it: it is looked at again when that is over.
        if (row && !row.dead && row.dueAt !== dueAt) return;
        if (row && !row.dead) look(row);
        return;
      }
      const claimed = { ...row, owner: inside.owner(), claims: row.claims + 1, dueAt: node.now() + LEASE_MS };
      transaction(() => {
        put(tables.outbox, id, claimed);
        onCommit(() => look(claimed));
      });
      work(claimed);
    });
  }

  function lookAtArrival({ key, dueAt }: InboxRow): void {
    later(dueAt - node.now(), () => {
      const row = tables.inbox.get(key);
      if (!row || row.done || row.dead || row.dueAt !== dueAt) return;
      if (row.dueAt > node.now()) {
        lookAtArrival(row);
        return;
      }
      const claimed = { ...row, owner: inside.owner(), claims: row.claims + 1, dueAt: node.now() + LEASE_MS };
      transaction(() => {
        put(tables.inbox, key, claimed);
        onCommit(() => lookAtArrival(claimed));
      });
      const stalled = chance.happens(0.002);
      if (stalled) coverage.fault('stalled worker');
      later(stalled ? LEASE_MS * 2 : chance.between(1, 200), () => deliver(claimed));
    });
  }

  // ---- arrivals

  function accept(message: Received): 'accepted' | 'noAnswer' {
    if (!up) {
      coverage.fault('node down');
      return 'noAnswer';
    }
    const key = `${message.addressed.fromPartyKey}/${message.messageId}`;
    try {
      if (!machine.keeps.durableFirst && chance.happens(0.01)) {
        watch.accepted(node, key, message);
        crash();
        return 'accepted';
      }
      transaction(() => {
        if (tables.inbox.has(key) && machine.keeps.once) return;
        const now = node.now();
        const unclaimed = { owner: null, claims: 0, attempts: 0, dueAt: now, dead: false, done: false };
        const row: InboxRow = { ...unclaimed, id: ++rows, key, message, receivedAt: now };
        put(tables.inbox, key, row);
        onCommit(() => lookAtArrival(row));
      });
    } catch (thrown) {
      if (thrown instanceof Crashed) return 'noAnswer';
      throw thrown;
    }
    watch.accepted(node, key, message);
    return 'accepted';
  }

  function deliver(row: InboxRow): void {
    const message = byKnownId(row.message);
    const event: Event = { id: `arrived:${row.key}`, at: instantOf(node.now()), by: { kind: 'peer' }, kind: 'arrived', message };
    const cause = { queue: 'inbox', key: row.key, claim: claimOf(row) } as const;
    const { lookUps, unfound } = machine.route(message);
    const transfer = firstHit(lookUps);
    if (transfer) post({ transfer }, event, cause);
    else if (unfound === 'begin' && message.interaction === 'request') {
      const id = `SENDING ${message.conversationId} ${own.ods}` as TransferId;
      for (const other of running(message)) if (other !== id) post({ transfer: other }, supersededBy(id, event.at), null);
      post({ begin: begunBy(message, { id, practice: own.ods, now: event.at }) }, event, cause);
    } else park(row);
  }

  function byKnownId(message: Received): Received {
    if (!('of' in message) || message.of === null) return message;
    const sent = tables.sent.get(message.of.toUpperCase());
    return sent ? { ...message, of: sent.message } : message;
  }

  function firstHit(lookUps: readonly LookUp[]): TransferId | null {
    for (const lookUp of lookUps) {
      const hit =
        lookUp.by === 'sentMessage'
          ? tables.sent.get(lookUp.id)?.transfer
          : lookUp.by === 'expectedPart'
            ? expecting(lookUp.id)
            : tables.conversations.get(conversationKey(lookUp.role, lookUp.id));
      if (hit) return hit;
    }
    return null;
  }

  function expecting(id: string): TransferId | undefined {
    for (const [transfer, ledger] of tables.ledgers) if (ledger.get(id)?.under) return transfer;
    return undefined;
  }

  function running({ nhsNumber, from }: Extract<Received, { interaction: 'request' }>): TransferId[] {
    const isSame = (transfer: Transfer) => transfer.role === 'sending' && transfer.state !== 'ended' && transfer.nhsNumber === nhsNumber;
    const requester = (transfer: Transfer) => world.stories.get(transfer.nhsNumber)?.requester.own.ods;
    return [...tables.transfers.values()].filter((transfer) => isSame(transfer) && requester(transfer) === from).map(({ id }) => id);
  }

  function park(row: InboxRow): void {
    coverage.fault('parked');
    transaction(() => {
      const current = tables.inbox.get(row.key);
      if (current?.owner !== row.owner || current.claims !== row.claims) throw new LostClaim();
      if (!machine.keeps.parked) {
        put(tables.inbox, row.key, { ...current, done: true });
        return;
      }
      if (node.now() - row.receivedAt > PARKED_MS && row.attempts + 1 >= TRIES) {
        coverage.fault('put aside');
        put(tables.inbox, row.key, { ...current, owner: null, dead: true });
        return;
      }
      const wait = Math.min(LONGEST_PARK_MS, SECOND * 4 ** Math.min(row.attempts, 6));
      const parked = { ...current, owner: null, attempts: row.attempts + 1, dueAt: node.now() + wait };
      put(tables.inbox, row.key, parked);
      onCommit(() => lookAtArrival(parked));
    });
  }

  return node;
}

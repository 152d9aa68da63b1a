/**
 * The one door: whatever happens to a transfer is an event that comes through here. One transaction locks the transfer, decides, packs
 * what is to be sent, writes what follows and closes the row that caused it. All of it happens or nothing.
 */
import { reasonOf } from '../base/errors.ts';
import { instant, type Ods, type TransferId } from '../base/ids.ts';
import { type Db, isRetryable, type Later, transaction } from '../database/connect.ts';
import type { Objects } from '../objects/objects.ts';
import { audit } from '../store/audit.ts';
import { appendHistory } from '../store/history.ts';
import { completeArrival, holdArrival } from '../store/inbox.ts';
import { bury, complete, holdWork, type Kind } from '../store/outbox.ts';
import type { Practice } from '../store/practices.ts';
import type { Claim, Origin, Store, Tables } from '../store/tables.ts';
import { insertTransfer, lockTransfer, writeTransfer } from '../store/transfers.ts';
import { basisOf, remembering } from '../transfer/basis.ts';
import { decide, unsendable } from '../transfer/decide.ts';
import { measuredOf, measuredOfEvent } from '../transfer/measured.ts';
import type { Event, Transfer } from '../transfer/types.ts';
import { createEffects, type Packer } from './effects.ts';
import { factsFor } from './facts.ts';
import { type RecordMi, reports } from './mi/record.ts';
import { createTurns } from './turns.ts';

/** The row that caused an event; closed in the same transaction, and only while the claim holds. */
export type Cause =
  | { readonly queue: 'inbox'; readonly claim: Claim }
  | { readonly queue: 'outbox'; readonly claim: Claim; readonly putAside?: string };
export type Posting = {
  readonly practice: Ods;
  readonly event: Event;
  readonly cause?: Cause;
} & (
  | { readonly transfer: TransferId }
  /** Begins the transfer where its conversation or registration is new; otherwise the event is posted to the one that exists. */
  | { readonly begin: Transfer; readonly origin: Origin }
);
/** `repeated`: the event was known, nothing changed. `lost`: somebody else has the cause now, nothing changed. */
export type Posted = { readonly outcome: 'changed' | 'repeated' | 'lost' | 'unknown'; readonly transfer: Transfer | null };
export type Post = (posting: Posting) => Promise<Posted>;

export type PostOptions = {
  readonly db: Db<Tables>;
  readonly objects: Pick<Objects, 'put'>;
  readonly practice: (ods: Ods) => Promise<Practice | null>;
  readonly now: () => Date;
  readonly newId: () => string;
  /** This process's name. */
  readonly owner: string;
  /** Left out: for Spine itself. */
  readonly packer?: Packer;
  /** Notes what is told nationally; left out: nothing is. */
  readonly recordMi?: RecordMi;
  /** Called after each commit: for counting, and to wake the workers of this process that have something to do. */
  readonly committed: (queued: Queued) => void;
};
/** Queues in which something lies that is due at once. */
export type Queued = ReadonlySet<Kind | 'inbox'>;
export const NOTHING: Queued = new Set();

/** Two transactions that meet in opposite order are run again this often. */
const ATTEMPTS = 5;

export function createPost(options: PostOptions): Post {
  const turn = createTurns();
  const effects = createEffects(options);

  return async (posting) => {
    const key = 'transfer' in posting ? posting.transfer : posting.begin.conversationId;
    const { posted, queued } = await turn(key, () => attempt(posting, ATTEMPTS));
    if (posted.outcome !== 'lost') options.committed(queued);
    return posted;
  };

  async function attempt(posting: Posting, left: number): Promise<{ posted: Posted; queued: Queued }> {
    try {
      // Before the transaction: a look-up that wanted a second connection while all of them are held by transactions would wait for ever.
      const own = await options.practice(posting.practice);
      return await transaction(options.db, (store, later) => inTransaction(store, later, posting, own));
    } catch (error) {
      if (error instanceof LostClaim) return { posted: { outcome: 'lost', transfer: null }, queued: NOTHING };
      if (left > 1 && isRetryable(error)) return attempt(posting, left - 1);
      throw error;
    }
  }

  async function inTransaction(
    store: Store,
    later: Later,
    posting: Posting,
    own: Practice | null,
  ): Promise<{ posted: Posted; queued: Queued }> {
    const { practice: ods, event, cause } = posting;
    const id = 'transfer' in posting ? posting.transfer : (await insertTransfer(store, posting.begin, posting.origin)).id;
    // One way there and back: the transfer first, then the cause, in the order in which everybody locks them.
    const [locked, held] = await Promise.all([lockTransfer(store, ods, id, event.id), !cause || hold(store, cause)]);
    if (!locked) return { posted: { outcome: 'unknown', transfer: null }, queued: NOTHING };
    if (!held) throw new LostClaim();
    const { transfer: before, happened } = locked;
    if (cause) later(close(store, cause, id));
    if (happened) return { posted: { outcome: 'repeated', transfer: before }, queued: NOTHING };
    if (!own) throw new Error(`practice ${ods} is not served by this node`);

    const now = instant(options.now());
    let transfer = before;
    const queued = new Set<Kind>();
    // What cannot be sent is an event of its own: the decision about it belongs to the same transaction.
    for (let events: Event[] = [event]; events.length > 0; ) {
      const [next, ...rest] = events;
      if (!next) break;
      const { facts, drawn } = remembering(await factsFor(store, transfer, next, { now, newId: options.newId, own }));
      const decision = decide(transfer, next, facts);
      const { notSent, enqueued } = await effects(store, later, transfer, decision, next, own, now);
      for (const kind of enqueued) queued.add(kind);
      const after: Transfer = { ...decision.transfer, version: transfer.version + 1 };
      const measured = measuredOf(transfer, next, decision);
      later(
        appendHistory(
          store,
          ods,
          id,
          next.id,
          {
            number: after.version,
            kind: next.kind,
            at: next.at,
            by: next.by,
            from: transfer.version === 0 ? null : transfer.state,
            to: after.state,
            note: decision.note,
            measured,
          },
          basisOf(next, facts, drawn),
        ),
      );
      if (options.recordMi && reports(own) && (await options.recordMi(store, after, { at: next.at, measured }))) queued.add('mi');
      transfer = after;
      events = [...rest, ...notSent.map(({ message, fault }) => unsendable(message, reasonOf(fault), now))];
    }
    later(writeTransfer(store, transfer));
    if (event.by.kind === 'person') {
      const { user, role } = event.by;
      const why = event.kind === 'decided' && event.reason !== undefined ? { reason: event.reason } : {};
      const detail = { event: event.id, from: before.state, to: transfer.state, ...measuredOfEvent(event), ...why };
      const actor = `${user} (${role})`;
      later(audit(store, { practice: ods, transfer: id, actor, action: event.kind, detail }));
    }
    return { posted: { outcome: 'changed', transfer }, queued };
  }
}

/** Thrown to roll back: whoever has the claim now will post the same thing. */
class LostClaim extends Error {}

/** Whether the claim still holds; if so, it does until the transaction ends. */
function hold(store: Store, { queue, claim }: Cause): Promise<boolean> {
  return queue === 'inbox' ? holdArrival(store, claim) : holdWork(store, claim);
}

async function close(store: Store, cause: Cause, transfer: TransferId): Promise<void> {
  const held =
    cause.queue === 'inbox'
      ? await completeArrival(store, cause.claim, transfer)
      : cause.putAside === undefined
        ? await complete(store, cause.claim)
        : await bury(store, cause.claim, cause.putAside);
  if (!held) throw new LostClaim();
}

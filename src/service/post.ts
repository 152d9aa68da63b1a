/**
 * The one door: whatever happens to a transfer is an event that comes through here. One transaction locks the transfer, decides, packs
 * what is to be sent, writes what follows and closes the row that caused it. All of it happens or nothing.
 */
import { reasonOf } from '../base/errors.ts';
import { instant, type Ods, type TransferId } from '../base/ids.ts';
import { type Db, type Finish, isRetryable, type Later, transaction } from '../database/connect.ts';
import type { Objects } from '../objects/objects.ts';
import { audit } from '../store/audit.ts';
import { completeArrival } from '../store/inbox.ts';
import { AT_ONCE, bury, complete, type Due, enqueue, type Kind, nameOf, wakeCall } from '../store/outbox.ts';
import { type CauseRow, lockForPost, writePost } from '../store/posting.ts';
import type { Practice } from '../store/practices.ts';
import type { Sent } from '../store/sent-messages.ts';
import type { Claim, Origin, Store, Tables } from '../store/tables.ts';
import { insertTransfer } from '../store/transfers.ts';
import { basisOf, remembering } from '../transfer/basis.ts';
import { decide, unsendable } from '../transfer/decide.ts';
import { measuredOf, measuredOfEvent } from '../transfer/measured.ts';
import type { Decision, Event, Transfer } from '../transfer/types.ts';
import { createEffects, type Packer } from './effects.ts';
import { factsFor } from './facts.ts';
import { type RecordMi, reports } from './mi/record.ts';
import { createTurns } from './turns.ts';
import type { Hands, Place } from './workers.ts';

/** The row that caused an event; closed in the same transaction, and only while the claim holds. */
export type Cause =
  | { readonly queue: 'inbox'; readonly claim: Claim }
  | { readonly queue: 'outbox'; readonly claim: Claim; readonly putAside?: string };
export type Posting = {
  readonly practice: Ods;
  readonly event: Event;
  readonly cause?: Cause;
  /** The message of ours that the event's message names, where whoever posts has looked it up already. */
  readonly named?: Sent | null;
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
  /** Called after each commit: for counting, and to wake the workers that have something to do. */
  readonly committed: (queued: Queued) => void;
  /**
   * The hands of this process's workers: what is queued for one that is free begins in them, and nobody has to claim it. Left out: everything
   * lies there for anybody, and the other processes are called when the transaction commits.
   */
  readonly hands?: Hands;
};
/** Queues in which something lies that is due at once and that nobody has taken. */
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

  async function attempt(posting: Posting, left: number): Promise<Done> {
    const taking: Taking[] = [];
    try {
      // Before the transaction: a look-up that wanted a second connection while all of them are held by transactions would wait for ever.
      const own = await options.practice(posting.practice);
      const done = await transaction(options.db, (store, later, finish) => inTransaction({ store, later, finish }, posting, own, taking));
      start(taking, posting.practice, done);
      return done;
    } catch (error) {
      for (const { place } of taking) place.free();
      if (error instanceof LostClaim) return { posted: { outcome: 'lost', transfer: null }, queued: NOTHING, origin: null };
      if (left > 1 && isRetryable(error)) return attempt(posting, left - 1);
      throw error;
    }
  }

  async function inTransaction(
    { store, later, finish }: { readonly store: Store; readonly later: Later; readonly finish: Finish },
    posting: Posting,
    own: Practice | null,
    taking: Taking[],
  ): Promise<Done> {
    const { practice: ods, event, cause = null } = posting;
    const locked = await lockOrBegin(store, posting, cause);
    if (!locked) return { posted: { outcome: 'unknown', transfer: null }, queued: NOTHING, origin: null };
    if (!locked.held) throw new LostClaim();
    const { transfer: before, origin, happened } = locked;
    const { id } = before;
    if (happened) {
      if (cause) later(close(store, cause, id));
      return { posted: { outcome: 'repeated', transfer: before }, queued: NOTHING, origin };
    }
    if (!own) throw new Error(`practice ${ods} is not served by this node`);

    const now = instant(options.now());
    let transfer = before;
    let open: CauseRow | null = cause;
    const queued = new Set<Kind>();
    // What cannot be sent is an event of its own: the decision about it belongs to the same transaction.
    for (let events: Event[] = [event]; events.length > 0; ) {
      const [next, ...rest] = events;
      if (!next) break;
      const { facts, drawn } = remembering(
        await factsFor(store, transfer, next, { now, newId: options.newId, own }, posting.named ?? null),
      );
      const decision = decide(transfer, next, facts);
      if (open && cause && closesFirst(cause, next, decision)) {
        await close(store, cause, id);
        open = null;
      }
      const { notSent, due, ...effected } = await effects(store, transfer, decision, next, own, now);
      const after: Transfer = { ...decision.transfer, version: transfer.version + 1 };
      const measured = measuredOf(transfer, next, decision);
      const entry = {
        number: after.version,
        kind: next.kind,
        at: next.at,
        by: next.by,
        from: transfer.version === 0 ? null : transfer.state,
        to: after.state,
        note: decision.note,
        measured,
      };
      if (options.recordMi && reports(own) && (await options.recordMi(store, after, { at: next.at, measured }))) queued.add('mi');
      const many = due.length > AT_ONCE;
      if (many) await enqueue(store, ods, id, due, options.owner);
      const placed = many ? [] : due.map((task) => ({ task, place: options.hands?.(task.kind) ?? null }));
      for (const { task, place } of placed) if (place) taking.push({ task, place });
      for (const { kind } of many ? due : placed.flatMap(({ task, place }) => (place ? [] : [task]))) queued.add(kind);
      const writing = writePost({
        ...effected,
        transfer: after,
        eventId: next.id,
        entry,
        basis: basisOf(next, facts, drawn),
        due: placed.map(({ task, place }) => ({ ...task, leaseSeconds: place?.leaseSeconds ?? null })),
        cause: open,
        owner: options.owner,
        call: options.hands || queued.size === 0 ? null : wakeCall(options.owner, queued),
      });
      open = null;
      transfer = after;
      events = [...rest, ...notSent.map(({ message, fault }) => unsendable(message, reasonOf(fault), now))];
      if (events.length === 0 && event.by.kind === 'person') later(audited(store, event, before, transfer));
      const taken = events.length > 0 ? (await writing.execute(store)).rows : await finish(writing);
      for (const row of taken) {
        const mine = taking.find(({ task, row: known }) => !known && task.kind === row.kind && nameOf(task) === row.name);
        if (mine) mine.row = row.id;
      }
    }
    return { posted: { outcome: 'changed', transfer }, queued, origin };
  }

  /** What was queued into hands of this process begins. */
  function start(taking: readonly Taking[], practice: Ods, { posted: { transfer }, origin }: Done): void {
    const at = performance.now();
    for (const { task, place, row } of taking) {
      if (row === undefined || !transfer || !origin) throw new Error('what was taken was not queued');
      place.start({
        claim: { id: row, owner: options.owner, claims: 1 },
        practice,
        transfer: transfer.id,
        attempts: 0,
        queuedAt: instant(options.now()),
        expired: false,
        task,
        fresh: true,
        subject: { transfer, origin, at },
      });
    }
  }
}

/** Locks the transfer, which may begin with this. */
async function lockOrBegin(store: Store, posting: Posting, cause: CauseRow | null): ReturnType<typeof lockForPost> {
  const { practice, event } = posting;
  if ('transfer' in posting) return lockForPost(store, practice, posting.transfer, event.id, cause);
  const { begin, origin } = posting;
  const { id, added } = await insertTransfer(store, begin, origin);
  // Nobody else sees it before the transaction ends, and nothing has happened to it.
  if (added && !cause) return { transfer: begin, origin, happened: false, held: true };
  return lockForPost(store, practice, id, event.id, cause);
}

type Done = { readonly posted: Posted; readonly queued: Queued; readonly origin: Origin | null };

/** A task that begins in a worker's hands; `row`: its number, once it has one. */
type Taking = { readonly task: Due; readonly place: Place; row?: number };

/**
 * A cause that cannot end in the one statement that writes the rest: it is put aside, or it is a message, and the decision strikes messages,
 * or it is a timer, which may be set anew.
 */
function closesFirst(cause: Cause, event: Event, decision: Decision<Transfer>): boolean {
  return (
    event.kind === 'due' ||
    (cause.queue === 'outbox' && (cause.putAside !== undefined || decision.effects.some((effect) => effect.do === 'stopSending')))
  );
}

async function audited(store: Store, event: Event, before: Transfer, after: Transfer): Promise<void> {
  if (event.by.kind !== 'person') return;
  const { user, role } = event.by;
  const why = event.kind === 'decided' && event.reason !== undefined ? { reason: event.reason } : {};
  const detail = { event: event.id, from: before.state, to: after.state, ...measuredOfEvent(event), ...why };
  await audit(store, { practice: after.practice, transfer: after.id, actor: `${user} (${role})`, action: event.kind, detail });
}

/** Thrown to roll back: whoever has the claim now will post the same thing. */
class LostClaim extends Error {}

async function close(store: Store, cause: Cause, transfer: TransferId): Promise<void> {
  const held =
    cause.queue === 'inbox'
      ? await completeArrival(store, cause.claim, transfer)
      : cause.putAside === undefined
        ? await complete(store, cause.claim)
        : await bury(store, cause.claim, cause.putAside);
  if (!held) throw new LostClaim();
}

import { Fault, reasonOf } from '../base/errors.ts';
import { instant } from '../base/ids.ts';
import { type Db, isDatabaseAway } from '../database/connect.ts';
import type { Sender } from '../spine/send.ts';
import { bury, retry, type Task, type Work } from '../store/outbox.ts';
import type { Practice } from '../store/practices.ts';
import { findSent } from '../store/sent-messages.ts';
import type { Tables } from '../store/tables.ts';
import { readSubject, type Subject } from '../store/transfers.ts';
import type { Event, Job, JobResult } from '../transfer/types.ts';
import { createEndings, type End } from './endings.ts';
import type { Notify } from './notices.ts';
import type { Post } from './post.ts';
import type { Practices } from './practices.ts';

/** What a job ended with. `moot`: the transfer has moved on. `again`: not yet, and not a failure either. */
export type JobOutcome =
  | { readonly outcome: 'done'; readonly result: JobResult }
  | { readonly outcome: 'moot' }
  | { readonly outcome: 'again'; readonly afterSeconds: number; readonly why: string };
export type RunJob = (given: Subject & { readonly practice: Practice; readonly attempts: number }) => Promise<JobOutcome>;
export type Jobs = Readonly<Record<Job, RunJob>>;

export type Outgoing = Extract<Task, { kind: 'message' }>;
export type WorkOptions = {
  readonly db: Db<Tables>;
  readonly post: Post;
  readonly practices: Practices;
  readonly sender: Sender;
  /** Where all messages are posted; `null`: where SDS says. */
  readonly spineUrl: string | null;
  /** Makes a message anew whose time to live is over, and queues it in the place of the old one. */
  readonly renew: (work: Work, task: Outgoing) => Promise<void>;
  /** Told of each final refusal: what was looked up may be out of date. */
  readonly refused: (work: Work, fault: string) => Promise<void>;
  readonly jobs: Jobs;
  readonly notify: Notify;
  /** Left out where nothing is told nationally: then no worker takes such work. */
  readonly mi?: (work: Work, task: Extract<Task, { kind: 'mi' }>) => Promise<void>;
  readonly now: () => Date;
  readonly onFault: (what: string, error: unknown) => void;
};

/**
 * Failed attempts after which a job's transfer is told. Pauses double up to five minutes: 12 are about twenty minutes, while somebody
 * waits at the other end; 300 a day, for what only waits for a service or the practice's own system to come back; a conversion that
 * fails will fail again.
 */
const ATTEMPTS: Readonly<Record<Job, number>> = { mayWeAsk: 300, mayTheyAsk: 12, fetch: 12, toHl7: 3, toFhir: 3, file: 300 };
/** Trying again cannot help: somebody has to look. */
const FINAL: ReadonlySet<string> = new Set(['filing.refused', 'filing.otherRecord']);
/** Claims without an attempt that ended: the process died under it every time, so the work itself may be what kills. */
const DEADLY_CLAIMS = 10;
const NOTICE_ATTEMPTS = 12;
/** A job that waited longer for a hand looks at its transfer again: what it does outside is to be done for what the transfer is. */
const RECENT_MS = 1_000;
/** How long a message that could never leave is made anew: after eight days nobody waits for any message of a transfer. */
const WAITED_MS = 8 * 86_400_000;
/** Attempts at what fails for a reason that nobody foresaw: our own objects are gone, a decision throws. Then an operator sees it. */
const UNEXPECTED = 20;

/** Carries out one task and posts what came of it; the post closes the row, and only while the claim holds. */
export function createWork(options: WorkOptions): (work: Work) => Promise<void> {
  const { db, post, now } = options;
  const end = createEndings(db);
  const event = (id: string, what: EventBody): Event => ({ id, at: instant(now()), by: { kind: 'system' }, ...what });
  const on = ({ practice, transfer }: Work) => ({ practice, transfer });

  async function message(work: Work, task: Outgoing): Promise<void> {
    const { interaction, packed } = task;
    const { messageId } = packed;
    const giveUp = async (fault: string): Promise<void> => {
      const known = (await findSent(db, work.practice, messageId))?.message ?? messageId;
      const what = event(`notSent:${messageId}:${work.claim.claims}`, { kind: 'notSent', messageId: known, interaction, fault });
      await post({ ...on(work), event: what, cause: { queue: 'outbox', claim: work.claim, putAside: fault } });
    };
    // What never left is not given up for having waited: Spine was away, or the node itself.
    if (task.stale || (work.expired && work.attempts === 0 && now().getTime() - Date.parse(work.queuedAt) < WAITED_MS))
      return options.renew(work, task);
    if (work.expired) return giveUp('the time that the receiver’s contract allows is over');
    const began = performance.now();
    const url = options.spineUrl ?? packed.url;
    if (url === undefined) return giveUp('neither the settings nor SDS say where messages to this practice are posted');
    const sent = await options.sender.send(packed, url);
    switch (sent.outcome) {
      case 'delivered':
        return delivered({ db, post, now, end }, work, task);
      case 'refused':
        await options.refused(work, sent.fault);
        return giveUp(sent.fault);
      case 'unreachable':
        // Nothing arrived, so nothing of the contract is used up.
        await retry(db, work.claim, { fault: sent.fault, afterSeconds: pause(work.claim.claims, 60), counts: false });
        return;
      case 'accepted':
      case 'unknown': {
        // From the beginning of one attempt to that of the next. After the last an acknowledgement may still come: until the contract ends.
        const left = packed.everySeconds - (performance.now() - began) / 1000;
        const afterSeconds = work.attempts < packed.retries ? Math.max(0, left) : Number.POSITIVE_INFINITY;
        await retry(db, work.claim, { fault: sent.fault, afterSeconds, counts: true });
        return;
      }
    }
  }

  async function job(work: Work, name: Job): Promise<void> {
    const posting = (id: string, what: EventBody, putAside?: string) =>
      post({
        ...on(work),
        event: event(`${id}:${work.claim.id}:${work.claim.claims}`, what),
        cause: { queue: 'outbox', claim: work.claim, ...(putAside !== undefined && { putAside }) },
      });
    if (work.claim.claims - work.attempts > DEADLY_CLAIMS) {
      const fault = `the node ended ${DEADLY_CLAIMS} times while it was at this`;
      await posting('failed', { kind: 'failed', job: name, fault }, fault);
      return;
    }
    const practice = await options.practices.byOds(work.practice);
    const subject =
      work.subject && performance.now() - work.subject.at < RECENT_MS ? work.subject : await readSubject(db, work.practice, work.transfer);
    if (!practice || !subject) {
      await bury(db, work.claim, practice ? 'the transfer is gone' : 'the practice is not served any more');
      return;
    }
    let outcome: JobOutcome;
    try {
      const { transfer, origin } = subject;
      outcome = await options.jobs[name]({ transfer, origin, practice, attempts: work.attempts });
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      options.onFault(name, error);
      const fault = faultText(error);
      const final = error instanceof Fault && FINAL.has(error.code);
      if (!final && work.attempts + 1 < ATTEMPTS[name]) {
        await retry(db, work.claim, { fault, afterSeconds: pause(work.attempts, 300), counts: true });
        return;
      }
      await posting('failed', { kind: 'failed', job: name, fault }, fault);
      return;
    }
    switch (outcome.outcome) {
      case 'done':
        await posting('done', { kind: 'done', result: outcome.result });
        return;
      case 'moot':
        await end(work.claim);
        return;
      case 'again':
        await retry(db, work.claim, { fault: outcome.why, afterSeconds: outcome.afterSeconds, counts: false });
        return;
    }
  }

  async function notice(work: Work, state: string): Promise<void> {
    const practice = await options.practices.byOds(work.practice);
    try {
      if (practice) await options.notify(practice, { transferId: work.transfer, state });
      await end(work.claim);
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      const fault = faultText(error);
      if (work.attempts + 1 < NOTICE_ATTEMPTS)
        await retry(db, work.claim, { fault, afterSeconds: pause(work.attempts, 3600), counts: true });
      else await bury(db, work.claim, fault);
    }
  }

  async function carryOut(work: Work): Promise<void> {
    const { task } = work;
    switch (task.kind) {
      case 'message':
        return message(work, task);
      case 'job':
        return job(work, task.job);
      case 'timer': {
        const what = event(`due:${work.claim.id}:${work.claim.claims}`, { kind: 'due', timer: task.timer });
        await post({ ...on(work), event: what, cause: { queue: 'outbox', claim: work.claim } });
        return;
      }
      case 'notice':
        return notice(work, task.state);
      case 'mi':
        if (!options.mi) throw new Fault('mi.off', 'management information is not configured');
        return options.mi(work, task);
    }
  }

  return async (work) => {
    try {
      await carryOut(work);
    } catch (error) {
      // Without a database nothing can be given back either: the lease ends by itself.
      if (isDatabaseAway(error)) throw error;
      options.onFault(work.task.kind, error);
      const fault = faultText(error);
      // Management information is never given up: nobody could make it again.
      if (work.attempts < UNEXPECTED || work.task.kind === 'mi')
        await retry(db, work.claim, { fault, afterSeconds: pause(work.attempts, 300), counts: true });
      else await bury(db, work.claim, fault);
    }
  };
}

type EventBody = Event extends infer Each ? (Each extends Event ? Omit<Each, 'id' | 'at' | 'by'> : never) : never;

/** The other side has the message: its row ends, and its transfer hears of it where it waits for that. */
export async function delivered(
  { db, post, now, end }: Pick<WorkOptions, 'db' | 'post' | 'now'> & { readonly end: End },
  work: Work,
  { interaction, packed: { messageId }, tellWhenSent }: Outgoing,
): Promise<void> {
  if (!tellWhenSent) {
    await end(work.claim);
    return;
  }
  // One that was made anew is still the message that its transfer waits for; parts keep their ids, and what has just been queued is new.
  const itself = work.fresh || interaction === 'index' || interaction === 'piece';
  const known = itself ? messageId : ((await findSent(db, work.practice, messageId))?.message ?? messageId);
  const event: Event = {
    id: `sent:${messageId}`,
    at: instant(now()),
    by: { kind: 'system' },
    kind: 'sent',
    messageId: known,
    interaction,
  };
  await post({ practice: work.practice, transfer: work.transfer, event, cause: { queue: 'outbox', claim: work.claim } });
}

/** Seconds: 1, 2, 4 … up to `cap`, each a quarter up or down. */
function pause(before: number, cap: number): number {
  return jitter(Math.min(cap, 2 ** Math.min(before, 20)));
}

function jitter(seconds: number): number {
  return seconds * (0.75 + Math.random() * 0.5);
}

function faultText(error: unknown): string {
  return error instanceof Fault ? `${error.code}: ${error.message}` : reasonOf(error);
}

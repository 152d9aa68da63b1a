/** The one queue: messages, jobs, timers, notices, management information. These statements agree about leases; a result counts only while its claim does. */
import type { ObjectRef } from '../base/content.ts';
import type { Instant, MessageId, Ods, TransferId } from '../base/ids.ts';
import type { Packed } from '../base/wire.ts';
import { fixed, part, together } from '../database/fixed.ts';
import type { Interaction, Job, Timer } from '../transfer/types.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Claim, Store, Tables } from './tables.ts';
import { type Subject, type SubjectRow, subjectOf } from './transfers.ts';

/** What is to be done. A message has its exact bytes or does not exist. */
export type Task =
  | {
      readonly kind: 'message';
      readonly interaction: Interaction;
      readonly packed: Packed;
      readonly tellWhenSent: boolean;
      /** Its time to live is over: it has to be made anew before it is sent. */
      readonly stale?: true;
    }
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'timer'; readonly timer: Timer; readonly at: Instant }
  | { readonly kind: 'notice'; readonly state: string }
  /** An event for the national service, by the id of its row; or a list that becomes events first. */
  | { readonly kind: 'mi'; readonly event: number }
  | { readonly kind: 'mi'; readonly list: MiList };
/** Objects of the conversion that become events of their own, without the network being asked. */
export type MiList = { readonly of: 'documents' | 'degrades'; readonly object: ObjectRef; readonly at: Instant };
export type Kind = Task['kind'];
/** What decisions queue; management information queues itself. */
export type Queueable = Exclude<Task, { readonly kind: 'mi' }>;
/** Of them, what is due at once. */
export type Due = Exclude<Queueable, { readonly kind: 'timer' }>;
/** A task in a worker's hands. */
export type Work = {
  readonly claim: Claim;
  readonly practice: Ods;
  readonly transfer: TransferId;
  readonly attempts: number;
  readonly queuedAt: Instant;
  /** A message: its contract's end has passed. */
  readonly expired: boolean;
  readonly task: Task;
  /** The post that queued this has just been committed here. */
  readonly fresh?: true;
  /** Its transfer as it was when this came into the worker's hands, and when that was: `performance.now()`. */
  readonly subject?: Subject & { readonly at: number };
};

/** A century stands for "when the contract ends". */
const LONGEST_SECONDS = 3_153_600_000;

/** Rows in one statement: a record's thousand envelopes in one would be ten megabytes, three times over. */
export const AT_ONCE = 50;

/** The channel on which every node hears that there is something to do: who queued it, and in which queues. */
export const CHANNEL = 'gp2gp_work';

/** What is said on the channel. */
export function wakeCall(owner: string, queues: Iterable<Kind | 'inbox'>): string {
  return `${owner}|${[...new Set(queues)].join(',')}`;
}

/** Reads a call; without queues, as an older node makes it, it means all of them. */
export function readWakeCall(call: string): { readonly owner: string; readonly queues: readonly string[] | null } {
  const [owner = '', queues] = call.split('|');
  return { owner, queues: queues ? queues.split(',') : null };
}

/**
 * Queues what is due at once for one transfer, in order, in the caller's transaction. It wakes every other node when the transaction
 * commits; `owner`, who queues it, wakes its own workers without the way round. Few tasks are written with the rest of a post.
 */
export async function enqueue(store: Store, practice: Ods, transfer: TransferId, tasks: readonly Due[], owner = ''): Promise<void> {
  for (let from = 0; from < tasks.length; from += AT_ONCE) {
    const some = tasks.slice(from, from + AT_ONCE);
    const rows = some.map((task) => ({ name: nameOf(task), kind: task.kind, body: bodyOf(task), persist: persistOf(task) }));
    await fixed`
      with queued as (
        insert into outbox (practice, transfer, kind, name, body, due_at, until)
        select ${practice}, ${transfer}, kind, name, body, now(), now() + make_interval(secs => persist)
        from jsonb_to_recordset(${writeStored(rows)}::jsonb) as task(kind text, name text, body jsonb, persist float8)
      )
      select pg_notify(${CHANNEL}, ${wakeCall(
        owner,
        some.map(({ kind }) => kind),
      )})`.execute(store);
  }
}

/** For how long its contract says that a message may wait. */
export function persistOf(task: Due): number | null {
  return task.kind === 'message' ? task.packed.persistSeconds : null;
}

export function nameOf(task: Queueable): string {
  switch (task.kind) {
    case 'message':
      return task.packed.messageId;
    case 'job':
      return task.job;
    case 'timer':
      return task.timer;
    case 'notice':
      return task.state;
  }
}

export function bodyOf(task: Task): unknown {
  const { kind: _kind, ...body } = task;
  return body;
}

/**
 * Takes up to `limit` due tasks of a kind for `owner`, the oldest first. While the lease lasts nobody else gets them; another
 * claim, by anybody, ends the right to complete this one. Jobs bring their transfers along.
 */
export async function claim(store: Store, kind: Kind, owner: string, limit: number, leaseSeconds: number): Promise<Work[]> {
  const taken = part`
    update outbox set owner = ${owner}, claims = claims + 1, due_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    where id in (
      select id from outbox where kind = ${kind} and dead_at is null and due_at <= clock_timestamp()
      order by due_at, id limit ${limit} for update skip locked
    )
    returning id, practice, transfer, claims, attempts, queued_at, body, coalesce(until <= clock_timestamp(), false) as expired`;
  const withTransfers = [
    part`with taken as (`,
    taken,
    part`)
    select taken.*, it.role, it.conversation_id, it.nhs_number, it.version, it.state, it.body as transfer_body, it.started_at, it.origin
    from taken left join transfers as it on it.practice = taken.practice and it.id = taken.transfer`,
  ];
  const { rows } = await together<Claimed>(kind === 'job' ? withTransfers : [taken]).execute(store);
  const at = performance.now();
  return rows.sort((a, b) => a.id - b.id).map((row) => ({ ...workOf(row, kind, owner), ...(row.role && { subject: broughtBy(row, at) }) }));
}

type Claimed = SelectedOutbox & { expired: boolean } & Partial<Omit<SubjectRow, 'practice' | 'id' | 'body'>> & {
    transfer_body?: SubjectRow['body'];
  };

/** Without a role there was no transfer, or nobody asked for it. */
function broughtBy(row: Claimed, at: number): NonNullable<Work['subject']> {
  const { practice, transfer: id, transfer_body: body } = row;
  return { ...subjectOf({ ...row, practice, id, body } as SubjectRow), at };
}

function workOf(row: SelectedOutbox & { readonly expired: boolean }, kind: Kind, owner: string): Work {
  return {
    claim: { id: row.id, owner, claims: row.claims },
    practice: row.practice,
    transfer: row.transfer,
    attempts: row.attempts,
    queuedAt: row.queued_at,
    expired: row.expired,
    task: { ...(row.body as object), kind } as Task,
  };
}
type SelectedOutbox = {
  id: number;
  practice: Ods;
  transfer: TransferId;
  claims: number;
  attempts: number;
  queued_at: Instant;
  body: unknown;
};

/** Takes a message that still waits, or is being sent, out of whatever hands it is in: it turned out to have arrived. */
export async function takeMessage(store: Store, practice: Ods, transfer: TransferId, id: MessageId, owner: string): Promise<Work | null> {
  const { rows } = await fixed<SelectedOutbox & { expired: boolean }>`
    update outbox set owner = ${owner}, claims = claims + 1, due_at = clock_timestamp() + interval '1 minute'
    where practice = ${practice} and transfer = ${transfer} and kind = 'message' and name = ${id} and dead_at is null
    returning id, practice, transfer, claims, attempts, queued_at, body, false as expired`.execute(store);
  return rows[0] ? workOf(rows[0], 'message', owner) : null;
}

/** Puts a message made anew in the place of one whose time was over: due at once, with the whole of its contract before it. */
export async function replaceMessage(store: Store, { id, owner, claims }: Claim, task: Task & { kind: 'message' }): Promise<boolean> {
  const { packed } = task;
  const { numAffectedRows } = await fixed`
    update outbox set name = ${packed.messageId}, body = ${writeStored(bodyOf(task))}::jsonb, owner = null, attempts = 0,
      due_at = clock_timestamp(), until = clock_timestamp() + make_interval(secs => ${packed.persistSeconds})
    where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(store);
  return numAffectedRows === 1n;
}

/** Prolongs the leases of work that takes long. Gives the ids that were still ours. */
export async function renew(store: Store, owner: string, ids: readonly number[], leaseSeconds: number): Promise<number[]> {
  const { rows } = await fixed<{ id: number }>`
    update outbox set due_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    where id = any(${[...ids]}::bigint[]) and owner = ${owner} and dead_at is null
    returning id`.execute(store);
  return rows.map((row) => row.id);
}

/** Ends tasks. Gives those of them whose claim still held. */
export async function completeAll(store: Store, claims: readonly Claim[]): Promise<Set<number>> {
  const { rows } = await fixed<{ id: number }>`
    delete from outbox using unnest(${claims.map(({ id }) => id)}::bigint[], ${claims.map(({ owner }) => owner)}::text[],
      ${claims.map((each) => each.claims)}::integer[]) as held(id, owner, claims)
    where outbox.id = held.id and outbox.owner = held.owner and outbox.claims = held.claims
    returning outbox.id`.execute(store);
  return new Set(rows.map(({ id }) => id));
}

/** Ends a task. False: the claim was lost, and whatever came out of it must be dropped. */
export async function complete(store: Store, { id, owner, claims }: Claim): Promise<boolean> {
  const { numAffectedRows } = await fixed`delete from outbox where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(store);
  return numAffectedRows === 1n;
}

/**
 * Gives a task back, due again in `afterSeconds`, a message at the end of its contract at the latest: then it is seen to have expired.
 * `counts`: the attempt may have had an effect outside, so it is one of those allowed.
 */
export async function retry(
  store: Store,
  { id, owner, claims }: Claim,
  { fault, afterSeconds, counts }: { fault: string | null; afterSeconds: number; counts: boolean },
): Promise<boolean> {
  const { numAffectedRows } = await fixed`
    update outbox set owner = null,
      due_at = least(clock_timestamp() + make_interval(secs => ${Math.min(afterSeconds, LONGEST_SECONDS)}), until),
      attempts = attempts + ${counts ? 1 : 0}, fault = ${fault === null ? null : storable(fault)}
    where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(store);
  return numAffectedRows === 1n;
}

/** Puts a task aside that cannot be done: visible to an operator, who may `revive` it. False: the claim was lost. */
export async function bury(store: Store, { id, owner, claims }: Claim, fault: string): Promise<boolean> {
  const { numAffectedRows } = await fixed`
    update outbox set owner = null, dead_at = now(), fault = ${storable(fault)}
    where id = ${id} and owner = ${owner} and claims = ${claims}`.execute(store);
  return numAffectedRows === 1n;
}

/** An operator's replay of a dead letter, the contract's time from now: the same bytes, or made anew where their time to live is over. */
export async function revive(store: Store, practice: Ods, id: number): Promise<TransferId | null> {
  const { rows } = await fixed<{ transfer: TransferId }>`
    update outbox set dead_at = null, due_at = now(), attempts = 0, fault = null, until = now() + (until - queued_at),
      body = case when until <= now() then body || '{"stale": true}'::jsonb else body end
    where id = ${id} and practice = ${practice} and dead_at is not null returning transfer`.execute(store);
  return rows[0]?.transfer ?? null;
}

/** A person has decided that a task which was put aside is not wanted. */
export async function dropWork(store: Store, practice: Ods, id: number): Promise<boolean> {
  const { numAffectedRows } = await fixed`
    delete from outbox where id = ${id} and practice = ${practice} and dead_at is not null`.execute(store);
  return numAffectedRows === 1n;
}

/** Strikes what has not left. Acknowledgements stay: whoever waits for one must get it. */
export async function strike(store: Store, practice: Ods, transfer: TransferId): Promise<MessageId[]> {
  const { rows } = await fixed<{ name: MessageId }>`
    delete from outbox where practice = ${practice} and transfer = ${transfer} and kind = 'message' and dead_at is null
      and body->>'interaction' <> 'acknowledgement'
    returning name`.execute(store);
  return rows.map((row) => row.name);
}

/** Frees what a node that stops in good order still holds. */
export async function release(store: Store, owner: string): Promise<void> {
  await fixed`update outbox set owner = null, due_at = clock_timestamp() where owner = ${owner} and dead_at is null`.execute(store);
}

/** Wakes the workers of every other node when the transaction commits, or at once. */
export async function wake(store: Store, owner: string, queues: Iterable<Kind | 'inbox'>): Promise<void> {
  await fixed`select pg_notify(${CHANNEL}, ${wakeCall(owner, queues)})`.execute(store);
}

export type QueueDepth = { readonly kind: Tables['outbox']['kind'] | 'inbox'; readonly waiting: number; readonly dead: number };

/** What waits and what was put aside, by kind. A timer that is not due does not wait. */
export async function queueDepths(store: Store): Promise<QueueDepth[]> {
  const { rows } = await fixed<QueueDepth>`
    select kind, count(id) filter (where dead_at is null and (kind <> 'timer' or due_at <= now())) as waiting,
      count(id) filter (where dead_at is not null) as dead
    from unnest(array['message', 'job', 'timer', 'notice', 'mi']) as kind left join outbox using (kind)
    group by kind
    union all
    select 'inbox', count(*) filter (where done_at is null and dead_at is null), count(*) filter (where dead_at is not null)
    from inbox where done_at is null`.execute(store);
  return rows;
}

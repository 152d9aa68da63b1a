/**
 * The two ends of a post: what it locks, and what it writes. Each is one statement over several tables: posts are most of what a node
 * asks of its database, and a statement costs either of them as much as several rows do.
 */
import type { Instant, Ods, TransferId } from '../base/ids.ts';
import { type Fixed, type Part, part, together } from '../database/fixed.ts';
import type { Basis } from '../transfer/basis.ts';
import type { Timer, Transfer } from '../transfer/types.ts';
import type { HistoryEntry } from './history.ts';
import { bodyOf, CHANNEL, type Due, type Kind, nameOf, persistOf, type Task } from './outbox.ts';
import type { SentMessage } from './sent-messages.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Claim, Store } from './tables.ts';
import { columnsOf, type Subject, type SubjectRow, subjectOf } from './transfers.ts';

/** The row that caused a post. */
export type CauseRow = { readonly queue: 'inbox' | 'outbox'; readonly claim: Claim };

/**
 * The transfer, locked until the transaction ends: its events take turns here. Then its cause, in the order in which everybody locks
 * them; `held`: the claim on it still holds. `happened`: the transfer knows this event. That was read before the lock was had, so an
 * event that another node posts at the same moment is only found by the unique index of the history.
 */
export async function lockForPost(
  store: Store,
  practice: Ods,
  id: TransferId,
  eventId: string,
  cause: CauseRow | null,
): Promise<(Subject & { readonly happened: boolean; readonly held: boolean }) | null> {
  const { arrival, work } = claimsOf(cause);
  const { rows } = await together<SubjectRow & { readonly happened: boolean; readonly held: boolean }>([
    part`
    select it.*, exists (select from history where history.transfer = it.id and event_id = ${storable(eventId)}) as happened,`,
    arrival
      ? part` exists (select from inbox where id = ${arrival.id}::bigint and owner = ${arrival.owner}
        and claims = ${arrival.claims}::integer and done_at is null for update)`
      : work
        ? part` exists (select from outbox where id = ${work.id}::bigint and owner = ${work.owner}
        and claims = ${work.claims}::integer for update)`
        : part` true`,
    part` as held
    from (
      select practice, id, role, conversation_id, nhs_number, version, state, body, started_at, origin
      from transfers where practice = ${practice} and id = ${id} for update
    ) as it`,
  ]).execute(store);
  const [row] = rows;
  return row ? { ...subjectOf(row), happened: row.happened, held: row.held } : null;
}

/** At most one of them is there. */
function claimsOf(cause: CauseRow | null): { readonly arrival: Claim | null; readonly work: Claim | null } {
  return { arrival: cause?.queue === 'inbox' ? cause.claim : null, work: cause?.queue === 'outbox' ? cause.claim : null };
}

/** What a post writes of its transfer. */
export type Writing = {
  /** Changed, as it is from now on. */
  readonly transfer: Transfer;
  readonly eventId: string;
  readonly entry: HistoryEntry;
  readonly basis: Basis;
  readonly sent: readonly SentMessage[];
  readonly due: readonly (Due & {
    /** For how long whoever writes this has it in its own hands from the beginning; null: anybody may claim it. */
    readonly leaseSeconds: number | null;
  })[];
  /** Each at most once: set, anew where it is set already. */
  readonly wakes: readonly { readonly timer: Timer; readonly at: Instant }[];
  readonly rests: readonly Timer[];
  readonly closedTasks: readonly string[];
  /** Ends with the post; null: it has none, or one that was ended before. */
  readonly cause: CauseRow | null;
  readonly owner: string;
  /** What is said to other nodes when the transaction commits. */
  readonly call: string | null;
};
/** A row that came into being in its writer's hands. */
export type Taken = { readonly id: number; readonly kind: Kind; readonly name: string };

/**
 * Everything at once. No two parts of it touch the same row: what one of them changed another would not see. Throws PostgreSQL's 23505
 * where another node has posted the same event: the transaction is run again and finds it.
 */
export function writePost(writing: Writing): Fixed<Taken> {
  const { transfer, entry, cause, owner } = writing;
  const { practice, id } = transfer;
  const row = columnsOf(transfer);
  const due = writing.due.map(({ leaseSeconds, ...task }) => ({
    kind: task.kind,
    name: nameOf(task),
    body: bodyOf(task),
    persist: persistOf(task),
    lease: leaseSeconds,
  }));
  const wakes = writing.wakes.map(({ timer, at }) => {
    const task: Task = { kind: 'timer', timer, at };
    return { name: timer, body: bodyOf(task), at };
  });
  const { arrival, work } = claimsOf(cause);
  // What there is nothing for is left out: preparing to do nothing costs the server as much as doing something small.
  return together<Taken>([
    part`
    with changed as (
      update transfers set version = ${transfer.version}, state = ${transfer.state}, body = ${row.body}::jsonb, outcome = ${row.outcome},
        other_practice = coalesce(${row.otherPractice}, other_practice), ended_at = ${row.endedAt}, changed_at = now()
      where practice = ${practice} and id = ${id}
    ), noted as (
      insert into history (practice, transfer, number, event_id, kind, at, by, from_state, to_state, note, measured, basis)
      values (${practice}, ${id}, ${entry.number}, ${storable(writing.eventId)}, ${entry.kind}, ${entry.at}, ${writeStored(entry.by)}::jsonb,
        ${entry.from}, ${entry.to}, ${storable(entry.note)}, ${writeStored(entry.measured)}::jsonb, ${writeStored(writing.basis)}::jsonb)
    )`,
    ...where(
      arrival,
      (claim) => part`, arrival_ended as (
      update inbox set done_at = now(), owner = null, transfer = ${id}
      where id = ${claim.id}::bigint and owner = ${claim.owner} and claims = ${claim.claims}::integer
    )`,
    ),
    ...where(
      work,
      (claim) => part`, work_ended as (
      delete from outbox where id = ${claim.id}::bigint and owner = ${claim.owner} and claims = ${claim.claims}::integer
    )`,
    ),
    ...where(
      some(writing.sent),
      (sent) => part`, remembered as (
      insert into sent_messages (practice, id, transfer, interaction, message_id)
      select ${practice}, upper(sent.id), ${id}, interaction, message
      from jsonb_to_recordset(${writeStored(sent)}::jsonb) as sent(id text, interaction text, message text)
      on conflict do nothing
    )`,
    ),
    ...where(
      some(writing.closedTasks),
      (tasks) => part`, tasks_ended as (
      update tasks set closed_at = now()
      where practice = ${practice} and transfer = ${id} and task = any(${[...tasks]}::text[]) and closed_at is null
    )`,
    ),
    ...where(
      some(writing.rests),
      (timers) => part`, rested as (
      delete from outbox where practice = ${practice} and transfer = ${id} and kind = 'timer' and name = any(${[...timers]}::text[])
    )`,
    ),
    ...where(
      some(wakes),
      (timers) => part`, woken as (
      insert into outbox (practice, transfer, kind, name, body, due_at)
      select ${practice}, ${id}, 'timer', name, body, at
      from jsonb_to_recordset(${writeStored(timers)}::jsonb) as wake(name text, body jsonb, at timestamptz)
      on conflict (transfer, name) where kind = 'timer'
      do update set due_at = excluded.due_at, body = excluded.body, owner = null, claims = outbox.claims + 1, attempts = 0, dead_at = null
    )`,
    ),
    ...where(
      writing.call,
      (call) => part`, called as (
      select pg_notify(${CHANNEL}, ${call})
    ), said as (
      select count(*) as said from called
    )`,
    ),
    ...(due.length === 0
      ? [
          writing.call === null
            ? part` select 0 as id, '' as kind, '' as name where false`
            : part` select 0 as id, '' as kind, '' as name from said where said < 0`,
        ]
      : [
          part`, queued as (
      insert into outbox (practice, transfer, kind, name, body, due_at, until, owner, claims)
      select ${practice}, ${id}, kind, name, body, case when lease is null then now() else clock_timestamp() + make_interval(secs => lease) end,
        now() + make_interval(secs => persist), case when lease is not null then ${owner} end, case when lease is null then 0 else 1 end
      from jsonb_to_recordset(${writeStored(due)}::jsonb) as task(kind text, name text, body jsonb, persist float8, lease float8)
      returning id, kind, name, claims
    )`,
          writing.call === null
            ? part` select id, kind, name from queued where claims > 0`
            : part` select id, kind, name from queued, said where claims > 0`,
        ]),
  ]);
}

/** A part of a statement where there is something to be done. */
function where<Value>(value: Value | null, to: (value: Value) => Part): readonly Part[] {
  return value === null ? [] : [to(value)];
}

function some<Value>(list: readonly Value[]): readonly Value[] | null {
  return list.length === 0 ? null : list;
}

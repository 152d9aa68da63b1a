/** Weekly files of the older process, and the history that they are made from. */
import { sql } from 'kysely';
import type { ObjectRef } from '../base/content.ts';
import type { ConversationId, Instant, Ods, TransferId } from '../base/ids.ts';
import type { Monday } from '../mi/files/week.ts';
import type { Measured } from '../transfer/types.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Store } from './tables.ts';

export type MiFile = {
  readonly week: Monday;
  readonly name: string;
  readonly state: 'made' | 'sent' | 'acknowledged' | 'undeliverable';
  readonly tries: number;
  readonly object: ObjectRef | null;
  readonly messageId: string | null;
};

/** The last week of which there is a file. */
export async function lastMiFile(store: Store): Promise<Monday | null> {
  const { rows } = await sql<{ week: string | null }>`select max(week)::text as week from mi_files`.execute(store);
  return rows[0]?.week ?? null;
}

/** Keeps a file that was made; one of the same week that another node made meanwhile stays. */
export async function keepMiFile(
  store: Store,
  file: {
    readonly week: Monday;
    readonly name: string;
    readonly object: ObjectRef;
    readonly practices: number;
    readonly requests: number;
    readonly sends: number;
  },
): Promise<void> {
  await sql`
    insert into mi_files (week, name, object, practices, requests, sends)
    values (${file.week}, ${file.name}, ${writeStored(file.object)}::jsonb, ${file.practices}, ${file.requests}, ${file.sends})
    on conflict (week) do nothing`.execute(store);
}

/** Takes a file that is to be sent or looked after; nobody else does so for some minutes. */
export async function claimMiFile(store: Store, minutes: number): Promise<MiFile | null> {
  const { rows } = await sql<MiFile>`
    update mi_files set due_at = now() + make_interval(mins => ${minutes})
    where week = (
      select week from mi_files where state in ('made', 'sent') and due_at <= now() order by week limit 1 for update skip locked
    )
    returning week::text, name, state, tries, object, message_id as "messageId"`.execute(store);
  return rows[0] ?? null;
}

/** What became of it. Its bytes are let go once it was taken. */
export async function noteMiFile(
  store: Store,
  week: Monday,
  change: { readonly state?: MiFile['state']; readonly messageId?: string; readonly tries?: number; readonly fault?: string | null },
): Promise<void> {
  const { state = null, messageId = null, tries = null, fault = null } = change;
  await sql`
    update mi_files set state = coalesce(${state}, state), message_id = coalesce(${messageId}, message_id), tries = coalesce(${tries}, tries),
      fault = ${fault === null ? null : storable(fault)}, object = case when ${state} = 'acknowledged' then null else object end
    where week = ${week}`.execute(store);
}

export type WeekTransfer = {
  readonly id: TransferId;
  readonly role: 'requesting' | 'sending';
  readonly conversationId: ConversationId;
  readonly otherPractice: Ods | null;
  readonly entries: readonly { readonly at: Instant; readonly measured: Measured }[];
};

/** Transfers of a practice that began or ended in a week by London's calendar, with their history. */
export async function transfersOfWeek(store: Store, practice: Ods, week: Monday): Promise<WeekTransfer[]> {
  const { rows } = await sql<WeekTransfer>`
    with bounds as (
      select (${week}::date::timestamp at time zone 'Europe/London') as first,
        ((${week}::date + 7)::timestamp at time zone 'Europe/London') as after
    )
    select id, role, conversation_id as "conversationId", other_practice as "otherPractice",
      (select jsonb_agg(jsonb_build_object('at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'measured', measured) order by number)
        from history where history.practice = transfers.practice and transfer = transfers.id) as entries
    from transfers, bounds
    where practice = ${practice}
      and ((started_at >= first and started_at < after) or (ended_at >= first and ended_at < after))
    order by started_at, id`.execute(store);
  return rows.filter(({ entries }) => entries !== null);
}

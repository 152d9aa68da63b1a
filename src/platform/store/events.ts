import { hash, randomUUID } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { type Runner, transaction } from '../../database/connect.ts';
import { eventIdSeed } from '../../mi/check.ts';
import { readEventTime, utcText } from '../../mi/event-time.ts';
import type { MiBody, TransferEvent } from '../../mi/events.ts';
import { EVENTS } from '../../mi/terms.ts';
import type { PlatformDb, PlatformSchema } from './open.ts';

/** A row of `platform.events`. */
export type StoredEvent = {
  /** UTC, microseconds. */
  readonly at: string;
  readonly eventId: string;
  /** 64 bits of the body's digest, as a signed decimal. */
  readonly digest: string;
  readonly type: string;
  readonly conversation: string;
  readonly supplier: string;
  readonly reporting: string;
  readonly requesting: string;
  readonly sending: string | null;
  /** JSON. */
  readonly payload: string | null;
};

/** The row of an event that was checked. The same event gives the same row, whenever and from wherever it comes. */
export function storedEvent(event: TransferEvent): StoredEvent {
  const { body } = event;
  const time = readEventTime(body.registrationEventDateTime);
  if (!time) throw new Error(`no event time: ${body.registrationEventDateTime}`);
  const seed = eventIdSeed(event, time);
  const payload = 'payload' in body ? JSON.stringify(body.payload) : null;
  const { reportingSystemSupplier: supplier, reportingPracticeOdsCode: reporting, requestingPracticeOdsCode: requesting } = body;
  const sending = body.sendingPracticeOdsCode ?? null;
  const digest = hash('sha1', `${seed}\n${supplier}\n${reporting}\n${requesting}\n${sending}\n${payload}`, 'buffer').readBigInt64BE();
  return {
    at: utcText(time),
    eventId: nameUuid(seed),
    digest: String(digest),
    type: EVENTS[event.path].type,
    conversation: body.conversationId,
    supplier,
    reporting,
    requesting,
    sending,
    payload,
  };
}

/** An index entry has its limit; nobody's id or code comes near it. */
const LONGEST_KEY = 500;

/** What the database cannot keep of an event that was checked, as `field: what it must be`; `null` where it can. */
export function unkeepable(row: StoredEvent): string | null {
  // The calendar of the database begins with the year 1.
  if (row.at < '0001') return 'registrationEventDateTime: must be a date and time, 2026-02-08T08:30:27Z';
  const keys = {
    conversationId: row.conversation,
    reportingPracticeOdsCode: row.reporting,
    requestingPracticeOdsCode: row.requesting,
    sendingPracticeOdsCode: row.sending,
    reportingSystemSupplier: row.supplier,
  };
  const long = Object.entries(keys).find(([, value]) => (value?.length ?? 0) > LONGEST_KEY);
  return long ? `${long[0]}: must be at most ${LONGEST_KEY} characters` : null;
}

/** A UUID of version 3 of a text without a name space: the national service's ids of events. */
export function nameUuid(seed: string): string {
  const digits = hash('md5', seed);
  const variant = ((Number.parseInt(digits.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-3${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`;
}

/** Writes events in one statement; those that are there already stay as they are. Their months must exist (`ensureMonths`). */
export async function writeEvents(
  runner: Runner<PlatformSchema>,
  events: readonly (StoredEvent & { readonly submitter: number | null })[],
): Promise<void> {
  const column = (pick: (event: StoredEvent & { readonly submitter: number | null }) => string | number | null) => events.map(pick);
  await sql`
    insert into platform.events (at, event_id, digest, submitter, type, conversation, supplier, reporting, requesting, sending, payload)
    select * from unnest(${column(({ at }) => at)}::timestamptz[], ${column(({ eventId }) => eventId)}::uuid[],
      ${column(({ digest }) => digest)}::bigint[], ${column(({ submitter }) => submitter)}::integer[],
      ${column(({ type }) => type)}::platform.event_type[], ${column(({ conversation }) => conversation)}::text[],
      ${column(({ supplier }) => supplier)}::text[], ${column(({ reporting }) => reporting)}::text[],
      ${column(({ requesting }) => requesting)}::text[], ${column(({ sending }) => sending)}::text[],
      ${column(({ payload }) => payload)}::jsonb[])
    on conflict do nothing`.execute(runner);
}

export type DegradeRow = {
  readonly day: string;
  readonly supplier: string;
  readonly type: string;
  readonly reason: string;
  readonly coding: readonly unknown[];
};

/** Degrades keep the day alone: nothing may lead from one to its transfer. Gives the random id of the event. */
export async function writeDegrades(runner: Runner<PlatformSchema>, body: MiBody<'ehr-degrades'>, now: Date): Promise<string> {
  const { reportingSystemSupplier: supplier, payload } = body;
  const day = now.toISOString().slice(0, 10);
  return writeDegradeRows(
    runner,
    payload.degrades.map(({ type, reason, coding }) => ({ day, supplier, type, reason, coding })),
  );
}

/** Under one random id. */
export async function writeDegradeRows(runner: Runner<PlatformSchema>, rows: readonly DegradeRow[]): Promise<string> {
  const eventId = randomUUID();
  const column = (pick: (row: DegradeRow) => string) => rows.map(pick);
  await sql`
    insert into platform.degrades (event_id, number, day, supplier, type, reason, coding)
    select ${eventId}, number, day, supplier, type, reason, coding
    from unnest(${column(({ day }) => day)}::date[], ${column((row) => row.supplier)}::text[], ${column(({ type }) => type)}::text[],
      ${column(({ reason }) => reason)}::text[], ${column(({ coding }) => JSON.stringify(coding))}::jsonb[])
      with ordinality as each (day, supplier, type, reason, coding, number)`.execute(runner);
  return eventId;
}

/** Degrades from a file; their id says whether they were there before, and nothing of where they come from. */
export type LoadedDegrades = {
  readonly eventId: string;
  readonly day: string;
  readonly supplier: string;
  readonly degrades: MiBody<'ehr-degrades'>['payload']['degrades'];
};

/** Keeps degrades under the ids they have; gives how many of these were not there before. */
export async function writeLoadedDegrades(runner: Runner<PlatformSchema>, all: readonly LoadedDegrades[]): Promise<number> {
  const rows = all.flatMap(({ eventId, day, supplier, degrades }) =>
    degrades.map(({ type, reason, coding }, at) => ({ event_id: eventId, number: at + 1, day, supplier, type, reason, coding })),
  );
  if (rows.length === 0) return 0;
  const { rows: told } = await sql<{ fresh: number }>`
    with written as (
      insert into platform.degrades (event_id, number, day, supplier, type, reason, coding)
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as each
        (event_id uuid, number integer, day date, supplier text, type text, reason text, coding jsonb)
      on conflict do nothing returning event_id)
    select count(distinct event_id) as fresh from written`.execute(runner);
  return told[0]?.fresh ?? 0;
}

const FIRST_MONTH = '2007-01';
const LAST_MONTH = '2099-12';

/**
 * Makes the partitions of these months (`2026-02`). Months that cannot be meant have none, their events lie among the others; so did those
 * of a month that came before it was made, and they move into it.
 */
export async function ensureMonths(db: PlatformDb, months: Iterable<string>): Promise<void> {
  for (const month of months) {
    if (month < FIRST_MONTH || month > LAST_MONTH) continue;
    const [year = 0, number = 0] = month.split('-').map(Number);
    const next = new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 10);
    const table = sql.raw(`platform.events_${month.replace('-', '_')}`);
    const [from, to] = [sql.lit(`${month}-01T00:00:00Z`), sql.lit(`${next}T00:00:00Z`)];
    try {
      await sql`create table if not exists ${table} partition of platform.events for values from (${from}) to (${to})`.execute(db);
    } catch (thrown) {
      const code = (thrown as { code?: string }).code;
      // 23514: rows of this month lie among the others. The rest: another program made it at the same moment.
      if (code === '23514') await moveOut(db, table, from, to);
      else if (code !== '42P07' && code !== '23505' && code !== '42P17') throw thrown;
    }
  }
}

/** Makes a month of which events lie among the others already. */
async function moveOut(db: PlatformDb, table: RawBuilder<unknown>, from: RawBuilder<unknown>, to: RawBuilder<unknown>): Promise<void> {
  await transaction(db, async (trx) => {
    // Whoever writes waits: what came between would be among the others still.
    await sql`lock table platform.events in share row exclusive mode`.execute(trx);
    await sql`create table ${table} (like platform.events including defaults including constraints)`.execute(trx);
    await sql`with moved as (delete from platform.events_other where at >= ${from} and at < ${to} returning *)
      insert into ${table} select * from moved`.execute(trx);
    await sql`alter table platform.events attach partition ${table} for values from (${from}) to (${to})`.execute(trx);
  });
}

export function monthOfEvent({ at }: StoredEvent): string {
  return at.slice(0, 7);
}

import { createHash, hash, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import { eventIdSeed } from '../../mi/check.ts';
import { readEventTime, utcText } from '../../mi/event-time.ts';
import type { MiBody, TransferEvent } from '../../mi/events.ts';
import { EVENTS } from '../../mi/terms.ts';
import type { PlatformSchema } from './open.ts';

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
  const seed = eventIdSeed(event);
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

/** A UUID of version 3 of a text without a name space: the national service's ids of events. */
export function nameUuid(seed: string): string {
  const bytes = createHash('md5').update(seed, 'utf8').digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x30;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
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

const FIRST_MONTH = '2007-01';
const LAST_MONTH = '2099-12';

/**
 * Makes the partitions of these months (`2026-02`). Months that cannot be meant have none, their events lie among the others; so do those
 * of a month whose first events came before it was made.
 */
export async function ensureMonths(runner: Runner<PlatformSchema>, months: Iterable<string>): Promise<void> {
  for (const month of months) {
    if (month < FIRST_MONTH || month > LAST_MONTH) continue;
    const [year = 0, number = 0] = month.split('-').map(Number);
    const next = new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 10);
    const table = `platform.events_${month.replace('-', '_')}`;
    try {
      await sql`create table if not exists ${sql.raw(table)} partition of platform.events
        for values from (${sql.lit(`${month}-01T00:00:00Z`)}) to (${sql.lit(`${next}T00:00:00Z`)})`.execute(runner);
    } catch (thrown) {
      const code = (thrown as { code?: string }).code;
      // 23514: the default partition holds rows of this month. The others: another program made it at the same moment.
      if (code !== '23514' && code !== '42P07' && code !== '23505' && code !== '42P17') throw thrown;
    }
  }
}

export function monthOfEvent({ at }: StoredEvent): string {
  return at.slice(0, 7);
}

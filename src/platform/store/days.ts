/**
 * Counts by day, which the operational reports and dashboards add up: a page over a year reads some thousand rows, however many transfers
 * there were. Days are those of UTC. Outcomes by the national definitions stand under the day of the request, what events say under the
 * day on which a conversation began, and only conversations of which events came.
 */
import { type RawBuilder, sql } from 'kysely';
import { type Runner, transaction } from '../../database/connect.ts';
import type { PlatformDb, PlatformSchema } from './open.ts';

type Reader = Runner<PlatformSchema>;

/** Whether an event of a type came: its place in `platform.event_type`. */
export const TOLD_TYPES = [
  'REGISTRATIONS',
  'TRANSFER_COMPATIBILITY_STATUSES',
  'EHR_REQUESTS',
  'EHR_RESPONSES',
  'DOCUMENT_RESPONSES',
  'READY_TO_INTEGRATE_STATUSES',
  'EHR_INTEGRATIONS',
  'ERROR',
] as const;
const told = (type: (typeof TOLD_TYPES)[number]) => sql.raw(`(told & ${1 << TOLD_TYPES.indexOf(type)} > 0)`);
const codes = (column: string) =>
  sql.raw(
    `coalesce((select string_agg(code::text, ',' order by code) from (select distinct code from unnest(${column}) as each (code) where code is not null) as codes), '')`,
  );
/** Not moves inside one system, which are no transfers: the whole conversation is left out. */
const TRANSFER = sql`not coalesce(internal, false)`;
const RECEIVED = sql`result in ('Successful integration', 'Rejected', 'Awaiting integration')`;
/** Free text names practices, and may name anything: only what it is about is counted. */
const NOT_COMPATIBLE = sql`case
  when coalesce(sending, '') = '' then 'No previous practice'
  when incompatible_reason ~* '\\ysame\\y' then 'Same practice'
  when incompatible_reason ~* 'withdr' then 'Registration withdrawn'
  when incompatible_reason ~* 'wales|welsh|scot|ireland|nation|armed|forces|outside' then 'Outside England'
  when incompatible_reason ~* 'eligible|enabled|gp2gp|system|support|endpoint|look.?up|capab' then 'Previous practice cannot send'
  else 'Other reason' end`;

type Measure = {
  /** Which day a transfer counts for. */
  readonly by: 'measured_at' | 'started_at';
  readonly where: RawBuilder<unknown>;
  /** What transfers are first grouped by: rows of each group beside itself cost less than of each transfer. Their number is `n`. */
  readonly alike?: Readonly<Record<string, RawBuilder<unknown>>>;
  /** Rows of each transfer beside itself. */
  readonly from?: RawBuilder<unknown>;
  readonly key: readonly RawBuilder<unknown>[];
  readonly count?: RawBuilder<unknown>;
};
const entries = (column: string) => sql.raw(`cross join lateral jsonb_each_text(${column}) as each (kind, number)`);
const NUMBER = sql`sum(number::integer)`;
const word = (at: number) => sql.raw(`split_part(kind, ' ', ${at})`);
const supplier = (role: 'requesting' | 'sending') => sql.raw(`coalesce(${role}_supplier, '')`);

export const MEASURES = {
  outcome: {
    by: 'measured_at',
    where: sql`status is not null`,
    key: [
      supplier('requesting'),
      supplier('sending'),
      sql`status`,
      sql`coalesce(failure_reason, '')`,
      codes('final_codes'),
      codes('sender_codes'),
      codes('intermediate_codes'),
    ],
  },
  hour: { by: 'measured_at', where: sql`status is not null`, key: [sql`to_char(measured_at at time zone 'UTC', 'HH24')`, sql`status`] },
  core: {
    by: 'measured_at',
    where: sql`redactions is not null and responded_at is not null`,
    key: [
      supplier('requesting'),
      supplier('sending'),
      sql`case when redactions then 'UK07' else 'UK06' end`,
      sql`case when large then 'large' else 'one message' end`,
    ],
  },
  result: {
    by: 'started_at',
    where: sql`told > 0 and ${TRANSFER}`,
    key: [sql`result`, sql`registration_status`, supplier('requesting'), supplier('sending')],
  },
  total: {
    by: 'started_at',
    where: sql`told > 0 and ${TRANSFER}`,
    alike: {
      registered: sql`registered_at is not null`,
      eligible: sql`coalesce(compatible, false)`,
      transferred: sql`(${RECEIVED} or ready_at is not null)`,
      wrong: sql`errors > 0`,
      result: sql`result`,
    },
    from: sql`cross join lateral (values ('Registrations', registered), ('Eligible for electronic transfer', eligible),
      ('Transferred', transferred), ('Awaiting integration', result = 'Awaiting integration'),
      ('Successfully integrated', result = 'Successful integration'), ('Rejected', result = 'Rejected'), ('With an error', wrong),
      ('Technical failures', result = 'Technical failure')) as totals (name, holds)`,
    key: [sql`name`],
    count: sql`sum(n) filter (where holds)`,
  },
  inTime: {
    by: 'started_at',
    where: sql`told > 0 and ${TRANSFER} and result = 'Successful integration'`,
    key: [
      sql`case when ended_at - responded_at < interval '8 days' then 'Integrated on time'
        when responded_at is null then 'Sending not reported' else 'Integrated after 8 days' end`,
    ],
  },
  failure: {
    by: 'started_at',
    where: sql`told > 0 and ${TRANSFER} and result = 'Technical failure'`,
    key: [
      sql`case when outcome = 'FAILED_TO_INTEGRATE' then 'Integration failure' else coalesce(error_code, 'UNKNOWN') end`,
      sql`coalesce(failure_point, '')`,
    ],
  },
  error: {
    by: 'started_at',
    where: sql`told > 0 and faults is not null and ${TRANSFER}`,
    from: entries('faults'),
    key: [sql.raw(`substr(kind, position(' ' in kind) + 1)`), word(1)],
    count: NUMBER,
  },
  withPlaceholders: {
    by: 'started_at',
    where: sql`told > 0 and ${TRANSFER} and (ready_at is not null or registration_status = 'INTEGRATION')`,
    key: [
      sql`case when placeholders = 0 then '0' when placeholders <= 5 then '1-5' when placeholders <= 10 then '6-10'
        when placeholders <= 15 then '11-15' when placeholders <= 20 then '16-20' else '21+' end`,
    ],
  },
  placeholder: {
    by: 'started_at',
    where: sql`told > 0 and left_out is not null and ${TRANSFER} and (ready_at is not null or registration_status = 'INTEGRATION')`,
    from: entries('left_out'),
    key: [word(1), word(2), word(3)],
    count: NUMBER,
  },
  attachment: {
    by: 'started_at',
    where: sql`told > 0 and attachments is not null and ${TRANSFER}`,
    from: entries('attachments'),
    key: [word(1), sql`case when ${word(2)} = 'true' then 'Successful' else 'Unsuccessful' end`, word(3)],
    count: NUMBER,
  },
  ineligible: {
    by: 'started_at',
    where: sql`result = 'Not eligible for electronic transfer'`,
    key: [
      sql`case when registration_status in ('REGISTRATION', 'UNKNOWN') then 'Not traced' else ${NOT_COMPATIBLE} end`,
      supplier('requesting'),
    ],
  },
  /** How far a registration came and why no further. */
  furthest: {
    by: 'started_at',
    where: sql`registered_at is not null`,
    key: [
      sql`case when result = 'Successful integration' and ${TRANSFER} then 'Integrated'
        when (${RECEIVED} or ready_at is not null or decided) and ${TRANSFER} then 'Received'
        when requested_at is not null and ${TRANSFER} then 'Requested'
        when compatible and ${TRANSFER} then 'Compatible' when traced then 'Traced' else 'Registered' end`,
      sql`case when coalesce(internal, false) then 'Moved inside one system'
        when result = 'Successful integration' then ''
        when result = 'Rejected' then 'Rejected by staff'
        when result = 'Awaiting integration' then 'Waits for staff'
        when result = 'Technical failure' and decided then 'Could not be integrated'
        when result = 'Technical failure' then concat_ws(' ', 'Error', failure_point, error_code)
        when result = 'In progress' then 'No answer yet'
        when traced is false then 'Not traced'
        when result = 'Not eligible for electronic transfer' then ${NOT_COMPATIBLE}
        when coalesce(sending, '') = '' then 'No previous practice'
        else 'Nothing more was reported' end`,
    ],
    from: sql`cross join lateral (select registration_status = 'INTEGRATION' as decided) as decision`,
  },
  /** Of each type of event that what else is known says must have been told: by whom, and whether it was. */
  completeness: {
    by: 'measured_at',
    where: sql`${TRANSFER} and (requested_at is not null or responded_at is not null or ready_at is not null or ended_at is not null)`,
    alike: {
      asking: supplier('requesting'),
      // A sender of which no event came is known by its practice.
      asked: sql`coalesce(sending_supplier, (select supplier from platform.organisations where code = sending), '')`,
      told: sql`told`,
      sent: sql`(responded_at is not null or ready_at is not null or ended_at is not null)`,
      ended: sql`ended_at is not null`,
      failed: sql`(coalesce(outcome = 'FAILED_TO_INTEGRATE', false) or category = 'technical' and final_codes <> '{}')`,
    },
    from: sql`cross join lateral (values
      (asking, 'REGISTRATIONS', true, ${told('REGISTRATIONS')}),
      (asking, 'TRANSFER_COMPATIBILITY_STATUSES', true, ${told('TRANSFER_COMPATIBILITY_STATUSES')}),
      (asking, 'EHR_REQUESTS', true, ${told('EHR_REQUESTS')}),
      (asked, 'EHR_RESPONSES', sent, ${told('EHR_RESPONSES')}),
      (asking, 'READY_TO_INTEGRATE_STATUSES', ended, ${told('READY_TO_INTEGRATE_STATUSES')}),
      (asking, 'EHR_INTEGRATIONS', ended, ${told('EHR_INTEGRATIONS')}),
      (asking, 'ERROR', failed, ${told('ERROR')})) as types (who, type, expected, seen)`,
    key: [sql`who`, sql`type`, sql`case when seen then 'seen' else 'missing' end`],
    count: sql`sum(n) filter (where expected)`,
  },
} as const satisfies Record<string, Measure>;
export type DayMeasure = keyof typeof MEASURES;

/** Days that are counted in one transaction; a fold waits for it. */
const MOST_DAYS = 31;

/** Counts anew the days of which something has changed; gives how many, and whether there are more. The newest first. */
export async function countDays(db: PlatformDb, most = MOST_DAYS): Promise<{ readonly days: number; readonly more: boolean }> {
  return transaction(db, async (trx) => {
    // No fold may note a day while it is counted.
    await sql`select batch from platform.progress where name = 'fold' for update`.execute(trx);
    const { rows } = await sql<{ day: string }>`
      delete from platform.stale_days where day in (select day from platform.stale_days order by day desc limit ${most})
      returning day::text as day`.execute(trx);
    const days = rows.map(({ day }) => day);
    if (days.length === 0) return { days: 0, more: false };
    await sql`set local work_mem = '64MB'`.execute(trx);
    await sql`delete from platform.days where day = any(${days}::date[])`.execute(trx);
    for (const [name, measure] of Object.entries<Measure>(MEASURES)) await countMeasure(trx, name, measure, days);
    const { rows: left } = await sql`select 1 from platform.stale_days limit 1`.execute(trx);
    return { days: days.length, more: left.length > 0 };
  });
}

/** Counts until no day is left; `onStep` hears of each step. */
export async function countAllDays(db: PlatformDb, onStep: (days: number) => void = () => undefined): Promise<void> {
  for (let all = 0; ; ) {
    const { days, more } = await countDays(db);
    all += days;
    if (days > 0) onStep(all);
    if (!more) return;
  }
}

async function countMeasure(trx: Reader, name: string, measure: Measure, days: readonly string[]): Promise<void> {
  const { by, where, alike, from, key, count } = measure;
  const at = sql.ref(by);
  const sorted = days.toSorted();
  const [first = '', last = ''] = [sorted[0], sorted.at(-1)];
  const day = sql`(${at} at time zone 'UTC')::date`;
  const those = sql`${at} >= ${`${first}T00:00:00Z`}::timestamptz and ${at} < ${`${last}T00:00:00Z`}::timestamptz + interval '1 day'
    and ${day} = any(${days}::date[]) and ${where}`;
  const grouped =
    alike &&
    sql`(select ${day} as day, ${sql.join(Object.entries(alike).map(([column, value]) => sql`${value} as ${sql.ref(column)}`))}, count(*) as n
      from platform.transfers where ${those} group by ${sql.join([sql`1`, ...Object.keys(alike).map((_, n) => sql.raw(String(n + 2)))])}) as alike`;
  await sql`
    insert into platform.days (day, measure, key, count)
    select * from (
      select ${grouped ? sql`day` : day} as day, ${sql.lit(name)} as measure, array[${sql.join(key)}]::text[] as key,
        (${count ?? sql`count(*)`})::integer as number
      from ${grouped ?? sql`platform.transfers`} ${from ?? sql``} ${grouped ? sql`` : sql`where ${those}`}
      group by 1, 3) as counted
    where number > 0`.execute(trx);
}

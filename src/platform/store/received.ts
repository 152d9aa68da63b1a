/**
 * What each practice received, as running totals of a month's days: a span of days is the difference of two numbers of each month that it
 * touches, so that a page of all practices costs no more in a busy month.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import type { PracticeTimes } from '../reports/reports.ts';
import type { PlatformSchema } from './open.ts';
import { type Days, limited, type Part } from './operational.ts';

/** Columns by the categories that count as received. */
const RECEIVED = { within3: 'within3', within8: 'within8', late: 'late', notIntegrated: 'not_integrated' } as const;
type Category = keyof typeof RECEIVED;
const CATEGORIES = Object.keys(RECEIVED) as Category[];
const COLUMNS = sql.raw(Object.values(RECEIVED).join(', '));
/** A short month has the last numbers of a long one too. */
const DAYS = Array.from({ length: 31 }, (_, at) => at + 1);
const totals = (of: (day: number) => string) => `array[${DAYS.map(of).join(', ')}]`;
const SUMS = sql.raw(
  Object.values(RECEIVED)
    .map((column) => totals((day) => `coalesce(sum(${column}) filter (where day <= ${day}), 0)::int`))
    .join(', '),
);
const ADDED = sql.raw(
  Object.values(RECEIVED)
    .map((column) => `${column} = ${totals((day) => `r.${column}[${day}] + excluded.${column}[${day}]`)}`)
    .join(', '),
);
const NOTHING = sql.raw(
  Object.values(RECEIVED)
    .map((column) => `r.${column}[31] = 0`)
    .join(' and '),
);

/** Most changes of a transfer change nothing here. */
const MOVED = sql.raw(
  Object.values(RECEIVED)
    .map((column) => `${column} <> 0`)
    .join(' or '),
);

/** Takes what transfers were (the table `before`) out of the totals and puts what they are (`after`) in. */
export async function moveReceived(runner: Runner<PlatformSchema>): Promise<void> {
  const moved = CATEGORIES.map((name) => sql`sum(sign) filter (where category = ${sql.lit(name)})::int as ${sql.ref(RECEIVED[name])}`);
  await sql`create temp table moved_days on commit drop as
    select month_utc as month, coalesce(requesting, '') as practice, extract(day from measured_at at time zone 'UTC')::int as day,
      ${sql.join(moved)}
    from (
      select -1 as sign, month_utc, requesting, measured_at, category from before
      union all select 1, month_utc, requesting, measured_at, category from after) as changed
    where category in (${sql.join(CATEGORIES.map((name) => sql.lit(name)))}) group by 1, 2, 3`.execute(runner);
  await sql`insert into platform.received as r (month, practice, ${COLUMNS})
    select month, practice, ${SUMS} from moved_days where ${MOVED} group by month, practice
    on conflict (month, practice) do update set ${ADDED}`.execute(runner);
  await sql`delete from platform.received as r using (select distinct month, practice from moved_days) as d
    where r.month = d.month and r.practice = d.practice and ${NOTHING}`.execute(runner);
}

/** What each practice received, with the names and places of now, in the order of the report. All of them where no part is asked for. */
export async function practiceTimes(
  db: Runner<PlatformSchema>,
  { from, days }: Days,
  part?: Part,
): Promise<{ readonly total: number; readonly practices: readonly PracticeTimes[] }> {
  const count = (name: Category): RawBuilder<unknown> => {
    const column = sql.ref(RECEIVED[name]);
    return sql`sum(${column}[upto] - coalesce(${column}[before], 0))::int as ${sql.ref(name)}`;
  };
  const { rows } = await sql<Omit<PracticeTimes, 'counts'> & PracticeTimes['counts'] & { total: number }>`
    with asked as (select ${from}::date as first, ${from}::date + ${days}::int - 1 as last),
    months as (
      select month::date as month, case when month < first then extract(day from first)::int - 1 else 0 end as before,
        case when month + interval '1 month' <= last then 31 else extract(day from last)::int end as upto
      from asked cross join generate_series(date_trunc('month', first::timestamp), last::timestamp, interval '1 month') as month),
    times as (select practice, ${sql.join(CATEGORIES.map(count))} from months join platform.received using (month) group by practice)
    select nullif(t.practice, '') as ods, p.name, s.code as "sicblOds", s.name as "sicblName", t.within3, t.within8, t.late,
      t."notIntegrated", 0 as technical, 0 as unclassified, (count(*) over ())::int as total
    from times as t left join platform.organisations as p on p.code = t.practice left join platform.organisations as s on s.code = p.parent
    where t.within3 + t.within8 + t.late + t."notIntegrated" > 0
    order by coalesce(s.name, '') collate "C", coalesce(p.name, '') collate "C", t.practice collate "C" ${limited(part)}`.execute(db);
  // Rows that are not there say nothing of how many there are before them.
  if (rows.length === 0 && part && part.offset > 0) return { total: (await practiceTimes(db, { from, days })).total, practices: [] };
  return {
    total: rows[0]?.total ?? 0,
    practices: rows.map(({ ods, name, sicblOds, sicblName, total: _, ...counts }) => ({ ods, name, sicblOds, sicblName, counts })),
  };
}

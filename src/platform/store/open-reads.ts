import { type RawBuilder, sql } from 'kysely';
import { monthText } from '../metrics/month.ts';
import type { DegradeRow, MetricRow, OpenOrganisation, OpenReads, OutcomeRow } from '../open/model.ts';
import { figuresOf, type Level, type Role } from './figures.ts';
import type { PlatformDb } from './open.ts';
import { supplierName } from './suppliers.ts';

/** Codes of fewer degrades in a month stand together: a rare one might point at somebody. */
export const SMALLEST = 5;
/**
 * Texts that suppliers write as they like. One that holds as many digits as an NHS number is not repeated to the public; codes of SNOMED
 * are as long, and are repeated where the code says that it is one.
 */
const LONG_NUMBER = '[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}';
const harmless = (text: RawBuilder<unknown>) => sql`case when ${text} ~ ${LONG_NUMBER} then 'not shown' else left(${text}, 100) end`;

/** The reads of what is open, over the platform's database; each is one statement that follows an index from where the last one ended. */
export function openReads(db: PlatformDb): OpenReads {
  return {
    organisations: async ({ kind, code, within, active, after, limit }) => {
      const { rows } = await sql<OpenOrganisation>`
        select o.code, o.kind, o.name, o.parent, o.active, o.address, o.postcode, o.supplier
        from platform.organisations as o ${ABOVE}
        where o.code collate "C" > ${after?.[0] ?? ''} and ${equal('o.kind', kind)} and ${equal('o.code', code)} and ${equal('o.active', active)}
          and ${below(within)}
        order by o.code collate "C" limit ${limit}`.execute(db);
      return rows;
    },
    metrics: async ({ level, role, months, code, within, after, limit }) => {
      const [from = '', month = ''] = after ?? [];
      const places =
        level === 'england'
          ? sql`(values ('England', 'england', 'England', null::text, true)) as o (code, kind, name, parent, active)`
          : sql`platform.organisations as o`;
      const { rows } = await sql<Readonly<Record<string, unknown>> & Above>`
        select o.code, o.kind, o.name, to_char(w.month, 'YYYY-MM') as month, ${above('sicbl')} as sicbl, ${above('icb')} as icb,
          ${above('region')} as region, to_jsonb(u) as national, to_jsonb(l) as improved
        from ${places} ${ABOVE}
          cross join unnest(${months.map((each) => `${monthText(each)}-01`)}::date[]) as w (month)
          left join platform.months as u on ${sameMonth('u', 'UTC', role, level)}
          left join platform.months as l on ${sameMonth('l', 'Europe/London', role, level)}
        where o.kind = ${level} and o.code collate "C" >= ${from} and (o.code <> ${from} or to_char(w.month, 'YYYY-MM') > ${month})
          and ${equal('o.code', code)} and ${below(within)} and (o.active or u.month is not null or l.month is not null)
        order by o.code collate "C", w.month limit ${limit}`.execute(db);
      return rows.map((row) => metricOf(row, role));
    },
    outcomes: async ({ months, requestingSupplier, sendingSupplier, after, limit }) => {
      const { rows } = await sql<OutcomeRow>`
        with shown as (
          select to_char(month, 'YYYY-MM') as month, ${harmless(sql.ref('requesting_supplier'))} as "requestingSupplier",
            ${harmless(sql.ref('sending_supplier'))} as "sendingSupplier", status, failure_reason as "failureReason",
            ${harmless(sql.ref('error_code'))} as "errorCode", sum(transfers)::int as transfers
          from platform.pathway_months where practice = '*' and month = any(${months.map((each) => `${monthText(each)}-01`)}::date[])
          group by 1, 2, 3, 4, 5, 6)
        select * from shown
        where ${equal('requestingSupplier', requestingSupplier)} and ${equal('sendingSupplier', sendingSupplier)}
          and ${later(['month', 'requestingSupplier', 'sendingSupplier', 'status', 'failureReason', 'errorCode'], after)}
        order by ${inOrder(['month', 'requestingSupplier', 'sendingSupplier', 'status', 'failureReason', 'errorCode'])} limit ${limit}`.execute(
        db,
      );
      return rows;
    },
    degrades: async ({ months, supplier, after, limit }) => {
      const { rows } = await sql<DegradeRow>`
        with counted as (
          select date_trunc('month', day)::date as month, ${harmless(supplierName('supplier'))} as supplier, type, reason,
            coding #>> '{0,system}' as system, coding #>> '{0,code}' as code, count(*) as degrades
          from platform.degrades
          where ${sql.join(
            months.map((each) => {
              const first = sql`${`${monthText(each)}-01`}::date`;
              return sql`(day >= ${first} and day < ${first} + interval '1 month')`;
            }),
            sql` or `,
          )}
          group by 1, 2, 3, 4, 5, 6),
        named as (
          select to_char(month, 'YYYY-MM') as month, supplier, type, reason, degrades,
            degrades >= ${SMALLEST} and (system like '%snomed%' or system = 'SNOMED_CT' or not code ~ ${LONG_NUMBER}) as frequent, system, code
          from counted),
        shown as (
          select month, supplier, type, reason, case when frequent then system end as system, case when frequent then code end as code,
            sum(degrades)::int as degrades
          from named group by 1, 2, 3, 4, 5, 6),
        keyed as (select *, coalesce(system, '') as system_key, coalesce(code, '') as code_key from shown)
        select month, supplier, type, reason, system, code, degrades from keyed
        where ${equal('supplier', supplier)} and ${later(['month', 'supplier', 'type', 'reason', 'system_key', 'code_key'], after)}
        order by ${inOrder(['month', 'supplier', 'type', 'reason', 'system_key', 'code_key'])} limit ${limit}`.execute(db);
      return rows;
    },
  };
}

type Above = Pick<MetricRow, 'code' | 'name' | 'month' | 'sicbl' | 'icb' | 'region'> & { readonly kind: Level };

/** Whatever lies above a place, three steps at most. */
const ABOVE = sql`left join platform.organisations as a on a.code = o.parent
  left join platform.organisations as b on b.code = a.parent left join platform.organisations as c on c.code = b.parent`;
const above = (kind: string) => sql`case ${sql.lit(kind)} when a.kind then a.code when b.kind then b.code when c.kind then c.code end`;

function below(place: string | null): RawBuilder<unknown> {
  return place === null ? sql`true` : sql`${place} in (a.code, b.code, c.code)`;
}

function equal(column: string, value: string | boolean | null): RawBuilder<unknown> {
  return value === null ? sql`true` : sql`${sql.ref(column)} = ${value}`;
}

function sameMonth(alias: string, calendar: string, role: Role, level: Level): RawBuilder<unknown> {
  const of = (name: string) => sql.ref(`${alias}.${name}`);
  return sql`${of('calendar')} = ${calendar} and ${of('role')} = ${role} and ${of('level')} = ${level} and ${of('code')} = o.code
    and ${of('month')} = w.month`;
}

/** Rows behind a key, by code units: the same order on every server. */
function later(columns: readonly string[], after: readonly string[] | null): RawBuilder<unknown> {
  if (!after) return sql`true`;
  return sql`(${inOrder(columns)}) > (${sql.join(columns.map((_, at) => sql`${after[at] ?? ''}::text`))})`;
}

function inOrder(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map((column) => sql`${sql.ref(column)} collate "C"`));
}

function metricOf(row: Readonly<Record<string, unknown>> & Above, role: Role): MetricRow {
  const { code, kind, name, month, sicbl, icb, region } = row;
  const of = (counted: unknown) => figuresOf({ ...(counted as Readonly<Record<string, unknown>> | null), month });
  return {
    code,
    kind,
    name,
    sicbl,
    icb,
    region,
    role,
    month,
    counts: of(row['national']).counts,
    more: of(row['improved']).more,
  };
}

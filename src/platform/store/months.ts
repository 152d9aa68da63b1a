import { type RawBuilder, sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import { COUNT_COLUMNS, MORE_COLUMNS, NATIONAL_COLUMNS } from './figures.ts';
import type { PlatformSchema } from './open.ts';

const one = (condition: string) => sql.raw(`case when ${condition} then 1 else 0 end`);
const category = (name: string) => one(`category = '${name}'`);
const TRANSFERRED = 'not coalesce(internal, false)';
const SECONDS = 'extract(epoch from ended_at - requested_at)';
const INTEGRATED = `result = 'Successful integration' and ${TRANSFERRED}`;
/** Of registrations that were reported as such: how far they came. A step that was not reported is known by the one behind it. */
const RECEIVED = `((ready_at is not null or ended_at is not null) and ${TRANSFERRED})`;
const REQUESTED = `((requested_at is not null or ready_at is not null or ended_at is not null) and ${TRANSFERRED})`;
const COMPATIBLE = `((compatible and ${TRANSFERRED}) or ${REQUESTED})`;
const told = (condition: string) => one(`registered_at is not null and ${condition}`);
/** What one row of `platform.transfers` counts for in each column. */
const COUNTED: Readonly<Record<keyof typeof NATIONAL_COLUMNS | keyof typeof MORE_COLUMNS, RawBuilder<unknown>>> = {
  within3: category('within3'),
  within8: category('within8'),
  late: category('late'),
  notIntegrated: category('notIntegrated'),
  technical: category('technical'),
  unclassified: category('unclassified'),
  registrations: one('registered_at is not null'),
  eligible: one(`compatible and ${TRANSFERRED}`),
  notEligible: one(`result = 'Not eligible for electronic transfer'`),
  internal: one('internal'),
  requested: one(`requested_at is not null and ${TRANSFERRED}`),
  sent: one(`responded_at is not null and ${TRANSFERRED}`),
  ready: one(`(ready_at is not null or ended_at is not null) and ${TRANSFERRED}`),
  integrated: one(`outcome in ('INTEGRATED', 'INTEGRATED_AND_SUPPRESSED', 'SUPPRESSED_AND_REACTIVATED')`),
  filedAsAttachment: one(`outcome = 'FILED_AS_ATTACHMENT'`),
  rejected: one(`outcome = 'REJECTED'`),
  failed: one(`result = 'Technical failure'`),
  open: one(`result in ('In progress', 'Awaiting integration')`),
  within3OfRequest: one(`${INTEGRATED} and ${SECONDS} <= ${3 * 86_400}`),
  within8OfRequest: one(`${INTEGRATED} and ${SECONDS} > ${3 * 86_400} and ${SECONDS} <= ${8 * 86_400}`),
  withPlaceholders: one('placeholders > 0'),
  documents: sql.raw('documents'),
  documentsFailed: sql.raw('documents_failed'),
  traced: told(`(traced or ${COMPATIBLE})`),
  toldCompatible: told(COMPATIBLE),
  toldInternal: told('internal'),
  toldIncompatible: told(`traced and compatible is false and not ${REQUESTED} and ${TRANSFERRED}`),
  toldRequested: told(REQUESTED),
  toldReceived: told(RECEIVED),
  toldIntegrated: told(`result = 'Successful integration' and ${RECEIVED}`),
  toldRejected: told(`result = 'Rejected' and ${RECEIVED}`),
  toldFailed: told(`result = 'Technical failure'`),
  sentInTime: one(`responded_at - requested_at <= interval '20 minutes' and ${TRANSFERRED}`),
  large: one('large'),
  redactions: one('redactions'),
};
const NAMES = { ...NATIONAL_COLUMNS, ...MORE_COLUMNS };
const COLUMNS = sql.raw(COUNT_COLUMNS.join(', '));
const SUMS = sql.raw(COUNT_COLUMNS.map((name) => `sum(${name})::integer as ${name}`).join(', '));
const SIGNED = sql.join(
  Object.entries(COUNTED).map(([name, value]) => sql`sign * ${value} as ${sql.ref(NAMES[name as keyof typeof NAMES])}`),
);
const ADDED = sql.raw(COUNT_COLUMNS.map((name) => `${name} = m.${name} + excluded.${name}`).join(', '));
const nothing = (table: string) => sql.raw(COUNT_COLUMNS.map((name) => `${table}.${name} = 0`).join(' and '));
/**
 * Takes what transfers were (the table `before`) out of the counts and puts what they are (`after`) in, by both calendars and in both
 * roles, for the practice (`''` where none is known) and everything above it. So a count costs what came, not what is there.
 */
export async function moveCounts(runner: Runner<PlatformSchema>): Promise<void> {
  await sql`create temp table moved on commit drop as
    with signed as materialized (
      select requesting, sending, month_utc, month_london, ${SIGNED}
      from (select -1 as sign, b.* from before as b union all select 1, a.* from after as a) as changed)
    select calendar, role, 'practice' as level, code, month, ${SUMS}
    from signed cross join lateral (values
      ('UTC', 'requesting', coalesce(requesting, ''), month_utc), ('UTC', 'sending', coalesce(sending, ''), month_utc),
      ('Europe/London', 'requesting', coalesce(requesting, ''), month_london),
      ('Europe/London', 'sending', coalesce(sending, ''), month_london)) as counted (calendar, role, code, month)
    group by calendar, role, code, month`.execute(runner);
  await sql`insert into moved ${above(sql`moved`)}`.execute(runner);
  await sql`insert into platform.months as m (calendar, role, level, code, month, ${COLUMNS})
    select calendar, role, level, code, month, ${COLUMNS} from moved where not (${nothing('moved')})
    on conflict (calendar, role, level, code, month) do update set ${ADDED}`.execute(runner);
  await sql`delete from platform.months as m using moved as d
    where m.calendar = d.calendar and m.role = d.role and m.level = d.level and m.code = d.code and m.month = d.month
      and ${nothing('m')}`.execute(runner);
  await movePathways(runner);
}

/** Sub ICB locations, boards, regions and England from the practices' rows: for when a practice may have come to lie elsewhere. */
export async function recountAbove(runner: Runner<PlatformSchema>): Promise<void> {
  // No fold may add to these rows meanwhile.
  await sql`select from platform.progress where name = 'fold' for update`.execute(runner);
  await sql`delete from platform.months where level <> 'practice'`.execute(runner);
  await sql`insert into platform.months (calendar, role, level, code, month, ${COLUMNS}) ${above(sql`platform.months`)}`.execute(runner);
}

/** The rows above those of practices in a table; England has also what belongs to no location. The many rows are gone through once. */
function above(table: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    with sicbls as materialized (
      select calendar, role, s.code as sicbl, month, ${SUMS}
      from ${table} as m left join platform.organisations as p on p.code = m.code and p.kind = 'practice'
        left join platform.organisations as s on s.code = p.parent and s.kind = 'sicbl'
      where level = 'practice' group by calendar, role, s.code, month)
    select calendar, role, place.level, place.code, month, ${SUMS}
    from sicbls left join platform.organisations as s on s.code = sicbls.sicbl
      left join platform.organisations as i on i.code = s.parent and i.kind = 'icb'
      left join platform.organisations as r on r.code = i.parent and r.kind = 'region'
      cross join lateral (values ('sicbl', s.code), ('icb', i.code), ('region', r.code), ('england', 'England')) as place (level, code)
    where place.code is not null group by calendar, role, place.level, place.code, month`;
}

/** Outcomes by suppliers' pathway and reason: of each requesting practice, and of England under the practice `*`. */
async function movePathways(runner: Runner<PlatformSchema>): Promise<void> {
  await sql`insert into platform.pathway_months as p
    select month_utc, practice, coalesce(requesting_supplier, ''), coalesce(sending_supplier, ''), status, coalesce(failure_reason, ''),
      coalesce(error_code, ''), sum(sign)
    from (select -1 as sign, b.* from before as b union all select 1, a.* from after as a) as changed
      cross join lateral (values (coalesce(requesting, '')), ('*')) as counted (practice)
    where status is not null group by 1, 2, 3, 4, 5, 6, 7 having sum(sign) <> 0
    on conflict (month, practice, requesting_supplier, sending_supplier, status, failure_reason, error_code)
      do update set transfers = p.transfers + excluded.transfers`.execute(runner);
  await sql`delete from platform.pathway_months as p
    using (select distinct month_utc as month, practice from before
      cross join lateral (values (coalesce(requesting, '')), ('*')) as counted (practice)) as left_behind
    where p.month = left_behind.month and p.practice = left_behind.practice and p.transfers = 0`.execute(runner);
}

import { type RawBuilder, sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import { COUNT_COLUMNS } from './figures.ts';
import type { PlatformSchema } from './open.ts';

const DAYS = (count: number) => sql.raw(`${count * 86_400}`);
/** Of registrations that were reported as such: how far they came. A step that was not reported is known by the one behind it. */
const RECEIVED = '((ready_at is not null or ended_at is not null) and not coalesce(internal, false))';
const REQUESTED = `((requested_at is not null or ready_at is not null or ended_at is not null) and not coalesce(internal, false))`;
const COMPATIBLE = `((compatible and not coalesce(internal, false)) or ${REQUESTED})`;
const told = (condition: string) => sql.raw(`count(*) filter (where registered_at is not null and ${condition})`);
const category = (name: string) => sql`count(*) filter (where category = ${sql.lit(name)})`;
/** What `platform.transfers` is counted by, in the order of the columns. */
const COUNTED: Readonly<Record<string, RawBuilder<unknown>>> = {
  within3: category('within3'),
  within8: category('within8'),
  late: category('late'),
  not_integrated: category('notIntegrated'),
  technical: category('technical'),
  unclassified: category('unclassified'),
  registrations: sql`count(registered_at)`,
  eligible: sql`count(*) filter (where compatible and not coalesce(internal, false))`,
  not_eligible: sql`count(*) filter (where result = 'Not eligible for electronic transfer')`,
  internal: sql`count(*) filter (where internal)`,
  requested: sql`count(requested_at) filter (where not coalesce(internal, false))`,
  sent: sql`count(responded_at) filter (where not coalesce(internal, false))`,
  ready: sql`count(*) filter (where (ready_at is not null or ended_at is not null) and not coalesce(internal, false))`,
  integrated: sql`count(*) filter (where outcome in ('INTEGRATED', 'INTEGRATED_AND_SUPPRESSED', 'SUPPRESSED_AND_REACTIVATED'))`,
  filed_as_attachment: sql`count(*) filter (where outcome = 'FILED_AS_ATTACHMENT')`,
  rejected: sql`count(*) filter (where outcome = 'REJECTED')`,
  failed: sql`count(*) filter (where result = 'Technical failure')`,
  open: sql`count(*) filter (where result in ('In progress', 'Awaiting integration'))`,
  within3_of_request: sql`count(*) filter (where result = 'Successful integration' and not coalesce(internal, false)
    and extract(epoch from ended_at - requested_at) <= ${DAYS(3)})`,
  within8_of_request: sql`count(*) filter (where result = 'Successful integration' and not coalesce(internal, false)
    and extract(epoch from ended_at - requested_at) > ${DAYS(3)} and extract(epoch from ended_at - requested_at) <= ${DAYS(8)})`,
  with_placeholders: sql`count(*) filter (where placeholders > 0)`,
  documents: sql`coalesce(sum(documents), 0)`,
  documents_failed: sql`coalesce(sum(documents_failed), 0)`,
  traced: told(`(traced or ${COMPATIBLE})`),
  told_compatible: told(COMPATIBLE),
  told_internal: told('internal'),
  told_incompatible: told(`traced and compatible is false and not ${REQUESTED} and not coalesce(internal, false)`),
  told_requested: told(REQUESTED),
  told_received: told(RECEIVED),
  told_integrated: told(`result = 'Successful integration' and ${RECEIVED}`),
  told_rejected: told(`result = 'Rejected' and ${RECEIVED}`),
  told_failed: told("result = 'Technical failure'"),
  sent_in_time: sql`count(*) filter (where responded_at - requested_at <= interval '20 minutes' and not coalesce(internal, false))`,
  large: sql`count(*) filter (where large)`,
  redactions: sql`count(*) filter (where redactions)`,
};
const COLUMNS = sql.raw(COUNT_COLUMNS.join(', '));
const COUNTS = sql.join(COUNT_COLUMNS.map((name) => COUNTED[name] ?? sql`0`));
const SUMS = sql.raw(COUNT_COLUMNS.map((name) => `sum(${name})`).join(', '));

/** A month (its first day) of a practice; `''` is every transfer of no known practice. */
export type Touched = { readonly month: string; readonly practice: string };

/** More practices than this are counted as all of them: a scan of the month is then the shorter way. */
const MANY_PRACTICES = 1_000;

/**
 * Counts practices' months anew, by both calendars and in both roles, then all that lies above them in these months. `null`: everything.
 * A transfer that changed is in here with its old and its new practices, each with its months by both calendars.
 */
export async function recountMonths(runner: Runner<PlatformSchema>, touched: readonly Touched[] | null): Promise<void> {
  const months = touched && [...new Set(touched.map(({ month }) => month))];
  const each = touched && [...new Set(touched.map(({ practice }) => practice))];
  const practices = each && each.length > MANY_PRACTICES ? null : each;
  for (const role of ['requesting', 'sending'] as const) {
    const party = sql.ref(role);
    for (const [calendar, column] of [
      ['UTC', 'month_utc'],
      ['Europe/London', 'month_london'],
    ] as const) {
      const month = sql.ref(column);
      const within = (which: RawBuilder<unknown>) => (months ? sql`${which} = any(${months}::date[])` : sql`true`);
      const ofPractices = (which: RawBuilder<unknown>) => (practices ? sql`${which} = any(${practices}::text[])` : sql`true`);
      await sql`delete from platform.months where calendar = ${calendar} and role = ${role} and level = 'practice'
        and ${ofPractices(sql.ref('code'))} and ${within(sql.ref('month'))}`.execute(runner);
      // The practice is compared as the index has it where it is known; those without one are few.
      const known = practices ? sql`(${party} = any(${practices}::text[]) or (${practices.includes('')} and ${party} is null))` : sql`true`;
      await sql`insert into platform.months (calendar, role, level, code, month, ${COLUMNS})
        select ${calendar}, ${role}, 'practice', coalesce(${party}, ''), ${month}, ${COUNTS}
        from platform.transfers where ${known} and ${within(month)}
        group by coalesce(${party}, ''), ${month}`.execute(runner);
    }
  }
  await recountAbove(runner, months);
  await recountPathways(runner, practices, months);
}

/** Sub ICB locations, boards, regions and England from the practices' rows. */
export async function recountAbove(runner: Runner<PlatformSchema>, months: readonly string[] | null): Promise<void> {
  const within = months ? sql`month = any(${months}::date[])` : sql`true`;
  await sql`delete from platform.months where level <> 'practice' and ${within}`.execute(runner);
  await sql`insert into platform.months (calendar, role, level, code, month, ${COLUMNS})
    select calendar, role, level, place, month, ${SUMS}
    from (select calendar, role, code as practice, month, ${COLUMNS} from platform.months where level = 'practice' and ${within}) as m
      left join platform.organisations as p on p.code = m.practice and p.kind = 'practice'
      left join platform.organisations as s on s.code = p.parent and s.kind = 'sicbl'
      left join platform.organisations as i on i.code = s.parent and i.kind = 'icb'
      left join platform.organisations as r on r.code = i.parent and r.kind = 'region'
      cross join lateral (values ('sicbl', s.code), ('icb', i.code), ('region', r.code), ('england', 'England')) as above (level, place)
    where place is not null group by calendar, role, level, place, month`.execute(runner);
}

/** Outcomes by suppliers' pathway and reason: of each requesting practice, and of England under the practice `*`. */
async function recountPathways(
  runner: Runner<PlatformSchema>,
  practices: readonly string[] | null,
  months: readonly string[] | null,
): Promise<void> {
  const within = (column: string) => (months ? sql`${sql.ref(column)} = any(${months}::date[])` : sql`true`);
  const those = practices ? sql`practice = any(${[...practices, '*']}::text[])` : sql`true`;
  await sql`delete from platform.pathway_months where ${within('month')} and ${those}`.execute(runner);
  await sql`insert into platform.pathway_months
    select month_utc, coalesce(requesting, ''), coalesce(requesting_supplier, ''), coalesce(sending_supplier, ''), status,
      coalesce(failure_reason, ''), coalesce(error_code, ''), count(*)
    from platform.transfers
    where status is not null and ${within('month_utc')}
      and ${practices ? sql`(requesting = any(${practices}::text[]) or (${practices.includes('')} and requesting is null))` : sql`true`}
    group by 1, 2, 3, 4, 5, 6, 7`.execute(runner);
  await sql`insert into platform.pathway_months
    select month, '*', requesting_supplier, sending_supplier, status, failure_reason, error_code, sum(transfers)
    from platform.pathway_months where practice <> '*' and ${within('month')}
    group by 1, 3, 4, 5, 6, 7`.execute(runner);
}

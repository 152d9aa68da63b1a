import { type RawBuilder, sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import { type Month, monthText } from '../metrics/month.ts';
import type { Level, Role } from './figures.ts';
import type { PlatformSchema } from './open.ts';

const RECEIVED = '(within3 + within8 + late + not_integrated)';
const REQUESTED = '(within3 + within8 + late + not_integrated + technical + unclassified)';
/** Shares by which places of a kind are compared: of what, and how many of that there must be at least. */
const SHARES = {
  onTime: { role: 'requesting', part: '(within3 + within8)', of: RECEIVED },
  within3: { role: 'requesting', part: 'within3', of: RECEIVED },
  onTimeFromRequest: { role: 'requesting', part: '(within3_of_request + within8_of_request)', of: 'requested' },
  failures: { role: 'requesting', part: '(technical + unclassified)', of: REQUESTED },
  sent: { role: 'sending', part: 'sent', of: 'requested' },
  sentInTime: { role: 'sending', part: 'sent_in_time', of: 'sent' },
} as const satisfies Record<string, { readonly role: Role; readonly part: string; readonly of: string }>;
export type BenchmarkName = keyof typeof SHARES;
export type Benchmark = {
  readonly name: BenchmarkName;
  /** Of the place itself, in percent; `null` where it has none. */
  readonly own: number | null;
  /** Quartiles of all places of the kind that have ten transfers or more, in percent; how many places these are. */
  readonly places: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
};

/** A place among all of its kind in one month, by each share that there are places to compare by. */
export async function benchmarks(db: Runner<PlatformSchema>, level: Level, code: string, month: Month): Promise<Benchmark[]> {
  const { rows } = await sql<Benchmark>`${sql.join(
    Object.entries(SHARES).map(([name, share]) => quartiles(name, share, level, code, month)),
    sql` union all `,
  )}`.execute(db);
  const names = Object.keys(SHARES);
  return rows.filter(({ places }) => places > 0).sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}

function quartiles(
  name: string,
  { role, part, of }: { readonly role: Role; readonly part: string; readonly of: string },
  level: Level,
  code: string,
  month: Month,
): RawBuilder<unknown> {
  const share = sql.raw(`${part}::float8 / nullif(${of}, 0) * 100`);
  return sql`select name, own, places, quartiles[1] as lower, quartiles[2] as median, quartiles[3] as upper from (
    select ${sql.lit(name)} as name, max(${share}) filter (where code = ${code}) as own,
      (count(*) filter (where ${sql.raw(of)} >= 10))::int as places,
      percentile_cont(array[0.25, 0.5, 0.75]) within group (order by case when ${sql.raw(of)} >= 10 then ${share} end) as quartiles
    from platform.months where calendar = 'UTC' and role = ${sql.lit(role)} and level = ${level} and code <> ''
      and month = ${`${monthText(month)}-01`}::date) as each`;
}

/**
 * What pages, exports and the read API show. Figures are read from counted rows (`platform.months`), never from transfers, so that a page
 * costs the same however many events there are. Months come newest first.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import { type Counts, NO_TRANSFERS, totalOf } from '../metrics/counts.ts';
import { addMonths, type Month, monthText, readMonth } from '../metrics/month.ts';
import type { PracticeCounts } from '../metrics/practices.ts';
import { figuresOf, type Level, type MonthFigures, noFigures, type Role } from './figures.ts';
import type { PlatformSchema } from './open.ts';

type Reader = Runner<PlatformSchema>;
export type Place = { readonly code: string; readonly kind: 'practice' | 'sicbl' | 'icb' | 'region'; readonly name: string | null };
export type Practice = Place & {
  readonly kind: 'practice';
  readonly active: boolean;
  readonly address: readonly string[];
  readonly postcode: string | null;
  readonly supplier: string | null;
};
/** From the smallest to the largest; a practice that is not assigned has none. */
export type Above = readonly Place[];
export type Period = {
  /** The newest month, and how many back from it; the newest published month and six where left out. */
  readonly newest?: Month;
  readonly months?: number;
  readonly calendar?: 'UTC' | 'Europe/London';
};

export type PracticePage = {
  readonly practice: Practice;
  readonly above: Above;
  readonly months: readonly MonthFigures[];
  /** The same months for patients who left. */
  readonly sending: readonly MonthFigures[];
  /** The same months of the sub ICB location and of England, to compare with. */
  readonly sicbl: readonly MonthFigures[];
  readonly england: readonly MonthFigures[];
};
export type PlacePage = {
  readonly place: Place;
  readonly above: Above;
  readonly months: readonly MonthFigures[];
  readonly england: readonly MonthFigures[];
  /** Everything directly below, in order of names; practices that are active are there even if they had no transfer. */
  readonly members: readonly (Place & { readonly months: readonly MonthFigures[] })[];
};
export type NationalPage = {
  readonly months: readonly MonthFigures[];
  readonly regions: readonly (Place & { readonly months: readonly MonthFigures[] })[];
};
export type SearchHit = Place & { readonly postcode: string | null; readonly sicbl: string | null };

/** The newest month that is published; `null` before the first. */
export async function publishedMonth(db: Reader): Promise<{ readonly month: Month; readonly publishedAt: string } | null> {
  const { rows } = await sql<{ month: string; publishedAt: string }>`
    select to_char(month, 'YYYY-MM') as month, published_at as "publishedAt" from platform.publications order by platform.publications.month desc limit 1`.execute(
    db,
  );
  const month = rows[0] && readMonth(rows[0].month);
  return month && rows[0] ? { month, publishedAt: rows[0].publishedAt } : null;
}

/** All months that have figures, newest first: what may be asked for before anything is published. */
export async function monthsWithFigures(db: Reader): Promise<Month[]> {
  const { rows } = await sql<{ month: string }>`
    select to_char(m, 'YYYY-MM') as month from (select distinct month as m from platform.months
      where level = 'england' and role = 'requesting' and calendar = 'UTC') as each order by m desc`.execute(db);
  return rows.flatMap(({ month }) => readMonth(month) ?? []);
}

export async function practicePage(db: Reader, ods: string, period: Period = {}): Promise<PracticePage | null> {
  const practice = await practiceOf(db, ods);
  if (!practice) return null;
  const above = await aboveOf(db, ods);
  const sicbl = above.find(({ kind }) => kind === 'sicbl');
  const months = await monthsOf(db, period);
  const series = await seriesOf(
    db,
    [
      { role: 'requesting', level: 'practice', code: ods },
      { role: 'sending', level: 'practice', code: ods },
      { role: 'requesting', level: 'sicbl', code: sicbl?.code ?? '' },
      { role: 'requesting', level: 'england', code: 'England' },
    ],
    months,
    period,
  );
  const [own = [], sending = [], ofSicbl = [], england = []] = series;
  return { practice, above, months: own, sending, sicbl: sicbl ? ofSicbl : [], england };
}

/** A sub ICB location, board or region with what lies in it. */
export async function placePage(
  db: Reader,
  kind: 'sicbl' | 'icb' | 'region',
  code: string,
  period: Period = {},
): Promise<PlacePage | null> {
  const { rows } = await sql<Place>`
    select code, kind, name from platform.organisations where code = ${code} and kind = ${kind}`.execute(db);
  const [place] = rows;
  if (!place) return null;
  const months = await monthsOf(db, period);
  const [own = [], england = []] = await seriesOf(
    db,
    [
      { role: 'requesting', level: kind, code },
      { role: 'requesting', level: 'england', code: 'England' },
    ],
    months,
    period,
  );
  return { place, above: await aboveOf(db, code), months: own, england, members: await membersOf(db, code, months, period) };
}

/** All of England: every month there is unless told otherwise. */
export async function nationalPage(db: Reader, period: Period = {}): Promise<NationalPage> {
  const all = period.months === undefined ? (await monthsWithFigures(db)).length : period.months;
  const months = await monthsOf(db, { ...period, months: Math.max(all, 1) });
  const [england = []] = await seriesOf(db, [{ role: 'requesting', level: 'england', code: 'England' }], months, period);
  return { months: england, regions: await membersOf(db, null, months, period) };
}

/** One place's months in one role, as far back as asked for; those without transfers are there with zeroes. */
export async function trend(db: Reader, role: Role, level: Level, code: string, period: Period = {}): Promise<readonly MonthFigures[]> {
  const [series = []] = await seriesOf(db, [{ role, level, code }], await monthsOf(db, period), period);
  return series;
}

/**
 * Places whose code, name or postcode holds every word that is typed, in any case; boards and locations before practices, what begins
 * with the words before what holds them elsewhere.
 */
export async function search(db: Reader, text: string, limit = 50): Promise<SearchHit[]> {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(0, 10);
  if (words.length === 0) return [];
  const patterns = words.map((word) => `%${word.replace(/[\\%_]/g, (each) => `\\${each}`)}%`);
  const whole = text.trim().toLowerCase();
  const { rows } = await sql<SearchHit>`
    select o.code, o.kind, o.name, o.postcode, case when p.kind = 'sicbl' then p.code end as sicbl
    from platform.organisations as o left join platform.organisations as p on p.code = o.parent
    where o.active and o.words like all(${patterns}::text[])
    order by lower(o.code) <> ${whole}, array_position(array['region', 'icb', 'sicbl', 'practice'], o.kind),
      not starts_with(lower(coalesce(o.name, '')), ${whole}), o.name, o.code
    limit ${limit}`.execute(db);
  return rows;
}

/** All sub ICB locations, boards or regions, in order of names. */
export async function placesOf(db: Reader, kind: Place['kind']): Promise<(Place & { readonly parent: string | null })[]> {
  const { rows } = await sql<Place & { parent: string | null }>`
    select code, kind, name, parent from platform.organisations where kind = ${kind} and active order by name, code`.execute(db);
  return rows;
}

/**
 * What the published files and the downloads are made of: every practice with its location and its months' counts, of all England or of
 * one place. As published, only practices with a transfer in these months; `all` adds the active ones without.
 */
export async function practiceCounts(
  db: Reader,
  period: Period & { readonly within?: { readonly kind: Place['kind']; readonly code: string }; readonly all?: boolean } = {},
): Promise<{ readonly months: readonly Month[]; readonly practices: readonly PracticeCounts[] }> {
  const months = await monthsOf(db, period);
  const { calendar = 'UTC', within, all = false } = period;
  const place =
    within === undefined
      ? sql`true`
      : within.kind === 'practice'
        ? sql`p.code = ${within.code}`
        : sql`${sql.ref({ sicbl: 's', icb: 'i', region: 'r' }[within.kind])}.code = ${within.code}`;
  const { rows: places } = await sql<Omit<PracticeCounts, 'months'> & { readonly active: boolean }>`
    select p.code as ods, p.name, s.code as "sicblOds", s.name as "sicblName", p.active
    from platform.organisations as p
      join platform.organisations as s on s.code = p.parent and s.kind = 'sicbl'
      left join platform.organisations as i on i.code = s.parent
      left join platform.organisations as r on r.code = i.parent
    where p.kind = 'practice' and ${place}
    order by p.code collate "C"`.execute(db);
  // Not joined to the places: no picture that the server has of either table can then make it slow. One row a practice: to read a row costs
  // more than to read a number.
  const { rows } = await sql<{ code: string; counted: readonly (readonly number[])[] }>`
    select code, json_agg(json_build_array(array_position(${dates(months)}::date[], month) - 1, ${COUNTS})) as counted
    from platform.months
    where calendar = ${calendar} and role = 'requesting' and level = 'practice' and month = any(${dates(months)}::date[])
      and ${within === undefined ? sql`true` : sql`code = any(${places.map(({ ods }) => ods)}::text[])`}
    group by code`.execute(db);
  const countedBy = new Map(rows.map(({ code, counted }) => [code, counted]));
  const practices: PracticeCounts[] = [];
  for (const { active, ...practice } of places) {
    const counted = countedBy.get(practice.ods);
    if (!counted && !(all && active)) continue;
    const counts: Counts[] = months.map(() => NO_TRANSFERS);
    for (const [at = 0, within3 = 0, within8 = 0, late = 0, notIntegrated = 0, technical = 0, unclassified = 0] of counted ?? [])
      counts[at] = { within3, within8, late, notIntegrated, technical, unclassified };
    if (all || counts.some((each) => totalOf(each) > 0)) practices.push({ ...practice, months: counts });
  }
  return { months, practices };
}
/** In the order in which they are read. */
const COUNTS = sql.raw('within3, within8, late, not_integrated, technical, unclassified');

export type Pathway = {
  readonly month: string;
  readonly requestingSupplier: string;
  readonly sendingSupplier: string;
  readonly status: string;
  readonly failureReason: string | null;
  readonly errorCode: string | null;
  readonly transfers: number;
};

/** Outcomes by suppliers and reason, of England or of one requesting practice; most frequent first. */
export async function pathways(db: Reader, period: Period & { readonly practice?: string } = {}): Promise<Pathway[]> {
  const months = await monthsOf(db, period);
  const { rows } = await sql<Pathway>`
    select to_char(month, 'YYYY-MM') as month, requesting_supplier as "requestingSupplier", sending_supplier as "sendingSupplier", status,
      nullif(failure_reason, '') as "failureReason", nullif(error_code, '') as "errorCode", transfers
    from platform.pathway_months where month = any(${dates(months)}::date[]) and practice = ${period.practice ?? '*'}
    order by platform.pathway_months.month desc, transfers desc, requesting_supplier, sending_supplier, status, failure_reason`.execute(db);
  return rows;
}

/** Quartiles of practices' shares in percent, those with fewer than ten transfers left out; of one month. */
export type Spread = {
  readonly month: string;
  readonly practices: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
};
const SHARES = {
  integratedWithin8Days: sql`(within3 + within8)::float8 / nullif(within3 + within8 + late + not_integrated, 0)`,
  integratedWithin3Days: sql`within3::float8 / nullif(within3 + within8 + late + not_integrated, 0)`,
  failures: sql`(technical + unclassified)::float8 / nullif(within3 + within8 + late + not_integrated + technical + unclassified, 0)`,
} as const satisfies Record<string, RawBuilder<unknown>>;
export async function spread(db: Reader, share: keyof typeof SHARES, period: Period = {}): Promise<Spread[]> {
  const months = await monthsOf(db, period);
  const { rows } = await sql<Spread>`
    select to_char(m, 'YYYY-MM') as month, each.practices::int as practices, quartiles[1] * 100 as lower, quartiles[2] * 100 as median,
      quartiles[3] * 100 as upper
    from (select month as m, count(${SHARES[share]}) as practices, percentile_cont(array[0.25, 0.5, 0.75]) within group (order by ${SHARES[share]}) as quartiles
      from platform.months where calendar = ${period.calendar ?? 'UTC'} and role = 'requesting' and level = 'practice' and code <> ''
        and within3 + within8 + late + not_integrated + technical + unclassified >= 10 and month = any(${dates(months)}::date[])
      group by month) as each order by m desc`.execute(db);
  return rows;
}

// ---- shared

type Series = { readonly role: Role; readonly level: Level; readonly code: string };

/** The months asked for: back from the newest that is published; from the newest with figures before anything is. */
export async function monthsOf(db: Reader, { newest, months = 6 }: Period): Promise<Month[]> {
  const last = newest ?? (await publishedMonth(db))?.month ?? (await monthsWithFigures(db))[0];
  return last ? Array.from({ length: months }, (_, at) => addMonths(last, -at)) : [];
}

function dates(months: readonly Month[]): string[] {
  return months.map((month) => `${monthText(month)}-01`);
}

async function seriesOf(db: Reader, wanted: readonly Series[], months: readonly Month[], period: Period): Promise<MonthFigures[][]> {
  const { rows } = await sql<Series & Readonly<Record<string, unknown>>>`
    select m.*, to_char(m.month, 'YYYY-MM') as month
    from unnest(${wanted.map(({ role }) => role)}::text[], ${wanted.map(({ level }) => level)}::text[], ${wanted.map(({ code }) => code)}::text[])
        as w (role, level, code)
      join platform.months as m on m.calendar = ${period.calendar ?? 'UTC'} and m.role = w.role and m.level = w.level and m.code = w.code
        and m.month = any(${dates(months)}::date[])`.execute(db);
  return wanted.map(({ role, level, code }) => {
    const own = rows.filter((row) => row.role === role && row.level === level && row.code === code);
    return filled(own, months);
  });
}

function filled(rows: readonly Readonly<Record<string, unknown>>[], months: readonly Month[]): MonthFigures[] {
  const byMonth = new Map(rows.map((row) => [row['month'], row]));
  return months.map((month) => {
    const row = byMonth.get(monthText(month));
    return row ? figuresOf(row) : noFigures(month);
  });
}

async function practiceOf(db: Reader, ods: string): Promise<Practice | null> {
  const { rows } = await sql<Practice>`
    select code, kind, name, active, address, postcode, supplier from platform.organisations where code = ${ods} and kind = 'practice'`.execute(
    db,
  );
  return rows[0] ?? null;
}

/** What a place lies in, from the smallest to the largest. */
export async function aboveOf(db: Reader, code: string): Promise<Place[]> {
  const { rows } = await sql<Place>`
    with recursive up as (
      select parent, 1 as step from platform.organisations where code = ${code}
      union all select o.parent, step + 1 from up join platform.organisations as o on o.code = up.parent where step < 5)
    select o.code, o.kind, o.name from up join platform.organisations as o on o.code = up.parent order by step`.execute(db);
  return rows;
}

/** `null`: the regions. */
async function membersOf(db: Reader, parent: string | null, months: readonly Month[], period: Period) {
  const { rows } = await sql<Place & Readonly<Record<string, unknown>>>`
    select m.*, o.code, o.kind, o.name, to_char(m.month, 'YYYY-MM') as month
    from platform.organisations as o
      left join platform.months as m on m.calendar = ${period.calendar ?? 'UTC'} and m.role = 'requesting' and m.level = o.kind
        and m.code = o.code and m.month = any(${dates(months)}::date[])
    where ${parent === null ? sql`o.kind = 'region'` : sql`o.parent = ${parent}`} and (o.active or m.month is not null)
    order by o.name, o.code`.execute(db);
  return [...Map.groupBy(rows, ({ code }) => code)].map(([code, group]) => {
    const { kind, name } = group[0] as Place;
    return { code, kind, name, months: filled(group, months) };
  });
}

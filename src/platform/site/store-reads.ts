import { sql } from 'kysely';
import { STATUSES } from '../classify/outcome.ts';
import { addMonths, type Month, monthText, sameMonth } from '../metrics/month.ts';
import { benchmarks } from '../store/benchmarks.ts';
import { figuresOf, noFigures } from '../store/figures.ts';
import type { PlatformDb } from '../store/open.ts';
import { openReads } from '../store/open-reads.ts';
import { dayCounts } from '../store/operational.ts';
import * as store from '../store/reads.ts';
import type { AreaKind, Kind, PathwayModel, Place, Reason, SiteReads } from './model.ts';

/** Months whose failure reasons stand together on a page. */
const REASON_MONTHS = 12;
/** Months of what is counted beside the national definitions. */
const MORE_MONTHS = 24;

/** The site's reads over the platform's database: only months up to the newest that is published. */
export function storeReads(db: PlatformDb): Omit<SiteReads, 'operational'> {
  const published = async () => {
    const newest = await store.publishedMonth(db);
    if (!newest) return { months: [], at: null };
    const oldest = (await store.monthsWithFigures(db)).at(-1) ?? newest.month;
    const months: Month[] = [];
    // A month in which nothing happened is a month all the same.
    for (let month = newest.month; monthText(month) >= monthText(oldest); month = addMonths(month, -1)) months.push(month);
    return { months, at: new Date(newest.publishedAt).toISOString() };
  };
  const history = async () => {
    const { months } = await published();
    const [newest] = months;
    return newest ? { newest, months: months.length } : null;
  };
  return {
    published,
    practice: async (ods) => {
      const period = await history();
      if (!period) return null;
      const page = await store.practicePage(db, ods, period);
      if (!page) return null;
      const [spread = null] = await store.spread(db, 'integratedWithin8Days', { newest: period.newest, months: 1 });
      return { ...page, reasons: await reasonsOf(db, period.newest, [ods]), spread };
    },
    area: async (kind, code, month) => {
      const period = await history();
      const page = period && (await store.placePage(db, kind, code, period));
      if (!page) return null;
      return {
        ...page,
        members: page.members.map((member) => ({
          ...member,
          figures: member.months.find((each) => sameMonth(each, month)) ?? noFigures(month),
        })),
        reasons: await reasonsOf(db, period.newest, await practicesBelow(db, code)),
      };
    },
    england: async (by, month) => {
      const period = await history();
      const months = period ? (await store.nationalPage(db, period)).months : [];
      return { months, members: await membersOf(db, by, month), reasons: period ? await reasonsOf(db, period.newest, ['*']) : [] };
    },
    open: openReads(db),
    more: async (of) => {
      const period = await history();
      const place = of && (await placeOf(db, of.kind, of.code));
      if (!period || (of && !place)) return null;
      const [level, code] = of ? [of.kind, of.code] : (['england', 'England'] as const);
      const some = { newest: period.newest, months: Math.min(period.months, MORE_MONTHS) };
      const [requesting, sending, london, compared, above] = await Promise.all([
        store.trend(db, 'requesting', level, code, some),
        store.trend(db, 'sending', level, code, some),
        store.trend(db, 'requesting', level, code, { ...some, calendar: 'Europe/London' }),
        // Of seven regions there are no quartiles; those of England are its practices'.
        level === 'region' ? [] : benchmarks(db, of ? level : 'practice', code, period.newest),
        of ? store.aboveOf(db, of.code) : [],
      ]);
      return { place, above, requesting, sending, london, benchmarks: compared };
    },
    pathways: async (month) => pathwaysOf(await store.pathways(db, { newest: month, months: 1 })),
    monthCounts: (measure, month) =>
      dayCounts(db, measure, { from: `${monthText(month)}-01`, days: new Date(Date.UTC(month.year, month.month, 0)).getUTCDate() }),
    search: (text, limit) => store.search(db, text, limit),
    places: (kind) => store.placesOf(db, kind),
    practiceCounts: async (within, months) => {
      const [newest] = months;
      if (!newest) return [];
      return (await store.practiceCounts(db, { newest, months: months.length, all: true, ...(within && { within }) })).practices;
    },
  };
}

async function placeOf(db: PlatformDb, kind: Kind, code: string): Promise<Place | null> {
  const { rows } = await sql<Place>`select code, kind, name from platform.organisations where code = ${code} and kind = ${kind}`.execute(
    db,
  );
  return rows[0] ?? null;
}

/** The busiest pathway first. */
function pathwaysOf(rows: readonly store.Pathway[]): PathwayModel[] {
  const groups = Map.groupBy(rows, ({ requestingSupplier, sendingSupplier }) => JSON.stringify([requestingSupplier, sendingSupplier]));
  const sum = (some: readonly store.Pathway[]) => some.reduce((total, { transfers }) => total + transfers, 0);
  return [...groups.values()]
    .map((group): PathwayModel => {
      const { requestingSupplier = '', sendingSupplier = '' } = group[0] ?? {};
      const failed = group.filter(({ status }) => status === STATUSES.TECHNICAL_FAILURE || status === STATUSES.UNCLASSIFIED_FAILURE);
      return {
        requestingSupplier,
        sendingSupplier,
        transfers: sum(group),
        onTime: sum(group.filter(({ status }) => status === STATUSES.INTEGRATED_ON_TIME)),
        failed: sum(failed),
        reasons: failed.map(({ failureReason, errorCode, transfers }) => ({ reason: failureReason ?? '', code: errorCode, transfers })),
      };
    })
    .sort((a, b) => b.transfers - a.transfers);
}

async function membersOf(db: PlatformDb, kind: AreaKind, month: Month) {
  const { rows } = await sql<Place & Readonly<Record<string, unknown>>>`
    select m.*, o.code, o.kind, o.name, ${monthText(month)} as month
    from platform.organisations as o left join platform.months as m on m.calendar = 'UTC' and m.role = 'requesting' and m.level = o.kind
      and m.code = o.code and m.month = ${`${monthText(month)}-01`}::date
    where o.kind = ${kind} and o.active`.execute(db);
  return rows.map((row) => ({ code: row.code, kind: row.kind, name: row.name, figures: figuresOf(row) }));
}

async function practicesBelow(db: PlatformDb, code: string): Promise<string[]> {
  const { rows } = await sql<{ code: string }>`
    with recursive below as (
      select code, kind, 1 as step from platform.organisations where parent = ${code}
      union all select o.code, o.kind, step + 1 from below join platform.organisations as o on o.parent = below.code where step < 5)
    select code from below where kind = 'practice'`.execute(db);
  return rows.map((row) => row.code);
}

async function reasonsOf(db: PlatformDb, newest: Month, practices: readonly string[]): Promise<Reason[]> {
  const { rows } = await sql<Reason>`
    select status, nullif(failure_reason, '') as "failureReason", sum(transfers)::int as transfers
    from platform.pathway_months where practice = any(${practices}::text[]) and month <= ${`${monthText(newest)}-01`}::date
      and month > ${`${monthText(addMonths(newest, -REASON_MONTHS))}-01`}::date
    group by status, failure_reason`.execute(db);
  return rows;
}

import { sql } from 'kysely';
import { Fault } from '../../base/errors.ts';
import { transaction } from '../../database/connect.ts';
import { NO_TRANSFERS, totalOf } from '../metrics/counts.ts';
import { implausibleChange, PLAUSIBLE_MONTH, PUBLISHED_MONTHS, publicationFaults } from '../metrics/gate.ts';
import { addMonths, type Month, monthStart, monthText } from '../metrics/month.ts';
import { type NationalMetrics, nationalMetrics } from '../metrics/national.ts';
import { type PracticeMetrics, practiceMetrics } from '../metrics/practices.ts';
import { microsOf } from '../micros.ts';
import type { PlatformDb } from './open.ts';
import { nationalPage, practiceCounts } from './reads.ts';

/**
 * What publishing came to: how many transfers the month has and what was overridden, or why it stays closed. `change`: the fault that may be
 * overridden, where it is the only one.
 */
export type Publication =
  | { readonly transfers: number; readonly overridden: string | null }
  | { readonly faults: readonly string[]; readonly change: string | null };

/**
 * Opens a month's figures to the public if nothing speaks against it (`publicationFaults`, `implausibleChange`). Once more is allowed:
 * figures change. `reason`: why a total that lies far from that of the month before is right all the same; it is kept with what it
 * overrode. Nothing else can be overridden: figures that are missing are not made whole by a reason.
 */
export async function publishMonth(
  db: PlatformDb,
  month: Month,
  leastTransfers: number = PLAUSIBLE_MONTH,
  reason: string | null = null,
): Promise<Publication> {
  const { months, practices } = await practiceCounts(db, { newest: month, months: PUBLISHED_MONTHS, all: true });
  const { months: england } = await nationalPage(db, { newest: month, months: 2 });
  // The figures of a month are those that are made in the next one, whenever that is.
  const at = monthStart(addMonths(month, 1), 'UTC');
  const national = nationalMetrics(month, england[0]?.counts ?? NO_TRANSFERS, at);
  const faults = publicationFaults(practiceMetrics(practices, months, at), national, { leastTransfers });
  const transfers = totalOf(england[0]?.counts ?? NO_TRANSFERS);
  const change = implausibleChange(transfers, england[1] ? totalOf(england[1].counts) : null);
  if (faults.length > 0) return { faults: change === null ? faults : [...faults, change], change: null };
  if (change !== null && reason === null) return { faults: [change], change };
  const day = sql`${`${monthText(month)}-01`}::date`;
  await transaction(db, async (trx) => {
    await sql`insert into platform.publications (month, transfers) values (${day}, ${transfers})
      on conflict (month) do update set published_at = now(), transfers = excluded.transfers`.execute(trx);
    if (change !== null)
      await sql`insert into platform.publication_overrides (month, fault, reason) values (${day}, ${change}, ${reason})`.execute(trx);
  });
  return { transfers, overridden: change };
}

/** When a month was opened; `null` while it is not. */
export async function isPublished(db: PlatformDb, month: Month): Promise<string | null> {
  const { rows } = await sql<{ at: string }>`
    select published_at as at from platform.publications where month = ${`${monthText(month)}-01`}::date`.execute(db);
  return rows[0]?.at ?? null;
}

/** The two files of the existing pipeline for a month that is open: six months of practices, one of England. */
export async function publishedFiles(
  db: PlatformDb,
  month: Month,
): Promise<{ readonly practiceMetrics: PracticeMetrics; readonly nationalMetrics: NationalMetrics }> {
  const publishedAt = await isPublished(db, month);
  if (publishedAt === null)
    throw new Fault('month.closed', `${monthText(month)} is not published`, {
      remedy: `Publish it: gp2gp platform publish ${monthText(month)}.`,
    });
  const at = microsOf(publishedAt);
  const { months, practices } = await practiceCounts(db, { newest: month, months: PUBLISHED_MONTHS });
  const { months: england } = await nationalPage(db, { newest: month, months: 1 });
  return {
    practiceMetrics: practiceMetrics(practices, months, at),
    nationalMetrics: nationalMetrics(month, england[0]?.counts ?? NO_TRANSFERS, at),
  };
}

/** Months that are open, as `2026-02`. */
export async function publishedMonths(db: PlatformDb): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ month: string }>`select to_char(month, 'YYYY-MM') as month from platform.publications`.execute(db);
  return new Set(rows.map(({ month }) => month));
}

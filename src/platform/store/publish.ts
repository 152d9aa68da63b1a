import { sql } from 'kysely';
import { NO_TRANSFERS, totalOf } from '../metrics/counts.ts';
import { PLAUSIBLE_MONTH, PUBLISHED_MONTHS, publicationFaults } from '../metrics/gate.ts';
import { addMonths, type Month, monthStart, monthText } from '../metrics/month.ts';
import { nationalMetrics } from '../metrics/national.ts';
import { practiceMetrics } from '../metrics/practices.ts';
import type { PlatformDb } from './open.ts';
import { nationalPage, practiceCounts } from './reads.ts';

/** What publishing came to: how many transfers the month has, or why it stays closed. */
export type Publication = { readonly transfers: number } | { readonly faults: readonly string[] };

/** Opens a month's figures to the public if nothing speaks against it (`publicationFaults`). Once more is allowed: figures change. */
export async function publishMonth(db: PlatformDb, month: Month, leastTransfers: number = PLAUSIBLE_MONTH): Promise<Publication> {
  const { months, practices } = await practiceCounts(db, { newest: month, months: PUBLISHED_MONTHS, all: true });
  const { months: england } = await nationalPage(db, { newest: month, months: 2 });
  // The figures of a month are those that are made in the next one, whenever that is.
  const at = monthStart(addMonths(month, 1), 'UTC');
  const national = nationalMetrics(month, england[0]?.counts ?? NO_TRANSFERS, at);
  const faults = publicationFaults(practiceMetrics(practices, months, at), national, {
    leastTransfers,
    previousTotal: england[1] ? totalOf(england[1].counts) : null,
  });
  if (faults.length > 0) return { faults };
  const transfers = totalOf(england[0]?.counts ?? NO_TRANSFERS);
  await sql`insert into platform.publications (month, transfers) values (${`${monthText(month)}-01`}::date, ${transfers})
    on conflict (month) do update set published_at = now(), transfers = excluded.transfers`.execute(db);
  return { transfers };
}

import { sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import { type Micros, microsOf, utcText } from '../micros.ts';
import type { PlatformDb, PlatformSchema } from './open.ts';
import { requestedWithin } from './transfers.ts';

export type WrittenFile = {
  readonly path: string;
  readonly kind: string;
  readonly start: Micros;
  readonly end: Micros;
  readonly cutoffDays: number | null;
  readonly rows: number;
  readonly sha256: string;
  readonly transfers: number | null;
  readonly technicalFailures: number | null;
};

/** Notes a file within the transaction that it is read in. A file that is noted already is noted anew. */
export async function noteFile(trx: Runner<PlatformSchema>, file: WrittenFile): Promise<void> {
  await sql`
    insert into platform.written_files (path, kind, window_start, window_end, cutoff_days, rows, sha256, transfers, technical_failures)
    values (${file.path}, ${file.kind}, ${date(file.start)}::date, ${date(file.end)}::date, ${file.cutoffDays}, ${file.rows}, ${file.sha256},
      ${file.transfers}, ${file.technicalFailures})
    on conflict (path) do update set rows = excluded.rows, sha256 = excluded.sha256, transfers = excluded.transfers,
      technical_failures = excluded.technical_failures, written_at = now()`.execute(trx);
}

/** Whoever writes a file holds its lock until the transaction ends: of two programs the second sees what the first one wrote. */
export async function lockFile(trx: Runner<PlatformSchema>, path: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('platform file'), hashtext(${path}))`.execute(trx);
}

/** When each of these files was written; those that were not are left out. */
export async function writtenAt(db: Runner<PlatformSchema>, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ path: string; at: string }>`
    select path, written_at as at from platform.written_files where path = any(${paths}::text[])`.execute(db);
  return new Map(rows.map(({ path, at }) => [path, at]));
}

/** The files written last, newest first. */
export async function writtenFiles(db: PlatformDb, limit: number): Promise<readonly (WrittenFile & { readonly writtenAt: string })[]> {
  const { rows } = await sql<Omit<WrittenFile, 'start' | 'end'> & { start: string; end: string; writtenAt: string }>`
    select path, kind, window_start::text as start, window_end::text as end, cutoff_days as "cutoffDays", rows, sha256, transfers,
      technical_failures as "technicalFailures", written_at as "writtenAt"
    from platform.written_files order by written_at desc, path limit ${limit}`.execute(db);
  return rows.map((row) => ({ ...row, start: microsOf(`${row.start}T00:00:00`), end: microsOf(`${row.end}T00:00:00`) }));
}

/** Days of a window of which there is no transfer. */
export async function daysWithoutTransfers(
  db: Runner<PlatformSchema>,
  window: { readonly start: Micros; readonly end: Micros },
): Promise<string[]> {
  const { rows } = await sql<{ day: string }>`
    select day::date::text as day
    from generate_series(${utcText(window.start)}::timestamptz, ${utcText(window.end)}::timestamptz - interval '1 day', interval '1 day') as each (day)
    except
    select (measured_at at time zone 'UTC')::date::text
    from platform.transfers as t where ${requestedWithin(window)}
    order by 1`.execute(db);
  return rows.map(({ day }) => day);
}

/** When the oldest transfer was requested, where windows begin to be wanted; `null` while there is none. */
export async function oldestRequest(db: Runner<PlatformSchema>): Promise<Micros | null> {
  const { rows } = await sql<{ at: string | null }>`
    select min(measured_at) as at from platform.transfers where status is not null`.execute(db);
  const at = rows[0]?.at ?? null;
  return at === null ? null : microsOf(at);
}

/** Whether something that came more than `minutes` ago is not counted yet. */
export async function foldingBehind(db: Runner<PlatformSchema>, minutes: number): Promise<boolean> {
  const { rows } = await sql<{ behind: boolean }>`
    select exists (select 1 from platform.events where batch >= p.batch and received_at < now() - make_interval(mins => ${minutes}))
      or exists (select 1 from platform.spine_transfers where batch >= p.batch) as behind
    from platform.progress as p where name = 'fold'`.execute(db);
  return rows[0]?.behind ?? false;
}

/** Degrades of some days, UTC, by kind and reason. */
export async function degradeCounts(
  db: Runner<PlatformSchema>,
  { start, end }: { readonly start: Micros; readonly end: Micros },
): Promise<readonly { readonly type: string; readonly reason: string; readonly count: number }[]> {
  const { rows } = await sql<{ type: string; reason: string; count: number }>`
    select type, reason, count(*) as count from platform.degrades where day >= ${date(start)}::date and day < ${date(end)}::date
    group by type, reason order by type collate "C", reason collate "C"`.execute(db);
  return rows;
}

function date(at: Micros): string {
  return utcText(at).slice(0, 10);
}

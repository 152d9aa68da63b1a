/** Writing what is due: each file whole or not at all, and none twice. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../base/errors.ts';
import { type Runner, transaction } from '../../database/connect.ts';
import { STATUSES } from '../classify/outcome.ts';
import { csvHead, csvLine, csvOf } from '../csv.ts';
import { type Month, monthText } from '../metrics/month.ts';
import { DAY, localText, type Micros } from '../micros.ts';
import type { PlatformDb, PlatformSchema } from '../store/open.ts';
import { isPublished, publishedFiles, publishMonth } from '../store/publish.ts';
import { transfersWithin } from '../store/transfers.ts';
import {
  daysWithoutTransfers,
  degradeCounts,
  foldingBehind,
  lockFile,
  noteFile,
  type WrittenFile,
  writtenAt,
} from '../store/written-files.ts';
import { type Due, daysOf, dueText, WEEKLY_FILE } from './due.ts';
import { gatherReport } from './gather.ts';
import { failurePercent } from './reports.ts';
import { writeWhole } from './whole-file.ts';

export type WriteOptions = {
  readonly folder: string;
  readonly now: Micros;
  /** Write what was written already. */
  readonly again?: boolean;
  /** Days of a window without a single transfer are taken for what they are, and not for something that did not arrive. */
  readonly gaps?: boolean;
};
export type Written =
  | { readonly done: 'written'; readonly file: WrittenFile }
  /** There is nothing to write: no file, and none later. */
  | { readonly done: 'empty' }
  | { readonly done: 'before'; readonly at: string };

/** What came longer ago than this has to be counted. */
const BEHIND_MINUTES = 5;

/** Writes a file that is due. Throws a `Fault` `report.incomplete` while its window is not complete. */
export async function writeDue(db: PlatformDb, due: Exclude<Due, { kind: 'publication' }>, options: WriteOptions): Promise<Written> {
  await refuseIncomplete(db, due, options);
  return transaction(db, async (trx) => {
    await lockFile(trx, due.kind === 'degradesWeekly' ? WEEKLY_FILE : due.path);
    const before = (await writtenAt(trx, [due.path])).get(due.path);
    if (before !== undefined && !options.again) return { done: 'before', at: before };
    const file = due.kind === 'report' ? await writeReport(trx, due, options.folder) : await writeDegrades(trx, due, options.folder);
    // A failure from here on leaves a file that is not noted: it is written once more, and is the same.
    await noteFile(trx, file);
    return file.rows === 0 && due.kind !== 'report' ? { done: 'empty' } : { done: 'written', file };
  });
}

/** A window is complete when it is over, when its cut-off is over too, and when what came of it is counted. */
async function refuseIncomplete(db: PlatformDb, due: Exclude<Due, { kind: 'publication' }>, { now, gaps = false }: WriteOptions) {
  const window = daysOf(due);
  const cutoffDays = due.kind === 'report' ? due.window.cutoffDays : 0;
  const complete = window.end + cutoffDays * DAY;
  const refuse = (reason: string, remedy: string) => {
    throw new Fault('report.incomplete', `${dueText(due)} is not written: ${reason}`, { remedy });
  };
  if (complete > now)
    refuse(
      `its window ends on ${dateText(window.end - DAY)}${cutoffDays > 0 ? ` and waits ${cutoffDays} days for what comes late` : ''}`,
      `Ask again from ${dateText(complete)} on, 00:00 UTC.`,
    );
  if (due.kind !== 'report') return;
  if (await foldingBehind(db, BEHIND_MINUTES))
    refuse(
      `something that came more than ${BEHIND_MINUTES} minutes ago is not counted yet`,
      'Wait until gp2gp platform serve has counted it.',
    );
  const missing = gaps ? [] : await daysWithoutTransfers(db, window);
  const [first] = missing;
  if (first !== undefined)
    refuse(
      `there is no transfer of ${first}${missing.length > 1 ? ` nor of ${missing.length - 1} other days of it` : ''}`,
      'Load what is missing (gp2gp platform load), or say with --gaps that there was none.',
    );
}

async function writeReport(trx: Runner<PlatformSchema>, due: Due & { readonly kind: 'report' }, folder: string): Promise<WrittenFile> {
  const { name, window, path } = due;
  const gathering = gatherReport(name);
  const counts = { rows: 0, transfers: 0, technicalFailures: 0 };
  const texts = async function* () {
    yield csvHead(gathering.head);
    for await (const transfer of transfersWithin(trx, window)) {
      counts.transfers++;
      if (transfer.status === STATUSES.TECHNICAL_FAILURE) counts.technicalFailures++;
      const row = gathering.take(transfer);
      if (!row) continue;
      counts.rows++;
      yield csvLine(row);
    }
    for (const row of gathering.rows()) {
      counts.rows++;
      yield csvLine(row);
    }
  };
  // What goes with a report in the existing pipeline as metadata of its object.
  const about = async () => {
    const metadata = {
      'report-name': name,
      'reporting-window-name': window.name,
      'reporting-window-start-datetime': localText(window.start).slice(0, 19),
      'reporting-window-end-datetime': localText(window.end).slice(0, 19),
      'cutoff-days': window.cutoffDays,
      'total-transfers': counts.transfers,
      'total-technical-failures': counts.technicalFailures,
      'technical-failures-percentage': failurePercent(counts.technicalFailures, counts.transfers),
    };
    await writeWhole(join(folder, `${path.replace(/\.csv$/, '')}.metadata.json`), [`${JSON.stringify(metadata, null, 2)}\n`]);
  };
  const { sha256 } = await writeWhole(join(folder, path), texts(), about);
  return { path, kind: name, start: window.start, end: window.end, cutoffDays: window.cutoffDays, sha256, ...counts };
}

const NO_TRANSFERS = { cutoffDays: null, transfers: null, technicalFailures: null } as const;
const HEAD = ['Type', 'Reason', 'Count'];

/** No file of a day without degrades. A week is put into the file of all weeks, in place of what stands there of it. */
async function writeDegrades(
  trx: Runner<PlatformSchema>,
  due: Due & { readonly kind: 'degradesDaily' | 'degradesWeekly' },
  folder: string,
): Promise<WrittenFile> {
  const { kind, path } = due;
  const window = daysOf(due);
  const counts = await degradeCounts(trx, window);
  const noted = { path, kind, ...window, ...NO_TRANSFERS, rows: counts.length };
  if (counts.length === 0) return { ...noted, sha256: '' };
  if (kind === 'degradesDaily') {
    const text = csvOf(
      HEAD,
      counts.map(({ type, reason, count }) => [type, reason, count]),
    );
    return { ...noted, ...(await writeWhole(join(folder, path), [text])) };
  }
  const file = join(folder, WEEKLY_FILE);
  const week = dateText(due.monday);
  const [, ...others] = (await textOf(file)).split('\n').filter((line) => line !== '');
  const lines = [
    ...others.filter((line) => !line.startsWith(`"${week}"`) && !line.startsWith(week)).map((line) => `${line}\n`),
    ...counts.map(({ type, reason, count }) => csvLine([week, type, reason, count])),
  ];
  return { ...noted, ...(await writeWhole(file, [csvHead(['Week_beginning', ...HEAD]), ...lines])) };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === 'ENOENT') return '';
    throw thrown;
  }
}

export type PublishOptions = { readonly leastTransfers: number; readonly folder: string | null };

/**
 * Opens a month to the public where the gate lets it through, and then writes the files of the existing pipeline. A month that is open
 * only gets the files that are missing. Throws a `Fault` `publication.refused` with what speaks against it.
 */
export async function publishDue(db: PlatformDb, month: Month, { leastTransfers, folder }: PublishOptions): Promise<void> {
  if ((await isPublished(db, month)) === null) {
    const published = await publishMonth(db, month, leastTransfers);
    if ('faults' in published) throw refused(month, published);
  }
  if (folder !== null) await writeMetrics(db, month, folder);
}

/** Faults that are named; there may be one for every practice. */
const NAMED = 20;

export function refused(month: Month, { faults, change }: { readonly faults: readonly string[]; readonly change: string | null }): Fault {
  const more = faults.length - NAMED;
  return new Fault(
    'publication.refused',
    [`${monthText(month)} is not published:`, ...faults.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
    {
      remedy:
        change === null
          ? 'Load what is missing (gp2gp platform load, gp2gp platform ods); --least says how many transfers a month must have.'
          : `Load what is missing; where the month is whole, say why it differs: gp2gp platform publish ${monthText(month)} --despite "REASON", which is kept.`,
    },
  );
}

/** `v12/2026/2/2026-2-practiceMetrics.json`: months without a zero before them, as the existing keys are. */
export function metricsPath({ year, month }: Month, name: 'practiceMetrics' | 'nationalMetrics'): string {
  return `v12/${year}/${month}/${year}-${month}-${name}.json`;
}

/** Writes both files of a month that is open; files that were written stay, unless `again`. */
export async function writeMetrics(db: PlatformDb, month: Month, folder: string, again = false): Promise<string[]> {
  const names = ['practiceMetrics', 'nationalMetrics'] as const;
  const paths = names.map((name) => metricsPath(month, name));
  return transaction(db, async (trx) => {
    for (const path of paths) await lockFile(trx, path);
    const before = await writtenAt(trx, paths);
    const missing = names.filter((name) => again || !before.has(metricsPath(month, name)));
    if (missing.length === 0) return [];
    const files = await publishedFiles(db, month);
    for (const name of missing) {
      const path = metricsPath(month, name);
      const { sha256 } = await writeWhole(join(folder, path), [JSON.stringify(files[name])]);
      const window = daysOf({ kind: 'publication', month, at: 0 });
      await noteFile(trx, { path, kind: name, ...window, ...NO_TRANSFERS, rows: 1, sha256 });
    }
    return missing.map((name) => metricsPath(month, name));
  });
}

function dateText(at: Micros): string {
  return localText(at).slice(0, 10);
}

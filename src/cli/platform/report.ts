import { Fault } from '../../base/errors.ts';
import { localText, type Micros } from '../../platform/micros.ts';
import { type Due, degradesDaily, degradesWeekly, dueText, reportPath, weekday } from '../../platform/reports/due.ts';
import { REPORTS } from '../../platform/reports/reports.ts';
import { outstanding, scheduler } from '../../platform/reports/schedule.ts';
import { reportingWindow } from '../../platform/reports/window.ts';
import { type Written, writeDue } from '../../platform/reports/write.ts';
import { foldWritten } from '../../platform/store/fold.ts';
import { writtenFiles } from '../../platform/store/written-files.ts';
import { columns, jsonLine } from '../operator/words.ts';
import { atPlatform, type PlaceOptions } from './place.ts';
import { REPORT_NAMES, type ScheduleTimes } from './schedule.ts';

export type ReportOptions = PlaceOptions & {
  readonly folder: string;
  readonly from?: Micros;
  readonly until?: Micros;
  readonly days?: number;
  readonly months?: number;
  readonly cutoff: number;
  readonly again?: boolean;
  readonly gaps?: boolean;
  readonly json?: boolean;
};

/** Writes one report file. */
export async function writeReportFile(name: string, options: ReportOptions): Promise<void> {
  const { folder, again = false, gaps = false, json, from, until, days, months, cutoff, ...place } = options;
  const now = Date.now() * 1000;
  const due = asked(name, options, now);
  const written = await atPlatform(place, async ({ db }) => {
    await foldWritten(db);
    return writeDue(db, due, { folder, now, again, gaps });
  });
  if (written.done === 'before')
    throw new Fault('report.written', `${dueText(due)} was written on ${written.at}`, {
      remedy: 'Give --again to write it once more, with the figures of now.',
    });
  say(json, due, written);
}

export type DueOptions = PlaceOptions & { readonly folder: string; readonly gaps?: boolean; readonly json?: boolean } & ScheduleTimes;

/** Writes whatever the schedule has made due and nobody has written: for installations whose server does not write. */
export async function writeDueFiles({ folder, gaps = false, json, degradesAt, reportsAt, monthlyOn, ...place }: DueOptions): Promise<void> {
  const now = Date.now() * 1000;
  const left = await atPlatform(place, async ({ db }) => {
    await foldWritten(db);
    const options = { folder, publish: null, schedule: { degradesAt, reportsAt, monthlyOn }, gaps };
    const { run } = scheduler(db, {
      ...options,
      onWritten: (due, written) => written && say(json, due, written),
      onFault: (thrown) => process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`),
    });
    await run(now);
    return (await outstanding(db, now, options)).length;
  });
  if (left > 0) {
    process.stderr.write(`${left} files that are due were not written.\n`);
    process.exitCode = 1;
  }
}

/** What was written, newest first. */
export async function listReports({
  limit,
  json,
  ...place
}: PlaceOptions & { readonly limit: number; readonly json?: boolean }): Promise<void> {
  const files = await atPlatform(place, ({ db }) => writtenFiles(db, limit));
  process.stdout.write(
    json
      ? jsonLine({ files: files.map(({ start, end, ...file }) => ({ ...file, start: localText(start), end: localText(end) })) })
      : columns(
          ['written', 'rows', 'file'],
          files.map(({ writtenAt, rows, path }) => [writtenAt, String(rows), path]),
        ),
  );
}

function asked(name: string, options: ReportOptions, now: Micros): Exclude<Due, { kind: 'publication' }> {
  const { from, until, days, months, cutoff } = options;
  if (name === 'degrades-daily' || name === 'degrades-weekly') {
    if (from === undefined || until !== undefined || days !== undefined || months !== undefined)
      throw new Fault('input.window', `${name}: its day is wanted, and nothing else`, {
        remedy: name === 'degrades-daily' ? 'Give --from with the day.' : 'Give --from with the Monday of the week.',
      });
    if (name === 'degrades-daily') return degradesDaily(from, now);
    if (weekday(from) !== 1)
      throw new Fault('input.window', `${localText(from).slice(0, 10)} is no Monday`, {
        remedy: 'Give --from with the Monday of the week.',
      });
    return degradesWeekly(from, now);
  }
  const report = REPORTS.find((each) => each.toLowerCase() === name);
  if (!report) throw new Fault('input.report', `there is no report ${name}`, { remedy: `Reports are ${REPORT_NAMES.join(', ')}.` });
  const window = reportingWindow(
    {
      ...(from !== undefined && { start: from }),
      ...(until !== undefined && { end: until }),
      ...(days !== undefined && { days }),
      ...(months !== undefined && { months }),
      cutoffDays: cutoff,
    },
    now,
  );
  return { kind: 'report', name: report, window, path: reportPath(window, report), at: now };
}

function say(json: boolean | undefined, due: Due, written: Written): void {
  if (json) process.stdout.write(jsonLine({ what: dueText(due), ...written }));
  else if (written.done === 'written') process.stdout.write(`${written.file.path}: ${written.file.rows} rows\n`);
  else if (written.done === 'empty') process.stdout.write(`${dueText(due)}: there were none, no file\n`);
}

/** Which files and publications are due: the schedule of the national pipeline, all times UTC. */
import { addMonths, type Month, monthOf, monthStart, monthText } from '../metrics/month.ts';
import { DAY, dayStart, localText, type Micros, SECOND } from '../micros.ts';
import { REPORTS, type ReportName } from './reports.ts';
import { type ReportingWindow, reportingWindow, reportKey } from './window.ts';

export type Schedule = {
  /** Seconds after midnight. */
  readonly degradesAt: number;
  readonly reportsAt: number;
  /** Day of the month on which the month before is reported and published. */
  readonly monthlyOn: number;
};
export const NATIONAL_SCHEDULE: Schedule = { degradesAt: 6 * 3600, reportsAt: 7 * 3600, monthlyOn: 15 };

export type Due = { readonly at: Micros } & (
  | { readonly kind: 'report'; readonly name: ReportName; readonly window: ReportingWindow; readonly path: string }
  | { readonly kind: 'degradesDaily'; readonly day: Micros; readonly path: string }
  | { readonly kind: 'degradesWeekly'; readonly monday: Micros; readonly path: string }
  | { readonly kind: 'publication'; readonly month: Month }
);

/** How each report is run: days or months of the window, and the cut-off. */
const RUNS: Readonly<
  Record<
    'daily' | 'weekly' | 'monthly',
    { readonly asked: { days?: number; months?: number; cutoffDays: number }; readonly reports: readonly ReportName[] }
  >
> = {
  daily: {
    asked: { days: 1, cutoffDays: 0 },
    reports: ['TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY', 'TRANSFER_LEVEL_TECHNICAL_FAILURES', 'TRANSFER_DETAILS_BY_HOUR'],
  },
  weekly: {
    asked: { days: 7, cutoffDays: 2 },
    reports: ['TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY', 'TRANSFER_LEVEL_TECHNICAL_FAILURES', 'TRANSFER_DETAILS_BY_HOUR'],
  },
  monthly: {
    asked: { months: 1, cutoffDays: 14 },
    reports: ['TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY', 'SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES'],
  },
};

/** Everything that became due after `since` and up to `now`, in the order of its time. */
export function dueBetween(since: Micros, now: Micros, schedule: Schedule = NATIONAL_SCHEDULE): Due[] {
  const due: Due[] = [];
  for (let day = dayStart(since); day <= now; day += DAY) {
    const monday = weekday(day) === 1;
    const degradesAt = day + schedule.degradesAt * SECOND;
    const reportsAt = day + schedule.reportsAt * SECOND;
    const here: Due[] = [
      degradesDaily(day - DAY, degradesAt),
      ...(monday ? [degradesWeekly(day - 7 * DAY, degradesAt)] : []),
      ...reportsOf('daily', reportsAt),
      ...(monday ? reportsOf('weekly', reportsAt) : []),
    ];
    if (Number(localText(day).slice(8, 10)) === schedule.monthlyOn)
      here.push(...reportsOf('monthly', reportsAt), { kind: 'publication', month: addMonths(monthOf(day, 'UTC'), -1), at: reportsAt });
    due.push(...here.filter(({ at }) => at > since && at <= now));
  }
  return due.sort((a, b) => a.at - b.at);
}

/** What a report is called below its folder, with the version that the existing pipeline's keys have. */
export function reportPath(window: ReportingWindow, name: ReportName): string {
  return `v5/${reportKey(window, name)}`;
}

export function degradesDaily(day: Micros, at: Micros): Due & { readonly kind: 'degradesDaily' } {
  return { kind: 'degradesDaily', day, path: `reports/daily/${localText(day).slice(0, 10)}.csv`, at };
}

/** All weeks are in one file; a week is noted by its Monday. */
export function degradesWeekly(monday: Micros, at: Micros): Due & { readonly kind: 'degradesWeekly' } {
  return { kind: 'degradesWeekly', monday, path: `${WEEKLY_FILE}#${localText(monday).slice(0, 10)}`, at };
}

export const WEEKLY_FILE = 'reports/degrades_weekly_report.csv';

/** Monday is 1, Sunday 7. */
export function weekday(day: Micros): number {
  return ((Math.floor(day / DAY) + 3) % 7) + 1;
}

/** In words, for messages. */
export function dueText(due: Due): string {
  switch (due.kind) {
    case 'report':
      return due.path;
    case 'degradesDaily':
      return `degrades of ${localText(due.day).slice(0, 10)}`;
    case 'degradesWeekly':
      return `degrades of the week from ${localText(due.monday).slice(0, 10)}`;
    case 'publication':
      return `publication of ${monthText(due.month)}`;
  }
}

/** The days that something due is about, the last one not included. */
export function daysOf(due: Due): { readonly start: Micros; readonly end: Micros } {
  switch (due.kind) {
    case 'report':
      return due.window;
    case 'degradesDaily':
      return { start: due.day, end: due.day + DAY };
    case 'degradesWeekly':
      return { start: due.monday, end: due.monday + 7 * DAY };
    case 'publication':
      return { start: monthStart(due.month, 'UTC'), end: monthStart(addMonths(due.month, 1), 'UTC') };
  }
}

function reportsOf(run: keyof typeof RUNS, at: Micros): Due[] {
  const { asked, reports } = RUNS[run];
  const window = reportingWindow(asked, at);
  return REPORTS.filter((name) => reports.includes(name)).map((name) => ({
    kind: 'report',
    name,
    window,
    path: reportPath(window, name),
    at,
  }));
}

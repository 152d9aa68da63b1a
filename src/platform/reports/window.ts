import { Fault } from '../../base/errors.ts';
import { addMonths, monthOf, monthStart } from '../metrics/month.ts';
import { DAY, dayStart, localText, type Micros } from '../micros.ts';

/** What a report or a classification looks at: from `start` up to `end` (exclusive), with what came up to `cutoffDays` later. */
export type ReportingWindow = {
  readonly start: Micros;
  readonly end: Micros;
  readonly cutoffDays: number;
  /** `custom`, `7-days`, `1-months`: part of a file's name. */
  readonly name: string;
};

/** Asked for by both dates, by days, or by months; in this order where more than one is given. */
export type WindowRequest = {
  readonly start?: Micros;
  readonly end?: Micros;
  readonly days?: number;
  readonly months?: number;
  readonly cutoffDays: number;
};

/** Everything is UTC. Throws a `Fault` `input.window` that says what is missing. */
export function reportingWindow(asked: WindowRequest, now: Micros): ReportingWindow {
  const { start, end, days, months, cutoffDays } = asked;
  if (start !== undefined || end !== undefined) return { ...customDates(start, end), cutoffDays, name: 'custom' };
  const today = dayStart(now);
  if (days !== undefined) {
    const until = today - cutoffDays * DAY;
    return { start: until - days * DAY, end: until, cutoffDays, name: `${days}-days` };
  }
  if (months === undefined)
    throw new Fault('input.window', 'no window is given', { remedy: 'Give a start and an end, a number of days, or a number of months.' });
  const here = monthOf(now, 'UTC');
  return { start: monthStart(addMonths(here, -months), 'UTC'), end: monthStart(here, 'UTC'), cutoffDays, name: `${months}-months` };
}

/**
 * The day that a daily classification is about: given, or the one that lies `cutoffDays` before yesterday. What follows it as far as the
 * cut-off is read besides; a cut-off of 0 reads the day alone.
 */
export function classificationWindow(asked: Pick<WindowRequest, 'start' | 'end' | 'cutoffDays'>, now: Micros): ReportingWindow {
  const { start, end, cutoffDays } = asked;
  if (start !== undefined || end !== undefined) return { ...customDates(start, end), cutoffDays, name: 'custom' };
  const day = dayStart(now) - DAY - cutoffDays * DAY;
  return { start: day, end: day + DAY, cutoffDays, name: 'daily' };
}

/** The days after a window that are read for what came late. */
export function overflowDays({ end, cutoffDays }: ReportingWindow): Micros[] {
  return Array.from({ length: cutoffDays }, (_, at) => end + at * DAY);
}

/** `custom/2020/01/01/2019-12-01-to-2019-12-31-transfer_details_by_hour--14-days-cutoff.csv`. */
export function reportKey({ start, end, cutoffDays, name }: ReportingWindow, report: string): string {
  const date = (at: Micros) => localText(at).slice(0, 10);
  return `${name}/${date(end).replaceAll('-', '/')}/${date(start)}-to-${date(end - DAY)}-${report.toLowerCase()}--${cutoffDays}-days-cutoff.csv`;
}

function customDates(start: Micros | undefined, end: Micros | undefined): { start: Micros; end: Micros } {
  if (start === undefined || end === undefined)
    throw new Fault('input.window', `a window needs both dates: ${start === undefined ? 'the start' : 'the end'} is missing`);
  for (const [which, at] of [['start', start] as const, ['end', end] as const])
    if (at % DAY !== 0) throw new Fault('input.window', `the ${which} is not midnight UTC: ${localText(at)}`);
  if (start > end) throw new Fault('input.window', `the start, ${localText(start)}, lies after the end, ${localText(end)}`);
  return { start, end };
}

/** Weeks as the older process counts them: Monday to Sunday by London's wall clock, numbered within the year as ISO 8601 has it. */
import { toHl7Seconds } from '../../base/hl7-time.ts';
import type { Instant } from '../../base/ids.ts';

/** A Monday, `2026-03-02`. */
export type Monday = string;
const DAY = 86_400_000;

/** The day of an instant on London's calendar, `2026-03-02`. */
export function londonDay(at: Instant): string {
  const text = toHl7Seconds(new Date(at));
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}`;
}

/** London's wall clock without a zone, `2026-03-02T10:01:41`. */
export function londonTime(at: Instant): string {
  const text = toHl7Seconds(new Date(at));
  return `${londonDay(at)}T${text.slice(8, 10)}:${text.slice(10, 12)}:${text.slice(12, 14)}`;
}

export function weekOf(at: Instant): Monday {
  const day = Date.parse(`${londonDay(at)}T00:00:00Z`);
  return dateText(day - ((new Date(day).getUTCDay() + 6) % 7) * DAY);
}

/** The seven days of a week. */
export function daysOf(week: Monday): string[] {
  const monday = Date.parse(`${week}T00:00:00Z`);
  return Array.from({ length: 7 }, (_, at) => dateText(monday + at * DAY));
}

export function weekBefore(week: Monday): Monday {
  return dateText(Date.parse(`${week}T00:00:00Z`) - 7 * DAY);
}

/** The week of a Thursday is numbered by how many Thursdays its year has had. */
export function periodOf(week: Monday): number {
  const thursday = new Date(Date.parse(`${week}T00:00:00Z`) + 3 * DAY);
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return Math.floor((thursday.getTime() - first) / (7 * DAY)) + 1;
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

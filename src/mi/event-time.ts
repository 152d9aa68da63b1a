/**
 * The time of an event as it stands in `registrationEventDateTime`. The national service reads a local date-time, drops a `Z` and takes
 * it for UTC; offsets are read here besides. Up to nine digits of a second are kept, as there.
 */
export type EventTime = {
  /** UTC, whole seconds since 1970. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** What stood behind the time: nothing, `Z`, or an offset. */
  readonly zone: 'none' | 'Z' | 'offset';
};

const FORM = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:(Z)|([+-])(\d\d):?(\d\d))?$/i;

/** `null` where the text is no date and time, or none that the calendar has. */
export function readEventTime(text: string): EventTime | null {
  const found = FORM.exec(text);
  if (!found) return null;
  const part = (at: number) => Number(found[at] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return null;
  const [offsetHours, offsetMinutes] = [part(10), part(11)];
  if (offsetHours > 18 || offsetMinutes > 59) return null;
  const shift = (found[9] === '-' ? -1 : 1) * (offsetHours * 3600 + offsetMinutes * 60);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return {
    seconds: date.getTime() / 1000 - shift,
    nanoseconds: Number((found[7] ?? '').padEnd(9, '0')),
    zone: found[8] ? 'Z' : found[9] ? 'offset' : 'none',
  };
}

/** UTC with microseconds, as the database keeps it: `2026-03-02T09:15:31.204000Z`. */
export function utcText({ seconds, nanoseconds }: EventTime): string {
  const micro = String(Math.floor(nanoseconds / 1000)).padStart(6, '0');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${micro}Z`;
}

/**
 * The zone-less text that the national service makes event ids from: seconds are left out where they are nought, fractions come in threes
 * of digits (`2026-03-02T09:15`, `2026-03-02T09:15:31.204`).
 */
export function localText({ seconds, nanoseconds }: EventTime): string {
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (nanoseconds === 0) return text.endsWith(':00') ? text.slice(0, 16) : text;
  const digits = nanoseconds % 1_000_000 === 0 ? 3 : nanoseconds % 1000 === 0 ? 6 : 9;
  return `${text}.${String(nanoseconds).padStart(9, '0').slice(0, digits)}`;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

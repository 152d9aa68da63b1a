/** Microseconds since 1970 in UTC: exact in a number for the next two hundred years, and what the existing pipeline keeps. */
export type Micros = number;

export const SECOND: Micros = 1_000_000;
export const DAY: Micros = 86_400 * SECOND;

const FORM = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? ?(UTC|GMT|BST|Z|[+-]\d\d:?(?:\d\d)?)$/;

/** A time with its zone, `2019-07-01 10:10:00.334 BST`; `null` where the text is none. A time without a zone is none. */
export function readTime(text: string): Micros | null {
  const found = FORM.exec(text.trim());
  if (!found) return null;
  const [, year, month, day, hour, minute, second, fraction = '', zone = ''] = found;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // `2019-02-30` is taken by some calendars and moved to March.
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) return null;
  return date.getTime() * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6)) - shiftOf(zone);
}

function shiftOf(zone: string): Micros {
  if (zone === 'BST') return 3600 * SECOND;
  if (!/^[+-]/.test(zone)) return 0;
  const seconds = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(3).replace(':', '') || 0) * 60;
  return (zone.startsWith('-') ? -seconds : seconds) * SECOND;
}

/** `2019-12-05T18:02:29.985000`, without a zone, as the existing files have it. */
export function localText(at: Micros): string {
  return `${new Date(Math.floor(at / SECOND) * 1000).toISOString().slice(0, 19)}.${String(at % SECOND).padStart(6, '0')}`;
}

/** For the database and for people: `2019-12-05T18:02:29.985000Z`. */
export function utcText(at: Micros): string {
  return `${localText(at)}Z`;
}

/** Reads what the database gives (`…Z`) or what stands in existing files (no zone, UTC). */
export function microsOf(text: string): Micros {
  const found = /^(.{19})(?:\.(\d+))?/.exec(text.replace(' ', 'T'));
  return Date.parse(`${found?.[1]}Z`) * 1000 + Number((found?.[2] ?? '').padEnd(6, '0').slice(0, 6));
}

/** Midnight UTC at or before. */
export function dayStart(at: Micros): Micros {
  return Math.floor(at / DAY) * DAY;
}

/** Half a unit goes to the even neighbour. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

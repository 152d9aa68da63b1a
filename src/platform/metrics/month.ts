import type { Micros } from '../micros.ts';

/** A month of some calendar; months of the national definitions are UTC's. */
export type Month = { readonly year: number; readonly month: number };
/** Whose midnight begins a month: a request at half past midnight on 1 July in summer belongs to June by UTC. */
export type Calendar = 'UTC' | 'Europe/London';

const LONDON = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', timeZoneName: 'longOffset' });

export function monthOf(at: Micros, calendar: Calendar): Month {
  const shifted = new Date(at / 1000 + (calendar === 'UTC' ? 0 : londonShift(at / 1000)));
  return { year: shifted.getUTCFullYear(), month: shifted.getUTCMonth() + 1 };
}

/** The first moment of a month. */
export function monthStart({ year, month }: Month, calendar: Calendar): Micros {
  const utc = Date.UTC(year, month - 1, 1);
  // Clocks change on Sundays at one o'clock, never at a midnight: the shift an hour later is the one at midnight.
  return (utc - (calendar === 'UTC' ? 0 : londonShift(utc + 3_600_000))) * 1000;
}

export function addMonths({ year, month }: Month, count: number): Month {
  const index = year * 12 + month - 1 + count;
  return { year: Math.floor(index / 12), month: (index % 12) + 1 };
}

/** The `count` months before the month of `anchor`, newest first. */
export function monthsBefore(anchor: Micros, count: number, calendar: Calendar = 'UTC'): Month[] {
  const here = monthOf(anchor, calendar);
  return Array.from({ length: count }, (_, at) => addMonths(here, -1 - at));
}

export function sameMonth(a: Month, b: Month): boolean {
  return a.year === b.year && a.month === b.month;
}

/** `2026-02`. */
export function monthText({ year, month }: Month): string {
  return `${year}-${String(month).padStart(2, '0')}`;
}

/** Reads `2026-02`; `null` where it is none. */
export function readMonth(text: string): Month | null {
  const found = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text);
  return found ? { year: Number(found[1]), month: Number(found[2]) } : null;
}

function londonShift(milliseconds: number): number {
  const zone = LONDON.formatToParts(milliseconds).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  return zone === 'GMT' ? 0 : Number(zone.slice(4, 6)) * 3_600_000;
}

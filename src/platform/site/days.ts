/** Spans of days of UTC in addresses: the first day, and how many. */
import { Problem } from '../../web/problem.ts';
import type { Days } from '../store/operational.ts';

/** Of what names single transfers, and of what is counted by day. */
export const LONGEST = { transfers: 31, counts: 366 } as const;
const DAY_MS = 86_400_000;

/** `2026-11-01` and some days on; `null` where that is no day. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

export function isDate(text: unknown): text is string {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** What an address asks for, else the days that end with the newest. Throws a `Problem` 400 that says what may be asked. */
export function readDays(
  query: Readonly<Record<string, unknown>>,
  newest: string,
  usual: number,
  longest: number = LONGEST.transfers,
): Days {
  const { days: asked = String(usual) } = query;
  const days = typeof asked === 'string' && /^\d{1,3}$/.test(asked) ? Number(asked) : 0;
  if (days < 1 || days > longest) throw new Problem(400, 'days.wrong', `Between 1 and ${longest} days may be asked for.`);
  const { from = addDays(newest, 1 - days) } = query;
  if (!isDate(from)) throw new Problem(400, 'day.wrong', 'Days are written 2026-02-28.');
  return { from, days };
}

/** `2026-11-01-7-days.csv`; `null` where the name is none. */
export function readDaysFile(name: string, longest: number = LONGEST.transfers): Days | null {
  const found = /^(\d{4}-\d\d-\d\d)-(\d{1,3})-days\.csv$/.exec(name);
  const days = Number(found?.[2]);
  return found && isDate(found[1]) && days >= 1 && days <= longest ? { from: found[1], days } : null;
}

export function daysFile({ from, days }: Days): string {
  return `${from}-${days}-days.csv`;
}

const DATE = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'long', year: 'numeric' });

export function dateInWords(date: string): string {
  return DATE.format(Date.parse(`${date}T00:00:00Z`));
}

export function daysInWords({ from, days }: Days): string {
  return days === 1 ? dateInWords(from) : `${dateInWords(from)} to ${dateInWords(addDays(from, days - 1))}`;
}

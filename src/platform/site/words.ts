/** Names, months and numbers as people read them. */
import type { Month } from '../metrics/month.ts';
import { percent } from '../metrics/percent.ts';
import type { Kind, Place } from './model.ts';

export const KINDS: Readonly<Record<Kind, { readonly one: string; readonly many: string; readonly path: string }>> = {
  practice: { one: 'GP practice', many: 'GP practices', path: '/practice' },
  sicbl: { one: 'Sub ICB Location', many: 'Sub ICB Locations', path: '/sub-icb-location' },
  icb: { one: 'Integrated care board', many: 'Integrated care boards', path: '/integrated-care-board' },
  region: { one: 'Region', many: 'Regions', path: '/region' },
};

/** Words that stay in capitals. */
const CAPITALS = new Set(['NHS', 'GP', 'ICB']);
/** Words that stay small unless they come first. */
const SMALL = new Set(['AND', 'OF', 'THE', 'IN', 'ON', 'UPON']);

/** `NHS EXAMPLE ICB - 99Z` → `NHS Example ICB - 99Z`: organisations' names come in capitals; a code behind a dash stays as it is. */
export function titleCase(name: string): string {
  const parts = name.trim().split(' - ');
  return parts.map((part, at) => (isCode(part, parts[at - 1]) ? part : part.split(' ').map(cased).join(' '))).join(' - ');
}

/** A word behind a dash is a place (`RED HOUSE - BATH`) unless it has a digit or stands behind `ICB`. */
function isCode(part: string, before: string | undefined): boolean {
  return before !== undefined && /^[A-Z0-9]{3,6}$/.test(part) && (/\d/.test(part) || / ?ICB$/.test(before));
}

function cased(word: string, at: number): string {
  if (CAPITALS.has(word)) return word;
  return at > 0 && SMALL.has(word) ? word.toLowerCase() : caseOf(word);
}

/** Every letter after something that is none begins a word, but not the one after an apostrophe: `St Mary's`, `O'Neill` is rare. */
function caseOf(word: string): string {
  return word.toLowerCase().replace(/(^|[^\p{L}\p{N}'’])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase());
}

/** The name alone; the code where there is none. */
export function nameOf({ name, code }: Place): string {
  return name ? titleCase(name) : code;
}

/** With the code behind it unless the name ends with it already. */
export function nameWithCode(place: Place): string {
  const name = nameOf(place);
  return name === place.code || name.endsWith(`- ${place.code}`) ? name : `${name} - ${place.code}`;
}

export function hrefOf({ kind, code }: Pick<Place, 'kind' | 'code'>): string {
  return `${KINDS[kind].path}/${encodeURIComponent(code)}`;
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** `February 2026`. */
export function monthInWords({ year, month }: Month): string {
  return `${MONTHS[month - 1]} ${year}`;
}

/** `Feb 2026`. */
export function shortMonth({ year, month }: Month): string {
  return `${MONTHS[month - 1]?.slice(0, 3)} ${year}`;
}

const NUMBERS = new Intl.NumberFormat('en-GB');

export function count(value: number): string {
  return NUMBERS.format(value);
}

/** One decimal as the national figures have it; `n/a` of nothing. */
export function share(portion: number, total: number): string {
  return percentText(percent(portion, total, 1));
}

export function percentText(value: number | null): string {
  return value === null ? 'n/a' : `${value}%`;
}

/** A postcode in any spelling as one word without spaces; any other text with single spaces. */
export function searchText(typed: string): string {
  const text = typed
    .normalize('NFKC')
    .replace(/\p{Cc}/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 100);
  const joined = text.replace(/[\s.-]/g, '').toUpperCase();
  return /^[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}$/.test(joined) ? joined : text;
}

/** `EHR_REQUESTS` → `EHR requests`: constants of events as people read them. */
export function typeInWords(type: string): string {
  const text = type
    .toLowerCase()
    .replaceAll('_', ' ')
    .replace(/\behr\b/g, 'EHR');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

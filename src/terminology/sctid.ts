/**
 * SNOMED CT identifiers have up to 18 digits, more than a JavaScript number holds exactly. Outside they are strings; in tables they are
 * two unsigned 32-bit numbers: the last nine digits, and those before. These sort as the identifiers do.
 */
const LOW_DIGITS = 9;
const MOST_DIGITS = 18;

export type Halves = { readonly high: number; readonly low: number };

/** The digits before the last nine; -1 for a text that is no identifier. */
export function highOf(text: string): number {
  const { length } = text;
  if (length === 0 || length > MOST_DIGITS || text.charCodeAt(0) === 48) return -1;
  let high = 0;
  let low = 0;
  for (let at = 0; at < length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    if (at < length - LOW_DIGITS) high = high * 10 + digit;
    else low = low * 10 + digit;
  }
  return high;
}

/** The last nine digits of what `highOf` found to be an identifier. */
export function lowOf(text: string): number {
  let low = 0;
  for (let at = Math.max(0, text.length - LOW_DIGITS); at < text.length; at++) low = low * 10 + text.charCodeAt(at) - 48;
  return low;
}

/** Of a constant in the program. */
export function halves(text: string): Halves {
  return { high: highOf(text), low: lowOf(text) };
}

export function idText(high: number, low: number): string {
  return high === 0 ? String(low) : `${high}${String(low).padStart(LOW_DIGITS, '0')}`;
}

/**
 * Small numbers. What is not published nationally (`docs/platform.md`) is told of a single practice only in numbers that point at nobody:
 * few transfers might be somebody's, and numbers that are each rounded cannot be taken from each other.
 */
const LEAST = 8;

/** Whether a number of transfers is too small to be told. */
export function isSmall(value: number): boolean {
  return value > 0 && value < LEAST;
}

export function roundTo5(value: number): number {
  return Math.round(value / 5) * 5;
}

/** A count rounded to 5; null for one that is too small to be told. */
export function roundedCount(value: number): number | null {
  return isSmall(value) ? null : roundTo5(value);
}

/** A share of two counts that are each told rounded, in whole percent; null where it would tell more than they do. */
export function roundedShare(part: number, whole: number): number | null {
  if (whole < LEAST || isSmall(part)) return null;
  return Math.round((roundTo5(part) / roundTo5(whole)) * 100);
}

import { FAILURE_REASONS, type FailureReason, STATUSES, type Status } from '../classify/outcome.ts';

/** Inclusive: three days, and eight, in whole seconds. */
const THREE_DAYS = 3 * 86_400;
const EIGHT_DAYS = 8 * 86_400;

/** How long integration took, by the stored seconds; `null` where nothing was integrated. */
export type SlaBand = 'WITHIN_3_DAYS' | 'WITHIN_8_DAYS' | 'BEYOND_8_DAYS';

export function slaBandOf(seconds: number | null): SlaBand | null {
  if (seconds === null) return null;
  if (seconds <= THREE_DAYS) return 'WITHIN_3_DAYS';
  return seconds <= EIGHT_DAYS ? 'WITHIN_8_DAYS' : 'BEYOND_8_DAYS';
}

/** Where the national definitions count a transfer; each transfer has one place. */
export const CATEGORIES = ['within3', 'within8', 'late', 'notIntegrated', 'technical', 'unclassified'] as const;
export type Category = (typeof CATEGORIES)[number];
export type Counts = Readonly<Record<Category, number>>;

export function categoryOf(of: {
  readonly status: Status;
  readonly failureReason: FailureReason | null;
  readonly slaDuration: number | null;
}): Category {
  switch (of.status) {
    case STATUSES.INTEGRATED_ON_TIME:
      return slaBandOf(of.slaDuration) === 'WITHIN_3_DAYS' ? 'within3' : 'within8';
    case STATUSES.PROCESS_FAILURE:
      return of.failureReason === FAILURE_REASONS.INTEGRATED_LATE ? 'late' : 'notIntegrated';
    case STATUSES.TECHNICAL_FAILURE:
      return 'technical';
    case STATUSES.UNCLASSIFIED_FAILURE:
      return 'unclassified';
  }
}

export const NO_TRANSFERS: Counts = { within3: 0, within8: 0, late: 0, notIntegrated: 0, technical: 0, unclassified: 0 };

export function addUp(all: Iterable<Counts>): Counts {
  const sum: Record<Category, number> = { ...NO_TRANSFERS };
  for (const counts of all) for (const category of CATEGORIES) sum[category] += counts[category];
  return sum;
}

export function countCategories(categories: Iterable<Category>): Counts {
  const sum: Record<Category, number> = { ...NO_TRANSFERS };
  for (const category of categories) sum[category]++;
  return sum;
}

export function totalOf(counts: Counts): number {
  return CATEGORIES.reduce((sum, category) => sum + counts[category], 0);
}

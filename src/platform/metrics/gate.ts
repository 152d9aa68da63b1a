import { addMonths, type Month, monthText, sameMonth } from './month.ts';
import type { NationalMetrics } from './national.ts';
import type { PracticeMetrics } from './practices.ts';

/** A month with fewer transfers than this is truncated: something did not arrive. */
export const PLAUSIBLE_MONTH = 150_000;
export const PUBLISHED_MONTHS = 6;
/** How far a month's total may lie from the one before without anybody looking at it. */
const PLAUSIBLE_CHANGE = 0.35;

/**
 * Why figures must not be published; nothing, where they may. Unlike the existing gate it looks at every practice and location, and at
 * years as well as months.
 */
export function publicationFaults(
  practices: PracticeMetrics,
  national: NationalMetrics,
  options: { readonly months?: number; readonly leastTransfers?: number } = {},
): string[] {
  const { months = PUBLISHED_MONTHS, leastTransfers = PLAUSIBLE_MONTH } = options;
  const faults: string[] = [];
  const newest = monthBefore(practices.generatedOn);
  if (!newest) return [`generatedOn is no time: ${practices.generatedOn}`];
  const named = (month: Month | undefined) => (month ? monthText(month) : 'none');
  if (practices.practices.length === 0) faults.push('there are no practices');
  for (const { odsCode, metrics } of practices.practices) {
    const which = odsCode || '(a practice without ODS code)';
    if (!odsCode) faults.push('a practice has no ODS code');
    if (metrics.length < months) faults.push(`${which} has ${metrics.length} months of ${months}`);
    const wrong = metrics.findIndex((month, at) => !sameMonth(month, addMonths(newest, -at)));
    if (wrong >= 0) faults.push(`${which}: month ${wrong + 1} is ${named(metrics[wrong])}, not ${named(addMonths(newest, -wrong))}`);
  }
  if (practices.sicbls.length === 0) faults.push('there are no sub ICB locations');
  const known = new Set(practices.practices.map(({ odsCode }) => odsCode));
  for (const { odsCode, practices: members } of practices.sicbls) {
    if (!members.some((member) => member !== '')) faults.push(`sub ICB location ${odsCode} has no practice`);
    for (const member of members) if (!known.has(member)) faults.push(`sub ICB location ${odsCode} names ${member}, which has no figures`);
  }
  const [month] = national.metrics;
  if (!month || !sameMonth(month, newest)) faults.push(`the national month is ${named(month)}, not ${named(newest)}`);
  const total = month?.transferCount ?? 0;
  if (total < leastTransfers) faults.push(`${total} transfers in the month are fewer than ${leastTransfers}: the month is truncated`);
  return faults;
}

/** Why somebody has to look at a month's total before it is published; `null` where it is near that of the month before, or there was none. */
export function implausibleChange(total: number, previousTotal: number | null): string | null {
  if (previousTotal === null || previousTotal === 0 || Math.abs(total - previousTotal) / previousTotal <= PLAUSIBLE_CHANGE) return null;
  return `${total} transfers after ${previousTotal} in the month before: more than ${PLAUSIBLE_CHANGE * 100} % apart`;
}

function monthBefore(generatedOn: string): Month | null {
  const found = /^(\d{4})-(\d\d)/.exec(generatedOn);
  return found ? addMonths({ year: Number(found[1]), month: Number(found[2]) }, -1) : null;
}

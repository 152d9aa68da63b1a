/** When an alert is raised: how long a transfer may wait for what comes next, and when a rate of failures is another than it was. */

/** One threshold of one transfer. Ages are strict: what is exactly as old as allowed is not late. */
export const TRANSFER_ALERTS = {
  REQUEST_LATE: { after: '20 minutes', title: 'Not requested within 20 minutes' },
  SENDING_LATE: { after: '20 minutes', title: 'Not sent within 20 minutes of the request' },
  TRANSFER_LATE: { after: '24 hours', title: 'Not whole within 24 hours of the sending' },
  NOT_INTEGRATED_3_DAYS: { after: '3 days', title: 'Not integrated for 3 days' },
  NOT_INTEGRATED_6_DAYS: { after: '6 days', title: 'Not integrated for 6 days' },
  NOT_INTEGRATED_8_DAYS: { after: '8 days', title: 'Not integrated for 8 days' },
} as const;
export type TransferAlert = keyof typeof TRANSFER_ALERTS;

export const RATE_ALERTS = {
  /** The existing daily alert: the technical failures of yesterday (UTC), unclassified ones left out, above a whole number of percent. */
  FAILURES_ABOVE: { title: 'Technical failures of a day above the threshold' },
  FAILURES_ROSE_DAY: { title: 'Technical failures of a supplier pathway rose, last 24 hours' },
  FAILURES_ROSE_WEEK: { title: 'Technical failures of a supplier pathway rose, last 7 days' },
} as const;
export type RateAlert = keyof typeof RATE_ALERTS;
export type AlertKind = TransferAlert | RateAlert;

export function titleOf(kind: AlertKind): string {
  return { ...TRANSFER_ALERTS, ...RATE_ALERTS }[kind].title;
}

/** Crossed so long ago, a threshold is history that was loaded, and nothing that somebody can still act on. */
export const STALE = '14 days';
/** After so long nobody integrates a record any more; the alert of one that waits for ever goes. */
export const AGED = '28 days';

/** Transfers of some time, and how many of them failed. */
export type Rate = { readonly transfers: number; readonly failed: number };

/** Percent of failures above which a day is told, where nothing else is said. */
export const FAILURE_PERCENT = 5;
/** A day, or a pathway's last day or week, with fewer transfers says nothing about a rate; nor do fewer failures. */
const LEAST_TRANSFERS = 20;
const LEAST_FAILURES = 5;
/** The four weeks before, which it is held against. */
const LEAST_BEFORE = 200;
/** Percentage points by which a rate must have risen, and standard errors of the rate of before by which it must lie outside of chance. */
const RISE = 2;
const ERRORS = 3;
/** It has come down again when it lies no further above the rate of before. */
const SETTLED = 1;

export function percentOf({ transfers, failed }: Rate): number {
  return transfers === 0 ? 0 : (100 * failed) / transfers;
}

/** The published rule: strictly more percent than a whole number. */
export function isAbove(day: Rate, percent: number): boolean {
  return day.transfers >= LEAST_TRANSFERS && percentOf(day) > percent;
}

/**
 * Whether a pathway fails more often than in the four weeks before: by more than two percentage points and by more than chance would do in
 * one case of some hundreds (three standard errors), with at least 20 transfers and 5 failures now and 200 transfers before.
 */
export function rose(now: Rate, before: Rate): boolean {
  if (now.transfers < LEAST_TRANSFERS || now.failed < LEAST_FAILURES || before.transfers < LEAST_BEFORE) return false;
  const [rate, usual] = [percentOf(now), percentOf(before)];
  return rate > usual + RISE && rate > usual + ERRORS * Math.sqrt((usual * (100 - usual)) / now.transfers);
}

/** Whether a rate that rose has come down: within one percentage point of before, or too few transfers to say. */
export function settled(now: Rate, before: Rate): boolean {
  return now.transfers < LEAST_TRANSFERS || percentOf(now) <= percentOf(before) + SETTLED;
}

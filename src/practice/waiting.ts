/**
 * How long a new practice has not filed a record. Sources differ on when the eight days begin, at the request or at the sending; people are
 * shown the earliest of all, the registration, so that whoever keeps to it is late by none.
 */
import type { Instant } from '../base/ids.ts';

/** Days after which a practice is told, each more urgently. */
export const WAITING_DAYS = [3, 6, 8] as const;
export type WaitingDay = (typeof WAITING_DAYS)[number];

const DAY_MS = 86_400_000;

/** The last of the three days that has come; `null` before the first. A day has come when as many times 24 hours have passed. */
export function waitingDay(startedAt: Instant, now: Instant): WaitingDay | null {
  const passed = Date.parse(now) - Date.parse(startedAt);
  return WAITING_DAYS.findLast((days) => passed >= days * DAY_MS) ?? null;
}

/** When the record has to be filed: after that its sender prints it. */
export function fileBy(startedAt: Instant): Instant {
  return new Date(Date.parse(startedAt) + 8 * DAY_MS).toISOString() as Instant;
}

/** What began before is to be told. */
export function toldBefore(now: Instant): Instant {
  return new Date(Date.parse(now) - WAITING_DAYS[0] * DAY_MS).toISOString() as Instant;
}

import { setTimeout as sleep } from 'node:timers/promises';

/** Lets callers pass at a rate. Resolves when it is the caller's turn; turns are in the order of asking. */
export type Budget = () => Promise<void>;

/**
 * At most `perSecond` in the long run and `burst` at once, as a service allows an application. Waiting here costs less than being refused
 * there: a refused request counts too.
 */
export function createBudget(perSecond: number, burst = perSecond, now: () => number = () => performance.now()): Budget {
  const every = 1000 / perSecond;
  // When the bucket would be full again: each turn moves it on by one interval.
  let full = Number.NEGATIVE_INFINITY;
  return async () => {
    const at = now();
    full = Math.max(full, at) + every;
    const wait = full - at - burst * every;
    if (wait > 0) await sleep(wait);
  };
}

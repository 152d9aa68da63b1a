import { setTimeout as sleep } from 'node:timers/promises';

/** Waiting times in milliseconds: `first`, then doubled each time, never beyond `cap`. */
export function doubling(first: number, times: number, cap = Number.POSITIVE_INFINITY): number[] {
  return Array.from({ length: times }, (_, at) => Math.min(first * 2 ** at, cap));
}

/**
 * Repeats `work` after each of the waiting times while `again` says that what was thrown may pass. The last failure is thrown as it is.
 * `work` is told how many attempts went before. Waits vary by a quarter, so that many callers do not come back at once.
 */
export async function withBackOff<T>(
  work: (attempt: number) => Promise<T>,
  again: (thrown: unknown) => boolean,
  waits: readonly number[],
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work(attempt);
    } catch (thrown) {
      const wait = waits[attempt];
      if (wait === undefined || !again(thrown)) throw thrown;
      await sleep(wait * (0.75 + Math.random() * 0.5));
    }
  }
}

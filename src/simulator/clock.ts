import { Fault } from '../base/errors.ts';

/**
 * The time that the simulated services go by. It runs as the machine's until somebody moves it or lets it run faster: two hours between
 * two attempts need not be waited for.
 */
export type SimulatedClock = {
  now(): Date;
  /** Resolves when so much simulated time has passed, however it did. Throws what an abort throws. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Moves the time forward or back by so much. */
  move(ms: number): void;
  /** How many times as fast as the machine's it runs. */
  setRate(rate: number): void;
  state(): { readonly now: string; readonly rate: number; readonly aheadMs: number };
};

/** Slower or faster than this nothing would be served any more. */
export const RATES = { least: 0.01, most: 100_000 } as const;
/** The longest time for which a timer can be set. */
const LONGEST_MS = 2 ** 31 - 1;

export function makeClock(machine: () => number = Date.now): SimulatedClock {
  let [from, at, rate] = [machine(), machine(), 1];
  const waiting = new Set<() => void>();
  const now = (): number => at + (machine() - from) * rate;
  const changed = (): void => {
    for (const look of [...waiting]) look();
  };

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const due = now() + ms;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | null = null;
      const end = (): void => {
        if (timer) clearTimeout(timer);
        waiting.delete(look);
        signal?.removeEventListener('abort', aborted);
      };
      const aborted = (): void => {
        end();
        reject(signal?.reason instanceof Error ? signal.reason : new Fault('simulator.aborted', 'given up'));
      };
      const look = (): void => {
        if (timer) clearTimeout(timer);
        const left = due - now();
        if (left <= 0) {
          end();
          resolve();
        } else timer = setTimeout(look, Math.min(LONGEST_MS, Math.max(1, left / rate)));
      };
      if (signal?.aborted) return aborted();
      signal?.addEventListener('abort', aborted);
      waiting.add(look);
      look();
    });
  }

  return {
    now: () => new Date(now()),
    sleep,
    move: (ms) => {
      at += ms;
      changed();
    },
    setRate: (next) => {
      if (!(next >= RATES.least && next <= RATES.most))
        throw new Fault('simulator.clock', `the rate is to be between ${RATES.least} and ${RATES.most}`);
      [at, from, rate] = [now(), machine(), next];
      changed();
    },
    state: () => ({ now: new Date(now()).toISOString(), rate, aheadMs: Math.round(now() - machine()) }),
  };
}

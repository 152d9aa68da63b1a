/** Messages at a steady rate: the next one leaves when its time has come, whatever became of those before it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CastPractice, Side } from '../../demo/cast.ts';
import type { Asker } from './asker.ts';
import type { Balancer, Fate } from './balancer.ts';

export type Sent = Fate & {
  readonly id: string;
  /** From the moment at which it was due to the answer that took it. */
  readonly ms: number;
};
export type Traffic = {
  readonly sent: readonly Sent[];
  /** No more; resolves when each has its fate. */
  stop(): Promise<void>;
};

/** To some practices in turn, each through what stands before its nodes. */
export function startTraffic(
  asker: Asker,
  balancers: Readonly<Record<Side, Balancer>>,
  to: readonly CastPractice[],
  perSecond: number,
): Traffic {
  const sent: Sent[] = [];
  const under = new Set<Promise<void>>();
  const began = performance.now();
  let stopped = false;
  const post = async (due: number, number: number): Promise<void> => {
    const practice = to[number % to.length];
    if (!practice) return;
    const message = asker.request(practice);
    const fate = await balancers[practice.side].post(message);
    sent.push({ ...fate, id: message.id, ms: performance.now() - due });
  };
  const all = (async () => {
    for (let number = 0; !stopped; number++) {
      const due = began + (number * 1_000) / perSecond;
      await sleep(Math.max(0, due - performance.now()));
      const work: Promise<void> = post(due, number).finally(() => under.delete(work));
      under.add(work);
    }
  })();
  return {
    sent,
    async stop() {
      stopped = true;
      await all;
      await Promise.all(under);
    },
  };
}

/** The smallest value that so many of a hundred do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}

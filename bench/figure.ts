/** One line of `bench --json`. */
export type Figure = {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** What was measured beside it, in the same unit; '' for nothing. */
  readonly baseline: string;
  readonly baselineValue: number;
  /** Highest resident memory of the process that was measured: of the larger node where there are several. */
  readonly peakRssBytes: number;
};

/** A piece of work on so many bytes. */
export type Work = { readonly bytes: number; run(): void };

/** Rounds until the machine has compiled what is used much, as it has in a thread of a node. */
const WARM_UP = 5;
const ROUNDS = 7;

/**
 * MB per second of a core's time, the garbage collector's included, as the median of some rounds; the works take turns, so that all see
 * the same neighbours. Neighbours that want the core make a work wait, and count a little: they take its caches.
 */
export function inTurns<Name extends string>(works: Readonly<Record<Name, Work>>): Record<Name, number> {
  const names = Object.keys(works) as Name[];
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const name of names) {
      const from = process.cpuUsage();
      works[name].run();
      const { user, system } = process.cpuUsage(from);
      if (round >= WARM_UP) rates[name].push(works[name].bytes / (user + system));
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(rates[name])])) as Record<Name, number>;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Of this process, worker threads included. */
export function peakRss(): number {
  return process.resourceUsage().maxRSS * 1024;
}

export function print(figures: readonly Figure[]): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

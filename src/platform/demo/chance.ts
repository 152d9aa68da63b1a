/** Chance from a seed, the same on every machine (mulberry32). */
export type Chance = {
  /** From 0 up to 1. */
  readonly next: () => number;
  readonly below: (count: number) => number;
  readonly pick: <T>(from: readonly T[]) => T;
  /** Mean 0, deviation 1. */
  readonly normal: () => number;
};

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (count: number) => Math.floor(next() * count);
  return {
    next,
    below,
    pick: <T>(from: readonly T[]) => from[below(from.length)] as T,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

/** Picks in proportion to weights, in two draws however many there are (Vose's alias method). */
export function weighted(weights: readonly number[]): (chance: Chance) => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scaled = weights.map((weight) => (weight * weights.length) / total);
  const alias = weights.map((_, at) => at);
  const small: number[] = [];
  const large: number[] = [];
  for (const [at, weight] of scaled.entries()) (weight < 1 ? small : large).push(at);
  while (small.length > 0 && large.length > 0) {
    const less = small.pop() as number;
    const more = large.at(-1) as number;
    alias[less] = more;
    scaled[more] = (scaled[more] ?? 0) - 1 + (scaled[less] ?? 0);
    if ((scaled[more] ?? 0) < 1) {
      large.pop();
      small.push(more);
    }
  }
  return (chance) => {
    const at = chance.below(weights.length);
    // What is left over by rounding stands for itself.
    return chance.next() < (scaled[at] ?? 1) || alias[at] === at ? at : (alias[at] ?? at);
  };
}

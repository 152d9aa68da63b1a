/**
 * How much each of many may ask for: `perSecond` in the long run, `burst` at once. Gives 0 where it is allowed, else how many seconds to
 * wait; what is refused is not counted.
 */
export function allowance(perSecond: number, burst: number, now: () => number = () => performance.now()): (who: number) => number {
  // When each one's bucket would be full again.
  const full = new Map<number, number>();
  const every = 1000 / perSecond;
  return (who) => {
    const at = now();
    const next = Math.max(full.get(who) ?? at, at) + every;
    const wait = next - at - burst * every;
    if (wait > 0) return wait / 1000;
    full.set(who, next);
    return 0;
  };
}

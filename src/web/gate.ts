/** Lets so many through at a time. */
export type Gate = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * A gate that advises: work beyond `limit` waits for its turn, in order, but not longer than `patienceMs`. Bodies of messages and
 * documents in flight are memory, and more of them at once make nothing faster; a sender that dawdles must not keep out the others.
 */
export function createGate(limit: number, patienceMs: number): Gate {
  const waiting: (() => void)[] = [];
  let inside = 0;
  const turn = (): Promise<void> =>
    new Promise((enter) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(mine), 1);
        enter();
      }, patienceMs);
      const mine = (): void => {
        clearTimeout(timer);
        enter();
      };
      waiting.push(mine);
    });
  return async (work) => {
    if (inside >= limit) await turn();
    inside++;
    try {
      return await work();
    } finally {
      inside--;
      if (inside < limit) waiting.shift()?.();
    }
  };
}

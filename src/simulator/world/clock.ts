/** One clock for all: what is to happen, in the order of its time, then of its being set. The same seed gives the same order. */
export type WorldClock = {
  /** Milliseconds since 1970, simulated. */
  now(): number;
  after(ms: number, run: () => void): void;
  /** Does what is next. False: there is nothing left. */
  step(): boolean;
};

type Entry = { readonly at: number; readonly order: number; readonly run: () => void };

export function makeWorldClock(start: number): WorldClock {
  const heap: Entry[] = [];
  let [now, order] = [start, 0];
  const before = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order);

  function push(entry: Entry): void {
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  function pop(): Entry | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || first === last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const [left, right] = [heap[child] as Entry, heap[child + 1]];
      if (right && before(right, left)) child++;
      const below = heap[child] as Entry;
      if (!before(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  return {
    now: () => now,
    after: (ms, run) => push({ at: now + Math.max(0, ms), order: order++, run }),
    step() {
      const next = pop();
      if (!next) return false;
      now = next.at;
      next.run();
      return true;
    },
  };
}

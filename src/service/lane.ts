export type LaneOptions<Item> = {
  /** How many items are worked on at the same time. */
  readonly limit: number;
  readonly claim: (limit: number) => Promise<readonly Item[]>;
  /** Deals with its own faults; what it throws all the same goes to `onFault`. */
  readonly work: (item: Item) => Promise<void>;
  /** The queue is looked at this often even if nobody wakes the lane: that is the guarantee, waking is the speed. */
  readonly pollMs: number;
  readonly onFault: (error: unknown) => void;
};
/** Room for one item, kept until it is used or given back. */
export type Room<Item> = { start(item: Item): void; free(): void };
export type Lane<Item> = {
  wake(): void;
  /** Room for an item that came by another way than a claim; none while items wait for their claim, or all hands are full. */
  room(): Room<Item> | null;
  /** Takes nothing new; resolves when what is in hand is done. */
  stop(): Promise<void>;
};

/** Waits this long after a claim failed, the database being away. */
const FAULT_PAUSE_MS = 500;

/** Items that are done this fast, on the average, are claimed a handful ahead: a claim for each costs more than many an item. */
const QUICK_MS = 500;

/** Keeps up to `limit` items of one queue in work. */
export function startLane<Item>(options: LaneOptions<Item>): Lane<Item> {
  let stopping = false;
  let running = 0;
  let usualMs = QUICK_MS;
  // Claimed, and waiting for a hand.
  const ahead: Item[] = [];
  let woken = false;
  // Whether the last look may have left something behind.
  let more = false;
  let rouse: (() => void) | null = null;
  const wake = (): void => {
    woken = true;
    rouse?.();
  };
  const pause = async (ms: number): Promise<void> => {
    if (woken || stopping) return;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      rouse = () => {
        clearTimeout(timer);
        done();
      };
    });
    rouse = null;
  };
  const work = (item: Item): void => {
    const from = performance.now();
    options
      .work(item)
      .catch(options.onFault)
      .finally(() => {
        usualMs += (performance.now() - from - usualMs) / 8;
        ended();
      });
  };
  const ended = (): void => {
    running--;
    takeUp();
    if (ahead.length === 0 && (more || stopping)) wake();
  };
  const takeUp = (): void => {
    while (!stopping && running < options.limit) {
      const item = ahead.shift();
      if (item === undefined) return;
      running++;
      work(item);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping) {
      const free = options.limit - running;
      if (free > 0 && ahead.length === 0) {
        woken = false;
        try {
          const wanted = free + (more && usualMs < QUICK_MS ? options.limit : 0);
          const items = await options.claim(wanted);
          more = items.length === wanted;
          ahead.push(...items);
          takeUp();
          if (more && running < options.limit) continue;
        } catch (error) {
          options.onFault(error);
          await new Promise((done) => setTimeout(done, FAULT_PAUSE_MS));
        }
      } else woken = false;
      await pause(options.pollMs);
    }
  };
  const over = loop();
  return {
    wake,
    room() {
      if (stopping || more || woken || ahead.length > 0 || running >= options.limit) return null;
      running++;
      return { start: work, free: ended };
    },
    async stop() {
      stopping = true;
      wake();
      await over;
      while (running > 0) {
        woken = false;
        await new Promise<void>((done) => {
          const timer = setTimeout(done, 50);
          rouse = () => {
            clearTimeout(timer);
            done();
          };
        });
      }
    },
  };
}

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
export type Lane = {
  wake(): void;
  /** Takes nothing new; resolves when what is in hand is done. */
  stop(): Promise<void>;
};

/** Waits this long after a claim failed, the database being away. */
const FAULT_PAUSE_MS = 500;

/** Keeps up to `limit` items of one queue in work. */
export function startLane<Item>(options: LaneOptions<Item>): Lane {
  let stopping = false;
  let running = 0;
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
  const start = (item: Item): void => {
    running++;
    options
      .work(item)
      .catch(options.onFault)
      .finally(() => {
        running--;
        if (more || stopping) wake();
      });
  };
  const loop = async (): Promise<void> => {
    while (!stopping) {
      const free = options.limit - running;
      if (free > 0) {
        woken = false;
        try {
          const items = await options.claim(free);
          more = items.length === free;
          for (const item of items) start(item);
          if (more && running < options.limit) continue;
        } catch (error) {
          options.onFault(error);
          await new Promise((done) => setTimeout(done, FAULT_PAUSE_MS));
        }
      } else woken = false;
      await pause(options.pollMs);
    }
  };
  const ended = loop();
  return {
    wake,
    async stop() {
      stopping = true;
      wake();
      await ended;
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

/** Something to be written together with whatever else waits; resolves when it is durable. */
export type Group<Row> = {
  write(row: Row): Promise<void>;
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>;
};

/**
 * Commits rows in groups: while one group is written the next gathers, so that a disk that syncs a hundred times a second takes thousands
 * of rows. A group that fails is tried again row by row, so that one row that cannot be written costs nobody else.
 */
export function createGroup<Row>(
  writeAll: (rows: readonly Row[]) => Promise<void>,
  options: { readonly most?: number; readonly writers?: number } = {},
): Group<Row> {
  const { most = 500, writers = 2 } = options;
  type Waiting = { readonly row: Row; readonly done: () => void; readonly failed: (reason: unknown) => void };
  let waiting: Waiting[] = [];
  let busy = 0;
  let whenIdle: (() => void)[] = [];

  const next = (): void => {
    if (waiting.length === 0 || busy >= writers) return;
    busy++;
    // A writer starts at the end of this turn of the event loop: all requests that it brought are in the first group.
    setImmediate(() => void run());
  };
  const run = async (): Promise<void> => {
    const group = waiting.slice(0, most);
    waiting = waiting.slice(most);
    if (group.length > 0) await settle(group);
    busy--;
    if (waiting.length > 0) next();
    else if (busy === 0) {
      for (const each of whenIdle) each();
      whenIdle = [];
    }
  };
  const settle = async (group: readonly Waiting[]): Promise<void> => {
    try {
      await writeAll(group.map(({ row }) => row));
      for (const { done } of group) done();
    } catch (thrown) {
      if (group.length === 1) group[0]?.failed(thrown);
      else for (const each of group) await settle([each]);
    }
  };
  return {
    write: (row) =>
      new Promise((done, failed) => {
        waiting.push({ row, done, failed });
        next();
      }),
    idle: () => (busy === 0 && waiting.length === 0 ? Promise.resolve() : new Promise((done) => whenIdle.push(done))),
  };
}

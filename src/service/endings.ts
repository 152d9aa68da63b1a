import { type Db, isRetryable } from '../database/connect.ts';
import { complete, completeAll } from '../store/outbox.ts';
import type { Claim, Tables } from '../store/tables.ts';

/** Ends a task of which its transfer need not hear. False: the claim was lost. */
export type End = (claim: Claim) => Promise<boolean>;

/** Ends tasks by one statement for all that came while the one before was on its way: a busy node ends a dozen at once. */
export function createEndings(db: Db<Tables>): End {
  type Waiting = { readonly claim: Claim; readonly done: (held: boolean) => void; readonly failed: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let busy = false;

  const together = async (all: readonly Waiting[]): Promise<void> => {
    const held = await completeAll(
      db,
      all.map(({ claim }) => claim),
    );
    for (const { claim, done } of all) done(held.has(claim.id));
  };
  const endAll = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      const all = waiting;
      waiting = [];
      try {
        await together(all);
      } catch (error) {
        // Somebody locks the same rows in another order: by itself none of them can be in the way of another.
        if (isRetryable(error)) await Promise.all(all.map(({ claim, done, failed }) => complete(db, claim).then(done, failed)));
        else for (const { failed } of all) failed(error);
      }
    }
    busy = false;
  };

  return (claim) =>
    new Promise((done, failed) => {
      waiting.push({ claim, done, failed });
      if (!busy) void endAll();
    });
}

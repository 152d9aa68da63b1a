/** Words to the practices' systems that transfers changed, together: a call for each costs either side more than all else about it. */
import type { Ods, TransferId } from '../base/ids.ts';
import type { Practice } from '../store/practices.ts';

export type Notice = { readonly transferId: TransferId; readonly state: string };
/** Tells of one change; resolves when the system has heard of it. */
export type Notify = (practice: Practice, notice: Notice) => Promise<void>;

/** Within one call. */
const AT_ONCE = 500;

/**
 * Gathers, for each practice, what there is to be told within `gatherMs` of the first, and tells it by one call, in the order in which it
 * came. Where the call fails each is told by itself: one that a system does not like must not keep the others from it. A system that hears
 * twice of a change reads it twice.
 */
export function createNotices(tell: (practice: Practice, notices: readonly Notice[]) => Promise<void>, gatherMs: number): Notify {
  type Waiting = { readonly notice: Notice; readonly done: () => void; readonly failed: (error: unknown) => void };
  const waiting = new Map<Ods, Waiting[]>();

  async function flush(practice: Practice, all: readonly Waiting[]): Promise<void> {
    try {
      await tell(
        practice,
        all.map(({ notice }) => notice),
      );
      for (const { done } of all) done();
    } catch (error) {
      if (all.length === 1) all[0]?.failed(error);
      else for (const each of all) await flush(practice, [each]);
    }
  }

  return (practice, notice) =>
    new Promise((done, failed) => {
      const mine = { notice, done, failed };
      const gathered = waiting.get(practice.ods);
      if (gathered && gathered.length < AT_ONCE) {
        gathered.push(mine);
        return;
      }
      const all = [mine];
      waiting.set(practice.ods, all);
      setTimeout(() => {
        if (waiting.get(practice.ods) === all) waiting.delete(practice.ods);
        void flush(practice, all);
      }, gatherMs);
    });
}

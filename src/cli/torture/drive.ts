import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../demo/world.ts';
import { beginTransfer, createRejecter } from './begin.ts';
import type { Killer } from './kills.ts';
import type { Plan } from './plan.ts';
import { createProgress, type Snapshot } from './progress.ts';
import type { TortureOptions } from './run.ts';
import type { Troubles } from './troubles.ts';

/** Transfers on their way at the same time. */
const WINDOW = 24;
/** Kills that are due and not carried out before transfers wait for them. */
const BACKLOG = 3;
const LOOK_MS = 200;
/** Longer than any pause between two attempts that a node makes while somebody is down for seconds. */
const PATIENCE_MS = 240_000;

type Drive = {
  readonly options: Omit<TortureOptions, 'interrupted'>;
  readonly plan: Plan;
  readonly world: World;
  readonly killer: Killer;
  readonly troubles: Troubles;
  readonly numbers: ReadonlyMap<number, string>;
  readonly started: number;
  readonly interrupted: () => boolean;
};

/** Begins the transfers, carries out kills and troubles between them, and waits until nothing moves any more. */
export async function driveAll({ options, plan, world, killer, troubles, numbers, started, interrupted }: Drive): Promise<void> {
  const { say } = options;
  const patience = options.patienceMs ?? PATIENCE_MS;
  const progress = createProgress(world);
  const closing = new AbortController();
  const reject = createRejecter(world, plan, closing.signal);
  let latest: Snapshot | null = null;
  let begun = 0;
  let ended = 0;
  let killed = 0;
  // Nothing has moved for too long: what waits for progress goes on without it, so that the run comes to its end.
  let forced = false;
  let failure: { readonly thrown: unknown } | null = null;
  const fail = (thrown: unknown) => {
    if (!closing.signal.aborted) failure ??= { thrown };
  };

  const isDue = (i: number): boolean => {
    const planned = plan.kills[i];
    if (!planned) return false;
    if (i === plan.kills.length - 1) return begun === plan.transfers.length;
    return forced || ended >= planned.afterEnded;
  };
  const killAll = async () => {
    for (const [i, planned] of plan.kills.entries()) {
      while (!isDue(i)) await sleep(50, undefined, { signal: closing.signal });
      await sleep(planned.pauseMs, undefined, { signal: closing.signal });
      await killer.kill(planned);
      killed++;
    }
  };
  let troubled = 0;
  const troubleAll = async () => {
    for (const planned of plan.troubles) {
      while (!forced && ended < planned.afterEnded) await sleep(50, undefined, { signal: closing.signal });
      await sleep(planned.pauseMs, undefined, { signal: closing.signal });
      await troubles.make(planned);
      troubled++;
    }
  };
  const mayBegin = (): boolean => {
    if (begun >= plan.transfers.length) return false;
    // The last transfer begins when one kill is left: that one meets it on its way.
    if (begun === plan.transfers.length - 1 && killed < plan.kills.length - 1) return false;
    const due = plan.kills.filter((_, i) => i < plan.kills.length - 1 && isDue(i)).length;
    return forced || (begun - ended < WINDOW && due - killed <= BACKLOG);
  };

  const begin = (): void => {
    const transfer = plan.transfers[begun++];
    if (!transfer) return;
    const nhsNumber = numbers.get(transfer.number) ?? '';
    beginTransfer(world, plan, transfer, nhsNumber, () => latest, closing.signal).catch(fail);
  };

  void killAll().catch(fail);
  // One that is on its way when the run ends is taken away before anything is stopped.
  const allTroubles = troubleAll().catch(fail);
  let moved = Date.now();
  let before = '';
  let told = 0;
  try {
    while (!interrupted()) {
      if (failure !== null) throw (failure as { thrown: unknown }).thrown;
      const seen = await progress.look();
      if (seen) {
        latest = seen;
        ended = countEnded(plan, seen);
        reject(seen);
        const print = `${begun} ${killed} ${seen.open} ${seen.transfers.reduce((sum, row) => sum + row.version, 0)}`;
        if (print !== before) [before, moved] = [print, Date.now()];
        options.status?.(
          `${since(started)}  ${ended} of ${plan.transfers.length} transfers have ended, ${killed} of ${plan.kills.length} kills are done`,
        );
        if (Math.floor((ended * 10) / plan.transfers.length) > told) {
          told = Math.floor((ended * 10) / plan.transfers.length);
          say(
            `${since(started)}  ${ended} of ${plan.transfers.length} transfers have ended, ${killed} of ${plan.kills.length} kills are done`,
          );
        }
      }
      while (mayBegin()) begin();
      const allOut = begun === plan.transfers.length && killed === plan.kills.length && troubled === plan.troubles.length;
      if (seen && allOut && ended === plan.transfers.length && seen.open === 0) return;
      if (Date.now() - moved > patience) {
        if (allOut) {
          say(`${since(started)}  nothing has moved for ${patience / 1000} s; ${plan.transfers.length - ended} transfers have not ended`);
          return;
        }
        forced = true;
        moved = Date.now();
      }
      await sleep(LOOK_MS);
    }
  } finally {
    closing.abort();
    await allTroubles;
    await progress.close();
  }
}

/** Transfers that have ended on both sides, or on the new practice's alone where nothing was asked. */
function countEnded(plan: Plan, { transfers }: Snapshot): number {
  const sending = new Map(transfers.filter(({ role }) => role === 'sending').map((row) => [row.conversation, row]));
  const requesting = new Map(transfers.filter(({ role }) => role === 'requesting').map((row) => [row.registration, row]));
  return plan.transfers.filter(({ registrationId }) => {
    const asked = requesting.get(registrationId);
    if (asked?.state !== 'ended') return false;
    return asked.outcome === 'notEligible' || sending.get(asked.conversation)?.state === 'ended';
  }).length;
}

export function since(started: number): string {
  return `${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s`;
}

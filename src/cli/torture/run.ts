import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from '../../simulator/hub/faults.ts';
import { ask } from '../demo/moves.ts';
import { startWorld, type World } from '../demo/world.ts';
import { beginTransfer, createRejecter } from './begin.ts';
import { type Count, recount } from './count/count.ts';
import { beginEvidence, gatherEvidence } from './keep.ts';
import { createKiller, type Killer } from './kills.ts';
import { makePlan, type Plan, refusingPractices } from './plan.ts';
import { createProgress, type Snapshot } from './progress.ts';
import { giveRecord, patientOf, personOf } from './records.ts';

export type TortureOptions = {
  readonly transfers: number;
  readonly kills: number;
  readonly seed: number;
  readonly nodesPerSide: number;
  /** Evidence is left here; what the processes need lies in its folder `world`. */
  readonly keep: string;
  readonly say: (line: string) => void;
  readonly status?: (text: string) => void;
  readonly targets?: 'all' | 'nodes';
  /** See `WorldOptions`. */
  readonly nodeProgram?: string;
  /** Transfers are called stuck when nothing has moved for so long after the last kill. */
  readonly patienceMs?: number;
  readonly interrupted?: Promise<void>;
};
/** `null`: interrupted. */
export type TortureResult = Count | null;

/** The network between the practices: some messages come twice, late, or are accepted without the sender hearing of it. */
const HUB_FAULTS: readonly FaultRule[] = [
  { fault: 'duplicate', probability: 0.05 },
  { fault: 'reorder', ms: 2_000, probability: 0.05 },
  { fault: 'loseAnswer', probability: 0.03 },
];
/** Transfers on their way at the same time. */
const WINDOW = 24;
/** Kills that are due and not carried out before transfers wait for them. */
const BACKLOG = 3;
const LOOK_MS = 200;
/** The hub tries again every two seconds at the slowest. */
const DELIVERY_MS = 30_000;
/** Longer than any pause between two attempts that a node makes while somebody is down for seconds. */
const PATIENCE_MS = 240_000;

/** Moves records while everything is killed again and again, then counts from the outside what became of them. */
export async function torture(options: TortureOptions): Promise<TortureResult> {
  const { keep, say, seed } = options;
  const started = Date.now();
  let stopped = false;
  void options.interrupted?.then(() => {
    stopped = true;
  });
  const interrupted = () => stopped;
  const plan = makePlan(options);
  const patients = new Map(plan.transfers.map((transfer) => [transfer.number, patientOf(transfer)]));
  const numbers = new Map([...patients].map(([number, { nhsNumber }]) => [number, nhsNumber]));
  await beginEvidence(keep, seed, plan, numbers);
  const world = await startWorld({
    folder: join(keep, 'world'),
    practices: plan.practices.length,
    nodesPerSide: options.nodesPerSide,
    people: plan.transfers.flatMap(({ number, from }) => {
      const patient = patients.get(number);
      return patient ? [personOf(patient, from.ods)] : [];
    }),
    nodeSettings: { log: 'warn', work: { leaseSeconds: 6, pollMs: 500, conversionThreads: 1 } },
    // In life a message whose fate is unknown is sent again after two hours, and not often; here the hub dies every few seconds.
    contract: { retries: 20, retryInterval: 'PT2S' },
    hubFaults: HUB_FAULTS,
    ...(options.nodeProgram && { nodeProgram: options.nodeProgram }),
  });
  const killer = createKiller(world, keep, (line) => say(`${since(started)}  ${line}`));
  try {
    for (const practice of refusingPractices(plan))
      await ask(`${world.systemUrl[practice.side]}/control/refuse`, {
        method: 'PUT',
        body: JSON.stringify({ ods: practice.ods, reason: 'this system takes no records' }),
      });
    for (const transfer of plan.transfers) {
      const patient = patients.get(transfer.number);
      if (patient) await giveRecord(world, transfer, patient, keep);
    }
    patients.clear();
    say(
      `${since(started)}  everything runs: ${world.programs.size} programs and the database; ${plan.transfers.length} records are in place`,
    );
    await driveAll({ options, plan, world, killer, numbers, started, interrupted });
    if (interrupted()) return null;
    await killer.allUp();
    await killer.stop();
    await delivered(world);
    await Promise.all([...world.programs.values()].map((program) => program.stop()));
    await gatherEvidence(keep, world);
  } finally {
    await killer.stop();
    await world.stop();
  }
  say(`${since(started)}  everything has ended; counting`);
  return recount(keep);
}

/** Waits until the hub has brought all that it took: its last answers may have got lost. What it keeps after that is counted. */
async function delivered(world: World): Promise<void> {
  for (const end = Date.now() + DELIVERY_MS; Date.now() < end; await sleep(LOOK_MS)) {
    const { pending } = (await ask(`${world.spineControl}/control/state`)) as { pending: number };
    if (pending === 0) return;
  }
}

type Drive = {
  readonly options: TortureOptions;
  readonly plan: Plan;
  readonly world: World;
  readonly killer: Killer;
  readonly numbers: ReadonlyMap<number, string>;
  readonly started: number;
  readonly interrupted: () => boolean;
};

/** Begins the transfers, carries out the kills between them, and waits until nothing moves any more. */
async function driveAll({ options, plan, world, killer, numbers, started, interrupted }: Drive): Promise<void> {
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
      const allOut = begun === plan.transfers.length && killed === plan.kills.length;
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

function since(started: number): string {
  return `${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s`;
}

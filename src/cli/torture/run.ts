import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from '../../simulator/hub/faults.ts';
import type { SyntheticPatient } from '../../simulator/patients/patient.ts';
import { ask } from '../demo/moves.ts';
import { startWorld, type World } from '../demo/world.ts';
import { type Count, recount } from './count/count.ts';
import { type Disks, mountDisks } from './disks.ts';
import { driveAll, since } from './drive.ts';
import { beginEvidence, gatherEvidence } from './keep.ts';
import { createKiller } from './kills.ts';
import { makePlan, type Plan, refusingPractices } from './plan.ts';
import { giveRecord, patientOf, personOf } from './records.ts';
import { createTroubles, folderOf } from './troubles.ts';
import { createWays, type Ways } from './ways.ts';

export type TortureOptions = {
  readonly transfers: number;
  readonly kills: number;
  /** Of other kinds than killing: see `troubles.ts`. */
  readonly troubles?: number;
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
const LOOK_MS = 200;
/** The hub tries again every two seconds at the slowest. */
const DELIVERY_MS = 30_000;

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
  const folder = join(keep, 'world');
  const ways = createWays();
  const disks = await mountedFor(plan, folder, options);
  const planned = plan.troubles.filter(({ trouble }) => trouble !== 'diskFull' || disks !== null);
  if (planned.length < plan.troubles.length)
    say(`${plan.troubles.length - planned.length} full disks are left out: a file system of their own takes the right to mount`);
  try {
    return await inWorld({ ...options, plan: { ...plan, troubles: planned }, patients, numbers, ways, disks, started, interrupted });
  } finally {
    await ways.close();
    await disks?.close();
  }
}

/** Room for all that the run writes, several times over: memory is taken as it is used. */
const BYTES_OF_A_TRANSFER = 40_000_000;
const BYTES_OF_A_SERVER = 3_000_000_000;

async function mountedFor(plan: Plan, folder: string, { transfers, keep }: TortureOptions): Promise<Disks | null> {
  const targets = new Set(plan.troubles.filter(({ trouble }) => trouble === 'diskFull').map(({ target }) => target));
  if (targets.size === 0) return null;
  // PostgreSQL may run as another user and has to pass through.
  await mkdir(folder, { recursive: true });
  await chmod(keep, 0o755);
  return mountDisks(
    [...targets].map((target) => folderOf(folder, target)),
    BYTES_OF_A_SERVER + transfers * BYTES_OF_A_TRANSFER,
  );
}

type InWorld = Omit<TortureOptions, 'interrupted'> & {
  readonly plan: Plan;
  readonly patients: Map<number, SyntheticPatient>;
  readonly numbers: ReadonlyMap<number, string>;
  readonly ways: Ways;
  readonly disks: Disks | null;
  readonly started: number;
  readonly interrupted: () => boolean;
};

async function inWorld(options: InWorld): Promise<TortureResult> {
  const { keep, say, plan, patients, numbers, ways, disks, started, interrupted } = options;
  const world = await startWorld({
    folder: join(keep, 'world'),
    way: ways.open,
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
  const tell = (line: string) => say(`${since(started)}  ${line}`);
  const killer = createKiller(world, keep, tell);
  const troubles = createTroubles({ world, keep, ways, disks, killer, say: tell });
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
    await driveAll({ options, plan, world, killer, troubles, numbers, started, interrupted });
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

/** Replaces every node, one after the other, by one of the new version; and tries the way back. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Fault, reasonOf } from '../../../base/errors.ts';
import { SIDES, type Side } from '../../demo/cast.ts';
import type { World } from '../../demo/world.ts';
import type { Balancer } from './balancer.ts';
import { markOf } from './versions.ts';

export type Roll = {
  readonly world: World;
  readonly balancers: Readonly<Record<Side, Balancer>>;
  /** Nodes of both versions work together for so long before the next is replaced. */
  readonly pauseMs: number;
  readonly say: (line: string) => void;
  readonly interrupted: () => boolean;
};

const GRACE_MS = 30_000;
const UP_MS = 180_000;
const LOOK_MS = 50;

/** Tells each to stop, starts it as the new version, and waits until it says that it is well before the next one's turn. */
export async function upgradeAll({ world, balancers, pauseMs, say, interrupted }: Roll): Promise<void> {
  const most = Math.max(...SIDES.map((side) => world.nodeNames[side].length));
  for (let i = 0; i < most; i++)
    for (const side of SIDES) {
      const name = world.nodeNames[side][i];
      if (name === undefined || interrupted()) continue;
      const began = performance.now();
      await stopGently(world, name);
      const stopped = performance.now();
      await writeFile(markOf(join(world.folder, side), name), '');
      await world.restart(name);
      while (!balancers[side].isWell(name)) {
        if (performance.now() - stopped > UP_MS) throw new Fault('torture.upgrade', `${name} does not become well after its upgrade`);
        await sleep(LOOK_MS);
      }
      const seconds = (ms: number) => (ms / 1_000).toFixed(1);
      say(`${name} stopped in ${seconds(stopped - began)} s and was well again after ${seconds(performance.now() - stopped)} s`);
      await sleep(pauseMs);
    }
}

/** As orchestration does it: SIGTERM, and time to end by itself. */
async function stopGently(world: World, name: string): Promise<void> {
  const program = world.programs.get(name);
  program?.kill('SIGTERM');
  await Promise.race([program?.ended, sleep(GRACE_MS, undefined, { ref: false })]);
  await program?.stop();
}

/** Starts a node of the previous version where the new one has been; what it says when it refuses, or null where it runs. */
export async function tryDowngrade(
  world: World,
  side: Side,
  name: string,
  unmark: (path: string) => Promise<void>,
): Promise<string | null> {
  await world.programs.get(name)?.stop();
  await unmark(markOf(join(world.folder, side), name));
  try {
    await world.restart(name);
    return null;
  } catch (refused) {
    return reasonOf(refused);
  }
}

/** The number of the newest change of a side's tables. */
export async function schemaOf(world: World, side: Side): Promise<number> {
  const client = new pg.Client({ connectionString: world.databaseUrls[side] });
  await client.connect();
  try {
    const { rows } = await client.query<{ newest: number }>(`select max(number) as newest from migrations where name = 'node'`);
    return rows[0]?.newest ?? 0;
  } finally {
    await client.end();
  }
}

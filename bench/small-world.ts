/** A world for speed runs: patients without documents or with some, moved from the north to the south, nobody watching each of them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cast } from '../src/cli/demo/cast.ts';
import { ask } from '../src/cli/demo/moves.ts';
import { syntheticMovers } from '../src/cli/demo/patient.ts';
import { startWorld, type World } from '../src/cli/demo/world.ts';

export type Patients = { readonly count: number; readonly documents: number; readonly documentBytes: number };

/** Starts a world in which the first practice holds the records of so many patients, lets `work` use it, and removes it. */
export async function inWorld<Result>(
  { count, documents, documentBytes }: Patients,
  work: (world: World, nhsNumbers: readonly string[]) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-bench-world-'));
  const practices = cast(2);
  const [from] = practices;
  if (!from) throw new Error('there are practices');
  const movers = syntheticMovers({ seed: 100, transfers: count, documents, documentBytes }, [from]);
  const world = await startWorld({
    folder,
    practices: 2,
    nodesPerSide: 1,
    people: movers.flatMap(({ person }) => (person ? [{ ...person, practice: { ods: from.ods, start: '2010-01-01' } }] : [])),
    documentBytes,
  });
  try {
    for (const { nhsNumber, record } of movers) {
      const file = join(folder, `record-${nhsNumber}.json`);
      await writeFile(file, record ?? '');
      await ask(`${world.systemUrl.north}/control/records`, {
        method: 'POST',
        body: JSON.stringify({ ods: from.ods, file, documentBytes }),
      });
    }
    return await work(
      world,
      movers.map(({ nhsNumber }) => nhsNumber),
    );
  } finally {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Registers patients at the second practice and waits until both nodes have ended all transfers so far. Gives the seconds it took. */
export async function move(world: World, nhsNumbers: readonly string[], endedBefore: number): Promise<number> {
  const to = world.practices[1];
  const from = performance.now();
  await Promise.all(
    nhsNumbers.map((nhsNumber) =>
      ask(`${world.systemUrl.south}/control/register`, { method: 'POST', body: JSON.stringify({ ods: to?.ods, nhsNumber }) }),
    ),
  );
  for (;;) {
    const [north, south] = await Promise.all([counters(world, 'north'), counters(world, 'south')]);
    const all = endedBefore + nhsNumbers.length;
    if (north.ended >= all && south.ended >= all) {
      if (north.integrated < all || south.integrated < all) throw new Error('a transfer ended otherwise than integrated');
      return (performance.now() - from) / 1000;
    }
    if (performance.now() - from > 300_000) throw new Error(`after five minutes ${north.ended} and ${south.ended} of ${all} have ended`);
    await sleep(100);
  }
}

/** What a side's node counts of itself. */
export async function counters(world: World, side: 'north' | 'south') {
  const text = await (await fetch(`${world.nodeUrls[side][0]}/metrics`)).text();
  const found = { transactions: 0, ended: 0, integrated: 0 };
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = /^(gp2gp_\w+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name === 'gp2gp_transactions_total') found.transactions = Number(value);
    if (name !== 'gp2gp_transfers' || !labels.includes('state="ended"')) continue;
    found.ended += Number(value);
    if (/outcome="(integrated|acknowledged)"/.test(labels)) found.integrated += Number(value);
  }
  return found;
}

/** Of the larger of the nodes. */
export function peakOfNodes(world: World): number {
  return Math.max(...[...world.nodeNames.north, ...world.nodeNames.south].map((name) => world.programs.get(name)?.peakRss() ?? 0));
}

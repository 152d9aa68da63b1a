/**
 * What is large, one transfer at a time: a record of a thousand documents of 100 kB, and one of 450 MB with an attachment of 100 MB. Each
 * must arrive whole, every document with the SHA-256 with which it left, and no node may have grown beyond its limit; otherwise this fails.
 */
import { ask } from '../src/cli/demo/moves.ts';
import type { World } from '../src/cli/demo/world.ts';
import { startEmptyChain } from './empty-chain.ts';
import { type Figure, print } from './figure.ts';
import { crossed, inWorld, move, type Patients, peakOf, peakOfNodes } from './small-world.ts';

const LIMIT_BYTES = 250_000_000;
const LIMIT_MS = 1_800_000;
const CASES: Readonly<Record<string, Patients & { readonly sizes?: readonly number[] }>> = {
  'large-transfers.documents': { count: 1, documents: 1_000, documentBytes: 100_000 },
  'large-transfers.record': { count: 1, documents: 36, sizes: [100_000_000, ...Array.from({ length: 35 }, () => 10_000_000)] },
};

const figures: Figure[] = [];
for (const [name, { sizes: wanted, ...patients }] of Object.entries(CASES)) {
  const given = wanted ? { ...patients, sizes: wanted } : patients;
  await inWorld(given, async (world, movers) => {
    const { lines } = await crossed(world).catch(() => ({ lines: 0 }));
    const seconds = await move(world, movers, LIMIT_MS);
    const documents = await sameDocuments(world);
    if (documents !== patients.documents) throw new Error(`${name}: ${documents} of ${patients.documents} documents arrived as they left`);
    for (const side of ['north', 'south'] as const)
      if (peakOf(world, side) > LIMIT_BYTES) throw new Error(`${name}: the node in the ${side} had ${peakOf(world, side)} bytes`);
    const megabytes = movers.reduce((sum, { documentBytes }) => sum + documentBytes, 0) / 1e6;
    const { sizes } = await crossed(world, lines);
    const chain = await startEmptyChain(world);
    try {
      const bare = await chain.carry(sizes);
      const peaks = await chain.peaks();
      figures.push(
        {
          name,
          unit: 'MB/s',
          value: megabytes / seconds,
          baseline: 'the empty chain',
          baselineValue: megabytes / bare,
          peakRssBytes: peakOfNodes(world),
        },
        {
          name: `${name}Peak`,
          unit: 'MB',
          value: peakOfNodes(world) / 1e6,
          baseline: 'the larger end of the empty chain',
          baselineValue: Math.max(peaks.sender, peaks.receiver) / 1e6,
          peakRssBytes: peakOfNodes(world),
        },
      );
    } finally {
      chain.stop();
    }
  });
}
print(figures);

/** How many documents the new practice's system has with the SHA-256 with which the previous one's gave them away. */
async function sameDocuments(world: World): Promise<number> {
  const [here, there] = await Promise.all(
    (['north', 'south'] as const).map(
      async (side) =>
        (await ask(`${world.systemUrl[side]}/control/state`)) as {
          served: readonly { sha256: string }[];
          filed: readonly { documents: readonly { sha256: string; missing: boolean }[] }[];
        },
    ),
  );
  const left = new Set(here?.served.map(({ sha256 }) => sha256));
  const arrived = (there?.filed ?? []).flatMap(({ documents }) => documents);
  return new Set(arrived.filter(({ sha256, missing }) => !missing && left.has(sha256)).map(({ sha256 }) => sha256)).size;
}

/**
 * `transfer-large.ts documents` or `record`: what is large, one transfer at a time: a record of a thousand documents of 100 kB, and one of
 * 450 MB with an attachment of 100 MB. Each must arrive whole, every document with the SHA-256 with which it left.
 */
import { startEmptyChain } from './empty-chain.ts';
import { print } from './figure.ts';
import { crossed, inWorld, move, type Patients, peakOf, peakOfNodes, sameDocuments } from './small-world.ts';

const LIMIT_MS = 1_800_000;
const CASES: Readonly<Record<string, Patients & { readonly documents: number }>> = {
  documents: { count: 1, documents: 1_000, documentBytes: 100_000 },
  record: { count: 1, documents: 36, sizes: [100_000_000, ...Array.from({ length: 35 }, () => 10_000_000)] },
};

const asked = process.argv[3] ?? '';
const patients = CASES[asked];
if (!patients) throw new Error(`"${asked}" is none of ${Object.keys(CASES).join(', ')}`);
await inWorld(patients, async (world, movers) => {
  const { lines } = await crossed(world).catch(() => ({ lines: 0 }));
  const seconds = await move(world, movers, { limitMs: LIMIT_MS });
  const documents = await sameDocuments(world);
  if (documents !== patients.documents) throw new Error(`${documents} of ${patients.documents} documents arrived as they left`);
  const megabytes = movers.reduce((sum, { documentBytes }) => sum + documentBytes, 0) / 1e6;
  const { sizes } = await crossed(world, lines);
  const chain = await startEmptyChain(world);
  try {
    const bare = await chain.carry(sizes);
    const peaks = await chain.peaks();
    const name = `transfer.large.${asked}`;
    print([
      {
        name,
        unit: 'MB/s',
        value: megabytes / seconds,
        baseline: 'the empty chain',
        baselineValue: megabytes / bare,
        peakRssBytes: peakOfNodes(world),
      },
      {
        name: `${name}.sendingPeak`,
        unit: 'MB',
        value: peakOf(world, 'north') / 1e6,
        baseline: 'the sender of the empty chain',
        baselineValue: peaks.sender / 1e6,
        peakRssBytes: peakOf(world, 'north'),
      },
      {
        name: `${name}.receivingPeak`,
        unit: 'MB',
        value: peakOf(world, 'south') / 1e6,
        baseline: 'the receiver of the empty chain',
        baselineValue: peaks.receiver / 1e6,
        peakRssBytes: peakOf(world, 'south'),
      },
    ]);
  } finally {
    chain.stop();
  }
});

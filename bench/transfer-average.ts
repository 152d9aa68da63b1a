/**
 * Average records from one practice's system to the other's, twenty at any time, both roles and the hub on one machine: fetched, converted,
 * cut, sent, joined, converted, filed; every document must arrive with the SHA-256 with which it left. MB are those of the documents.
 * `average`: each is the record by which the goal was set. `drawn`: the sizes are drawn from the national spread, whose mean is that of a few
 * very large documents: seventy records have 15 MB each.
 * Beside it the chain without logic, which carries messages of the same sizes.
 */
import { startEmptyChain } from './empty-chain.ts';
import { print } from './figure.ts';
import { spentBy } from './processor-time.ts';
import { type BenchPatient, crossed, inWorld, move, peakOf, peakOfNodes, sameDocuments } from './small-world.ts';

/**
 * 32 documents of a log-normal spread, their median 40 kB, the largest 14.7 MB, together 21.1 MB: the first 31 of its 32 middle quantiles and
 * the largest, out of order.
 */
const SIZES = [
  36_448, 741_418, 13_905, 241, 94_050, 5_569, 287_296, 43_899, 1_158_325, 748, 17_012, 115_070, 7_163, 378_622, 52_903, 2_137_859, 1_381,
  20_690, 141_910, 9_048, 516_410, 63_866, 14_700_000, 2_158, 25_052, 176_839, 11_275, 77_333, 3_098, 30_244, 223_381, 4_226,
];
const KIND = process.argv[3] === 'drawn' ? 'drawn' : 'average';
const TRANSFERS = 60;
/** So many on their way at any time. */
const AT_ONCE = 20;
const WARM_UP = 10;
/** Whose processor time is told, for each MB of documents. */
const WHO = ['sendingNode', 'receivingNode', 'hub', 'sendingSystem', 'receivingSystem', 'database'] as const;

const megabytesOf = (patients: readonly BenchPatient[]) => patients.reduce((sum, { documentBytes }) => sum + documentBytes, 0) / 1e6;

await inWorld({ count: WARM_UP + TRANSFERS, ...(KIND === 'average' && { sizes: SIZES }) }, async (world, patients) => {
  await move(world, patients.slice(0, WARM_UP));
  const measured = patients.slice(WARM_UP);
  const { lines } = await crossed(world);
  const before = await spentBy(world);
  const rate = megabytesOf(measured) / (await move(world, measured, { atOnce: AT_ONCE }));
  const after = await spentBy(world);
  const [sent, came] = [patients.reduce((sum, { documents }) => sum + documents, 0), await sameDocuments(world)];
  if (came !== sent) throw new Error(`${came} of ${sent} documents arrived as they left`);
  const { sizes } = await crossed(world, lines);
  const chain = await startEmptyChain(world);
  try {
    await chain.carry(sizes.slice(0, 100));
    const bareBefore = await chain.spent();
    const bare = await chain.carry(sizes);
    const bareSpent = (await chain.spent()) - bareBefore;
    const megabytes = megabytesOf(measured);
    const peaks = await chain.peaks();
    print([
      {
        name: `transfer.${KIND}`,
        unit: 'MB/s',
        value: rate,
        baseline: 'the empty chain',
        baselineValue: megabytes / bare,
        peakRssBytes: peakOfNodes(world),
      },
      {
        name: `transfer.${KIND}.sendingPeak`,
        unit: 'MB',
        value: peakOf(world, 'north') / 1e6,
        baseline: 'the sender of the empty chain',
        baselineValue: peaks.sender / 1e6,
        peakRssBytes: peakOf(world, 'north'),
      },
      {
        name: `transfer.${KIND}.receivingPeak`,
        unit: 'MB',
        value: peakOf(world, 'south') / 1e6,
        baseline: 'the receiver of the empty chain',
        baselineValue: peaks.receiver / 1e6,
        peakRssBytes: peakOf(world, 'south'),
      },
      ...WHO.map((who) => ({
        name: `transfer.${KIND}.cpu.${who}`,
        unit: 'ms/MB',
        value: (after[who] - before[who]) / megabytes,
        baseline: '',
        baselineValue: 0,
        peakRssBytes: 0,
      })),
      {
        name: `transfer.${KIND}.cpu`,
        unit: 'ms/MB',
        value: WHO.reduce((sum, who) => sum + after[who] - before[who], 0) / megabytes,
        baseline: 'the processes of the empty chain',
        baselineValue: bareSpent / megabytes,
        peakRssBytes: 0,
      },
    ]);
  } finally {
    chain.stop();
  }
});

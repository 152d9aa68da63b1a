/**
 * Small transfers per second through everything: two nodes, the hub, two practices' systems and PostgreSQL on one machine, records without
 * documents. `small`: of four consultations and nothing else, an extract of some 60 kB; `record`: some sixty entries of an ordinary patient,
 * an extract of some 140 kB. Beside it the chain without logic, which carries messages of the same sizes.
 */
import { startEmptyChain } from './empty-chain.ts';
import { print } from './figure.ts';
import { spentBy } from './processor-time.ts';
import { crossed, inWorld, move, peakOfNodes, SMALL } from './small-world.ts';

const TRANSFERS = 1_200;
/** So many on their way at any time. */
const AT_ONCE = 200;
/** Programs are read, compiled and optimised, and the database knows its tables by then. */
const WARM_UP = 300;
const KIND = process.argv[3] === 'record' ? 'record' : 'small';
/** Whose processor time is told, for each transfer. */
const WHO = ['sendingNode', 'receivingNode', 'hub', 'sendingSystem', 'receivingSystem', 'database'] as const;

const kind = KIND === 'small' ? SMALL : { documents: 0, consultations: 1 };
await inWorld({ count: WARM_UP + TRANSFERS, ...kind }, async (world, patients) => {
  await move(world, patients.slice(0, WARM_UP));
  const { lines } = await crossed(world);
  const before = await spentBy(world);
  const rate = TRANSFERS / (await move(world, patients.slice(WARM_UP), { atOnce: AT_ONCE }));
  const after = await spentBy(world);
  const { sizes } = await crossed(world, lines);
  const chain = await startEmptyChain(world);
  try {
    await chain.carry(sizes.slice(0, 100));
    print([
      {
        name: `transfer.${KIND}`,
        unit: 'transfers/s',
        value: rate,
        baseline: 'the empty chain',
        baselineValue: TRANSFERS / (await chain.carry(sizes)),
        peakRssBytes: peakOfNodes(world),
      },
      {
        name: `transfer.${KIND}.bytes`,
        unit: 'kB',
        value: sizes.reduce((sum, bytes) => sum + bytes, 0) / TRANSFERS / 1000,
        baseline: '',
        baselineValue: 0,
        peakRssBytes: 0,
      },
      ...WHO.map((who) => ({
        name: `transfer.${KIND}.cpu.${who}`,
        unit: 'ms of a core',
        value: (after[who] - before[who]) / TRANSFERS,
        baseline: '',
        baselineValue: 0,
        peakRssBytes: 0,
      })),
    ]);
  } finally {
    chain.stop();
  }
});

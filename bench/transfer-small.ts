/**
 * Small transfers per second through everything: a record of one consultation, no documents, two nodes, the hub, two practices' systems and
 * PostgreSQL on one machine. Beside it the chain without logic, which carries messages of the same sizes.
 */
import { startEmptyChain } from './empty-chain.ts';
import { print } from './figure.ts';
import { spentBy } from './processor-time.ts';
import { crossed, inWorld, move, peakOfNodes } from './small-world.ts';

const TRANSFERS = 200;
const WARM_UP = 60;
/** Whose processor time is told, for each transfer. */
const WHO = ['sendingNode', 'receivingNode', 'hub', 'sendingSystem', 'receivingSystem', 'database'] as const;

await inWorld({ count: WARM_UP + TRANSFERS, documents: 0, consultations: 1 }, async (world, patients) => {
  await move(world, patients.slice(0, WARM_UP));
  const { lines } = await crossed(world);
  const before = await spentBy(world);
  const seconds = await move(world, patients.slice(WARM_UP));
  const after = await spentBy(world);
  const { sizes } = await crossed(world, lines);
  const chain = await startEmptyChain(world);
  try {
    await chain.carry(sizes.slice(0, 100));
    print([
      {
        name: 'transfer.small',
        unit: 'transfers/s',
        value: TRANSFERS / seconds,
        baseline: 'the empty chain',
        baselineValue: TRANSFERS / (await chain.carry(sizes)),
        peakRssBytes: peakOfNodes(world),
      },
      ...WHO.map((who) => ({
        name: `transfer.small.cpu.${who}`,
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

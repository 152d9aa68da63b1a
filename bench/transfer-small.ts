/**
 * Small transfers per second through everything: a record of one consultation, no documents, two nodes, the hub, two practices' systems and
 * PostgreSQL on one machine. Beside it the chain without logic, which carries messages of the same sizes.
 */
import { startEmptyChain } from './empty-chain.ts';
import { print } from './figure.ts';
import { crossed, inWorld, move, peakOfNodes } from './small-world.ts';

const TRANSFERS = 200;
const WARM_UP = 60;

await inWorld({ count: WARM_UP + TRANSFERS, documents: 0, consultations: 1 }, async (world, patients) => {
  await move(world, patients.slice(0, WARM_UP));
  const { lines } = await crossed(world);
  const seconds = await move(world, patients.slice(WARM_UP));
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
    ]);
  } finally {
    chain.stop();
  }
});

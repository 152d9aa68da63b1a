/**
 * Transactions of a small transfer, by the nodes' own counters, beside the number that the movements need: to ask, 9 up to the final
 * acknowledgement; to send, 8. Deliveries to the practice's system and completed rows that nobody waits for are not among them.
 */
import { print } from './figure.ts';
import { inWorld, move, peakOfNodes, transactions } from './small-world.ts';

const TRANSFERS = 10;
const MOVEMENTS = { requesting: 9, sending: 8 };

await inWorld({ count: TRANSFERS + 1, documents: 0 }, async (world, patients) => {
  // The first transfer looks up what later ones remember.
  await move(world, patients.slice(0, 1));
  const before = { north: await transactions(world, 'north'), south: await transactions(world, 'south') };
  await move(world, patients.slice(1));
  const each = async (side: 'north' | 'south') => ((await transactions(world, side)) - before[side]) / TRANSFERS;
  const figure = (name: string, value: number, baselineValue: number) => ({
    name,
    unit: 'per transfer',
    value,
    baseline: 'by the movements',
    baselineValue,
    peakRssBytes: peakOfNodes(world),
  });
  print([
    figure('transactions-requesting', await each('south'), MOVEMENTS.requesting),
    figure('transactions-sending', await each('north'), MOVEMENTS.sending),
  ]);
});

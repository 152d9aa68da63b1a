/**
 * Transactions of a small transfer, by the nodes' own counters, beside the number that the movements need: to ask, 9 up to the final
 * acknowledgement; to send, 8. Deliveries to the practice's system and completed rows that nobody waits for are not among them.
 */
import { print } from './figure.ts';
import { counters, inWorld, move, peakOfNodes } from './small-world.ts';

const TRANSFERS = 10;
const MOVEMENTS = { requesting: 9, sending: 8 };

await inWorld({ count: TRANSFERS + 1, documents: 0, documentBytes: 1 }, async (world, [first = '', ...others]) => {
  // The first transfer looks up what later ones remember.
  await move(world, [first], 0);
  const before = { north: await counters(world, 'north'), south: await counters(world, 'south') };
  await move(world, others, 1);
  const each = async (side: 'north' | 'south') => ((await counters(world, side)).transactions - before[side].transactions) / others.length;
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

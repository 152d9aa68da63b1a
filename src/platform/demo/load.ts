import { addMonths, type Month, monthOf } from '../metrics/month.ts';
import type { Micros } from '../micros.ts';
import { memoryOf } from '../site/memory.ts';
import type { SiteReads } from '../site/model.ts';
import { type SyntheticEngland, syntheticEngland } from './england.ts';
import { operationalOf } from './operational.ts';
import { transfersOf } from './transfers.ts';

export type DemoSize = { readonly seed: number; readonly practices: number; readonly months: number };
export type Loaded = { readonly reads: SiteReads; readonly england: SyntheticEngland; readonly transfers: number };

/** A synthetic England with its transfers, month by month; `onMonth` is told after each, oldest first. */
export async function loadDemo(
  { seed, practices, months: count }: DemoSize,
  now: Micros,
  onMonth: (done: { readonly month: Month; readonly months: number; readonly transfers: number }) => void | Promise<void> = () => undefined,
): Promise<Loaded> {
  const england = syntheticEngland(seed, practices);
  const newest = addMonths(monthOf(now, 'UTC'), -1);
  const months = Array.from({ length: count }, (_, at) => addMonths(newest, -at));
  const operational = operationalOf(newest, seed);
  const memory = memoryOf({
    areas: england.areas.map(({ code, kind, name, parent }) => ({ code, kind, name, parent: parent?.code ?? null })),
    practices: england.practices.map(({ code, name, address, postcode, supplier, sicbl }) => ({
      code,
      kind: 'practice',
      name,
      address,
      postcode,
      supplier,
      parent: sicbl.code,
    })),
    months,
    publishedAt: new Date(now / 1000).toISOString(),
    operational: operational.reads,
  });
  let transfers = 0;
  for (const [at, month] of months.toReversed().entries()) {
    for (const transfer of transfersOf(england, month, seed)) {
      memory.add(transfer);
      operational.add(transfer);
      transfers++;
    }
    await onMonth({ month, months: at + 1, transfers });
  }
  return { reads: memory.reads, england, transfers };
}

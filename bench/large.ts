/** What a record of 50 MB costs in a node's conversion thread, beside the bare parser of its format in the same minute. */
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { createConversions } from '../src/service/conversions/conversions.ts';
import type { ConversionTask } from '../src/service/conversions/tasks.ts';
import { peakRss, print } from './figure.ts';
import type { LargeBare } from './large-bare.ts';
import { runProgram } from './program.ts';

export type LargeTask = {
  readonly folder: string;
  readonly objectsFolder: string;
  readonly task: ConversionTask;
  /** Of what is read. */
  readonly bytes: number;
};

/**
 * Prints `NAME.large`, the seconds; `NAME.largePeak`, the highest resident memory of the whole process; and `NAME.largeStall`, the
 * longest time for which the node's own thread could not turn to anything else meanwhile, beside a thread that only counts.
 */
export async function printLarge(name: string, format: 'xml' | 'json', { folder, objectsFolder, task, bytes }: LargeTask): Promise<void> {
  const conversions = createConversions({ place: { folder: objectsFolder, s3: null }, threads: 1, budgetBytes: 64_000_000 });
  const stalls = monitorEventLoopDelay({ resolution: 1 });
  stalls.enable();
  const from = performance.now();
  const answer = await conversions.run(task, bytes);
  const seconds = (performance.now() - from) / 1000;
  stalls.disable();
  const peakRssBytes = peakRss();
  await conversions.close();
  if ('converted' in answer && !answer.converted) throw new Error(answer.fault);
  const bare = (await runProgram('large-bare', format, folder)) as LargeBare;
  const baseline = format === 'xml' ? 'bare saxes' : 'JSON.parse';
  const megabytes = `${(bytes / 1e6).toFixed(0)} MB`;
  print([
    { name: `${name}.large`, unit: `s for ${megabytes}`, value: seconds, baseline, baselineValue: bare.seconds, peakRssBytes },
    {
      name: `${name}.largePeak`,
      unit: `MB for ${megabytes}`,
      value: peakRssBytes / 1e6,
      baseline,
      baselineValue: bare.peakRssBytes / 1e6,
      peakRssBytes,
    },
    {
      name: `${name}.largeStall`,
      unit: 'ms',
      value: stalls.max / 1e6,
      baseline: 'beside a busy thread',
      baselineValue: await stallBesideBusyThread(seconds * 1000),
      peakRssBytes,
    },
  ]);
}

async function stallBesideBusyThread(ms: number): Promise<number> {
  const stalls = monitorEventLoopDelay({ resolution: 1 });
  stalls.enable();
  const busy = new Worker(`const until = performance.now() + ${ms}; while (performance.now() < until);`, { eval: true });
  await once(busy, 'exit');
  stalls.disable();
  return stalls.max / 1e6;
}

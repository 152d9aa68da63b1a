import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { reasonOf } from '../base/errors.ts';
import { readSimulationConfig, simulate } from './simulate.ts';

/**
 * A simulator as a process of its own: `process.ts --config FILE`. Prints one line of JSON with its addresses on stdout
 * when everything listens, its log on stderr, and ends on SIGTERM, SIGINT, or when whoever started it with an IPC channel
 * is gone.
 */
export async function runSimulator(configFile: string): Promise<void> {
  const simulation = await simulate(await readSimulationConfig(configFile), (line) => process.stderr.write(`${line}\n`));
  // Memory is no concern here, and what it takes to clear it is the machine's that the nodes are tried on.
  setFlagsFromString('--heap-growing-percent=300');
  process.stdout.write(`${JSON.stringify({ ready: true, ...simulation.urls })}\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
    process.once('disconnect', () => resolve());
  });
  await simulation.close();
  // An open channel to whoever started this process would keep it alive.
  if (process.connected) process.disconnect();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  try {
    if (!values.config) throw new Error('--config FILE is required');
    await runSimulator(values.config);
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : reasonOf(thrown)}\n`);
    process.exitCode = 1;
  }
}

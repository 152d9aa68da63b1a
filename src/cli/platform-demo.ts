import { Command, InvalidArgumentError } from 'commander';
import { monthInWords } from '../platform/site/words.ts';

const HELP = `
Nothing is kept: no database is wanted, and the same seed makes the same England again. Every page says that its data are invented.

With --json the last line before it waits is {"url":"…","practices":0,"transfers":0,"months":0,"loadedMs":0}.

Examples:
  gp2gp platform demo
  gp2gp platform demo --months 24 --port 8080
  gp2gp platform demo --practices 300 --json`;

type Options = {
  readonly seed: number;
  readonly practices: number;
  readonly months: number;
  readonly port: number;
  readonly host: string;
  readonly json?: boolean;
};

/** `platform demo`: the public site full of figures within a minute or two, of an England that does not exist. */
export function platformDemoCommand(): Command {
  return new Command('demo')
    .description('the site with a synthetic England: its practices, and a year of transfers in national proportions')
    .option('--seed <n>', 'another England for each', whole(0), 1)
    .option('--practices <n>', 'how many practices', whole(10, 20_000), 6500)
    .option('--months <n>', 'how many months', whole(1, 120), 12)
    .option('--port <n>', 'where to listen (0: a free port)', whole(0, 65_535), 0)
    .option('--host <address>', 'on which address to listen', '127.0.0.1')
    .option('--json', 'print one line of JSON when it is ready')
    .addHelpText('after', HELP)
    .action(run);
}

function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`a whole number from ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''} is wanted.`);
    return value;
  };
}

async function run({ seed, practices, months, port, host, json }: Options): Promise<void> {
  const [{ loadDemo }, { siteServer }, { listen }] = await Promise.all([
    import('../platform/demo/load.ts'),
    import('../platform/site/site.ts'),
    import('../web/server.ts'),
  ]);
  const began = performance.now();
  const out = json ? process.stderr : process.stdout;
  const terminal = process.stderr.isTTY;
  const loaded = await loadDemo({ seed, practices, months }, Date.now() * 1000, async (done) => {
    const text = `${bar(done.months, months)} ${done.transfers.toLocaleString('en-GB')} transfers, up to ${monthInWords(done.month)}`;
    if (terminal) process.stderr.write(`\r\x1b[K${text}`);
    else out.write(`${text}\n`);
    // Lets the line be written.
    await new Promise((resolve) => setImmediate(resolve));
  });
  if (terminal) process.stderr.write('\r\x1b[K');
  const loadedMs = Math.round(performance.now() - began);
  const server = await siteServer(loaded.reads, {
    synthetic: true,
    onFault: (thrown, where) => console.error(`${where}:`, thrown),
  });
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const url = await listen(server, { host, port });
  if (json) console.log(JSON.stringify({ url, practices: loaded.england.practices.length, transfers: loaded.transfers, months, loadedMs }));
  else
    console.log(
      `${loaded.england.practices.length.toLocaleString('en-GB')} practices and ${loaded.transfers.toLocaleString('en-GB')} transfers in ${(loadedMs / 1000).toFixed(1)} s.\nThe site is at ${url}/ until Ctrl-C.`,
    );
  await stopped;
  await server.close();
}

function bar(done: number, all: number): string {
  const width = 24;
  const full = Math.round((done / all) * width);
  return `[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${done} of ${all} months`;
}

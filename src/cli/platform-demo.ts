import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Progress } from '../platform/demo/load.ts';

const HELP = `
The figures lie in a PostgreSQL server of its own, in a folder that is removed at the end; the same seed makes the same England again. Every
page says that its data are invented. The read API is served as it is elsewhere (/api/v1, /api/v1/openapi.json); the operational reports,
which a key opens elsewhere, are there without one.

With --json the last line before it waits is {"url":"…","practices":0,"transfers":0,"events":0,"months":0,"loadedMs":0}.

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
  const [
    { loadDemo },
    { lookForAlerts },
    { FAILURE_PERCENT },
    { operationalReads },
    { siteServer },
    { storeReads },
    { openPlatform },
    { startEmbedded },
    { listen },
  ] = await Promise.all([
    import('../platform/demo/load.ts'),
    import('../platform/alerts/look.ts'),
    import('../platform/alerts/rules.ts'),
    import('../platform/site/operational-reads.ts'),
    import('../platform/site/site.ts'),
    import('../platform/site/store-reads.ts'),
    import('../platform/store/open.ts'),
    import('../database/embedded.ts'),
    import('../web/server.ts'),
  ]);
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-platform-demo-'));
  // mkdtemp makes it 0700; PostgreSQL may run as another user.
  await chmod(folder, 0o755);
  const database = await startEmbedded(join(folder, 'database'));
  const db = await openPlatform(database.url);
  try {
    const show = shower(json ? process.stderr : process.stdout);
    const loaded = await loadDemo(db, database.url, { seed, practices, months }, Date.now() * 1000, (progress) => {
      if (stopped.signal.aborted) throw new Stopped();
      show(progress);
    });
    await lookForAlerts(db, { now: new Date(), failurePercent: FAILURE_PERCENT, rates: true, posted: false });
    const loadedMs = Math.round(performance.now() - began);
    const server = await siteServer(
      { ...storeReads(db), operational: operationalReads(db) },
      { synthetic: true, onFault: (thrown, where) => console.error(`${where}:`, thrown) },
    );
    const url = await listen(server, { host, port });
    const { transfers, events, england } = loaded;
    if (json) console.log(JSON.stringify({ url, practices: england.practices.length, transfers, events, months, loadedMs }));
    else
      console.log(
        `${number(england.practices.length)} practices, ${number(transfers)} transfers and ${number(events)} events in ${(loadedMs / 1000).toFixed(1)} s.\nThe site is at ${url}/ until Ctrl-C, its figures for programs at ${url}/api/v1.`,
      );
    if (!stopped.signal.aborted) await once(stopped.signal, 'abort');
    await server.close();
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
  } finally {
    await db.destroy();
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ctrl-C while it is loading. */
class Stopped extends Error {}

/** One line that is written over on a terminal, a line for each step elsewhere. */
function shower(out: NodeJS.WriteStream): (progress: Progress) => void {
  const terminal = process.stderr.isTTY;
  return ({ done, of, what }) => {
    if (!terminal) out.write(`${bar(done, of)} ${what}\n`);
    else process.stderr.write(done === of ? '\r\x1b[K' : `\r\x1b[K${bar(done, of)} ${what}`);
  };
}

function bar(done: number, all: number): string {
  const width = 24;
  const full = Math.round((done / all) * width);
  return `[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${done} of ${all}`;
}

function number(value: number): string {
  return value.toLocaleString('en-GB');
}

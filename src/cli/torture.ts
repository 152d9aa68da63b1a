import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Fault } from '../base/errors.ts';
import type { Count } from './torture/count/count.ts';

const HELP = `
Two suppliers' nodes move synthetic records over a simulated Spine while nodes, hub, practices' systems and the database server are
killed (kill -9) at random moments and started again, stand still for a while, refuse or cut their connections, or find their disk full
(which takes the right to mount; elsewhere that is left out and said). Then messages, both sides' tables and the filed records are counted from the
outside: every record must be filed once and whole or rejected as it was meant to be, on both sides alike.

The last line with --json:
  {"transfers":0,"kills":0,"integrated":0,"rejectedAsDesigned":0,"lost":0,"duplicated":0,"stuck":0}

With --upgrade nothing is killed: two nodes on each side are replaced one after the other by a version with other tables, while --transfers
records are on their way at any time and --rate messages a second come beside theirs. The last line with --json:
  {"transfers":0,"integrated":0,"fewestRunning":0,"messages":0,"refused":0,"turnedAway":0,"p99Ms":0,"mostMs":0,"lost":0,"duplicated":0,
   "stuck":0,"schema":[7,8],"downgradeRefused":true}

Examples:
  gp2gp torture
  gp2gp torture --json --transfers 200 --kills 60 --seed 7 --nodes 2
  gp2gp torture --transfers 50 --kills 20 --keep evidence
  gp2gp torture --recount evidence --json
  gp2gp torture --upgrade --transfers 50 --rate 10 --json
  gp2gp torture --upgrade --transfers 50 --previous ../open-gp2gp-0.1.0`;

export type TortureCommand = {
  readonly json?: boolean;
  readonly transfers: number;
  readonly kills: number;
  readonly troubles?: number;
  readonly seed: number;
  readonly nodes: number;
  readonly keep?: string;
  readonly recount?: string;
  readonly upgrade?: boolean;
  readonly rate: number;
  readonly previous?: string;
};

/** `torture`: the fault test. */
export function tortureCommand(): Command {
  return new Command('torture')
    .description('kill everything again and again while records move, and count what was lost')
    .option('--transfers <n>', 'how many records move', whole(1), 20)
    .option('--kills <n>', 'how many processes are killed, spread over the transfers', whole(0), 6)
    .option('--troubles <n>', 'how often something stands still, refuses, or has a full disk; default: a quarter of the kills', whole(0))
    .option('--seed <n>', 'which patients, practices, targets and moments', whole(0), 1)
    .option('--nodes <n>', 'nodes for each side, over one database and one object store', whole(1), 1)
    .option('--keep <dir>', 'leave ledger, tables, records and kills in this folder')
    .option('--recount <dir>', 'run nothing; count again what --keep left in this folder')
    .option('--upgrade', 'replace all nodes by another version instead of killing anything')
    .option('--rate <n>', 'messages a second during an upgrade, beside those of the transfers', whole(1), 10)
    .option('--previous <dir>', 'checkout or package of the version to upgrade from; default: this one with one change of the tables fewer')
    .option('--json', 'print one line of JSON at the end; progress goes to standard error')
    .addHelpText('after', HELP)
    .action(async (options: TortureCommand) => {
      process.exitCode = await run(options);
    });
}

function whole(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) throw new InvalidArgumentError(`a whole number from ${least} is wanted.`);
    return value;
  };
}

async function run(options: TortureCommand): Promise<number> {
  const out = options.json ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${out.isTTY ? '\r\x1b[K' : ''}${line}\n`);
  const { isClean, recount } = await import('./torture/count/count.ts');
  if (options.recount !== undefined) {
    const count = await recount(resolve(options.recount));
    print(count, options, say);
    return isClean(count.line) ? 0 : 1;
  }
  const keep = options.keep === undefined ? await mkdtemp(join(tmpdir(), 'gp2gp-torture-')) : await emptyFolder(resolve(options.keep));
  const interrupted = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
  if (options.upgrade) {
    const { runUpgrade } = await import('./torture/upgrade/command.ts');
    return await runUpgrade(options, { keep, isKept: options.keep !== undefined, say, interrupted });
  }
  const troubles = options.troubles ?? Math.floor(options.kills / 4);
  say(
    `${options.transfers} transfers, ${options.kills} kills, ${troubles} other troubles, ${options.nodes} nodes for each side, seed ${options.seed}; folder ${keep}`,
  );
  const { torture } = await import('./torture/run.ts');
  let count: Count | null;
  try {
    count = await torture({
      ...options,
      troubles,
      nodesPerSide: options.nodes,
      keep,
      say,
      ...(out.isTTY && { status: (text: string) => void out.write(`\r\x1b[K${text}`) }),
      interrupted,
    });
  } catch (thrown) {
    say(`the folder is kept: ${keep}`);
    throw thrown;
  }
  if (!count) {
    say(`interrupted; what was there is in ${keep}`);
    return 1;
  }
  const good = isClean(count.line) && count.line.kills === options.kills;
  if (good && options.keep === undefined) await rm(keep, { recursive: true, force: true });
  else {
    await writeFile(join(keep, 'findings.json'), `${JSON.stringify(count, null, 1)}\n`);
    // What the processes worked on is not needed to count again; after a failure it is needed to find out why.
    if (good) await rm(join(keep, 'world'), { recursive: true, force: true });
    say(`kept: ${keep}`);
  }
  print(count, options, say);
  return good ? 0 : 1;
}

/** Two runs in one folder would be counted as one. */
async function emptyFolder(folder: string): Promise<string> {
  const there = await readdir(folder).catch(() => []);
  if (there.length === 0) return folder;
  throw new Fault('input.keep', `the folder ${folder} is not empty`, { remedy: 'Name another with --keep DIR, or remove it.' });
}

function print({ line, findings }: Count, { json }: TortureCommand, say: (line: string) => void): void {
  for (const { kind, text } of findings.slice(0, 50)) say(`${kind}: ${text}`);
  if (findings.length > 50) say(`and ${findings.length - 50} more`);
  if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
  else
    say(
      `${line.transfers} transfers, ${line.kills} kills: ${line.integrated} integrated, ${line.rejectedAsDesigned} rejected as designed, ` +
        `${line.lost} lost, ${line.duplicated} duplicated, ${line.stuck} stuck`,
    );
}

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Fault } from '../base/errors.ts';
import { defaultDataFolder } from './data-folder.ts';
import type { CastPractice } from './demo/cast.ts';
import { holdFolder, type Memory, openFolder, remember } from './demo/folder.ts';
import type { Mover } from './demo/patient.ts';
import type { DemoResult, DemoRun } from './demo/run.ts';
import type { World } from './demo/world.ts';

const HELP = `
Starts a simulated Spine, two suppliers' systems with their practices, a node between each of them and Spine, and national reporting, to
which the nodes tell their events. A patient registers at a new practice; the record moves over ebXML with mutual TLS, is filed and
acknowledged. Then the console and the platform's site stay up until Ctrl-C. A second start on the same folder goes on there: the patient
moves back.

Examples:
  gp2gp demo
  gp2gp demo --record record.json
  gp2gp demo --once --json --documents 3 --document-bytes 30000000
  gp2gp demo --once --practices 6 --transfers 60 --keep result`;

export type DemoOptions = {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly record?: string;
  readonly seed: number;
  readonly documents?: number;
  readonly documentBytes?: number;
  readonly practices: number;
  readonly transfers: number;
  readonly data?: string;
  readonly keep?: string;
  readonly keepWire?: string;
};

/** `demo`: the main job, for real, on one machine. What \`npm start\` runs. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('move a record between two practices over a simulated Spine, and show what happened')
    .option('--once', 'end after the transfers, on a folder of its own that is removed after success')
    .option('--json', 'print one line of JSON at the end; progress goes to standard error')
    .option('--record <file>', 'a GP Connect bundle to move; left out, a synthetic patient')
    .option('--seed <n>', 'which synthetic patient', whole(0), 1)
    .option('--documents <n>', 'how many documents a synthetic patient has (default: the national spread)', whole(0))
    .option('--document-bytes <n>', 'size of each document (default: the national spread)', whole(1))
    .option('--practices <n>', 'how many practices take part', whole(2), 2)
    .option('--transfers <n>', 'how many patients move at once', whole(1), 1)
    .option('--data <dir>', `where data lie (default: ${defaultDataFolder('demo')})`)
    .option('--keep <dir>', 'with --once: keep everything in this folder')
    .option('--keep-wire <dir>', 'leave every HTTP request that crossed the hub in this folder')
    .addHelpText('after', HELP)
    .action(async (options: DemoOptions) => {
      process.exitCode = await demo(options);
    });
}

function whole(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) throw new InvalidArgumentError(`a whole number from ${least} is wanted.`);
    return value;
  };
}

/** Runs a demonstration; resolves with the exit code. */
async function demo(options: DemoOptions): Promise<number> {
  const say = (line: string) => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  if (options.record !== undefined && options.transfers > 1) {
    throw new Fault('input.options', 'one record makes one transfer: --record and --transfers do not go together', {
      remedy: 'Leave one of them out.',
    });
  }
  const started = Date.now();
  // Before anything is made: a fault of the file leaves nothing behind.
  const given = options.record === undefined ? null : await (await import('./demo/patient.ts')).readRecord(options.record);
  const temporary = options.once === true && options.keep === undefined && options.data === undefined;
  const folder = resolve(
    temporary ? await mkdtemp(join(tmpdir(), 'gp2gp-once-')) : (options.keep ?? options.data ?? defaultDataFolder('demo')),
  );
  const run: DemoRun = { ...options, folder, say, started };
  const memory = await openFolder(folder);
  const held = await holdFolder(folder);
  try {
    return await demonstrate(run, memory, given, temporary);
  } finally {
    await held.release();
  }
}

async function demonstrate(run: DemoRun, memory: Memory | null, given: Mover | null, temporary: boolean): Promise<number> {
  const { folder, say, started, ...options } = run;
  const { movers, holders, practices } = await plan(run, memory, given);
  for (const { warning } of movers) if (warning) say(`warning: ${warning}`);
  const keepWire = options.keepWire === undefined ? undefined : resolve(options.keepWire);
  if (keepWire) await mkdir(keepWire, { recursive: true });

  say(`data: ${folder}`);
  const { startWorld } = await import('./demo/world.ts');
  const { runMoves } = await import('./demo/run.ts');
  const { printSummary } = await import('./demo/tables.ts');
  const world = await startWorld({
    folder,
    practices,
    nodesPerSide: 1,
    people: movers.flatMap(({ person, nhsNumber }) =>
      person ? [{ ...person, practice: { ods: holders[nhsNumber] ?? '', start: '2010-01-01' } }] : [],
    ),
    console: true,
    reporting: true,
    ...(keepWire && { keepWire }),
    ...(options.documentBytes !== undefined && { documentBytes: options.documentBytes }),
  });
  say(`${seconds(started)}  everything runs: Spine hub, SDS, PDS, two suppliers' systems, two nodes, national reporting`);
  const interrupted = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
  let result: DemoResult;
  try {
    const outcome = await Promise.race([runMoves(world, run, movers, holders, memory === null), interrupted]);
    if (!outcome) {
      await world.stop();
      say(`interrupted; what was done so far is in ${folder}`);
      return 1;
    }
    result = outcome;
    await remember(folder, { practices, seed: options.seed, holders: { ...memory?.holders, ...result.holders } });
  } catch (thrown) {
    await world.stop();
    say(`the data folder is kept: ${folder}`);
    throw thrown;
  }
  const good = result.summary.outcome === 'integrated';
  if (!options.json) printSummary(result, world, say);
  if (!options.once) {
    const reporting = await reportingAddress(world, result);
    say('');
    say(`console: ${world.nodeUrls.south[0]}/ (the new practice's node) and ${world.nodeUrls.north[0]}/ (the previous one's)`);
    if (reporting) say(`national reporting: ${reporting}`);
    const [node = ''] = world.nodeNames.south;
    say(`operator: npm run -s gp2gp -- transfers list --config ${join(folder, 'configuration', `${node}.yaml`)}`);
    say('Ctrl-C ends everything; the next start on this folder moves the patient back.');
    await interrupted;
  }
  await world.stop();
  if (temporary && good) await rm(folder, { recursive: true, force: true });
  else if (options.once) say(`kept: ${folder}`);
  if (options.json) process.stdout.write(`${JSON.stringify(temporary && good ? withoutFiles(result.summary) : result.summary)}\n`);
  return good ? 0 : 1;
}

/** The page of the practice that has the patient now, where the month's figures can be shown. */
async function reportingAddress({ reporting }: World, { moves, holders }: DemoResult): Promise<string | null> {
  if (!reporting) return null;
  const { showFigures } = await import('./demo/reporting.ts');
  const shown = await showFigures(reporting.databaseUrl);
  const practice = holders[moves[0]?.nhsNumber ?? ''];
  return shown && practice ? `${reporting.site}/practice/${practice}` : `${reporting.site}/`;
}

/** Who moves from where. A folder that knows patients moves them on from where they are. */
async function plan(run: DemoRun, memory: Memory | null, given: Mover | null) {
  const { syntheticMovers, knownMovers } = await import('./demo/patient.ts');
  const { cast } = await import('./demo/cast.ts');
  const practices = Math.max(run.practices, memory?.practices ?? 0);
  const known = memory && given === null ? knownMovers(memory.holders, run.transfers) : [];
  if (known.length > 0 && memory) return { movers: known, holders: memory.holders, practices };
  const places: readonly CastPractice[] = cast(practices);
  const movers = given === null ? syntheticMovers(run, places) : [given];
  const holders: Record<string, string> = {};
  for (const [i, { nhsNumber }] of movers.entries())
    holders[nhsNumber] = memory?.holders[nhsNumber] ?? places[i % places.length]?.ods ?? '';
  return { movers, holders, practices };
}

function withoutFiles(summary: DemoResult['summary']): object {
  return { ...summary, recordFile: null, transfers: summary.transfers?.map((one) => ({ ...one, recordFile: null })) };
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1).padStart(6)} s`;
}

import { Command, InvalidArgumentError } from 'commander';
import { type Coverage, makeCoverage } from '../simulator/world/coverage.ts';
import { CONVERSATIONS, runWorld } from '../simulator/world/world.ts';

const HELP = `
Conversations between practices that run the real decisions, in worlds of ${CONVERSATIONS}: Spine loses, repeats, delays and reorders, processes crash
and start again, clocks jump, people are late. After each step it is looked whether anything was lost or done twice, and at the end whether
both sides agree. World n of a run has the seed S + n - 1, so that a world that fails is run again alone by its own seed.

The last line with --json:
  {"seed":1,"conversations":0,"worlds":0,"steps":0,"violations":0,"failingSeeds":[],"missing":[]}

Examples:
  gp2gp world
  gp2gp world --seed 1 --conversations 1000000
  gp2gp world --seed 4711 --conversations ${CONVERSATIONS} --trace
  gp2gp world --conversations 2000 --coverage`;

type WorldCommand = {
  readonly seed: number;
  readonly conversations: number;
  readonly trace?: boolean;
  readonly coverage?: boolean;
  readonly json?: boolean;
};

/** `world`: the transfer engine against everything that may go wrong, without a database or a network. */
export function worldCommand(): Command {
  return new Command('world')
    .description('run conversations of the real decisions in simulated worlds, and look for anything lost or done twice')
    .option('--seed <n>', 'seed of the first world', whole(0), 1)
    .option('--conversations <n>', `how many, in worlds of ${CONVERSATIONS}`, whole(1), 2000)
    .option('--trace', 'print every change of every transfer')
    .option('--coverage', 'print how often each pair of state and event, each code and each fault was met')
    .option('--json', 'print one line of JSON at the end')
    .addHelpText('after', HELP)
    .action((options: WorldCommand) => {
      process.exitCode = run(options);
    });
}

function whole(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) throw new InvalidArgumentError(`a whole number from ${least} is wanted.`);
    return value;
  };
}

function run({ seed, conversations, trace, coverage, json }: WorldCommand): number {
  const total = makeCoverage();
  const failing: number[] = [];
  const worlds = Math.ceil(conversations / CONVERSATIONS);
  const out = json ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${line}\n`);
  let steps = 0;
  for (let number = 0; number < worlds; number++) {
    const count = Math.min(CONVERSATIONS, conversations - number * CONVERSATIONS);
    const result = runWorld(seed + number, { conversations: count, ...(trace && { trace: say }) });
    steps += result.steps;
    total.join(result.coverage);
    if (result.violation !== null) {
      failing.push(result.seed);
      say(`Seed ${result.seed}: ${result.violation}`);
      say(`  replay it: npm run world -- --seed ${result.seed} --conversations ${count} --trace`);
    }
    if (process.stderr.isTTY && number % 20 === 0) process.stderr.write(`\r${number + 1} of ${worlds} worlds`);
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (coverage) for (const line of table(total)) say(line);
  const missing = total.missing();
  // A handful of conversations cannot meet everything.
  if (missing.length > 0 && conversations >= 2000) say(`Never met: ${missing.join(', ')}`);
  say(`${conversations} conversations in ${worlds} worlds from seed ${seed}, ${steps} steps: ${failing.length} violations`);
  const violations = failing.length;
  if (json) console.log(JSON.stringify({ seed, conversations, worlds, steps, violations, failingSeeds: failing, missing }));
  return violations === 0 ? 0 : 1;
}

function table({ pairs, codes, faults, outcomes, habits }: Coverage): string[] {
  const of = (title: string, counts: ReadonlyMap<string, number>) => [
    `${title}:`,
    ...[...counts].map(([name, count]) => `  ${String(count).padStart(10)}  ${name}`),
  ];
  return [
    ...of('State × event', pairs),
    ...of('Response codes', codes),
    ...of('Faults', faults),
    ...of('Ends', outcomes),
    ...of('Practices by system', habits),
  ];
}

import { Command, InvalidArgumentError } from 'commander';
import type { MonthCount } from './mi/month.ts';
import type { ReconcileOptions } from './mi/reconcile.ts';
import { withPlace } from './operator/place.ts';

const HELP = `
Management information: what a practice tells nationally of its transfers.

  month      simulates a month of transfers and counts them three ways: Spine's log by the national rules, the events of both practices,
             the nodes' own states. Where the three differ, each row of differences is explained; one that is not makes the exit 1.
  reconcile  compares what a node's transfers mean with what its ledger says was told, and with what the national service says it has.

Examples:
  gp2gp mi month
  gp2gp mi month --conversations 10000 --seed 7 --json
  gp2gp mi reconcile --config node.yaml
  gp2gp mi reconcile --config node.yaml --received ids.txt --json

Exit code: 0 all agrees, 1 it does not, 2 the command or what it names is wrong.`;

/** `mi`: counts and comparisons of management information. */
export function miCommand(): Command {
  const command = new Command('mi').description('count and reconcile management information').addHelpText('after', HELP);
  command
    .command('month')
    .description('count a simulated month three ways, and explain where they differ')
    .option('--seed <n>', 'seed of the first world of fifty conversations', whole(0), 1)
    .option('--conversations <n>', 'how many', whole(1), 2000)
    .option('--json', 'print one line of JSON at the end')
    .action(async ({ seed, conversations, json }: { seed: number; conversations: number; json?: boolean }) => {
      const { countMonth } = await import('./mi/month.ts');
      const count = countMonth(seed, conversations);
      console.log(json ? JSON.stringify(count) : inWords(count));
      process.exitCode = count.differences.some(({ explanation }) => explanation === null) ? 1 : 0;
    });
  withPlace(command.command('reconcile'))
    .description('compare what transfers mean with what was told and what the national service has')
    .option('--received <file>', 'event ids that the service says it has: one a line, CSV or JSON')
    .option('--json', 'print one line of JSON')
    .action(async (options: ReconcileOptions) => (await import('./mi/reconcile.ts')).reconcileAction(options));
  return command;
}

function whole(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) throw new InvalidArgumentError(`a whole number from ${least} is wanted.`);
    return value;
  };
}

function inWords({ transfers, agreeing, counts, differences }: MonthCount): string {
  const number = (value: number) => String(value).padStart(8);
  const lines = [
    `${'What became of it'.padEnd(30)}${'Spine'.padStart(8)}${'events'.padStart(8)}${'nodes'.padStart(8)}`,
    ...counts.map(({ row, log, events, node }) => row.padEnd(30) + number(log) + number(events) + number(node)),
    '',
    `${transfers} transfers, of ${agreeing} of which all three say the same.`,
    ...differences.flatMap(({ count, log, events, node, explanation, example }) => [
      '',
      `${count} × Spine: ${log}; events: ${events}; node: ${node} (${example})`,
      `    ${explanation ?? 'NOT EXPLAINED'}`,
    ]),
  ];
  return lines.join('\n');
}

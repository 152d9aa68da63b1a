import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import type { Diagnosis } from './doctor/diagnose.ts';
import { readSettings } from './settings-file.ts';

const HELP = `
Looks at what a node with this configuration needs, and changes nothing: the configuration itself, our certificate (chain, time, key,
names), the clock, SDS and what it says of each practice, PDS, the way to Spine, disk, database and its schema, terminology, and the
practices' systems. Each check is ok, warn or fail; what is not ok has its remedy below.
Exit code: 0 nothing fails, 1 something does, 2 the file cannot be read.

Examples:
  gp2gp doctor --config node.yaml
  gp2gp doctor --config node.yaml --json`;

/** `doctor`: whether a node could do its work here, and what to do where it could not. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check configuration, certificates, clock, national services, disk and database')
    .option('--config <file>', 'settings of the node in YAML; left out, the environment alone is read')
    .option('--json', 'one line of JSON')
    .addHelpText('after', HELP)
    .action(async ({ config: file, json }: { config?: string; json?: boolean }) => {
      const yaml = file === undefined ? null : await readSettings(file);
      const { diagnose } = await import('./doctor/diagnose.ts');
      const { keyFileOf } = await import('./doctor/key-file.ts');
      const now = () => new Date();
      const diagnosis = await diagnose(yaml, process.env, { now, newId: randomUUID, keyFile: keyFileOf(yaml, process.env) });
      process.stdout.write(json ? `${JSON.stringify(diagnosis)}\n` : inWords(diagnosis));
      if (!diagnosis.ok) process.exitCode = 1;
    });
}

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

/** A line for each check, its remedy below; what fails is counted at the end. */
export function inWords({ checks }: Diagnosis): string {
  const wide = Math.max(...checks.map(({ check }) => check.length));
  const gap = ' '.repeat(MARKS.ok.length + wide + 4);
  const lines = checks.flatMap(({ check, result, said, remedy }) => [
    `${MARKS[result]}  ${check.padEnd(wide)}  ${said.replace(/\n/g, `\n${gap}`)}`,
    ...(remedy === null ? [] : [`${gap}-> ${remedy}`]),
  ]);
  const count = (result: keyof typeof MARKS) => checks.filter((one) => one.result === result).length;
  const end = count('fail') > 0 ? `${count('fail')} of ${checks.length} checks fail` : `${checks.length} checks, none fails`;
  const warnings = count('warn') > 0 ? `, ${count('warn')} warn` : '';
  return `${[...lines, '', `${end}${warnings}.`].map((line) => line.replace(/[^\P{C}\n]/gu, '\uFFFD')).join('\n')}\n`;
}

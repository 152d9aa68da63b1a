/**
 * `npm run bench`: how fast, and in how much memory. Each scenario runs in a process of its own on data that another process made, so
 * that no figure holds the memory of a neighbour, and measures its baseline in the same minutes. On a shared or small machine only the
 * ratios mean something.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Figure } from './figure.ts';

/** The programs, in the order in which they run; a name begins with its program's. `records`: needs the synthetic records as files. */
const PROGRAMS: readonly { readonly program: string; readonly records: boolean }[] = [
  { program: 'read', records: true },
  { program: 'convert', records: true },
  { program: 'large-bare', records: true },
  { program: 'large-to-fhir', records: true },
  { program: 'large-to-hl7', records: true },
  { program: 'transactions', records: false },
  { program: 'chain-documents', records: false },
  { program: 'chain-small', records: false },
];

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } } });
const asked = PROGRAMS.filter(({ program }) => program.startsWith(values.only) || values.only.startsWith(program));
if (asked.length === 0) {
  console.error(`bench: nothing is called ${values.only}…; there is ${PROGRAMS.map(({ program }) => program).join(', ')}`);
  process.exit(2);
}
const say = (line: string) => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);
const folder = await mkdtemp(join(tmpdir(), 'gp2gp-bench-'));
const scenarios: Figure[] = [];
try {
  if (asked.some(({ records }) => records)) {
    say('making synthetic records …');
    await run('records', folder);
  }
  for (const { program } of asked) {
    say(`${program} …`);
    const figures = JSON.parse(await run(program, folder)) as Figure[];
    for (const figure of figures) if (figure.name.startsWith(values.only)) scenarios.push(figure);
    for (const figure of figures) say(line(figure));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
if (values.json) process.stdout.write(`${JSON.stringify({ scenarios })}\n`);

/** Runs `bench/NAME.ts FOLDER` and gives the last line of what it prints. */
async function run(name: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...args], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim().split('\n').at(-1) ?? '';
}

function line({ name, unit, value, baseline, baselineValue, peakRssBytes }: Figure): string {
  const beside = baseline ? `${shown(baselineValue)} ${unit} ${baseline}, ${(value / baselineValue).toFixed(2)} of it` : '';
  return `  ${name.padEnd(28)} ${shown(value).padStart(8)} ${unit.padEnd(14)} ${`${(peakRssBytes / 1e6).toFixed(0)} MB peak`.padStart(11)}   ${beside}`;
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

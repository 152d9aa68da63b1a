/**
 * `npm run bench`: how fast, and in how much memory. Each scenario runs in a process of its own on data that another process made, so
 * that no figure holds the memory of a neighbour, and measures its baseline in the same minutes. On a shared or small machine only the
 * ratios mean something.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Figure } from './figure.ts';
import { runProgram } from './program.ts';

/** The programs, in the order in which they run, and the figures each prints. `records`: needs the synthetic records as files. */
const PROGRAMS: readonly {
  readonly program: string;
  readonly args?: readonly string[];
  readonly figures: readonly string[];
  readonly records: boolean;
}[] = [
  { program: 'read', figures: ['read-json', 'read-xml'], records: true },
  { program: 'convert-to-hl7', figures: ['convert.toHl7', 'convert.toHl7.bare', 'convert.toHl7.writing'], records: true },
  { program: 'large-to-hl7', figures: ['convert.toHl7.large', 'convert.toHl7.largePeak', 'convert.toHl7.largeStall'], records: true },
  { program: 'growth-to-hl7', figures: ['convert.toHl7.largeGrowth'], records: true },
  { program: 'convert-to-fhir', figures: ['convert.toFhir', 'convert.toFhir.bare'], records: true },
  { program: 'large-to-fhir', figures: ['convert.toFhir.large', 'convert.toFhir.largePeak', 'convert.toFhir.largeStall'], records: true },
  {
    program: 'convert-mutated',
    figures: ['nested', 'attributes', 'names', 'entities'].map((name) => `convert.toFhir.mutated.${name}`),
    records: true,
  },
  {
    program: 'terminology',
    figures: ['build', 'file', 'reload', 'preferredTerm', 'description', 'descriptionByTerm', 'immunisation'].map(
      (name) => `terminology.${name}`,
    ),
    records: false,
  },
  { program: 'transactions', figures: ['transactions-requesting', 'transactions-sending'], records: false },
  { program: 'inbound', figures: ['inbound'], records: false },
  ...['average', 'drawn'].map((name) => ({
    program: 'transfer-average',
    args: [name],
    figures: ['', '.sendingPeak', '.receivingPeak', '.cpu'].map((what) => `transfer.${name}${what}`),
    records: false,
  })),
  ...['small', 'record'].map((name) => ({
    program: 'transfer-small',
    args: [name],
    figures: ['', '.bytes', '.cpu'].map((what) => `transfer.${name}${what}`),
    records: false,
  })),
  { program: 'transfer-flat', figures: ['transfer.flat'], records: false },
  ...['documents', 'record'].map((name) => ({
    program: 'transfer-large',
    args: [name],
    figures: ['', '.sendingPeak', '.receivingPeak'].map((what) => `transfer.large.${name}${what}`),
    records: false,
  })),
  { program: 'transfer-refused', figures: ['transfer.refused'], records: false },
  { program: 'backup', figures: ['backup.recoveryPoint', 'backup.recoveryTime'], records: false },
  {
    program: 'platform',
    figures: [
      ...['load', 'fold', 'ingest', 'month', 'page.practice', 'page.area', 'page.england'],
      ...['load', 'fold', 'ingest', 'month', 'firstByte', 'size'].map((name) => `growth.${name}`),
    ].map((name) => `platform.${name}`),
    records: false,
  },
];

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } } });
const asked = PROGRAMS.filter(({ figures }) => figures.some((name) => name.startsWith(values.only)));
if (asked.length === 0) {
  console.error(`bench: nothing is called ${values.only}…; there is ${PROGRAMS.flatMap(({ figures }) => figures).join(', ')}`);
  process.exit(2);
}
const say = (line: string) => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);
const folder = await mkdtemp(join(tmpdir(), 'gp2gp-bench-'));
// PostgreSQL may run as another user and has to pass through.
await chmod(folder, 0o755);
const scenarios: Figure[] = [];
try {
  if (asked.some(({ records }) => records)) {
    say('making synthetic records …');
    await runProgram('records', folder);
  }
  for (const { program, args = [] } of asked) {
    say(`${[program, ...args].join(' ')} …`);
    const figures = (await runProgram(program, folder, ...args)) as Figure[];
    for (const figure of figures) if (figure.name.startsWith(values.only)) scenarios.push(figure);
    for (const figure of figures) say(line(figure));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
if (values.json) process.stdout.write(`${JSON.stringify({ scenarios })}\n`);

function line({ name, unit, value, baseline, baselineValue, peakRssBytes }: Figure): string {
  const beside = baseline ? `${shown(baselineValue)} ${unit} ${baseline}, ${(value / baselineValue).toFixed(2)} of it` : '';
  return `  ${name.padEnd(28)} ${shown(value).padStart(8)} ${unit.padEnd(14)} ${`${(peakRssBytes / 1e6).toFixed(0)} MB peak`.padStart(11)}   ${beside}`;
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

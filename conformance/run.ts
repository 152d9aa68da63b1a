/**
 * Compares what we write with public goldens: the comparer beside the fixtures folder first, then the runners of this project for
 * what it does not run. One line for each, beginning with its name; the last line is `N passed, N failed`. Fails where a floor
 * (`floors.json`: figures that were reached once) is missed or a runner finds a fault. GP2GP_CONFORMANCE_LIST=1 lists what is not met.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { buildTerminology } from '../src/cli/terminology/build.ts';
import { writeTerms } from './terminology.ts';

const HERE = import.meta.dirname;
const FIXTURES = resolve(process.env['GP2GP_FIXTURES'] ?? join(HERE, '..', '..', 'shared', 'fixtures'));
const COMPARER = join(dirname(FIXTURES), 'conformance', 'run.mjs');
/** Runners of this project's own, by file: each exports `run(fixtures)`. Those that are not there yet are left out. */
const OWN = [
  'xml',
  'ebxml',
  'conversations',
  'messages',
  'sds',
  'gpconnect',
  'classifier',
  'mi',
  'text',
  'unit-inputs',
  'large-messages',
  'legacy',
  'schemas',
  'inspect',
];

/** What a runner of this project gives. */
export type RunnerResult = {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  /** One line for each failure. */
  readonly failures: readonly string[];
};
type Group = { readonly name: string; readonly cases: number; readonly exact: number; readonly explained: number; readonly errors: number };
type Compared = {
  readonly summary: { readonly groups: readonly (Group & { readonly meanScore: number; readonly meanPrecision: number })[] };
  readonly cases: readonly { readonly id: string; readonly informative?: boolean; readonly verdict: string; readonly note?: string }[];
};
/** Least figures of a group: cases exact or explained, and mean score and precision in percent. */
type Floor = { readonly exact?: number; readonly score?: number; readonly precision?: number };

if (existsSync(FIXTURES)) process.exitCode = await runAll();
else console.log(`No fixtures at ${FIXTURES}: nothing was run. GP2GP_FIXTURES names another folder.`);

async function runAll(): Promise<number> {
  const results = existsSync(COMPARER) ? await compared() : [];
  if (results.length === 0) console.log(`No comparer at ${COMPARER}: its cases were not run.`);
  for (const name of OWN) {
    const file = join(HERE, `${name}.ts`);
    if (existsSync(file)) results.push(await own(name, file));
  }
  let [passed, failed] = [0, 0];
  for (const result of results) {
    passed += result.passed;
    failed += result.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function own(name: string, file: string): Promise<RunnerResult> {
  const { run } = (await import(file)) as { run: (fixtures: string) => Promise<RunnerResult> };
  let result: RunnerResult;
  try {
    result = await run(FIXTURES);
  } catch (thrown) {
    result = { name, passed: 0, failed: 1, failures: [thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)] };
  }
  console.log(`${result.name}: ${result.passed} passed, ${result.failed} failed`);
  for (const failure of result.failures) console.log(`  ${failure}`);
  return result;
}

/** A command of ours for some of the comparer's, and what is put behind the name of a group that was run with it. */
type Form = { readonly commands: readonly string[]; readonly batch: string; readonly suffix: string };

/**
 * The comparer's groups as results: a case counts as passed where it is exact or explained, failures are what floors miss. Records on
 * their way to FHIR are compared twice: as a node without a terminology release reads them, and with the terms of the goldens.
 */
async function compared(): Promise<RunnerResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gp2gp-conformance-'));
  try {
    const batch = `"${process.execPath}" "${join(HERE, '..', 'bin', 'dev.mjs')}" "${join(HERE, '..', 'bin', 'gp2gp.ts')}" conformance-batch`;
    const terms = join(folder, 'goldens.terminology');
    writeTerms(FIXTURES, join(folder, 'rf2'));
    await buildTerminology([join(folder, 'rf2')], terms, { file: () => {}, read: () => {}, phase: () => {} });
    const forms: Form[] = [
      { commands: ['to-hl7', 'to-hl7-resource', 'to-fhir', 'large-message'], batch, suffix: '' },
      { commands: ['to-fhir', 'large-message'], batch: `${batch} --terminology "${terms}"`, suffix: ' with terminology' },
    ];
    const floors = JSON.parse(readFileSync(join(HERE, 'floors.json'), 'utf8')) as Readonly<Record<string, Floor>>;
    const reached = new Set<string>();
    const results: RunnerResult[] = [];
    for (const form of forms) {
      const { summary, cases } = await comparison(form, join(folder, `report${form.suffix}.json`));
      for (const group of summary.groups) {
        const name = group.name + form.suffix;
        reached.add(name);
        results.push(
          judged(
            { ...group, name },
            floors[name] ?? {},
            cases.filter(({ id }) => id.startsWith(`${group.name}/`)),
          ),
        );
      }
    }
    const missing = Object.keys(floors).filter((name) => !reached.has(name));
    for (const name of missing) console.log(`${name}: no cases, though floors.json has a floor for them`);
    return [...results, ...missing.map((name) => ({ name, passed: 0, failed: 1, failures: [`${name} was not run`] }))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function comparison({ commands, batch }: Form, report: string): Promise<Compared> {
  const deviations = ['--deviations', join(HERE, 'deviations.json')];
  const ours = commands.flatMap((name) => [`--${name}-batch`, batch]);
  const log = await output([COMPARER, '--fixtures', FIXTURES, '--smoke', '--report', report, ...deviations, ...ours]);
  if (!existsSync(report)) throw new Error(`the comparer wrote no report:\n${log}`);
  return JSON.parse(readFileSync(report, 'utf8')) as Compared;
}

function judged(group: Compared['summary']['groups'][number], floor: Floor, cases: Compared['cases']): RunnerResult {
  const passed = group.exact + group.explained;
  const [score, precision] = [group.meanScore * 100, group.meanPrecision * 100];
  const missed = [
    passed < (floor.exact ?? 0) && `${passed} exact or explained, ${floor.exact} were reached before`,
    score < (floor.score ?? 0) - 0.005 && `mean score ${score.toFixed(2)} %, ${floor.score} % was reached before`,
    precision < (floor.precision ?? 0) - 0.005 && `mean precision ${precision.toFixed(2)} %, ${floor.precision} % was reached before`,
  ].filter((text) => text !== false);
  const figures = `${passed} of ${group.cases} (${group.exact} exact, ${group.explained} explained, ${group.errors} errors)`;
  console.log(`${group.name}: ${figures}, mean score ${score.toFixed(2)} %, mean precision ${precision.toFixed(2)} %`);
  for (const text of missed) console.log(`  below its floor: ${text}`);
  if (process.env['GP2GP_CONFORMANCE_LIST']) list(cases.filter(isNotMet));
  return { name: group.name, passed, failed: missed.length, failures: missed };
}

/** The cases that are not met; those with one and the same trouble (a command that does not start) as one line. */
function list(cases: Compared['cases']): void {
  for (const [note, same] of Map.groupBy(cases, ({ note }) => note ?? '')) {
    if (note !== '' && same.length > 5) console.log(`  ${same.length} cases: ${note}`);
    else for (const { verdict, id } of same) console.log(`  ${verdict} ${id}${note && `: ${note}`}`);
  }
}

function isNotMet({ informative, verdict }: Compared['cases'][number]): boolean {
  return !informative && verdict !== 'exact' && verdict !== 'explained';
}

/** Runs a Node program and gives what it printed; it may fail, its report is looked at instead. */
function output(args: readonly string[]): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    child.stderr.on('data', (data) => {
      text += data;
    });
    child.on('error', failed);
    child.on('close', () => done(text));
  });
}

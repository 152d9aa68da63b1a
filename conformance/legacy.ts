/**
 * The whole records of 2021, whose messages an older state of the existing adaptor wrote: no floor is set for them. What differs more
 * than ten times has to be explained in `docs/mapping-to-hl7.md`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readCase } from '../src/cli/conformance/case.ts';
import { recordToHl7 } from '../src/cli/conformance/record.ts';
import type { RunnerResult } from './run.ts';

const PAGE = join(import.meta.dirname, '..', 'docs', 'mapping-to-hl7.md');
const MANY = 10;

type Case = {
  readonly kind: string;
  readonly tier?: string;
  readonly expected: string;
  readonly options?: object;
  readonly compare?: object;
};
type Difference = { readonly kind: string; readonly path: string };
type Compare = (
  expected: string,
  actual: string,
  options: object,
) => { readonly score: number; readonly differences: readonly Difference[] };

export async function run(fixtures: string): Promise<RunnerResult> {
  const comparer = join(dirname(fixtures), 'conformance', 'compare-xml.mjs');
  const records = legacyRecords(join(fixtures, 'to-hl7', 'bundles'));
  if (!existsSync(comparer) || records.length === 0) return { name: 'legacy', passed: 0, failed: 0, failures: [] };
  const { compareXml } = (await import(pathToFileURL(comparer).href)) as { compareXml: Compare };
  const classes = new Map<string, number>();
  let score = 0;
  for (const folder of records) {
    const { kind, expected, options, compare } = caseIn(folder);
    const answer = await recordToHl7(readCase(JSON.stringify({ path: join(folder, 'input.json'), kind, options })));
    if ('error' in answer) return { name: 'legacy', passed: 0, failed: 1, failures: [`${folder}: ${answer.error}`] };
    const compared = compareXml(readFileSync(join(folder, expected), 'utf8'), answer.output, { ...compare, maxDifferences: 1e9 });
    score += compared.score;
    for (const difference of compared.differences) classes.set(classOf(difference), (classes.get(classOf(difference)) ?? 0) + 1);
  }
  const many = [...classes].filter(([, number]) => number > MANY).sort(([, a], [, b]) => b - a);
  const page = readFileSync(PAGE, 'utf8');
  const failures = many
    .filter(([name]) => !page.includes(`\`${name}\``))
    .map(([name, number]) => `${number} differences that docs/mapping-to-hl7.md does not explain: ${name}`);
  console.log(`legacy: ${records.length} whole records, mean score ${((score / records.length) * 100).toFixed(2)} % (informative)`);
  return { name: 'legacy', passed: many.length - failures.length, failed: failures.length, failures };
}

const caseIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;

function legacyRecords(bundles: string): string[] {
  if (!existsSync(bundles)) return [];
  const folders = readdirSync(bundles).map((name) => join(bundles, name));
  return folders.filter((folder) => existsSync(join(folder, 'case.json')) && caseIn(folder).tier === 'legacy');
}

/** The kind of a difference and the end of its path, without positions. */
const classOf = ({ kind, path }: Difference) =>
  `${kind} ${path
    .replace(/\[\d+\]/g, '')
    .split('/')
    .slice(-3)
    .join('/')}`;

import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { Fault, reasonOf } from '../base/errors.ts';
import { NOT_OURS, nameOf, PREFIX, variableNames } from './config/names.ts';
import { type NodeConfig, partsOf } from './config/parts.ts';
import { schema } from './config/schema.ts';

/**
 * Reads the settings of a node: one YAML text, and over it environment variables named after the path (`GP2GP_SPINE_URL` is
 * `spine.url`, `GP2GP_WORK_LEASE_SECONDS` is `work.leaseSeconds`; `GP2GP_PRACTICES` is the list as YAML or JSON). Throws one `Fault`
 * `config.invalid` that lists every problem with its variable's name.
 */
export function parseConfig(
  yaml: string | null,
  environment: Readonly<Record<string, string | undefined>>,
  practiceDefaults: PracticeDefaults = {},
): NodeConfig {
  const problems: string[] = [];
  const settings = yaml === null ? {} : fromYaml(yaml, problems);
  // Of a file that cannot be read nothing is missing.
  if (problems.length > 0) throw invalid(problems);
  const variables = variableNames();
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || NOT_OURS.has(name) || value === undefined) continue;
    const path = variables.get(name);
    if (!path) problems.push(`${name}: there is no such setting`);
    else set(settings, path, name === `${PREFIX}PRACTICES` ? parsedOr(value, problems, name) : value);
  }
  // A section that is left out altogether still has every one of its missing values named.
  for (const path of variables.values()) sectionOf(settings, path);
  fillPractices(settings['practices'], practiceDefaults);
  const read = schema.safeParse(settings);
  if (!read.success) problems.push(...read.error.issues.flatMap((issue) => problemsOf(issue, settings)));
  const parts = read.success ? partsOf(read.data, problems) : null;
  // Whatever else is wrong, all that is missing is named at once.
  if (!read.success) missingTls(settings, problems);
  if (!read.success || !parts || problems.length > 0) throw invalid(problems);
  return { ...read.data, ...parts };
}

function invalid(problems: readonly string[]): Fault {
  return new Fault(
    'config.invalid',
    `the configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.map((each) => `  ${each}`).join('\n')}`,
    { remedy: 'Correct the file or the variables; nothing was started.' },
  );
}

type Tree = Record<string, unknown>;

/** What every practice has that does not say otherwise; `@ODS_CODE@` in the address is the practice's. */
export type PracticeDefaults = { readonly redactions?: 'on' | 'off'; readonly messageLimit?: number; readonly connectUrl?: string };

function fillPractices(practices: unknown, { connectUrl, ...plain }: PracticeDefaults): void {
  if (!Array.isArray(practices)) return;
  for (const practice of practices as unknown[]) {
    if (typeof practice !== 'object' || practice === null) continue;
    const tree = practice as Tree;
    for (const [name, value] of Object.entries(plain)) tree[name] ??= value;
    const system = tree['gpSystem'];
    if (connectUrl !== undefined && typeof system === 'object' && system !== null)
      (system as Tree)['connectUrl'] ??= connectUrl.replaceAll('@ODS_CODE@', String(tree['ods']));
  }
}

function fromYaml(text: string, problems: string[]): Tree {
  const value = parsedOr(text, problems, 'the configuration file');
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Tree;
  if (value !== null && value !== undefined) problems.push('the configuration file: it is to be a list of names with values');
  return {};
}

function parsedOr(text: string, problems: string[], what: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 0 });
  } catch (error) {
    problems.push(`${what}: no YAML: ${reasonOf(error)}`);
    return undefined;
  }
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
  const section = sectionOf(tree, path);
  if (section) section[path.at(-1) ?? ''] = value;
}

/** The section that a setting stands in, made where it is missing; null where something else stands in its place. */
function sectionOf(tree: Tree, path: readonly string[]): Tree | null {
  let here = tree;
  for (const part of path.slice(0, -1)) {
    here[part] ??= {};
    const next = here[part];
    if (typeof next !== 'object') return null;
    here = next as Tree;
  }
  return here;
}

function problemsOf(issue: z.core.$ZodIssue, settings: Tree): string[] {
  const say = (path: readonly PropertyKey[], text: string) => `${nameOf(path)}: ${text}`;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => say([...issue.path, key], 'there is no such setting'));
  const given = issue.path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    settings,
  );
  return [say(issue.path, given === undefined ? 'is missing' : issue.message)];
}

function missingTls(settings: Tree, problems: string[]): void {
  const [tls, adaptor] = [sectionOf(settings, ['spine', 'tls', '']), sectionOf(settings, ['adaptor', ''])];
  if (!tls || adaptor?.['url'] !== undefined) return;
  for (const name of ['certificate', 'key', 'authorities'])
    if (tls[name] === undefined) problems.push(`${nameOf(['spine', 'tls', name])}: is missing`);
}

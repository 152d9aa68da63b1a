/** Every public record that can be sent, as a message of either version, beside the schema of that version. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, reasonOf } from '../src/base/errors.ts';
import { readCase } from '../src/cli/conformance/case.ts';
import { recordToHl7 } from '../src/cli/conformance/record.ts';
import { validateAgainst } from '../src/cli/schema.ts';
import type { RunnerResult } from './run.ts';

const VERSIONS = [
  { interaction: 'RCMR_IN030000UK06', redactions: false },
  { interaction: 'RCMR_IN030000UK07', redactions: true },
] as const;

export async function run(fixtures: string): Promise<RunnerResult> {
  const schemas = join(fixtures, 'schema', 'requesting', 'schema');
  const failures: string[] = [];
  let passed = 0;
  for (const folder of records(fixtures)) {
    for (const version of VERSIONS) {
      const found = await findings(folder, version, schemas);
      if (found === null) continue;
      if (found === '') passed++;
      else failures.push(`${folder.slice(fixtures.length + 1)} as ${version.interaction}: ${found}`);
    }
  }
  return { name: 'schemas', passed, failed: failures.length, failures };
}

function records(fixtures: string): string[] {
  return ['bundles', 'inputs']
    .map((group) => join(fixtures, 'to-hl7', group))
    .filter(existsSync)
    .flatMap((group) => readdirSync(group).map((name) => join(group, name)))
    .filter((folder) => existsSync(join(folder, 'input.json')));
}

/** '' for a valid message, what is wrong with another one, null for a record that is refused. */
async function findings(folder: string, version: (typeof VERSIONS)[number], schemas: string): Promise<string | null> {
  const { options } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as { options?: object };
  const asked = { path: join(folder, 'input.json'), kind: 'bundle-to-hl7', options: { ...options, wrapper: true, ...version } };
  let answer: Awaited<ReturnType<typeof recordToHl7>>;
  try {
    answer = await recordToHl7(readCase(JSON.stringify(asked)));
  } catch (thrown) {
    return thrown instanceof Fault && thrown.code.startsWith('record.') ? null : reasonOf(thrown);
  }
  if ('error' in answer) return answer.error;
  const found = await validateAgainst(schemas, version.interaction, Buffer.from(answer.output, 'utf8'));
  return found.map(({ message }) => message).join('; ');
}

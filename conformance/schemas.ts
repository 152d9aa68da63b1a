/**
 * Every public record that can be sent, as a message of either version, beside the schema of that version; and synthetic patients,
 * whose extracts are the longest: a few, or a thousand where GP2GP_LONG is set.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, reasonOf } from '../src/base/errors.ts';
import { instant } from '../src/base/ids.ts';
import { readCase } from '../src/cli/conformance/case.ts';
import { recordToHl7 } from '../src/cli/conformance/record.ts';
import { extractOf, requestFor } from '../src/cli/conversion.ts';
import { validateAgainst } from '../src/cli/schema.ts';
import { extractFrame } from '../src/hl7v3/extract.ts';
import { makePatient } from '../src/simulator/patients/patient.ts';
import type { RunnerResult } from './run.ts';

const PATIENTS = process.env['GP2GP_LONG'] ? 1_000 : 6;

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
  for (let seed = 0; seed < PATIENTS; seed++) {
    for (const version of PATIENTS > 100 ? VERSIONS.slice(seed % 2, (seed % 2) + 1) : VERSIONS) {
      const found = await validateAgainst(schemas, version.interaction, syntheticMessage(seed, version.redactions));
      if (found.length === 0) passed++;
      else failures.push(`synthetic patient ${seed} as ${version.interaction}: ${found.map(({ message }) => message).join('; ')}`);
    }
  }
  return { name: 'schemas', passed, failed: failures.length, failures };
}

/** The message about a patient made from a seed: a long record for every tenth, else a short one. */
function syntheticMessage(seed: number, redactions: boolean): Uint8Array {
  const { bundle } = makePatient({ seed, ods: 'A12345', documents: 5, ...(seed % 10 === 9 ? {} : { consultations: 10 }) });
  const own = requestFor(bundle);
  let drawn = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++drawn).padStart(12, '0')}`;
  const converted = extractOf(bundle, own, { redactions, newId });
  if ('refused' in converted) throw new Fault(`record.${converted.refused}`, converted.text);
  const asids = { fromAsid: '000000000000', toAsid: '000000000000' };
  const version = redactions ? 'UK07' : 'UK06';
  const frame = extractFrame({ version, messageId: newId(), createdAt: instant(own.now), ...asids });
  return Buffer.from(frame.head + converted.extract + frame.tail, 'utf8');
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

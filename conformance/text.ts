/** How texts and attachments of an extract are taken out of what they came in, beside an existing adaptor's own samples. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { reasonOf } from '../src/base/errors.ts';
import { attachmentFinder } from '../src/record/document/match.ts';
import { filenameIn } from '../src/record/document/terms.ts';
import { withoutEnvelope } from '../src/record/shared/comment.ts';
import { attr, descendants } from '../src/xml/element.ts';
import { readXml } from '../src/xml/read.ts';
import type { RunnerResult } from './run.ts';

type Case = { readonly input: string; readonly expected: string; readonly options?: { readonly operation?: string } };

/** Gives what is wrong, null for nothing. */
type Check = (input: string, expected: string) => string | null;

const CHECKS: Readonly<Record<string, Check>> = {
  'pmip-comment': (input, expected) => different(withoutEnvelope(input), expected),
  'decode-attachment': (input, expected) => different(decoded(input), expected),
  'attachment-references': references,
};

export async function run(fixtures: string): Promise<RunnerResult> {
  const folder = join(fixtures, 'to-fhir', 'text');
  const cases = readdirSync(folder);
  const failures = cases.flatMap((name) => {
    try {
      const read = (file: string) => readFileSync(join(folder, name, file), 'utf8').replaceAll('\r\n', '\n');
      const { input, expected, options } = JSON.parse(read('case.json')) as Case;
      const check = CHECKS[options?.operation ?? name];
      const wrong = check ? check(read(input), read(expected)) : `nothing checks ${options?.operation ?? 'it'}`;
      return wrong === null ? [] : [`${name}: ${wrong}`];
    } catch (thrown) {
      return [`${name}: ${reasonOf(thrown)}`];
    }
  });
  return { name: 'text', passed: cases.length - failures.length, failed: failures.length, failures };
}

// Editors end a file with a line end that the text does not have.
const different = (ours: string, golden: string) =>
  ours.trimEnd() === golden.trimEnd() ? null : `${JSON.stringify(ours)}, golden ${JSON.stringify(golden)}`;

function decoded(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
}

/**
 * Every reference of the input finds its own attachment by name, however the name is encoded, and the golden has something else in
 * its place: where that is stored is the practice's system's to say.
 */
function references(input: string, expected: string): string | null {
  const valuesIn = (xml: string) =>
    [...descendants(readXml(xml))].filter(({ name }) => name === 'reference').flatMap((element) => attr(element, 'value') ?? []);
  const [before, after] = [valuesIn(input), valuesIn(expected)];
  if (before.length === 0 || before.length !== after.length) return `${before.length} references, golden ${after.length}`;
  const arrived = before.map((reference) => ({ filename: decodeURIComponent(reference.replace(/^file:\/\/localhost\//, '')) }));
  const find = attachmentFinder(arrived.toReversed());
  for (const [at, reference] of before.entries()) {
    const found = find({ documentId: undefined, filename: filenameIn(reference) });
    if (found === undefined || found !== arrived[at]) return `${reference} leads to ${found?.filename ?? 'no attachment'}`;
    if (after[at] === reference) return `the golden leaves ${reference} as it is`;
  }
  return null;
}

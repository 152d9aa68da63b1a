/** Every XML file of the fixtures, as our tokeniser reads it and as saxes does: the same events, or both refuse. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { XmlDecoder } from '../src/xml/encoding.ts';
import { XmlFault } from '../src/xml/limits.ts';
import { differenceFromOracle } from '../src/xml/testing.ts';
import type { RunnerResult } from './run.ts';

/** Characters at a time: short enough to cut through everything there is. */
const SIZE = 37;

export function run(fixtures: string): Promise<RunnerResult> {
  const files = readdirSync(fixtures, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.xml'));
  const failures: string[] = [];
  for (const file of files.sort()) {
    const document = decoded(readFileSync(join(fixtures, file)));
    // What cannot be decoded is refused before either parser sees it.
    const difference = document === null ? null : (differenceFromOracle(document) ?? differenceFromOracle(document, SIZE));
    if (difference !== null) failures.push(`${file}: ${difference}`);
  }
  if (files.length === 0) failures.push('there is no XML file');
  return Promise.resolve({ name: 'xml', passed: files.length - failures.length, failed: failures.length, failures });
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new XmlDecoder().decode(bytes, true, () => 0);
  } catch (thrown) {
    if (thrown instanceof XmlFault) return null;
    throw thrown;
  }
}

/**
 * How much the heap grows while a record of 50 MB is written, beside the text that is written: none of it is kept. What grows is the
 * report, which names every statement. After a full collection each time, so the figure knows no chance.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { requestFor } from '../src/cli/conversion.ts';
import { readJson } from '../src/fhir/json.ts';
import type { Bundle } from '../src/fhir/types.ts';
import { toHl7 } from '../src/record/to-hl7.ts';
import { peakRss, print } from './figure.ts';

/** Characters between two looks at the heap. */
const STEP = 5_000_000;

const [folder = ''] = process.argv.slice(2);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heap = () => {
  collect();
  return process.memoryUsage().heapUsed;
};
const bundle = readJson(readFileSync(join(folder, 'large.json'))) as Bundle;
let before: number | undefined;
let most = 0;
let written = 0;
let seen = 0;
let longest = 0;
const converted = toHl7(bundle, {
  ...requestFor(bundle),
  newId: randomUUID,
  redactions: false,
  documents: new Map(),
  write(chunk) {
    before ??= heap();
    longest = Math.max(longest, chunk.length);
    written += chunk.length;
    if (written < seen + STEP) return;
    seen = written;
    most = Math.max(most, heap() - before);
  },
});
if ('refused' in converted) throw new Error(converted.text);
print([
  {
    name: 'convert.toHl7.largeGrowth',
    unit: `MB, pieces up to ${(longest / 1e6).toFixed(1)}`,
    value: most / 1e6,
    baseline: 'of text written',
    baselineValue: written / 1e6,
    peakRssBytes: peakRss(),
  },
]);

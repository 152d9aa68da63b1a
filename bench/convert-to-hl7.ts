/**
 * FHIR to HL7 on one core: bytes to text, reading and writing included; beside reading the bundle alone, and writing the tree of the
 * same extract alone. MB are those of the bundle.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { extractOf, requestFor } from '../src/cli/conversion.ts';
import { readJson } from '../src/fhir/json.ts';
import type { Bundle } from '../src/fhir/types.ts';
import { readXml } from '../src/xml/read.ts';
import { writeXml } from '../src/xml/write.ts';
import { inTurns, peakRss, print } from './figure.ts';

const [folder = ''] = process.argv.slice(2);
const json = readFileSync(join(folder, 'long.json'));
const bytes = json.byteLength;
const tree = readXml(readFileSync(join(folder, 'long.xml')));
const rates = inTurns({
  toHl7: {
    bytes,
    run() {
      const bundle = readJson(json) as Bundle;
      const converted = extractOf(bundle, requestFor(bundle), { redactions: false });
      if ('refused' in converted) throw new Error(converted.text);
    },
  },
  writing: { bytes, run: () => void writeXml(tree) },
  reading: { bytes, run: () => void readJson(json) },
  bare: { bytes, run: () => void JSON.parse(json.toString()) },
});
const about = { unit: 'MB/s', value: rates.toHl7, peakRssBytes: peakRss() };
print([
  { name: 'convert.toHl7', ...about, baseline: 'readJson', baselineValue: rates.reading },
  { name: 'convert.toHl7.bare', ...about, baseline: 'JSON.parse', baselineValue: rates.bare },
  { name: 'convert.toHl7.writing', ...about, baseline: 'writeXml', baselineValue: rates.writing },
]);

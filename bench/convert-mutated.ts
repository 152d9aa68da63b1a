/** HL7 to FHIR of extracts made to be slow within the limits, beside the one that they are made of: how much slower is what counts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleTextOf } from '../src/cli/conversion.ts';
import { readXml } from '../src/xml/read.ts';
import { inTurns, peakRss, print } from './figure.ts';
import { MUTATIONS } from './mutated.ts';

const [folder = ''] = process.argv.slice(2);
const original = readFileSync(join(folder, 'long.xml'), 'utf8');
const extracts = { original, ...Object.fromEntries(Object.entries(MUTATIONS).map(([name, mutate]) => [name, mutate(original)])) };
const rates = inTurns(Object.fromEntries(Object.entries(extracts).map(([name, xml]) => [name, conversion(xml)])));
const seconds = (name: string) => Buffer.byteLength(extracts[name as keyof typeof extracts]) / 1e6 / (rates[name] ?? Number.NaN);
print(
  Object.keys(MUTATIONS).map((name) => ({
    name: `convert.toFhir.mutated.${name}`,
    unit: 's',
    value: seconds(name),
    baseline: 'unmutated',
    baselineValue: seconds('original'),
    peakRssBytes: peakRss(),
  })),
);

function conversion(xml: string) {
  const bytes = Buffer.from(xml);
  return {
    bytes: bytes.byteLength,
    run() {
      const converted = bundleTextOf(readXml(bytes));
      if ('refused' in converted) throw new Error(converted.text);
    },
  };
}

/** HL7 to FHIR on one core: bytes to text, reading and writing included. MB are those of the extract. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleTextOf } from '../src/cli/conversion.ts';
import { readXml } from '../src/xml/read.ts';
import { parseXmlBare } from './bare.ts';
import { inTurns, peakRss, print } from './figure.ts';

const [folder = ''] = process.argv.slice(2);
const xml = readFileSync(join(folder, 'long.xml'));
const bytes = xml.byteLength;
const rates = inTurns({
  toFhir: {
    bytes,
    run() {
      const converted = bundleTextOf(readXml(xml));
      if ('refused' in converted) throw new Error(converted.text);
    },
  },
  reading: { bytes, run: () => void readXml(xml) },
  bare: { bytes, run: () => parseXmlBare(xml) },
});
const about = { unit: 'MB/s', value: rates.toFhir, peakRssBytes: peakRss() };
print([
  { name: 'convert.toFhir', ...about, baseline: 'our XML reader', baselineValue: rates.reading },
  { name: 'convert.toFhir.bare', ...about, baseline: 'bare saxes', baselineValue: rates.bare },
]);

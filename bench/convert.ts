/** A conversion from bytes to text, reading and writing included, beside reading alone. MB are those of what is read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleOf, extractOf, requestFor } from '../src/cli/conversion.ts';
import { readJson, writeJson } from '../src/fhir/json.ts';
import type { Bundle } from '../src/fhir/types.ts';
import { readXml } from '../src/xml/read.ts';
import { parseXmlBare } from './bare.ts';
import { inTurns, peakRss, print } from './figure.ts';

const [folder = ''] = process.argv.slice(2);
const json = readFileSync(join(folder, 'long.json'));
const xml = readFileSync(join(folder, 'long.xml'));
const rates = inTurns({
  toHl7: {
    bytes: json.byteLength,
    run() {
      const bundle = readJson(json) as Bundle;
      const converted = extractOf(bundle, requestFor(bundle), { redactions: false });
      if ('refused' in converted) throw new Error(converted.text);
    },
  },
  json: { bytes: json.byteLength, run: () => void readJson(json) },
  bareJson: { bytes: json.byteLength, run: () => void JSON.parse(json.toString()) },
  toFhir: {
    bytes: xml.byteLength,
    run() {
      const converted = bundleOf(readXml(xml));
      if ('refused' in converted) throw new Error(converted.text);
      writeJson(converted.bundle);
    },
  },
  xml: { bytes: xml.byteLength, run: () => void readXml(xml) },
  bareXml: { bytes: xml.byteLength, run: () => parseXmlBare(xml) },
});
const figure = (name: string, value: number, baseline: string, baselineValue: number) => ({
  name,
  unit: 'MB/s',
  value,
  baseline,
  baselineValue,
  peakRssBytes: peakRss(),
});
print([
  figure('convert-to-hl7', rates.toHl7, 'readJson', rates.json),
  figure('convert-to-hl7-bare', rates.toHl7, 'JSON.parse', rates.bareJson),
  figure('convert-to-fhir', rates.toFhir, 'our XML reader', rates.xml),
  figure('convert-to-fhir-bare', rates.toFhir, 'bare saxes', rates.bareXml),
]);

/** Our readers beside the bare parsers: number-exact JSON, and XML as a tree. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../src/fhir/json.ts';
import { readXml } from '../src/xml/read.ts';
import { parseXmlBare } from './bare.ts';
import { inTurns, peakRss, print } from './figure.ts';

const [folder = ''] = process.argv.slice(2);
const json = readFileSync(join(folder, 'long.json'));
const xml = readFileSync(join(folder, 'long.xml'));
const rates = inTurns({
  json: { bytes: json.byteLength, run: () => void readJson(json) },
  bareJson: { bytes: json.byteLength, run: () => void JSON.parse(json.toString()) },
  xml: { bytes: xml.byteLength, run: () => void readXml(xml) },
  bareXml: { bytes: xml.byteLength, run: () => parseXmlBare(xml) },
});
const peakRssBytes = peakRss();
print([
  { name: 'read-json', unit: 'MB/s', value: rates.json, baseline: 'JSON.parse', baselineValue: rates.bareJson, peakRssBytes },
  { name: 'read-xml', unit: 'MB/s', value: rates.xml, baseline: 'bare saxes', baselineValue: rates.bareXml, peakRssBytes },
]);

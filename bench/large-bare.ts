/** An extract of 50 MB through the bare parser, from the disk in pieces as a node reads it. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bareXmlParser } from './bare.ts';
import { peakRss, print } from './figure.ts';

const [folder = ''] = process.argv.slice(2);
const file = join(folder, 'large.xml');
const from = performance.now();
const parser = bareXmlParser();
const decoder = new TextDecoder('utf-8', { fatal: true });
for await (const bytes of createReadStream(file)) parser.write(decoder.decode(bytes as Uint8Array, { stream: true }));
parser.close();
const seconds = (performance.now() - from) / 1000;
const megabytes = (await stat(file)).size / 1e6;
print([
  { name: 'large-bare', unit: `s for ${megabytes.toFixed(0)} MB`, value: seconds, baseline: '', baselineValue: 0, peakRssBytes: peakRss() },
]);

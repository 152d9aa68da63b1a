/** A record of 50 MB through the bare parser and nothing else: `large-bare.ts xml|json FOLDER`. The XML comes in pieces, as a node reads it. */
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bareXmlParser } from './bare.ts';
import { peakRss } from './figure.ts';

export type LargeBare = { readonly seconds: number; readonly peakRssBytes: number };

const [format = '', folder = ''] = process.argv.slice(2);
const file = join(folder, `large.${format}`);
const from = performance.now();
if (format === 'json') JSON.parse(readFileSync(file, 'utf8'));
else {
  const parser = bareXmlParser();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const bytes of createReadStream(file)) parser.write(decoder.decode(bytes as Uint8Array, { stream: true }));
  parser.close();
}
const measured: LargeBare = { seconds: (performance.now() - from) / 1000, peakRssBytes: peakRss() };
process.stdout.write(`${JSON.stringify(measured)}\n`);

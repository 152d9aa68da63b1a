/** An extract of 50 MB as a bundle, in the thread of a node and from its object store. The baseline is the bare parser in the same minute. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { wholeObject } from '../src/base/content.ts';
import { openObjects } from '../src/objects/objects.ts';
import { createConversions } from '../src/service/conversions/conversions.ts';
import { bareXmlParser } from './bare.ts';
import { peakRss, print } from './figure.ts';

const [folder = ''] = process.argv.slice(2);
const objectsFolder = join(folder, 'objects');
const objects = await openObjects(objectsFolder);
const extract = await objects.put(createReadStream(join(folder, 'large.xml')));
const conversions = createConversions({ objectsFolder, threads: 1, budgetBytes: 64_000_000 });
const from = performance.now();
const answer = await conversions.run(
  { do: 'toFhir', hl7: wholeObject(extract), attachments: [], losingPractice: 'N82001', documentsUrl: 'http://127.0.0.1/documents' },
  extract.bytes,
);
const seconds = (performance.now() - from) / 1000;
const peakRssBytes = peakRss();
await conversions.close();
if (!answer.converted) throw new Error(answer.fault);
const bare = performance.now();
const parser = bareXmlParser();
const decoder = new TextDecoder('utf-8', { fatal: true });
for await (const bytes of objects.get(extract)) parser.write(decoder.decode(bytes, { stream: true }));
parser.close();
print([
  {
    name: 'large-to-fhir',
    unit: `s for ${(extract.bytes / 1e6).toFixed(0)} MB`,
    value: seconds,
    baseline: 'bare saxes',
    baselineValue: (performance.now() - bare) / 1000,
    peakRssBytes,
  },
]);

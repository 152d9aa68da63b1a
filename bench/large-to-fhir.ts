/** An extract of 50 MB as a bundle, in the thread of a node and from its object store. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { wholeObject } from '../src/base/content.ts';
import { openObjects } from '../src/objects/objects.ts';
import { printLarge } from './large.ts';

const [folder = ''] = process.argv.slice(2);
const objectsFolder = join(folder, 'objects');
const objects = await openObjects(objectsFolder);
const extract = await objects.put(createReadStream(join(folder, 'large.xml')));
await printLarge('convert.toFhir', 'xml', {
  folder,
  objectsFolder,
  task: {
    do: 'toFhir',
    hl7: wholeObject(extract),
    attachments: [],
    losingPractice: 'N82001',
    documentsUrl: 'http://127.0.0.1/documents',
  },
  bytes: extract.bytes,
});

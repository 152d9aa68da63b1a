/** The bundle of a record of 50 MB as an extract, in the thread of a node; compressed too, as it must be beyond one message. */
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { instant } from '../src/base/ids.ts';
import type { NhsNumber } from '../src/base/nhs-number.ts';
import { openObjects } from '../src/objects/objects.ts';
import { printLarge } from './large.ts';

const [folder = ''] = process.argv.slice(2);
const objectsFolder = join(folder, 'objects-sending');
const objects = await openObjects(objectsFolder);
const bundle = await objects.put(createReadStream(join(folder, 'large.json')));
const documents = await objects.put(Buffer.from('[]'));
await printLarge('convert.toHl7', 'json', {
  folder,
  objectsFolder,
  task: {
    do: 'toHl7',
    bundle,
    documents,
    nhsNumber: readFileSync(join(folder, 'large.nhs-number'), 'utf8') as NhsNumber,
    requestId: 'BE5C0000-0000-4000-8000-000000000001',
    requester: 'S82002',
    own: 'N82001',
    fromAsid: '200000000001',
    toAsid: '200000000002',
    version: 'UK06',
    now: instant(new Date('2026-01-05T12:00:00Z')),
    messageLimit: 5_000_000,
  },
  bytes: bundle.bytes,
});

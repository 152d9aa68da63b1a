/**
 * Documents from one practice's system to the other's: fetched, cut, sent over the hub, joined, filed. MB are those of the documents.
 * Beside it a bare hop: the same bytes as base64 over mutual TLS from one process to another that hashes them and syncs them to disk.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { print } from './figure.ts';
import { inWorld, move, peakOfNodes } from './small-world.ts';

const DOCUMENTS = 12;
const DOCUMENT_BYTES = 10_000_000;
const MEGABYTES = (DOCUMENTS * DOCUMENT_BYTES) / 1e6;

await inWorld({ count: 2, documents: DOCUMENTS, documentBytes: DOCUMENT_BYTES }, async (world, [first = '', second = '']) => {
  await move(world, [first], 0);
  const seconds = await move(world, [second], 1);
  const certificates = join(world.folder, 'certificates');
  print([
    {
      name: 'chain-documents',
      unit: 'MB/s',
      value: MEGABYTES / seconds,
      baseline: 'one bare hop',
      baselineValue: MEGABYTES / (await bareHop(certificates, world.folder)),
      peakRssBytes: peakOfNodes(world),
    },
  ]);
});

async function bareHop(certificates: string, folder: string): Promise<number> {
  const receiver = fork(join(import.meta.dirname, 'bare-hop.ts'), ['receive', certificates, folder, '0', '0']);
  const [url] = (await once(receiver, 'message')) as [string];
  const sender = fork(join(import.meta.dirname, 'bare-hop.ts'), ['send', certificates, url, String(DOCUMENTS), String(DOCUMENT_BYTES)]);
  const [seconds] = (await once(sender, 'message')) as [number];
  receiver.kill();
  return seconds;
}

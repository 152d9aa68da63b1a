import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Content, joinContents, type NonEmpty, sliceContent } from '../base/content.ts';
import { Fault } from '../base/errors.ts';
import type { MessageId } from '../base/ids.ts';
import { assemble } from '../transfer/parts.ts';
import { contentBytes, putAsContent, readContent, readStored } from './content.ts';
import { type Objects, openObjects } from './objects.ts';

let folder: string;
let objects: Objects;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-content-'));
  objects = await openObjects(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
const fails = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

test('slices of objects and of rows are read as one', async () => {
  const bytes = randomBytes(600_000);
  const stored = await putAsContent(objects, bytes);
  const content = joinContents(
    [
      sliceContent(stored, 0, 1000),
      { pieces: [{ in: 'row', data: bytes.subarray(1000, 2000) }], stored: 'bytes', gzip: false },
      sliceContent(stored, 2000, 600_000),
    ],
    false,
  );
  assert.deepEqual(await read(readContent(objects, content)), bytes);
});

test('one gzip stream cut into leaves is unzipped as a whole', async () => {
  const bytes = Buffer.from('<EhrExtract/>'.repeat(20_000));
  const zipped = gzipSync(bytes);
  const third = Math.floor(zipped.length / 3);
  const leaves: NonEmpty<Content> = [
    await putAsContent(objects, zipped.subarray(0, third)),
    await putAsContent(objects, zipped.subarray(third, 2 * third)),
    await putAsContent(objects, zipped.subarray(2 * third)),
  ];
  const content = joinContents(leaves, true);
  assert.deepEqual(await read(readContent(objects, content)), bytes);
  assert.deepEqual(await read(readStored(objects, content)), zipped);
});

test('leaves that were cut inside a base64 group are joined as text before decoding', async () => {
  const bytes = randomBytes(10_000);
  const text = Buffer.from(bytes.toString('base64'));
  const leaves: NonEmpty<Content> = [
    await putAsContent(objects, text.subarray(0, 4001), { stored: 'base64' }),
    await putAsContent(objects, text.subarray(4001), { stored: 'base64' }),
  ];
  assert.deepEqual(await read(readContent(objects, joinContents(leaves, false))), bytes);
});

test('a gzip bomb stops at the cap, by size and by ratio', async () => {
  const bomb = await putAsContent(objects, gzipSync(Buffer.alloc(50_000_000)), { gzip: true });
  let seen = 0;
  await assert.rejects(async () => {
    for await (const chunk of readContent(objects, bomb, { limits: { bytes: 2_000_000, ratio: 1e9 } })) seen += chunk.byteLength;
  }, fails('content.bomb'));
  assert.ok(seen <= 2_000_000 + 65_536, `${seen} bytes came out`);
  await assert.rejects(read(readContent(objects, bomb, { limits: { bytes: 1e9, ratio: 200 } })), fails('content.bomb'));
  await assert.rejects(contentBytes(objects, bomb, 1_000_000), fails('content.bomb'));
});

test('what is called compressed and bears no mark of gzip is kept as it is', async () => {
  for (const text of ['plain text', '', 'x']) {
    const content = await putAsContent(objects, Buffer.from(text), { gzip: true });
    assert.equal((await read(readContent(objects, content))).toString(), text);
  }
  const long = await putAsContent(objects, Buffer.alloc(3_000_000, 'x'), { gzip: true });
  await assert.rejects(contentBytes(objects, long, 1_000_000), fails('content.bomb'));
});

test('a leaf between two cuts that decoded to what nobody meant is joined as the text it came as', async () => {
  const bytes = randomBytes(9_000);
  const text = bytes.toString('base64');
  const cuts = [0, 4001, 8001, text.length];
  const leaves = await Promise.all(
    cuts.slice(1).map(async (to, at) => {
      const piece = text.slice(cuts[at], to);
      const isWhole = piece.length % 4 === 0;
      return putAsContent(objects, Buffer.from(piece, isWhole ? 'base64' : 'latin1'), isWhole ? {} : { stored: 'base64' });
    }),
  );
  assert.deepEqual(
    leaves.map(({ stored }) => stored),
    ['base64', 'bytes', 'base64'],
  );
  const said = { compressed: false, skeleton: false };
  const core = 'CORE' as MessageId;
  const ledger = leaves.map((content, order) => ({
    key: `P${order}`,
    under: 'INDEX' as MessageId,
    order,
    announced: said,
    content,
    index: false,
  }));
  const index = { key: 'INDEX', under: core, order: 0, announced: said, content: null, index: true };
  const [attachment] = assemble(core, [index, ...ledger]);
  assert.ok(attachment?.content);
  assert.deepEqual(await read(readContent(objects, attachment.content)), bytes);
});

test('what is a gzip cut short, or followed by something else, is refused', async () => {
  const zipped = gzipSync(randomBytes(100_000));
  for (const bytes of [zipped.subarray(0, 5000), Buffer.concat([zipped, Buffer.from('and more')])]) {
    const content = await putAsContent(objects, bytes, { gzip: true });
    await assert.rejects(read(readContent(objects, content)), fails('content.notGzip'));
  }
});

test('an object that is gone is named as such, also behind a gzip', async () => {
  const content = await putAsContent(objects, gzipSync(Buffer.from('gone')), { gzip: true });
  const [piece] = content.pieces;
  if (piece.in === 'store') await objects.delete(piece.object);
  await assert.rejects(read(readContent(objects, content)), fails('objects.missing'));
});

test('a reader that stops early leaves no open file', async () => {
  const content = await putAsContent(objects, gzipSync(randomBytes(5_000_000)), { gzip: true });
  for (let i = 0; i < 20; i++) for await (const _chunk of readContent(objects, content)) break;
  const { readdirSync, readlinkSync } = await import('node:fs');
  if (process.platform !== 'linux') return;
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  assert.deepEqual(
    open.filter((path) => path.startsWith(folder)),
    [],
  );
});

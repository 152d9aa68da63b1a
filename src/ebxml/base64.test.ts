import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64, type Undecoded } from './base64.ts';

async function* inPieces(text: string, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text, 'latin1');
  let at = 0;
  for (let i = 0; at < bytes.byteLength; i++) {
    const to = at + (lengths[i % lengths.length] ?? bytes.byteLength);
    yield bytes.subarray(at, to);
    at = to;
  }
}

async function gathered(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  // Copied: a room is decoded into anew.
  for await (const piece of source) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

test('what was encoded is decoded, wherever its text is cut, padding and groups included', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 120 }), lengths, fc.boolean(), async (bytes, cuts, hasRoom) => {
      const text = Buffer.from(bytes).toString('base64');
      const decoded = await gathered(decodeBase64(inPieces(text, cuts), hasRoom ? { room: Buffer.alloc(30) } : {}));
      assert.deepEqual(decoded, Buffer.from(bytes));
    }),
  );
});

test('padding ends the text: what goes on behind it is a fault, and is handed on undecoded', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), lengths, async (bytes, cuts) => {
      fc.pre(bytes.byteLength % 3 !== 0);
      const text = `${Buffer.from(bytes).toString('base64')}QUJD`;
      await assert.rejects(gathered(decodeBase64(inPieces(text, cuts))), { code: 'mime.base64' });
      const told: Undecoded[] = [];
      const all = await gathered(decodeBase64(inPieces(text, cuts), { onFault: (where) => told.push(where) }));
      const whole = bytes.byteLength - (bytes.byteLength % 3);
      assert.deepEqual(
        told.map(({ decoded }) => decoded),
        [whole],
      );
      assert.deepEqual(all.subarray(0, whole), Buffer.from(bytes.subarray(0, whole)));
      assert.equal(all.toString('latin1', whole), text.slice((whole / 3) * 4));
    }),
  );
});

test('padding that does not fill a group is a fault', async () => {
  for (const text of ['=', 'Q=', 'QUI==', 'QUJD=', 'QUJD==', 'QQ==='])
    await assert.rejects(gathered(decodeBase64(inPieces(text, [text.length]))), { code: 'mime.base64' }, text);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { readTerminology } from './file.ts';
import { built, conceptId, description, descriptionId, filesOf, preferred } from './testing.ts';

const { about, bytes } = built(
  filesOf({ descriptions: [description(descriptionId(1), conceptId(1), 'Sample')], languages: [preferred(descriptionId(1))] }),
);
/** The file after something happened to it. */
function changed(change: (bytes: Uint8Array, words: Uint32Array) => void, length = bytes.byteLength): ArrayBuffer {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(0, length));
  change(copy, new Uint32Array(copy.buffer, 0, copy.byteLength >= 32 ? 8 : 0));
  return copy.buffer;
}
const refuses = (memory: ArrayBuffer, message: RegExp, remedy: RegExp) =>
  assert.throws(
    () => readTerminology(memory, crc32),
    (error: Error & { code?: string; remedy?: string }) =>
      error.code === 'terminology.file' && message.test(error.message) && remedy.test(error.remedy ?? ''),
  );

test('a file is read as it was written', () => {
  assert.deepEqual(readTerminology(bytes.buffer, crc32).about, about);
  assert.equal(Buffer.from(readTerminology(bytes.buffer, crc32).tables.terms).toString(), 'Sample');
});

test('what is no such file is told from one that is damaged, cut off, from another machine or of another version', () => {
  const other = (text: string) => Uint8Array.from(Buffer.from(text.padEnd(64))).buffer;
  refuses(new ArrayBuffer(0), /^it is no built terminology$/, /terminology build/);
  refuses(other('PK\x03\x04'), /^it is no built terminology$/, /terminology build/);
  refuses(
    changed(() => undefined, 31),
    /^it is no built terminology$/,
    /terminology build/,
  );
  refuses(
    changed(() => undefined, bytes.byteLength - 1),
    /^it has \d+ bytes and is to have \d+$/,
    /Build it again/,
  );
  refuses(
    changed(() => undefined, bytes.byteLength + 8),
    /^it has \d+ bytes and is to have \d+$/,
    /Build it again/,
  );
  for (const at of [33, bytes.byteLength - 9, Math.floor(bytes.byteLength / 2)])
    refuses(
      changed((all) => all.set([255 - (all[at] ?? 0)], at)),
      /^its checksum does not fit its content$/,
      /Build it again/,
    );
  refuses(
    changed((_, words) => words.set([0x04030201], 3)),
    /another order of bytes/,
    /Build it again/,
  );
  refuses(
    changed((_, words) => words.set([2], 2)),
    /^its version is 2, this program reads up to 1$/,
    /program that built it/,
  );
  refuses(
    changed((_, words) => words.set([0], 2)),
    /^its version 0 is no longer read$/,
    /Build it again/,
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonPieces } from './json-pieces.ts';

const joined = (value: object) => Buffer.concat([...jsonPieces(value)]).toString();

test('pieces of an object make what JSON.stringify makes', () => {
  const list = Array.from({ length: 2_500 }, (_, number) => ({ number, text: `“${number}”`, nothing: undefined }));
  for (const value of [
    {},
    { a: 1 },
    { none: undefined, a: null },
    { list, empty: [], inner: { list: [1, 2] }, text: 'é' },
    { list: list.slice(0, 1_000) },
  ])
    assert.equal(joined(value), JSON.stringify(value));
});

test('no piece holds a whole long list', () => {
  const list = Array.from({ length: 50_000 }, (_, number) => number);
  const largest = Math.max(...[...jsonPieces({ list })].map((piece) => piece.byteLength));
  assert.ok(largest < joined({ list }).length / 20, String(largest));
});

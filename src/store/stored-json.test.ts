import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStored, writeStored } from './stored-json.ts';

const bytes = (...list: number[]) => new Uint8Array(list);

test('what is stored is read again: plain values, bytes that are text, bytes that are not', () => {
  const values: readonly unknown[] = [
    null,
    'text',
    { list: [1, 'two', null, { deep: [true] }], 'quoted "$text"': 'x', nothing: null },
    { body: [{ in: 'row', data: bytes(104, 105) }, { data: bytes(0, 255, 128) }], empty: bytes() },
    [bytes(239, 187, 191, 97)],
    bytes(10),
    'the words "$text" and "$bytes"',
    JSON.parse('{"__proto__": {"data": 1}, "a": 2}'),
  ];
  for (const value of values) assert.deepEqual(readStored(writeStored(value)), value);
  const hostile = `{"__proto__": ${writeStored(bytes(1))}, "list": ${writeStored([bytes(2)])}}`;
  const read = readStored(hostile) as { list: unknown };
  assert.deepEqual(Object.getOwnPropertyDescriptor(read, '__proto__')?.value, bytes(1));
  assert.deepEqual(read.list, [bytes(2)]);
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
});

test('a Buffer is stored as its bytes, a date as its text, and what is undefined not at all', () => {
  assert.deepEqual(readStored(writeStored({ data: Buffer.from('hi') })), { data: bytes(104, 105) });
  assert.deepEqual(readStored(writeStored({ at: new Date(0), left: undefined })), { at: '1970-01-01T00:00:00.000Z' });
});

test('text that PostgreSQL refuses is stored with the replacement character, wherever it stands', () => {
  assert.deepEqual(readStored(writeStored({ a: ['x\0y', { b: '\ud800' }], c: '☃' })), { a: ['x�y', { b: '�' }], c: '☃' });
  assert.deepEqual(readStored(writeStored({ data: bytes(97, 0, 98), name: 'a\0' })), { data: bytes(97, 0, 98), name: 'a�' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decimal, fhirNumber, JsonFault, numberText, readJson, writeJson } from './json.ts';

test('numbers keep their characters', () => {
  const source = '{"a":8.800,"b":10.0,"c":7,"d":-0.50,"e":1E+3,"f":1000000000000000003}';
  assert.equal(writeJson(readJson(source)), source);
  const { a, c } = readJson(source) as { a: Decimal; c: number };
  assert.ok(a instanceof Decimal);
  assert.equal(numberText(a), '8.800');
  assert.equal(c, 7);
  assert.equal(fhirNumber('1.'), null);
});

test('a key __proto__ is a key', () => {
  const read = readJson('{"__proto__":{"polluted":1},"x":2}') as Record<string, unknown>;
  assert.deepEqual(Object.keys(read), ['__proto__', 'x']);
  assert.equal((Object.prototype as Record<string, unknown>)['polluted'], undefined);
});

test('what is not JSON is refused with its place', () => {
  for (const bad of ['', '{', '[1,]', '{"a"}', '{a:1}', '"\u0001"', '"\\x"', '01', '1 2', 'nul', '{"a":1,}', '"abc']) {
    assert.throws(() => readJson(bad), JsonFault, bad);
  }
  assert.throws(() => readJson('['.repeat(100)), /levels deep/);
  assert.throws(() => readJson(Buffer.from([0x22, 0xff, 0x22])), /UTF-8/);
});

test('a text is what it was, whatever it is made of and however often it comes', () => {
  const texts = [
    '',
    'a',
    'é',
    '😀 “quoted”',
    'tab\tand\n',
    '\ud800',
    'x'.repeat(99),
    'x'.repeat(100),
    'x'.repeat(101),
    'é'.repeat(200),
    '\\',
    '"',
  ];
  const source = JSON.stringify([...texts, ...texts, ...texts.map((text) => ({ [text]: text }))]);
  assert.equal(JSON.stringify(readJson(source)), source);
  assert.equal(JSON.stringify(readJson(Buffer.from(`\ufeff${source}`))), source);
});

test('texts that differ in one character stay apart, however many there are', () => {
  const texts = Array.from({ length: 20_000 }, (_, at) => `Observation/${String(at).padStart(5, '0')}`);
  assert.deepEqual(readJson(JSON.stringify([texts, texts])), [texts, texts]);
});

test('a fault stands at its character, not at its byte', () => {
  assert.throws(() => readJson('["é 😀", x]'), /unexpected "x" at character 10$/);
  assert.throws(() => readJson(Buffer.from('\ufeff["é" 😀]')), /expected "," or "\]" at character 6$/);
  assert.throws(() => readJson('["\ud800"]'), /half a character/);
});

test('it reads what JSON.parse reads, and the same', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.deepEqual(JSON.parse(writeJson(readJson(text))), JSON.parse(text));
    }),
  );
});

test('it refuses what JSON.parse refuses', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom('{', '"', ',', '\\', 'e', '-', ']', ' '), (text, where, insert) => {
      const at = where % (text.length + 1);
      const broken = text.slice(0, at) + insert + text.slice(at);
      let expected: unknown = JsonFault;
      try {
        expected = JSON.parse(broken);
      } catch {
        assert.throws(() => readJson(broken), JsonFault);
        return;
      }
      assert.deepEqual(JSON.parse(writeJson(readJson(broken))), expected);
    }),
  );
});

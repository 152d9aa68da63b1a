import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownSnomedId, verhoeff } from './chance.ts';
import * as words from './words.ts';

test('every concept id has the check digit of a SNOMED identifier', () => {
  const wrong: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const [first] = Array.isArray(value) ? (value as unknown[]) : [];
    if (typeof first === 'string' && /^\d{6,18}$/.test(first) && verhoeff(first) !== 0) wrong.push(JSON.stringify(value));
    for (const one of Object.values(value)) walk(one);
  };
  walk(Object.values(words));
  assert.deepEqual(wrong, []);
});

test('an identifier of our own fits its check digit and its partition', () => {
  for (const item of [1, 42, 7777]) {
    const id = ownSnomedId(item, '11');
    assert.equal(verhoeff(id), 0);
    assert.equal(id.slice(-3, -1), '11');
  }
});

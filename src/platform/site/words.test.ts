import assert from 'node:assert/strict';
import { test } from 'node:test';
import { letterOf } from './area.ts';
import { marked } from './search.ts';
import { nameWithCode, searchText, titleCase } from './words.ts';

test('names come in capitals and are shown as people write them', () => {
  assert.equal(titleCase("ST MARY'S GP SURGERY"), "St Mary's GP Surgery");
  assert.equal(titleCase('NHS BATH AND NORTH EAST SOMERSET ICB - 92G'), 'NHS Bath and North East Somerset ICB - 92G');
  assert.equal(titleCase('STOKE-ON-TRENT (SOUTH) CENTRE'), 'Stoke-On-Trent (South) Centre');
});

test('a code stands behind a name once, and alone where there is no name', () => {
  assert.equal(nameWithCode({ kind: 'sicbl', code: '92G', name: 'NHS ONE ICB - 92G' }), 'NHS One ICB - 92G');
  assert.equal(nameWithCode({ kind: 'practice', code: 'Z81001', name: 'RED HOUSE' }), 'Red House - Z81001');
  assert.equal(nameWithCode({ kind: 'practice', code: 'Z81001', name: null }), 'Z81001');
});

test('a postcode is one word however it is typed, other text keeps its words', () => {
  for (const typed of ['ts18 1hu', ' TS181HU ', 'ts18-1hu', 'Ts 18 1 Hu']) assert.equal(searchText(typed), 'TS181HU');
  assert.equal(searchText('  the \t red  house '), 'the red house');
});

test('words are marked in any case, and what was typed stays text', () => {
  assert.equal(marked('Red House', 'house re').markup, '<strong>Re</strong>d <strong>House</strong>');
  assert.equal(marked('A (B)', '(b) <').markup, 'A <strong>(B)</strong>');
});

test('a place stands under the first letter after a leading NHS', () => {
  assert.equal(letterOf({ kind: 'sicbl', code: '1', name: 'NHS KENT ICB - 91Q' }), 'K');
});

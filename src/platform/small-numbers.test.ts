import assert from 'node:assert/strict';
import { test } from 'node:test';
import { improvedOf, nationalOf } from './open/measures.ts';
import { roundedCount, roundedShare } from './small-numbers.ts';
import type { MoreCounts } from './store/figures.ts';

test('counts of one to seven are not told, others are rounded to five', () => {
  assert.deepEqual([0, 1, 7, 8, 12, 13, 100, 102, 103].map(roundedCount), [0, null, null, 10, 10, 15, 100, 100, 105]);
});

test('a share tells no more than the two rounded counts', () => {
  assert.equal(roundedShare(0, 40), 0);
  assert.equal(roundedShare(7, 40), null);
  assert.equal(roundedShare(3, 7), null);
  assert.equal(roundedShare(21, 42), 50);
  // One transfer more or less changes nothing.
  assert.equal(roundedShare(21, 42), roundedShare(22, 42));
});

test('one transfer cannot be found by taking the open numbers of two questions from each other', () => {
  const counts = { within3: 20, within8: 1, late: 0, notIntegrated: 0, technical: 3, unclassified: 0 };
  const one = { ...counts, technical: 4 };
  const national = (of: typeof counts) => nationalOf({ kind: 'practice', role: 'sending', counts: of });
  assert.deepEqual(national(counts), national(one));
  const more = (integrated: number) =>
    Object.fromEntries(
      ['requested', 'sent', 'ready', 'integrated', 'rejected', 'failed', 'within3OfRequest', 'within8OfRequest'].map((name) => [
        name,
        name === 'integrated' ? integrated : 20,
      ]),
    ) as MoreCounts;
  assert.deepEqual(improvedOf({ kind: 'practice', more: more(20) }), improvedOf({ kind: 'practice', more: more(21) }));
  assert.notDeepEqual(improvedOf({ kind: 'sicbl', more: more(20) }), improvedOf({ kind: 'sicbl', more: more(21) }));
});

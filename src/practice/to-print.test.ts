import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SentEnd, toPrint } from './to-print.ts';

const LETTER = { name: 'letter.pdf', contentType: 'application/pdf', notSent: null };
const GONE = { name: 'gone.doc', contentType: 'application/msword', notSent: 'it could not be fetched' };

/** Every end that a sent record can have, and what goes on paper. */
const CASES: readonly (readonly [SentEnd, 'nothing' | 'documents' | 'record'])[] = [
  [{ kind: 'filed', answer: 'AA' }, 'documents'],
  [{ kind: 'filed', answer: '15' }, 'nothing'],
  [{ kind: 'filed', answer: '26' }, 'record'],
  ...['10', '11', '13', '14', '18', '20', '21', '23', '24', '25', '29', '30', '31', '99', null].map(
    (code): readonly [SentEnd, 'record'] => [{ kind: 'refused', code }, 'record'],
  ),
  ...['06', '07', '12', '17', '19', '28'].map((code): readonly [SentEnd, 'nothing'] => [{ kind: 'refused', code }, 'nothing']),
  [{ kind: 'unanswered' }, 'record'],
  [{ kind: 'undeliverable' }, 'record'],
  [{ kind: 'superseded' }, 'nothing'],
];

for (const [end, print] of CASES) {
  const said = 'code' in end ? `refused with ${end.code}` : 'answer' in end ? `filed with ${end.answer}` : end.kind;
  test(`a record that was ${said}: ${print} goes on paper`, () => {
    const list = toPrint(end, [LETTER, GONE]);
    assert.equal(list.print, print);
    assert.deepEqual(list.documents, { nothing: [], documents: [GONE], record: [LETTER, GONE] }[print]);
    assert.ok(list.why);
  });
}

test('a record that was filed whole needs no paper', () => {
  assert.equal(toPrint({ kind: 'filed', answer: 'AA' }, [LETTER]).print, 'nothing');
});

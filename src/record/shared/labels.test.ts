import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dateFromText, fact, factsThenNotes, type Labels, notesInText, notesToText, readFacts } from './labels.ts';

const LABELS = {
  present: { label: 'Parent Present: ', value: /true|false/ },
  batch: { label: 'Batch: ' },
  site: { label: 'Site: ' },
  flag: { label: 'Asserted By Patient', value: /(?=\s|$)/ },
} as const satisfies Labels<string>;

test('facts and notes that were written are read back, each by itself', () => {
  const text = factsThenNotes([fact(LABELS.present, 'true'), fact(LABELS.batch, 'AB 12'), undefined], ['first note', 'second']);
  assert.deepEqual(readFacts(text, LABELS), { found: { present: 'true', batch: 'AB 12' }, rest: 'first note second' });
});

test('whatever a value and the notes are, they are not mixed up', () => {
  const words = fc.string({ minLength: 1 }).map((text) => `x${text.replace(/\s+/g, ' ')}x`);
  fc.assert(
    fc.property(words, words, fc.string(), (batch, site, note) => {
      fc.pre(!/\s(?:Site:|Asserted By Patient)/.test(batch) && !/\sAsserted By Patient/.test(site) && !note.includes('Batch:'));
      fc.pre(!note.includes('Site:') && !/^\s*Asserted By Patient/.test(note) && note === note.trim());
      const read = readFacts(factsThenNotes([fact(LABELS.batch, batch), fact(LABELS.site, site)], [note]), LABELS);
      assert.deepEqual(read, { found: { batch, site }, rest: note });
    }),
  );
});

test('a text with blanks between its facts is read as far as it is certain; the last value stays with the notes', () => {
  const { found, rest } = readFacts('Parent Present: true Batch: 123 Site: Left arm GMS : Not GMS', LABELS);
  assert.deepEqual(found, { present: 'true', batch: '123' });
  assert.equal(rest, 'Site: Left arm GMS : Not GMS');
});

test('where notes have a label of their own, the last value is certain too', () => {
  assert.deepEqual(readFacts('Batch: 1 Site: arm Notes: sore', LABELS, 'Notes: '), { found: { batch: '1', site: 'arm' }, rest: 'sore' });
  assert.deepEqual(readFacts('Batch: 1 Site: left arm', LABELS, 'Notes: '), { found: { batch: '1', site: 'left arm' }, rest: '' });
});

test('a label with another value than it can have is a note', () => {
  assert.deepEqual(readFacts('Parent Present: perhaps', LABELS), { found: {}, rest: 'Parent Present: perhaps' });
  assert.deepEqual(readFacts('Asserted By Patients', LABELS), { found: {}, rest: 'Asserted By Patients' });
});

test('a label without a value is read', () => {
  assert.deepEqual(readFacts('Asserted By Patient\nrash', LABELS), { found: { flag: '' }, rest: 'rash' });
});

test('a fact that a note tells already is not written again', () => {
  assert.equal(factsThenNotes(['Batch: 1'], ['Batch: 1 given at school']), 'Batch: 1 given at school');
});

test('dates come back as they were written', () => {
  assert.equal(dateFromText('2012'), '2012');
  assert.equal(dateFromText('2012-03-09'), '2012-03-09');
  assert.equal(dateFromText('2012-07-09 14:05:00'), '2012-07-09T13:05:00+00:00');
  assert.equal(dateFromText('soon'), undefined);
});

test('notes come back as those that they were, each once, whatever stands in them', () => {
  const note = fc.string().filter((text) => text.trim() !== '');
  fc.assert(
    fc.property(fc.array(note), (notes) => {
      const tidy = notes.map((text) => text.replace(/[^\S\n]+(?=\n)/g, '').trim());
      assert.deepEqual(notesInText(notesToText([...notes, undefined, ' ', ...notes])), [...new Set(tidy)]);
    }),
  );
});

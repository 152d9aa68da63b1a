import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentReference } from '../../fhir/types.ts';
import { received } from '../testing.ts';
import { documentToFhir } from './to-fhir.ts';

const file = (name: string, mediaType = 'application/pdf') => `<reference typeCode="REFR"><referredToExternalDocument><id root="FILE-1"/>
  <code code="25821000000100" codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="Original text document"/>
  <text mediaType="${mediaType}"><reference value="file://localhost/${name}"/></text></referredToExternalDocument></reference>`;

function read(text: string | null, files: string, overrides = {}) {
  const words = text === null ? '' : `<text>${text}</text>`;
  const got = received(
    documentToFhir,
    'document',
    `<NarrativeStatement><id root="DOC-1"/>${words}${files}</NarrativeStatement>`,
    overrides,
  );
  return { document: got.resources[0] as DocumentReference, remarks: got.remarks.map(({ code }) => code) };
}

test('a letter of another system keeps its words and, without a date of its own, is dated by its composition', () => {
  const { document } = read('Clinic letter', file('FILE-1_letter.pdf'));
  assert.equal(document.description, 'Clinic letter');
  assert.equal(document.type?.text, 'Original text document');
  assert.equal(document.created, '2024-03-10T10:30:00+00:00');
  assert.equal(document.indexed, '2024-03-10T10:35:00.000+00:00');
  assert.deepEqual(document.author, [{ reference: 'Practitioner/AG-2' }]);
  assert.deepEqual(document.custodian, { reference: 'Organization/LOSING' });
  assert.deepEqual(document.content, [{ attachment: { contentType: 'application/pdf', url: 'file://localhost/FILE-1_letter.pdf' } }]);
});

test('a file is asked for by its id, its decoded name and its kind, and what came is where it is', () => {
  const asked: unknown[] = [];
  const document = (link: unknown) => {
    asked.push(link);
    return { filename: 'x', url: 'https://node/documents/1', bytes: 42, missing: null };
  };
  const got = read('Letter', file('A%20letter.pdf'), { document });
  assert.deepEqual(asked, [{ documentId: 'FILE-1', filename: 'A letter.pdf', kind: 'Original text document' }]);
  assert.deepEqual(got.document.content?.[0]?.attachment, { contentType: 'application/pdf', url: 'https://node/documents/1', size: 42 });
});

test('a placeholder and a file that never came are called missing', () => {
  const placeholder = read('Letter', file('AbsentAttachmentFILE-1.txt', 'text/plain'));
  assert.match(placeholder.document.content?.[0]?.attachment?.title ?? '', /^GP2GP generated placeholder/);
  assert.deepEqual(placeholder.remarks, ['document.missing']);
  const document = () => ({ filename: 'x', url: '', bytes: null, missing: 'It never came' });
  assert.deepEqual(read('Letter', file('letter.pdf'), { document }).remarks, ['document.missing']);
});

test('a type that is none is said in the words', () => {
  const { document } = read('Letter', file('x', 'unknown'));
  assert.equal(document.description, 'Letter Content type was not a valid MIME type');
  assert.match(document.content?.[0]?.attachment?.contentType ?? '', /^GP2GP generated placeholder/);
});

test('without words the file is described by its name', () => {
  assert.equal(read(null, file('FILE-1_letter.pdf')).document.description, 'FILE-1_letter.pdf');
});

test('further files of one statement are not lost', () => {
  const { document } = read('Two', file('a.pdf') + file('b.pdf'));
  assert.equal(document.content?.length, 2);
});

test('a document that says when it was made keeps that date, whenever it was filed', () => {
  const { document } = read('Clinic letter', `<availabilityTime value="20190904"/>${file('FILE-1_letter.pdf')}`);
  assert.equal(document.created, '2019-09-04');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentReference, Resource } from '../../fhir/types.ts';
import { at, attr, child, children, textOf } from '../../xml/element.ts';
import { STATEMENT_ID, sent } from '../testing.ts';
import { attachmentOf, fateOfAbsent, fateOfPresent } from './fate.ts';
import { documentToHl7 } from './to-hl7.ts';

const NOPAT = { system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' };
const DOCUMENT: DocumentReference = {
  resourceType: 'DocumentReference',
  id: 'd1',
  created: '2024-03-01',
  indexed: '2024-03-10T10:30:00Z',
  type: { text: 'Clinic letter' },
  content: [{ attachment: { contentType: 'application/pdf', url: 'https://practice/Binary/1' } }],
};
const external = (of: { statement: Parameters<typeof at>[0] }) => at(of.statement, 'reference', 'referredToExternalDocument');

test('a document that was fetched is named with its id, its type and its file', () => {
  const document = () => fateOfPresent('DocumentReference/d1', STATEMENT_ID, 'application/pdf', 10);
  const { statement, remarks } = sent(documentToHl7, DOCUMENT, [], { document });
  const file = external({ statement });
  assert.equal(attr(child(file, 'id'), 'root'), STATEMENT_ID);
  assert.equal(attr(child(file, 'text'), 'mediaType'), 'application/pdf');
  assert.equal(attr(at(file, 'text', 'reference'), 'value'), `file://localhost/${STATEMENT_ID}.pdf`);
  assert.equal(textOf(child(statement, 'text')), 'Type: Clinic letter\n');
  assert.equal(attr(child(statement, 'availabilityTime'), 'value'), '20240301', 'made, not indexed');
  assert.deepEqual(remarks, []);
});

test('a document that is not sent is a text file, and its reason stands in the words and in the report', () => {
  const document = () => fateOfAbsent('DocumentReference/d1', STATEMENT_ID, 'No file </text> and & more');
  const { statement, remarks } = sent(documentToHl7, DOCUMENT, [], { document });
  assert.equal(attr(at(external({ statement }), 'text', 'reference'), 'value'), `file://localhost/AbsentAttachment${STATEMENT_ID}.txt`);
  assert.equal(attr(child(external({ statement }), 'text'), 'mediaType'), 'text/plain');
  assert.equal(textOf(child(statement, 'text')), 'Type: Clinic letter\nAbsent Attachment: No file </text> and & more\n');
  assert.deepEqual(remarks, [{ code: 'document.missing', text: 'No file </text> and & more' }]);
});

test('a document of which nobody knows anything is a placeholder too', () => {
  const { statement } = sent(documentToHl7, { ...DOCUMENT, content: [] }, [], { document: () => undefined });
  assert.match(textOf(child(statement, 'text')), /Absent Attachment: The entry has no attachment/);
});

test('organisations are named, and the first author takes part', () => {
  const around: Resource[] = [{ resourceType: 'Organization', id: 'o', name: 'The Hospital' } as Resource];
  const author = [{ reference: 'Organization/o' }];
  const { statement } = sent(documentToHl7, { ...DOCUMENT, author, custodian: { reference: 'Organization/o' } }, around);
  assert.equal(textOf(child(statement, 'text')), 'Type: Clinic letter\nAuthor Org: The Hospital\nCustodian Org: The Hospital\n');
  assert.equal(children(statement, 'Participant').length, 1);
});

test('a redacted document is marked on the narrative and on the file, in UK07 only', () => {
  const redacted = { ...DOCUMENT, securityLabel: [{ coding: [NOPAT] }] };
  const { statement } = sent(documentToHl7, redacted, [], { redactions: true });
  assert.equal(children(statement, 'confidentialityCode').length, 1);
  assert.equal(children(external({ statement }), 'confidentialityCode').length, 1);
  assert.doesNotMatch(sent(documentToHl7, redacted).xml, /confidentialityCode/);
});

test('why a placeholder is sent: a title, a type that is not taken, no address', () => {
  const why = (attachment: object) => {
    const told = attachmentOf({ resourceType: 'DocumentReference', content: [{ attachment }] });
    return 'absent' in told ? told.absent : null;
  };
  assert.equal(why({ contentType: 'text/plain', url: 'u', title: 'File deleted' }), 'File deleted');
  assert.equal(why({ contentType: 'image/heic', url: 'u' }), 'Documents of the type image/heic cannot be sent');
  assert.equal(why({ contentType: 'text/plain', url: ' ' }), 'The document could not be retrieved');
  assert.equal(why({ contentType: 'text/plain; charset=UTF-8', url: 'u' }), null);
});

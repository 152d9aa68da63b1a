import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentReference } from '../../fhir/types.ts';
import { received, sent } from '../testing.ts';
import { documentToFhir } from './to-fhir.ts';
import { documentToHl7 } from './to-hl7.ts';

const NOPAT = { system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' };
const DOCUMENT: DocumentReference = {
  resourceType: 'DocumentReference',
  id: 'd1',
  meta: { security: [NOPAT] },
  created: '2024-03-01',
  type: { text: 'Clinic letter' },
  description: 'From the chest clinic',
  content: [{ attachment: { contentType: 'application/pdf', url: 'https://practice/Binary/1' } }],
  context: { practiceSetting: { text: 'Respiratory' } },
};
const again = (document: DocumentReference) =>
  received(documentToFhir, 'document', sent(documentToHl7, document, [], { redactions: true }).statement).resources[0] as DocumentReference;

test('kind, description, setting, content type and redaction survive', () => {
  const read = again(DOCUMENT);
  assert.equal(read.type?.text, 'Clinic letter');
  assert.equal(read.description, 'From the chest clinic');
  assert.deepEqual(read.context?.practiceSetting, { text: 'Respiratory' });
  assert.equal(read.content?.[0]?.attachment?.contentType, 'application/pdf');
  assert.equal(read.meta?.security?.[0]?.code, 'NOPAT');
});

test('the second journey changes nothing more', () => {
  const once = again(DOCUMENT);
  const twice = again(once);
  assert.deepEqual([twice.type?.text, twice.description, twice.context], [once.type?.text, once.description, once.context]);
});

test('that a document is not the current one is told, and comes back', () => {
  for (const status of ['current', 'superseded', 'entered-in-error']) {
    const read = again({ ...DOCUMENT, status });
    assert.deepEqual([read.status, read.description], [status, DOCUMENT.description]);
  }
});

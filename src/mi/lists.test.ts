import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clinicalType, degradesOf, documentResponse, placeholdersOf } from './lists.ts';
import { CLINICAL_TYPES, PLACEHOLDER_REASONS } from './terms.ts';

const READ_V2 = 'urn:oid:2.16.840.1.113883.2.1.6.2';
const issue = (over: object) => ({ code: 'code.degraded', at: { kind: 'ObservationStatement' }, ...over });
const document = {
  documentId: 'D1',
  name: 'letter.pdf',
  contentType: 'application/pdf',
  bytes: 12,
  missing: null,
  kind: 'Scanned document',
  content: {},
};

test('as many degrades as the report counts, each of its kind, with the codes that came', () => {
  const degrades = degradesOf([
    issue({ degraded: 'medication', original: [{ code: '39999999999991103', system: 'http://snomed.info/sct', display: 'A drug' }] }),
    issue({ degraded: 'medication', original: [] }),
    issue({ degraded: 'drugAllergy', original: [{ code: 'x1', system: READ_V2 }] }),
    issue({ code: 'statement.asText', at: { kind: 'PlanStatement' } }),
    issue({ code: 'link.broken' }),
  ]);
  assert.deepEqual(degrades, [
    { type: 'MEDICATION', reason: 'CODE', coding: [{ code: '39999999999991103', system: 'http://snomed.info/sct' }] },
    { type: 'MEDICATION', reason: 'DRUG_NAME', coding: [{ code: 'UNKNOWN', system: 'UNKNOWN' }] },
    { type: 'DRUG_ALLERGY', reason: 'CODE', coding: [{ code: 'x1', system: READ_V2 }] },
    { type: 'PLAN', reason: 'OTHER', coding: [{ code: 'UNKNOWN', system: 'UNKNOWN' }] },
  ]);
});

test('words that stand where a code belongs do not leave the practice', () => {
  const [degrade] = degradesOf([issue({ degraded: 'record', original: [{ code: 'seen with Jane Smith', system: 'x' }, { system: 'y' }] })]);
  assert.doesNotMatch(JSON.stringify(degrade), /Jane/);
  assert.deepEqual(degrade?.coding, [{ code: 'UNKNOWN', system: 'UNKNOWN' }]);
});

test('a document is reported as it came: whole, damaged or never', () => {
  assert.deepEqual(documentResponse(document, false).payload, {
    attachment: { clinicalType: 'SCANNED_DOCUMENT', mimeType: 'application/pdf', sizeBytes: 12 },
    documentMigration: { successful: true },
  });
  const never = documentResponse({ ...document, bytes: 0, missing: '1 of its messages did not come', content: null }, false);
  assert.deepEqual(never.payload.documentMigration, { successful: false, reason: '31 Missing LM' });
  assert.notEqual(never.key, documentResponse(document, false).key, 'one that comes after all is another event');
  const placeholder = documentResponse({ ...document, missing: 'a placeholder' }, true);
  assert.deepEqual(
    [placeholder.payload.attachment.clinicalType, placeholder.payload.documentMigration.successful],
    ['NOT_AVAILABLE', true],
  );
});

test('each clinical type is read from its words, and what is none of them is another', () => {
  for (const type of CLINICAL_TYPES) assert.equal(clinicalType(type.toLowerCase().replaceAll('_', ' ')), type);
  assert.equal(clinicalType('Original Text document'), 'ORIGINAL_TEXT_DOCUMENT');
  assert.equal(clinicalType(undefined), 'OTHER');
  assert.equal(clinicalType('Discharge letter'), 'OTHER');
});

test('a placeholder for each document that is not sent, with who leaves it out and why; none where all are', () => {
  const absent = PLACEHOLDER_REASONS.map((reason) => ({ absent: { by: 'SENDER', reason, contentType: 'image/tiff' } }) as const);
  assert.deepEqual(
    placeholdersOf([{}, ...absent]).map(({ reason }) => reason),
    [...PLACEHOLDER_REASONS],
  );
  assert.equal(
    placeholdersOf([{ absent: { by: 'PRE_EXISTING', reason: 'FILE_DELETED', contentType: null } }])[0]?.originalMimeType,
    'application/octet-stream',
  );
  assert.deepEqual(placeholdersOf([{}]), []);
});

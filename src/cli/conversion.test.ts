import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { counting, smallRecord } from '../record/testing-record.ts';
import { extractOf, requestFor } from './conversion.ts';

test('documents without an id that can be kept get the same ids in whatever order they come', () => {
  const documents = ['b', 'a', 'c'].map(
    (id) => ({ resourceType: 'DocumentReference', id, created: '2020-01-01', description: id }) as Resource,
  );
  const request = { ...requestFor(smallRecord()), requestId: 'R', now: new Date(0) };
  const extracts = [documents, documents.toReversed()].map((ordered) => {
    const converted = extractOf(smallRecord(...ordered), request, { redactions: false, newId: counting() });
    return 'refused' in converted ? converted.text : converted.extract;
  });
  assert.match(extracts[0] ?? '', /AbsentAttachment/);
  assert.equal(extracts[0], extracts[1]);
});

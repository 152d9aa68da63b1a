import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { misshapen } from './shape.ts';
import { send, smallRecord, uuid } from './testing-record.ts';

test('a well-made record has nothing that cannot be read', () => {
  for (const { resource } of smallRecord().entry ?? []) assert.deepEqual(misshapen(resource as Resource), []);
});

test('members of another shape than FHIR’s are named by their paths', () => {
  const observation = {
    resourceType: 'Observation',
    id: uuid(50),
    status: 7,
    code: { coding: [{ code: 'x' }, 'y'], text: false },
    valueQuantity: [1],
    component: [{ valueQuantity: { value: 'seven' } }],
    comment: null,
  };
  assert.deepEqual(misshapen(observation as object as Resource), [
    'status',
    'code.coding[1]',
    'code.text',
    'valueQuantity',
    'component[0].valueQuantity.value',
    'comment',
  ]);
});

test('an entry with such a member is carried, and the report names the member', () => {
  const odd = { resourceType: 'Observation', id: uuid(50), code: { text: 'Weight' }, valueQuantity: [72] };
  const { report } = send(smallRecord(odd as Resource));
  assert.ok(report.issues.some(({ at, text }) => at.id === `Observation/${uuid(50)}` && text.includes('valueQuantity')));
});

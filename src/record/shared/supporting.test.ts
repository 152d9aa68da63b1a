import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitState } from '../../cli/conformance/unit-state.ts';
import type { PractitionerRole, Resource } from '../../fhir/types.ts';
import { nameOf, nameText } from './names.ts';
import { supportingText } from './supporting.ts';

const RECORD = [
  { resourceType: 'Observation', id: 'o', effectivePeriod: { start: '2021-01-01T10:30:00Z' }, code: { text: 'Weight' } },
  { resourceType: 'Medication', id: 'm', code: { text: 'Aspirin' } },
  { resourceType: 'MedicationRequest', id: 'mr', medicationReference: { reference: 'Medication/m' } },
  { resourceType: 'Device', id: 'd', type: { text: 'Recall system' } },
  { resourceType: 'Practitioner', id: 'p', name: [{ given: ['Ann', 'Mary'], family: 'Ash' }] },
  { resourceType: 'PractitionerRole', id: 'r', practitioner: { reference: 'Practitioner/p' } } as PractitionerRole,
] as Resource[];
const state = () =>
  unitState(RECORD, {
    redactions: false,
    document: (reference) => ({ reference, filename: '', contentType: '', present: true, bytes: 0 }),
  });

test('what a request rests on is told by kind, day and name', () => {
  const references = ['Observation/o', 'MedicationRequest/mr'].map((reference) => ({ reference }));
  assert.equal(supportingText(references, state()), '{ Observation: 2021-01-01 Weight }, { Medication: Aspirin }');
});

test('what is not in the record is told by its own words, or reported where it has none', () => {
  const s = state();
  assert.equal(
    supportingText([{ reference: 'Appointment/x', display: 'Clinic on Monday' }, { reference: 'Observation/gone' }], s),
    '{ Appointment: Clinic on Monday }',
  );
  assert.deepEqual(
    s.issues.map(({ code }) => code),
    ['link.broken'],
  );
});

test('people, devices and organisations have names; a role has that of its person', () => {
  const name = (reference: string) => nameOf({ reference }, state());
  assert.equal(name('Practitioner/p'), 'Ann Mary Ash');
  assert.equal(name('PractitionerRole/r'), 'Ann Mary Ash');
  assert.equal(name('Device/d'), 'Recall system');
  assert.equal(nameOf({ reference: 'Organization/gone', display: 'The Hospital' }, state()), 'The Hospital');
  assert.equal(nameText({ text: 'Dr A', family: 'Ash' }), 'Dr A');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf, normalised, typeOf } from './references.ts';

test('every form of a reference is one', () => {
  const forms = ['Observation/1', 'https://gp.example/fhir/Observation/1', 'Observation/1/_history/2', ' Observation/1 '];
  assert.deepEqual(new Set(forms.map(normalised)), new Set(['Observation/1']));
  assert.equal(normalised({ reference: 'List/a#b' }), 'List/a#b');
  assert.equal(normalised('#inner'), '#inner');
  assert.equal(normalised('urn:uuid:7'), 'urn:uuid:7');
  assert.equal(normalised({ display: 'words only' }), undefined);
});

test('a reference tells its type and id', () => {
  assert.equal(typeOf('http://x/Patient/5'), 'Patient');
  assert.equal(idOf('http://x/Patient/5'), '5');
  assert.equal(typeOf('#inner'), undefined);
});

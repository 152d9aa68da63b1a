import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasValidCheckDigit, type NhsNumber } from '../../base/nhs-number.ts';
import { writeJson } from '../../fhir/json.ts';
import { makeChance } from './chance.ts';
import { documentSize } from './documents.ts';
import { makePatient } from './patient.ts';

const bytesOf = (seed: number) => writeJson(makePatient({ seed, ods: 'A11111' }).bundle);

test('the same seed gives the same bytes, another seed another patient', () => {
  assert.equal(bytesOf(7), bytesOf(7));
  assert.notEqual(bytesOf(7), bytesOf(8));
  const numbers = new Set(
    Array.from({ length: 50 }, (_, seed) => makePatient({ seed, ods: 'A11111', consultations: 1, documents: 0 }).nhsNumber),
  );
  assert.equal(numbers.size, 50);
  for (const number of numbers) assert.ok(number.startsWith('999') && hasValidCheckDigit(number as NhsNumber), number);
});

test('whatever a record refers to is in it', () => {
  for (const seed of [1, 2, 3]) {
    const { bundle } = makePatient({ seed, ods: 'A11111' });
    const there = new Set(bundle.entry?.map(({ resource }) => `${resource?.resourceType}/${resource?.id}`));
    assert.equal(there.size, bundle.entry?.length, 'ids are unique');
    const named = [...writeJson(bundle).matchAll(/"reference":"([^"]+)"/g)].map((match) => match[1] ?? '');
    assert.deepEqual(
      named.filter((one) => !there.has(one)),
      [],
    );
  }
});

test('a record has one of everything that has to be moved', () => {
  const { bundle, documents } = makePatient({ seed: 1, ods: 'A11111' });
  const text = writeJson(bundle);
  const kinds = new Set(bundle.entry?.map(({ resource }) => resource?.resourceType));
  for (const kind of [
    'Encounter',
    'List',
    'Condition',
    'AllergyIntolerance',
    'Immunization',
    'MedicationRequest',
    'MedicationStatement',
    'Medication',
    'DiagnosticReport',
    'Specimen',
    'Observation',
    'ReferralRequest',
    'ProcedureRequest',
    'DocumentReference',
    'Location',
  ])
    assert.ok(kinds.has(kind), kind);
  for (const sign of [
    '"intent":"plan"',
    '"intent":"order"',
    '"code":"repeat"',
    '"code":"acute"',
    '"code":"NOPAT"',
    '"code":"196461000000101"',
    'has-member',
    'RelatedProblemHeader',
  ])
    assert.ok(text.includes(sign), sign);
  assert.match(text, /"value":\d+\.\d*0[,}]/, 'digits are kept as a system prints them');
  assert.equal(documents.length, 32);
  assert.ok(makePatient({ seed: 1, ods: 'A11111', documents: 3, documentBytes: 9 }).documents.every((one) => one.bytes === 9));
});

test('the sizes of documents follow the national spread', () => {
  const chance = makeChance(1);
  const sizes = Array.from({ length: 20_000 }, () => documentSize(chance)).sort((a, b) => a - b);
  const median = sizes[10_000] ?? 0;
  const mean = sizes.reduce((sum, one) => sum + one, 0) / sizes.length;
  assert.ok(median > 36_000 && median < 44_000, `median ${median}`);
  assert.ok(mean > 450_000 && mean < 850_000, `mean ${mean}`);
});

test('nothing was entered after the record ends', () => {
  const { bundle } = makePatient({ seed: 4, ods: 'A11111', asOf: '2020-06-01' });
  const entered = [...writeJson(bundle).matchAll(/"(?:authoredOn|effectiveDateTime|assertedDate|created)":"(\d{4}-\d\d-\d\d)/g)].map(
    (match) => match[1] ?? '',
  );
  assert.ok(entered.length > 100);
  assert.deepEqual(
    entered.filter((day) => day > '2020-06-02'),
    [],
  );
});

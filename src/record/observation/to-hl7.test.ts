import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observation } from '../../fhir/types.ts';
import { attr, child, children, textOf } from '../../xml/element.ts';
import { STATEMENT_ID, sent } from '../testing.ts';
import { observationToHl7 } from './to-hl7.ts';

const GLUCOSE: Observation = {
  resourceType: 'Observation',
  id: STATEMENT_ID,
  code: { coding: [{ system: 'http://snomed.info/sct', code: '365812005', display: 'Blood glucose level' }] },
  effectivePeriod: { start: '2024-03-01', end: '2024-03-02' },
};

test('children stand in the order that the schema demands', () => {
  const { statement } = sent(
    observationToHl7,
    {
      ...GLUCOSE,
      meta: { security: [{ system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' }] },
      valueQuantity: {
        extension: [
          { url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ValueApproximation-1', valueBoolean: true },
        ],
        value: 5.5,
      },
      interpretation: { coding: [{ system: 'http://hl7.org/fhir/v2/0078', code: 'H', display: 'High' }] },
      referenceRange: [{ low: { value: 3 } }, { high: { value: 7 } }],
      comment: 'fasting',
      performer: [{ reference: 'Practitioner/P1' }],
    },
    [],
    { redactions: true },
  );
  assert.deepEqual(
    children(statement).map(({ name }) => name),
    [
      'id',
      'code',
      'statusCode',
      'effectiveTime',
      'availabilityTime',
      'confidentialityCode',
      'uncertaintyCode',
      'value',
      'interpretationCode',
      'pertinentInformation',
      'referenceRange',
      'referenceRange',
      'Participant',
    ],
  );
  assert.equal(attr(child(statement, 'availabilityTime'), 'value'), '20240301');
});

test('a range of words only is no reference range: the existing adaptor refuses a record that has one', () => {
  const { statement, xml } = sent(observationToHl7, { ...GLUCOSE, valueQuantity: { value: 5 }, referenceRange: [{ text: 'below ten' }] });
  assert.equal(child(statement, 'referenceRange'), undefined);
  assert.match(xml, /Range: Text: below ten/);
});

test('a value that cannot travel is reported, a performer nobody knows as well', () => {
  const { remarks } = sent(observationToHl7, {
    ...GLUCOSE,
    valueSampledData: { data: '1 2 3' },
    performer: [{ reference: 'Patient/1' }],
  });
  assert.deepEqual(
    remarks.map(({ code }) => code),
    ['value.lost', 'value.lost'],
  );
});

test('an observation without a code or a date is carried as unknown and reported', () => {
  const { statement, remarks } = sent(observationToHl7, { resourceType: 'Observation', id: 'x', comment: 'odd' });
  assert.equal(attr(child(statement, 'code'), 'nullFlavor'), 'UNK');
  assert.equal(attr(child(statement, 'availabilityTime'), 'nullFlavor'), 'UNK');
  assert.deepEqual(
    remarks.map(({ code }) => code),
    ['code.degraded'],
  );
});

test('a comment note is a narrative of its words alone', () => {
  const { statement } = sent(observationToHl7, {
    ...GLUCOSE,
    code: { coding: [{ code: '37331000000100' }] },
    comment: 'Seen with mother',
  });
  assert.equal(statement.name, 'NarrativeStatement');
  assert.equal(textOf(child(statement, 'text')), 'Seen with mother');
});

test('a panel holds its members, each with its own id', () => {
  const member = (id: string, value: number): Observation => ({ ...GLUCOSE, id, valueQuantity: { value } });
  const panel: Observation = {
    ...GLUCOSE,
    comment: 'curve',
    related: [
      { type: 'has-member', target: { reference: 'Observation/11111111-1111-4111-8111-111111111111' } },
      { type: 'has-member', target: { reference: 'Observation/22222222-2222-4222-8222-222222222222' } },
      { type: 'has-member', target: { reference: 'Observation/not-there' } },
    ],
  };
  const { statement } = sent(
    observationToHl7,
    panel,
    [member('11111111-1111-4111-8111-111111111111', 1), member('22222222-2222-4222-8222-222222222222', 2)],
    { holderOf: () => `Observation/${STATEMENT_ID}` },
  );
  assert.equal(attr(statement, 'classCode'), 'BATTERY');
  const inside = children(statement, 'component').flatMap((one) => children(one));
  assert.deepEqual(inside.map((one) => [one.name, attr(child(one, 'id'), 'root'), attr(child(one, 'value'), 'value')]).slice(0, 2), [
    ['ObservationStatement', '11111111-1111-4111-8111-111111111111', '1'],
    ['ObservationStatement', '22222222-2222-4222-8222-222222222222', '2'],
  ]);
  assert.match(textOf(child(inside[2], 'text')), /curve/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observation } from '../../fhir/types.ts';
import { children } from '../../xml/element.ts';
import { cameBack, received, STATEMENT_ID, sent } from '../testing.ts';
import { LINE } from './terms.ts';
import { bloodPressureToFhir, isBloodPressureStatement } from './to-fhir.ts';
import { bloodPressureToHl7, isBloodPressure } from './to-hl7.ts';

const sct = (code: string, display: string) => ({ coding: [{ system: 'http://snomed.info/sct', code, display }], text: display });
const SYSTOLIC = { code: sct('271649006', 'Systolic blood pressure'), valueQuantity: { value: 131, unit: 'mmHg' } };
const DIASTOLIC = { code: sct('271650006', 'Diastolic blood pressure'), valueQuantity: { value: 82, unit: 'mmHg' } };
const PRESSURE: Observation = {
  resourceType: 'Observation',
  id: STATEMENT_ID,
  status: 'final',
  code: sct('75367002', 'Blood pressure'),
  effectiveDateTime: '2024-03-01',
  component: [SYSTOLIC, DIASTOLIC],
};

function there(observation: Observation): Observation {
  const { statement } = sent(bloodPressureToHl7, observation);
  assert.ok(isBloodPressureStatement(statement), 'the reader does not know it for a blood pressure');
  return received(bloodPressureToFhir, 'bloodPressure', statement).resources[0] as Observation;
}

const numbers = (observation: Observation) => observation.component?.map(({ valueQuantity }) => valueQuantity?.value);

test('both readings come back under the standard code of a panel', () => {
  const back = there(PRESSURE);
  assert.deepEqual(numbers(back), [131, 82]);
  assert.equal(back.code?.coding?.[0]?.code, '75367002');
  assert.equal(back.effectiveDateTime, '2024-03-01');
});

test('a panel of which one reading was taken keeps its number', () => {
  for (const [component, absent] of [
    [[SYSTOLIC, { ...DIASTOLIC, valueQuantity: undefined, dataAbsentReason: { text: 'Cuff slipped' } }], 'Cuff slipped'],
    [[SYSTOLIC], undefined],
    [[DIASTOLIC], undefined],
  ] as const) {
    const one = { ...PRESSURE, component: [...component] } as Observation;
    assert.ok(isBloodPressure(one));
    const back = there(one);
    assert.deepEqual(
      numbers(back),
      component.map(({ valueQuantity }) => valueQuantity?.value),
    );
    assert.equal(back.component?.[1]?.dataAbsentReason?.text, absent);
  }
});

const RICH: Observation = {
  ...PRESSURE,
  status: 'corrected',
  comment: 'after rest\nsecond attempt',
  bodySite: { text: 'Left arm' },
  method: { text: 'Auscultation' },
  interpretation: { text: 'Raised' },
  component: [
    {
      ...SYSTOLIC,
      interpretation: { coding: [{ system: 'http://hl7.org/fhir/v2/0078', code: 'H', display: 'High' }], text: 'High' },
      referenceRange: [{ low: { value: 90 }, high: { value: 130 } }, { low: { value: 80 } }],
    },
    { ...DIASTOLIC, dataAbsentReason: { text: 'fifth sound unclear' } },
    { code: { text: 'Pulse' }, valueQuantity: { value: 70, unit: '/min' } },
  ],
};

test('site, method, status, interpretations and further components come back to their places', () => {
  const back = there(RICH);
  for (const member of ['status', 'bodySite', 'method', 'interpretation'] as const) assert.deepEqual(back[member], RICH[member], member);
  assert.deepEqual(
    back.component,
    RICH.component?.map((one) => ({ ...one, code: cameBack(one.code) })),
  );
});

test('nothing is added when a record is handed on again', () => {
  const once = there({ ...RICH, comment: 'Systolic Note: standing Diastolic Note: lying BP Note: left arm' });
  assert.equal(once.comment, 'Systolic Note: standing Diastolic Note: lying BP Note: left arm');
  const again = there(once);
  assert.equal(again.comment, once.comment);
  assert.deepEqual(again.component, once.component);
  assert.equal(there(RICH).comment, there(there(RICH)).comment);
});

test('every label is read back', () => {
  const { xml } = sent(bloodPressureToHl7, {
    ...RICH,
    component: [{ ...SYSTOLIC, dataAbsentReason: { text: 'x' } }, ...(RICH.component?.slice(1) ?? [])],
  });
  for (const label of Object.values(LINE)) assert.ok(xml.includes(label), label);
  assert.doesNotMatch(there(RICH).comment ?? '', /Site|Absent|Interpretation|Component|Method|Status/);
});

test('an observation is a blood pressure by its code and at least one reading', () => {
  assert.equal(isBloodPressure({ ...PRESSURE, component: [] }), false);
  assert.equal(isBloodPressure({ ...PRESSURE, code: sct('364075005', 'Heart rate') }), false);
});

test('the words of the panel stand in one narrative after the readings', () => {
  const { statement } = sent(bloodPressureToHl7, RICH);
  assert.deepEqual(
    children(statement, 'component').flatMap((one) => children(one).map(({ name }) => name)),
    ['ObservationStatement', 'ObservationStatement', 'NarrativeStatement'],
  );
});

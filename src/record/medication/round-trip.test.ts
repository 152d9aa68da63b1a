import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Medication, MedicationRequest, MedicationStatement, Resource } from '../../fhir/types.ts';
import { at, attr, child, children, type XmlElement } from '../../xml/element.ts';
import { received, sent } from '../testing.ts';
import type { ToFhir, ToHl7 } from '../types.ts';
import { FACTS } from './terms.ts';
import { medicationToFhir } from './to-fhir.ts';
import { medicationToHl7 } from './to-hl7.ts';

const GP_CONNECT = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-';
const type = (code: string, display: string) => ({
  url: `${GP_CONNECT}PrescriptionType-1`,
  valueCodeableConcept: { coding: [{ system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescriptionType-1', code, display }] },
});
const REPEATS = {
  url: `${GP_CONNECT}MedicationRepeatInformation-1`,
  extension: [
    { url: 'numberOfRepeatPrescriptionsAllowed', valueUnsignedInt: 6 },
    { url: 'numberOfRepeatPrescriptionsIssued', valueUnsignedInt: 1 },
    { url: 'authorisationExpiryDate', valueDateTime: '2024-09-01' },
  ],
};
const DRUG: Medication = {
  resourceType: 'Medication',
  id: 'M1',
  code: { coding: [{ system: 'http://snomed.info/sct', code: '39110911000001107', display: 'Example 10mg tablets' }] },
};
const COMMON = {
  resourceType: 'MedicationRequest' as const,
  medicationReference: { reference: 'Medication/M1' },
  dosageInstruction: [{ text: 'One daily', patientInstruction: 'with food' }, { text: 'or two at night' }],
  recorder: { reference: 'Practitioner/P1' },
};
const PLAN: MedicationRequest = {
  ...COMMON,
  id: 'PLAN',
  extension: [REPEATS, type('repeat-dispensing', 'Repeat dispensing')],
  status: 'active',
  intent: 'plan',
  dispenseRequest: {
    validityPeriod: { start: '2024-03-01', end: '2024-08-31' },
    quantity: { value: 28, unit: 'tablet' },
    expectedSupplyDuration: { value: 28, unit: 'day', system: 'http://unitsofmeasure.org', code: 'd' },
  },
  note: [{ text: 'collect' }],
  priorPrescription: { reference: 'MedicationRequest/BEFORE' },
};
const BEFORE: MedicationRequest = { ...COMMON, id: 'BEFORE', intent: 'plan', status: 'completed' };
const ORDER: MedicationRequest = {
  ...COMMON,
  id: 'ORDER',
  status: 'completed',
  intent: 'order',
  basedOn: [{ reference: 'MedicationRequest/PLAN' }],
  dispenseRequest: { validityPeriod: { start: '2024-03-01', end: '2024-03-28' }, quantity: { value: 28, unit: 'tablet' } },
};
const AGENCY: MedicationStatement = {
  resourceType: 'MedicationStatement',
  id: 'S1',
  basedOn: [{ reference: 'MedicationRequest/PLAN' }],
  extension: [
    {
      url: `${GP_CONNECT}PrescribingAgency-1`,
      valueCodeableConcept: {
        coding: [
          { system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescribingAgency-1', code: 'prescribed-by-previous-practice' },
        ],
      },
    },
  ],
};

const send = (request: MedicationRequest, around: readonly Resource[] = [DRUG, PLAN, BEFORE, AGENCY]) =>
  sent(
    medicationToHl7,
    request,
    around.filter((one) => one.id !== request.id),
  ).statement;

/** A plan and its issues, as they meet in an extract: supplies are found by id, whatever statement they stand in. */
function receive(plan: XmlElement, orders: readonly { id: string; at: string }[] = [], order?: XmlElement) {
  const supply = (statement: XmlElement, name: string) => children(statement, 'component').flatMap((one) => children(one, name))[0];
  const authorised = supply(plan, 'ehrSupplyAuthorise');
  const ended = supply(plan, 'ehrSupplyDiscontinue');
  const overrides: Partial<ToFhir> = {
    repeatsOf: () => 6,
    issuesOf: () => orders.map((one) => ({ ...one, statement: plan })),
    discontinuationOf: () => ended,
    idFor: (key) => `copy for ${key}`,
  };
  const { resources } = received(medicationToFhir, 'medication', order ?? plan, overrides);
  return { resources, supplyId: attr(child(authorised, 'id'), 'root') ?? '' };
}
const planOf = (resources: readonly Resource[]) => resources[0] as MedicationRequest;
const statementOf = (resources: readonly Resource[]) => resources[1] as MedicationStatement;

test('a plan keeps its type, repeats, expiry, dates, quantity, duration, dosage and notes', () => {
  const { resources, supplyId } = receive(send(PLAN), [{ id: 'O1', at: '20240301' }]);
  const plan = planOf(resources);
  assert.equal(plan.id, supplyId);
  assert.deepEqual(plan.extension, PLAN.extension);
  assert.deepEqual(plan.dosageInstruction, PLAN.dosageInstruction);
  assert.deepEqual(plan.dispenseRequest, PLAN.dispenseRequest);
  assert.deepEqual(plan.note, [{ text: 'collect\n' }]);
  assert.equal(plan.status, 'active');
  assert.equal(plan.intent, 'plan');
});

test('the statement of a plan has its agency, its last issue and its period', () => {
  const statement = statementOf(receive(send(PLAN), [{ id: 'O1', at: '20240301' }]).resources);
  assert.equal(statement.extension?.[0]?.valueCodeableConcept?.coding?.[0]?.code, 'prescribed-by-previous-practice');
  assert.equal(statement.extension?.[1]?.valueDateTime, '2024-03-01');
  assert.deepEqual(statement.effectivePeriod, PLAN.dispenseRequest?.validityPeriod);
});

test('every type of prescription and every state comes back', () => {
  for (const [code, display] of [
    ['acute', 'Acute'],
    ['acute-handwritten', 'Acute - handwritten'],
    ['repeat', 'Repeat'],
    ['delayed-prescribing', 'Delayed prescribing'],
    ['repeat-dispensing', 'Repeat dispensing'],
  ] as const) {
    const plan = planOf(receive(send({ ...PLAN, extension: [type(code, display)] })).resources);
    assert.deepEqual(plan.extension?.at(-1), type(code, display));
  }
  for (const status of ['active', 'completed', 'on-hold', 'cancelled', 'stopped', 'draft', 'entered-in-error', 'unknown'])
    assert.equal(planOf(receive(send({ ...PLAN, status })).resources).status, status);
});

test('a stopped plan keeps when and why', () => {
  const reason = {
    url: `${GP_CONNECT}MedicationStatusReason-1`,
    extension: [
      { url: 'statusChangeDate', valueDateTime: '2024-04-01' },
      { url: 'statusReason', valueCodeableConcept: { text: 'no longer needed' } },
    ],
  };
  const { resources } = receive(send({ ...PLAN, status: 'stopped', extension: [type('repeat', 'Repeat'), reason] }));
  assert.equal(planOf(resources).status, 'stopped');
  assert.deepEqual(
    planOf(resources).extension?.find((one) => one.url === reason.url),
    reason,
  );
  assert.equal(statementOf(resources).effectivePeriod?.end, '2024-04-01');
});

test('when it was written and who entered it come back beside when it begins and who ordered it', () => {
  const requester = { agent: { reference: 'Practitioner/P2' } };
  const agent: ToHl7['agent'] = (who) => who?.reference?.split('/')[1] ?? null;
  const back = (request: MedicationRequest) =>
    planOf(receive(sent(medicationToHl7, request, [DRUG, BEFORE], { agent }).statement).resources);
  const { authoredOn, requester: ordered, recorder } = back({ ...PLAN, authoredOn: '2024-02-27', requester });
  assert.deepEqual([authoredOn, ordered, recorder], ['2024-02-27', requester, COMMON.recorder]);
  const { requester: _nobody, recorder: _neither, ...bare } = { ...PLAN, requester, authoredOn: '2024-02-27' };
  assert.equal(back(bare).authoredOn, '2024-02-27');
  const same = sent(medicationToHl7, { ...PLAN, authoredOn: '2024-03-01', requester: { agent: COMMON.recorder } }, [DRUG, BEFORE], {
    agent,
  });
  assert.equal(children(same.statement, 'Participant').length, 1);
  assert.doesNotMatch(same.xml, /<time/);
});

test('an issue is of the type that its plan tells in words', () => {
  const order = received(medicationToFhir, 'medication', send(ORDER), {
    repeatsOf: () => 6,
    prescriptionTypeOf: () => 'repeat-dispensing',
  });
  assert.deepEqual(planOf(order.resources).extension, [type('repeat-dispensing', 'Repeat dispensing')]);
});

test('an amount in words stays one, and no number is made up for it', () => {
  const inWords = { extension: [{ url: `${GP_CONNECT}MedicationQuantityText-1`, valueString: '28 tablets' }] };
  const dispenseRequest = { ...PLAN.dispenseRequest, quantity: inWords };
  assert.deepEqual(planOf(receive(send({ ...PLAN, dispenseRequest })).resources).dispenseRequest?.quantity, inWords);
});

test('several notes come back as several, one of many lines as one', () => {
  const note = [{ text: 'collect  \nfrom the chemist' }, { text: 'private' }];
  assert.deepEqual(planOf(receive(send({ ...PLAN, note })).resources).note, [
    { text: 'collect\nfrom the chemist\n' },
    { text: 'private\n' },
  ]);
});

test('what only the statement beside a plan notes comes back with it; what plan and issues note is noted there', () => {
  const issue = { ...ORDER, note: [{ text: 'by post' }] };
  const taking = {
    ...AGENCY,
    note: [{ text: 'collect' }, { text: 'by post' }, { text: 'Feels sick after it' }, { text: 'Better with food' }],
  };
  for (const plan of [PLAN, { ...PLAN, note: [] }]) {
    const { resources } = receive(send(plan, [DRUG, BEFORE, issue, taking]));
    const only = plan.note?.length ? [] : [{ text: 'collect' }];
    assert.deepEqual(statementOf(resources).note, [...only, { text: 'Feels sick after it' }, { text: 'Better with food' }]);
    assert.deepEqual(planOf(resources).note, plan.note?.length ? [{ text: 'collect\n' }] : undefined);
  }
});

test('an issue finds its plan wherever that stands, and keeps its dates', () => {
  const { xml, remarks } = sent(medicationToHl7, ORDER, [DRUG, PLAN, BEFORE, AGENCY]);
  assert.match(xml, /inFulfillmentOf/);
  assert.deepEqual(remarks, []);
  const { resources } = receive(send(PLAN), [], send(ORDER));
  const order = planOf(resources);
  assert.equal(order.intent, 'order');
  assert.equal(order.status, 'completed');
  assert.deepEqual(order.dispenseRequest?.validityPeriod, { start: '2024-03-01', end: '2024-03-28' });
  const fulfilled = attr(at(child(send(ORDER), 'component'), 'ehrSupplyPrescribe', 'inFulfillmentOf', 'priorMedicationRef', 'id'), 'root');
  assert.equal(order.basedOn?.[0]?.reference, `MedicationRequest/${fulfilled}`);
});

test('a plan that continues another one says so', () => {
  const plan = planOf(receive(send(PLAN)).resources);
  assert.match(plan.priorPrescription?.reference ?? '', /^MedicationRequest\/[0-9A-F-]{36}$/);
});

test('an order that was cancelled keeps its state, and words about why', () => {
  const reason = {
    url: `${GP_CONNECT}MedicationStatusReason-1`,
    extension: [
      { url: 'statusReason', valueCodeableConcept: { text: 'printed twice' } },
      { url: 'statusChangeDate', valueDateTime: '2024-03-02' },
    ],
  };
  const order = planOf(receive(send(PLAN), [], send({ ...ORDER, status: 'cancelled', extension: [reason] })).resources);
  assert.equal(order.status, 'cancelled');
  assert.ok(order.note?.some((note) => note.text?.includes('printed twice (2024-03-02)')));
});

test('the name of a supply does not grow in the notes with each transfer', () => {
  const coding = {
    system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescribingAgency-1',
    code: 'prescribed-by-another-organisation',
  };
  const agency = { ...AGENCY, extension: [{ url: `${GP_CONNECT}PrescribingAgency-1`, valueCodeableConcept: { coding: [coding] } }] };
  const once = planOf(receive(send(PLAN, [DRUG, BEFORE, agency])).resources);
  assert.deepEqual(
    once.note?.map((note) => note.text),
    ['collect\n', 'Prescription type: Prescription by another organisation'],
  );
  const again = planOf(receive(send({ ...PLAN, ...(once.note && { note: once.note }) }, [DRUG, BEFORE, agency])).resources);
  assert.deepEqual(again.note, once.note);
});

test('every label of the table is written', () => {
  const agency = { ...AGENCY, basedOn: [{ reference: 'MedicationRequest/ORDER' }] };
  const reason = {
    url: `${GP_CONNECT}MedicationStatusReason-1`,
    extension: [{ url: 'statusReason', valueCodeableConcept: { text: 'x' } }],
  };
  const written =
    sent(medicationToHl7, { ...PLAN, status: 'on-hold' }, [DRUG, BEFORE, AGENCY]).xml +
    sent(medicationToHl7, { ...ORDER, extension: [reason] }, [DRUG, PLAN, agency]).xml;
  for (const { label } of Object.values(FACTS)) assert.ok(written.includes(label), label);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fhirNumber } from '../../fhir/json.ts';
import type { MedicationRequest } from '../../fhir/types.ts';
import { at, attr, child, children, textOf } from '../../xml/element.ts';
import { sent } from '../testing.ts';
import { notCarried } from './terms.ts';
import { medicationToHl7 } from './to-hl7.ts';

const PLAN: MedicationRequest = {
  resourceType: 'MedicationRequest',
  id: 'P',
  extension: [
    {
      url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-PrescriptionType-1',
      valueCodeableConcept: { coding: [{ code: 'repeat' }] },
    },
  ],
  status: 'active',
  intent: 'plan',
  medicationCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '39110911000001107', display: 'Example 10mg tablets' }] },
  dosageInstruction: [{ text: 'One daily' }],
  dispenseRequest: { validityPeriod: { start: '2022-01-10' }, quantity: { value: fhirNumber('28.50') ?? 0, unit: 'ml' } },
};
const ORDER: MedicationRequest = { ...PLAN, id: 'O', intent: 'order', basedOn: [{ reference: 'MedicationRequest/P' }] };
const supply = (request: MedicationRequest, name: string, around: MedicationRequest[] = []) =>
  at(child(sent(medicationToHl7, request, around).statement, 'component'), name);
const codes = (remarks: readonly { code: string }[]) => remarks.map((remark) => remark.code);

test('digits of a quantity are those of the source', () => {
  const quantity = child(supply(PLAN, 'ehrSupplyAuthorise'), 'quantity');
  assert.equal(attr(quantity, 'value'), '28.50');
  assert.equal(attr(child(quantity, 'translation'), 'value'), '28.50');
  assert.equal(textOf(quantity), 'ml');
});

test('plan and order meet under the id of the supply, not of the statement', () => {
  const { statement } = sent(medicationToHl7, ORDER, [PLAN]);
  const prior = attr(at(child(statement, 'component'), 'ehrSupplyPrescribe', 'inFulfillmentOf', 'priorMedicationRef', 'id'), 'root');
  assert.ok(prior);
  assert.notEqual(prior, attr(child(statement, 'id'), 'root'));
});

test('an issue whose plan is not in the record is sent all the same, and the broken link reported', () => {
  const { xml, remarks } = sent(medicationToHl7, ORDER);
  assert.match(xml, /ehrSupplyPrescribe/);
  assert.doesNotMatch(xml, /inFulfillmentOf/);
  assert.deepEqual(codes(remarks), ['link.broken']);
});

test('a plan without type or start is sent, and both are reported', () => {
  const { extension: _, dispenseRequest: __, ...bare } = PLAN;
  const { statement, remarks } = sent(medicationToHl7, { ...bare, authoredOn: '2022-01-09' });
  assert.equal(attr(child(statement, 'availabilityTime'), 'value'), '20220109');
  assert.deepEqual(codes(remarks), ['date.defaulted', 'value.lost']);
});

test('an acute has no repeats, a repeat as many as are allowed', () => {
  const repeats = (request: MedicationRequest) => attr(child(supply(request, 'ehrSupplyAuthorise'), 'repeatNumber'), 'value');
  const acute = { ...PLAN, extension: [{ ...PLAN.extension?.[0], valueCodeableConcept: { coding: [{ code: 'acute' }] } }] };
  assert.equal(repeats(acute), '0');
  assert.equal(repeats(PLAN), '1');
});

test('a date of stopping that is missing is unknown, and reported', () => {
  const stopped = {
    ...PLAN,
    extension: [
      ...(PLAN.extension ?? []),
      { url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-MedicationStatusReason-1', extension: [] },
    ],
    status: 'stopped',
  };
  const { statement, remarks } = sent(medicationToHl7, stopped);
  const ended = children(statement, 'component').flatMap((component) => children(component, 'ehrSupplyDiscontinue'))[0];
  assert.equal(attr(child(ended, 'availabilityTime'), 'nullFlavor'), 'UNK');
  assert.equal(textOf(at(ended, 'pertinentInformation')), 'Stopped');
  assert.deepEqual(codes(remarks), ['date.defaulted']);
});

test('a stopped issue is left out, a stopped plan is not', () => {
  assert.match(notCarried({ ...ORDER, status: 'stopped' }) ?? '', /stopped/);
  assert.equal(notCarried({ ...PLAN, status: 'stopped' }), undefined);
});

test('a request that is neither plan nor issue is refused, for the record to degrade it', () => {
  assert.throws(() => sent(medicationToHl7, { ...PLAN, intent: 'proposal' }), /proposal/);
});

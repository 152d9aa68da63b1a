import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcedureRequest, Resource } from '../../fhir/types.ts';
import { at, attr, child, textOf } from '../../xml/element.ts';
import { sent } from '../testing.ts';
import { planToHl7 } from './to-hl7.ts';

const PLAN: ProcedureRequest = {
  resourceType: 'ProcedureRequest',
  id: 'p1',
  status: 'active',
  intent: 'plan',
  code: { text: 'Smear recall' },
  authoredOn: '2024-03-10',
};

test('a plan is its code, its date and when it was made; an active one needs no words', () => {
  const { statement } = sent(planToHl7, { ...PLAN, occurrenceDateTime: '2024-09-01' });
  assert.equal(statement.name, 'PlanStatement');
  assert.equal(attr(at(statement, 'effectiveTime', 'center'), 'value'), '20240901');
  assert.equal(attr(child(statement, 'availabilityTime'), 'value'), '20240310');
  assert.equal(textOf(at(statement, 'code', 'originalText')), 'Smear recall');
  assert.equal(child(statement, 'text'), undefined);
});

test('a period is dated by its end, and its start is the earliest recall date', () => {
  const { statement } = sent(planToHl7, { ...PLAN, occurrencePeriod: { start: '2024-09-01', end: '2024-10-01' } });
  assert.equal(attr(at(statement, 'effectiveTime', 'center'), 'value'), '20241001');
  assert.equal(textOf(child(statement, 'text')), 'Earliest Recall Date: 2024-09-01\n');
});

test('a status other than active stands in front, in words that EMIS reads', () => {
  const { statement } = sent(planToHl7, { ...PLAN, status: 'completed', note: [{ text: 'All well' }] });
  assert.equal(textOf(child(statement, 'text')), 'Status: Seen\nAll well');
});

test('an order is not lost: it is sent as a plan that says what it is', () => {
  const { statement } = sent(planToHl7, { ...PLAN, intent: 'order' });
  assert.equal(textOf(child(statement, 'text')), 'Intent: order\n');
});

test('who recalls is named in words where it is an organisation or a device, and linked where it is a person', () => {
  const around: Resource[] = [
    { resourceType: 'Organization', id: 'o', name: 'The Surgery' } as Resource,
    { resourceType: 'Device', id: 'd', type: { text: 'Recall system' }, manufacturer: 'Acme' } as Resource,
  ];
  const text = (reference: string) =>
    textOf(child(sent(planToHl7, { ...PLAN, requester: { agent: { reference } } }, around).statement, 'text'));
  assert.equal(text('Organization/o'), 'Recall Organisation: The Surgery\n');
  assert.equal(text('Device/d'), 'Recall Device: Recall system Acme\n');
  const { statement } = sent(planToHl7, { ...PLAN, requester: { agent: { reference: 'Practitioner/p' } } });
  assert.equal(attr(child(statement, 'Participant'), 'typeCode'), 'PRF');
});

test('supporting information that is not in the record is reported, not passed over', () => {
  const { remarks } = sent(planToHl7, { ...PLAN, supportingInfo: [{ reference: 'Observation/gone' }] });
  assert.deepEqual(
    remarks.map(({ code }) => code),
    ['link.broken'],
  );
});

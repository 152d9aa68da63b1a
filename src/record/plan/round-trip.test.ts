import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcedureRequest } from '../../fhir/types.ts';
import { received, sent } from '../testing.ts';
import { planToFhir } from './to-fhir.ts';
import { planToHl7 } from './to-hl7.ts';

const PLAN: ProcedureRequest = {
  resourceType: 'ProcedureRequest',
  id: 'p1',
  status: 'completed',
  intent: 'proposal',
  code: { text: 'Review' },
  authoredOn: '2024-03-10',
  occurrencePeriod: { start: '2024-09-01', end: '2024-10-01' },
  bodySite: [{ text: 'Left knee' }],
  reasonCode: [{ text: 'Pain' }, { text: 'Swelling' }],
  note: [{ text: 'Bring X-ray\nand stick' }],
};

const again = (plan: ProcedureRequest) => received(planToFhir, 'plan', sent(planToHl7, plan).statement).resources[0] as ProcedureRequest;

test('status, intent, period, body site, reasons and notes survive', () => {
  const read = again(PLAN);
  assert.equal(read.status, 'completed');
  assert.equal(read.intent, 'proposal');
  assert.deepEqual(read.occurrencePeriod, PLAN.occurrencePeriod);
  assert.deepEqual(read.bodySite, PLAN.bodySite);
  assert.deepEqual(read.reasonCode, [{ text: 'Pain, Swelling' }], 'reasons become one text');
  assert.deepEqual(read.note, PLAN.note);
});

test('an active plan comes back without a known status: HL7 has none and no words were needed', () => {
  assert.equal(again({ ...PLAN, status: 'active' }).status, 'unknown');
});

test('the third journey changes nothing more', () => {
  const once = again(again(PLAN));
  assert.deepEqual({ ...again(once), id: once.id, requester: once.requester }, once);
});

test('several notes come back as several, and who is to do it beside them', () => {
  const note = [{ text: 'Bring X-ray\nand stick' }, { text: 'Fasting' }];
  const read = again({ ...PLAN, note, performer: { display: 'Physiotherapy' } });
  assert.deepEqual(read.note, note);
  assert.deepEqual(read.performer, { display: 'Physiotherapy' });
});

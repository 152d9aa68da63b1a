import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcedureRequest } from '../../fhir/types.ts';
import { received } from '../testing.ts';
import { planToFhir } from './to-fhir.ts';

function plan(inside: string): ProcedureRequest {
  const xml = `<PlanStatement><id root="PLN-1"/><code code="66A1.00" codeSystem="2.16.840.1.113883.2.1.6.2" displayName="Sample recall"/>${inside}</PlanStatement>`;
  return received(planToFhir, 'plan', xml).resources[0] as ProcedureRequest;
}

test('a plan of EMIS keeps its words and gets the status that they begin with', () => {
  const read = plan(
    '<text>Status: Pending, recall</text><effectiveTime><center value="20240901"/></effectiveTime><availabilityTime value="20240310"/>',
  );
  assert.equal(read.status, 'active');
  assert.equal(read.intent, 'plan');
  assert.deepEqual(read.note, [{ text: 'Status: Pending, recall' }]);
  assert.equal(read.occurrenceDateTime, '2024-09-01');
  assert.equal(read.authoredOn, '2024-03-10');
  assert.deepEqual(read.requester, { agent: { reference: 'Practitioner/AG-2' } });
  assert.equal(read.code?.coding?.[0]?.code, '196451000000104', 'a Read code alone is degraded as a plan');
});

test('the statuses that other systems write are understood', () => {
  const status = (text: string) => plan(`<text>${text}</text>`).status;
  assert.equal(status('Status: Seen, done'), 'completed');
  assert.equal(status('status: cancelled by clinician'), 'cancelled');
  assert.equal(status('Status: Superseded by another'), 'cancelled');
  assert.equal(status('Recall notes'), 'unknown');
});

test('a plan without a time of its own is dated by its composition', () => {
  assert.equal(plan('').authoredOn, '2024-03-10T10:30:00+00:00');
});

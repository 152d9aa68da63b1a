import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observation, ReferralRequest } from '../../fhir/types.ts';
import { received } from '../testing.ts';
import { referralToFhir } from './to-fhir.ts';

const CODE = '<code code="8H4..00" codeSystem="2.16.840.1.113883.2.1.6.2" displayName="Sample referral"/>';
const URGENT =
  '<priorityCode code="394849002" codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="High"><originalText>Urgent</originalText></priorityCode>';

function referral(inside: string, overrides = {}): ReferralRequest {
  const xml = `<RequestStatement><id root="REF-1"/>${inside}</RequestStatement>`;
  return received(referralToFhir, 'referral', xml, overrides).resources[0] as ReferralRequest;
}

test('code, priority, dates, words and the responsible agent are read', () => {
  const read = referral(
    `${CODE}<text>Reason: review</text><effectiveTime><center value="20240315"/></effectiveTime><availabilityTime value="20240310"/>${URGENT}
     <responsibleParty typeCode="RESP"><agentRef><id root="ORG-7"/></agentRef></responsibleParty>`,
  );
  assert.equal(read.status, 'unknown');
  assert.equal(read.priority, 'urgent');
  assert.deepEqual(read.recipient, [{ reference: 'Practitioner/ORG-7' }]);
  assert.deepEqual(
    read.reasonCode?.[0]?.coding?.map(({ code }) => code),
    ['196431000000106', '8H4..00'],
  );
  assert.deepEqual(read.note, [{ text: 'Priority: Urgent' }, { text: 'Action Date: 2024-03-15' }, { text: 'Reason: review' }]);
});

test('an action date counts although the sender calls it unknown in the same breath', () => {
  const read = referral(`${CODE}<effectiveTime><center value="20050406" nullFlavor="NI"/></effectiveTime>`);
  assert.deepEqual(read.note, [{ text: 'Action Date: 2005-04-06' }]);
});

test('letters that a LinkSet ties to the referral support it', () => {
  const read = referral(CODE, {
    documentsOfReferral: () => ['D1', 'D2'],
    resourceFor: (id: string) => (id === 'D1' ? 'DocumentReference/D1' : undefined),
  });
  assert.deepEqual(read.supportingInfo, [{ reference: 'DocumentReference/D1' }]);
});

test('an e-referral number in a second id is an identifier', () => {
  const read = referral(`<id root="2.16.840.1.113883.2.1.4.5.3" extension="0001"/>${CODE}`);
  assert.deepEqual(read.identifier?.at(-1), { system: 'https://fhir.nhs.uk/Id/ubr-number', value: '0001' });
});

test('a self-referral is an observation with its urgency and its words, and does not need a priority', () => {
  const xml = `<RequestStatement><id root="REF-1"/><code code="8Hh..00" codeSystem="2.16.840.1.113883.2.1.6.2" displayName="Self-referral">
    <qualifier><value code="SelfReferral"/></qualifier></code><text>Dry eyes</text><availabilityTime value="20240310"/></RequestStatement>`;
  const [read] = received(referralToFhir, 'referral', xml).resources as [Observation];
  assert.equal(read.resourceType, 'Observation');
  assert.equal(read.comment, 'SelfReferral');
  assert.equal(read.issued, '2024-03-10T10:35:00.000+00:00');
  assert.deepEqual(read.component, [{ code: { text: 'Urgency' } }, { code: { text: 'Text' }, valueString: 'Dry eyes' }]);
});

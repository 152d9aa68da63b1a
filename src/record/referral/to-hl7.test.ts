import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReferralRequest, Resource } from '../../fhir/types.ts';
import { at, attr, child, children, textOf } from '../../xml/element.ts';
import { sent } from '../testing.ts';
import { referralToHl7 } from './to-hl7.ts';

const REFERRAL: ReferralRequest = { resourceType: 'ReferralRequest', id: 'r1', intent: 'order', authoredOn: '2024-03-10' };
const AROUND: Resource[] = [
  { resourceType: 'Organization', id: 'o', name: 'The Hospital' } as Resource,
  { resourceType: 'Practitioner', id: 'a', name: [{ given: ['Ann'], family: 'Ash' }] } as Resource,
  { resourceType: 'Practitioner', id: 'b', name: [{ text: 'Dr Birch' }] } as Resource,
  { resourceType: 'HealthcareService', id: 'h', name: 'Physiotherapy' } as Resource,
];
const textOfReferral = (referral: Partial<ReferralRequest>) =>
  textOf(child(sent(referralToHl7, { ...REFERRAL, ...referral }, AROUND).statement, 'text'));

test('without a reason a referral is a patient referral, and its empty text is there because receivers expect it', () => {
  const { statement } = sent(referralToHl7, REFERRAL);
  assert.equal(attr(child(statement, 'code'), 'code'), '3457005');
  assert.equal(textOf(child(statement, 'text')), '');
  assert.equal(attr(at(statement, 'effectiveTime', 'center'), 'nullFlavor'), 'NI');
});

test('the first reason is the code and the others are words', () => {
  const reasonCode = [{ text: 'Knee' }, { text: 'Hip' }, { text: 'Back' }];
  const { statement } = sent(referralToHl7, { ...REFERRAL, reasonCode });
  assert.equal(textOf(at(statement, 'code', 'originalText')), 'Knee');
  assert.equal(textOf(child(statement, 'text')), 'Reason Codes: Hip,Back\n');
});

test('facts stand in the order that the existing adaptor gives them, the description last', () => {
  const text = textOfReferral({
    identifier: [{ system: 'https://fhir.nhs.uk/Id/UBRN', value: '0001' }],
    requester: { agent: { reference: 'Organization/o' } },
    priority: 'asap',
    serviceRequested: [{ text: 'Scan' }],
    specialty: { text: 'Orthopaedics' },
    reasonCode: [{ text: 'Knee' }, { text: 'Hip' }],
    note: [{ text: 'Urgent please' }],
    description: 'Pain for a year',
  });
  assert.deepEqual(text.split('\n'), [
    'Requester Org: The Hospital',
    'Priority: ASAP',
    'UBRN: 0001',
    'Service(s) Requested: Scan',
    'Specialty: Orthopaedics',
    'Reason Codes: Hip',
    'Annotation: Urgent please',
    'Description: Pain for a year',
  ]);
});

test('priorities with a code are coded, and one that nobody knows is high and in words', () => {
  const priority = (of: string) => sent(referralToHl7, { ...REFERRAL, priority: of });
  assert.equal(attr(child(priority('routine').statement, 'priorityCode'), 'code'), '394848005');
  assert.equal(textOf(at(priority('urgent').statement, 'priorityCode', 'originalText')), 'Urgent');
  const stat = priority('stat');
  assert.equal(attr(child(stat.statement, 'priorityCode'), 'code'), '394849002');
  assert.equal(textOf(child(stat.statement, 'text')), 'Priority: STAT\n');
  assert.equal(stat.remarks[0]?.code, 'value.lost');
});

test('the first practitioner among the recipients is responsible, the others are named', () => {
  const recipient = ['Organization/o', 'Practitioner/a', 'HealthcareService/h', 'Practitioner/b'].map((reference) => ({ reference }));
  const { statement } = sent(referralToHl7, { ...REFERRAL, recipient }, AROUND);
  assert.equal(children(statement, 'responsibleParty').length, 1);
  assert.equal(
    textOf(child(statement, 'text')),
    'Recipient Org: The Hospital Recipient Healthcare Service: Physiotherapy Recipient Practitioner: Dr Birch\n',
  );
});

test('a responsible practitioner without an agent is named instead of lost', () => {
  const { statement } = sent(referralToHl7, { ...REFERRAL, recipient: [{ reference: 'Practitioner/a' }] }, AROUND, { agent: () => null });
  assert.equal(child(statement, 'responsibleParty'), undefined);
  assert.equal(textOf(child(statement, 'text')), 'Recipient Practitioner: Ann Ash\n');
});

test('a requester or recipient that is not in the record is reported', () => {
  const { remarks } = sent(referralToHl7, { ...REFERRAL, requester: { agent: { reference: 'Device/gone' } } });
  assert.deepEqual(
    remarks.map(({ code, text }) => [code, text]),
    [['link.broken', 'Device/gone is not in the record.']],
  );
});

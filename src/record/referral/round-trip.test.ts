import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReferralRequest, Resource } from '../../fhir/types.ts';
import { h } from '../../xml/element.ts';
import { received, sent } from '../testing.ts';
import { referralToFhir } from './to-fhir.ts';
import { referralToHl7 } from './to-hl7.ts';

const AROUND: Resource[] = [{ resourceType: 'Organization', id: 'o', name: 'The Hospital' } as Resource];
const REFERRAL: ReferralRequest = {
  resourceType: 'ReferralRequest',
  id: 'r1',
  intent: 'order',
  priority: 'routine',
  authoredOn: '2024-03-10',
  occurrenceDateTime: '2024-04-01',
  identifier: [{ system: 'https://fhir.nhs.uk/Id/ubr-number', value: '0001' }],
  requester: { agent: { reference: 'Practitioner/p' } },
  recipient: [{ reference: 'Organization/o' }],
  serviceRequested: [{ text: 'Scan' }],
  specialty: { text: 'Orthopaedics' },
  reasonCode: [{ text: 'Knee' }, { text: 'Hip' }],
  description: 'Pain for a year,\nworse at night',
};

const again = (referral: ReferralRequest) =>
  received(referralToFhir, 'referral', sent(referralToHl7, referral, AROUND).statement).resources[0] as ReferralRequest;

test('number, priority, service, specialty, reasons, date and description survive', () => {
  const read = again(REFERRAL);
  assert.deepEqual(read.identifier?.at(-1), REFERRAL.identifier?.[0]);
  assert.equal(read.priority, 'routine');
  assert.deepEqual(read.serviceRequested, REFERRAL.serviceRequested);
  assert.deepEqual(read.specialty, REFERRAL.specialty);
  assert.deepEqual(
    read.reasonCode?.map(({ text }) => text),
    ['Knee', 'Hip'],
  );
  assert.deepEqual(read.note, [
    { text: 'Priority: Routine' },
    { text: 'Action Date: 2024-04-01' },
    { text: 'Recipient Org: The Hospital' },
  ]);
  assert.equal(read.description, REFERRAL.description);
  assert.notEqual(read.requester?.agent?.reference, 'Practitioner/AG-2', 'the requester is not whoever took part in the consultation');
});

test('priorities that only words carry come back', () => {
  assert.equal(again({ ...REFERRAL, priority: 'asap' }).priority, 'asap');
  assert.equal(again({ ...REFERRAL, priority: 'stat' }).priority, 'stat');
});

test('a referral that the patient asked for comes back as that', () => {
  assert.deepEqual(again({ ...REFERRAL, requester: { agent: { reference: 'Patient/x' } } }).requester, {
    agent: { reference: 'Patient/PAT' },
  });
});

test('notes made of the priority and the date do not pile up on the second journey', () => {
  const notes = (of: ReferralRequest) => of.note?.map(({ text }) => text?.split(':')[0]);
  const twice = again(again(REFERRAL));
  assert.deepEqual(notes(twice), ['Priority', 'Action Date', 'Recipient Org']);
  assert.deepEqual(notes(again(twice)), ['Priority', 'Action Date', 'Recipient Org']);
});

test('a note and a description stay apart, and neither changes on the second journey', () => {
  const once = again({ ...REFERRAL, note: [{ text: 'Mode: written' }] });
  const twice = again(once);
  for (const read of [once, twice]) {
    assert.equal(read.description, REFERRAL.description);
    assert.equal(read.note?.at(-1)?.text, once.note?.at(-1)?.text);
  }
  assert.match(once.note?.at(-1)?.text ?? '', /Mode: written$/);
});

test('a text of another system stays a note, whatever it looks like', () => {
  const statement = h('RequestStatement', null, h('id', { root: 'R' }), h('text', null, 'Please see\nDescription: soon'));
  const read = received(referralToFhir, 'referral', statement).resources[0] as ReferralRequest;
  assert.deepEqual(read.note, [{ text: 'Please see\nDescription: soon' }]);
  assert.equal(read.description, undefined);
});

test('that nobody waits for a referral any more is told, and comes back', () => {
  for (const status of ['draft', 'suspended', 'cancelled', 'entered-in-error']) assert.equal(again({ ...REFERRAL, status }).status, status);
  for (const status of ['active', 'completed']) assert.equal(again({ ...REFERRAL, status }).status, 'unknown');
});

test('several notes come back as several, commas and all', () => {
  const note = [{ text: 'Mode: written, by post' }, { text: 'Transport: none' }];
  const { recipient: _nobody, occurrenceDateTime: _never, priority: _none, ...bare } = REFERRAL;
  assert.deepEqual(again({ ...bare, note }).note, note);
  assert.deepEqual(again(again({ ...bare, note })).note, note);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../base/errors.ts';
import type { Medication, MedicationRequest, Observation, Resource } from '../fhir/types.ts';
import { TO_FHIR } from './concepts.ts';
import { faultInResource, faultInStatement } from './faulty.ts';
import { observation, receive, send, smallRecord, uuid } from './testing-record.ts';

const NOBODY = () => undefined;
const engine = new TypeError("Cannot read properties of undefined (reading 'code')");

test('what an entry has that FHIR does not is named by its member and its resource', () => {
  const bad = { ...observation(uuid(50), 'x', 'Practitioner/gp'), referenceRange: [7] } as unknown as Resource;
  const { words, technical } = faultInResource(engine, bad, NOBODY);
  assert.equal(words, `referenceRange[0] of Observation/${uuid(50)} is not of the shape that FHIR gives it`);
  assert.equal(technical?.technical, engine.message);
});

test('a medicine that breaks the prescription that names it is named, not the prescription', () => {
  const medicine = { resourceType: 'Medication', id: 'm', code: { coding: 7 } } as unknown as Medication;
  const request = {
    resourceType: 'MedicationRequest',
    id: uuid(51),
    status: 'active',
    intent: 'plan',
    medicationReference: { reference: 'Medication/m' },
    dispenseRequest: { validityPeriod: { start: '2020-04-01' } },
  } as MedicationRequest;
  const issue = send(smallRecord(medicine, request)).report.issues.find(({ code }) => code === 'statement.asText');
  assert.match(issue?.text ?? '', /\(code\.coding of Medication\/m is not of the shape that FHIR gives it\)/);
  assert.match(issue?.technical ?? '', /\w/);
  assert.doesNotMatch(issue?.text ?? '', /Cannot read|is not a function|is not iterable|undefined/);
});

test('of a statement it is said which it is, and what the program said stands beside', () => {
  const { xml } = send(smallRecord());
  const broken = new Map(TO_FHIR).set('observation', () => {
    throw engine;
  });
  const [issue] = receive(xml, { handlers: broken }).report.issues.filter(({ code }) => code === 'statement.asText');
  assert.match(issue?.text ?? '', /: something of the \w+Statement is not of the shape that HL7 gives it\)/);
  assert.equal(issue?.technical, engine.message);
});

test('a fault that says itself what is wrong says it in its own words, with nothing beside', () => {
  const fault = new Fault('medication.intent', 'a request that is neither a plan nor an issue');
  assert.deepEqual(faultInResource(fault, { resourceType: 'Observation' } as Observation, NOBODY), { words: fault.message });
  assert.deepEqual(faultInStatement(fault, 'the LinkSet'), { words: fault.message });
});

test('where nothing is out of shape the entry itself is named', () => {
  const one = { resourceType: 'Observation', id: 'o', related: [{ target: { reference: '#o' } }] } as Observation;
  const { words } = faultInResource(new Error('odd'), one, () => one);
  assert.equal(words, 'something of Observation/o is not of the shape that FHIR gives it');
});

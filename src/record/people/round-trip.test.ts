import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Encounter,
  Location,
  Observation,
  Organization,
  Patient,
  Practitioner,
  PractitionerRole,
  Resource,
} from '../../fhir/types.ts';
import { attr, textOf } from '../../xml/element.ts';
import { all, observation, receive, send, smallRecord, uuid } from '../testing-record.ts';

const of = <R extends Resource>(resources: readonly Resource[], type: R['resourceType']) =>
  resources.filter((resource) => resource.resourceType === type) as R[];
const carried = (...more: readonly Resource[]) => receive(send(smallRecord(...more)).root).resources;

test('people keep their names, whole or in parts', () => {
  const names = of<Practitioner>(carried(), 'Practitioner').map(({ name }) => name?.[0]);
  assert.ok(names.some((name) => name?.family === 'Jones' && name.given?.join(' ') === 'Ann Mary' && name.prefix?.[0] === 'Dr'));
  assert.ok(names.some((name) => name?.text === 'Sister Smith'));
});

test('the organisation of a role keeps its name, number and address, and the role its words', () => {
  const resources = carried();
  const [role] = of<PractitionerRole>(resources, 'PractitionerRole');
  assert.equal(role?.code?.[0]?.text, 'General practitioner');
  const organisation = of<Organization>(resources, 'Organization').find(({ id }) => `Organization/${id}` === role?.organization?.reference);
  assert.equal(organisation?.name, 'The Surgery');
  assert.equal(organisation?.telecom?.[0]?.value, '0113 496 0000');
  assert.deepEqual(organisation?.address?.[0]?.line, ['1 High Street', 'Leeds']);
  assert.equal(organisation?.address?.[0]?.postalCode, 'LS1 1AA');
});

test('who recorded, who saw and who observed are the same people on the other side', () => {
  const resources = carried();
  const nameOf = (reference: string | undefined) => {
    const name = of<Practitioner>(resources, 'Practitioner').find(({ id }) => `Practitioner/${id}` === reference)?.name?.[0];
    return name?.family ?? name?.text;
  };
  const [encounter] = of<Encounter>(resources, 'Encounter');
  assert.deepEqual(
    encounter?.participant?.map(({ individual }) => nameOf(individual?.reference)),
    ['Sister Smith', 'Jones'],
  );
  const outside = of<Observation>(resources, 'Observation').find(({ id }) => id === uuid(6));
  assert.equal(nameOf(outside?.performer?.[0]?.reference), 'Sister Smith');
});

test('no organisation carries an id on the wire: SystmOne hides the people of one that does', () => {
  const { root } = send(smallRecord());
  for (const organisation of all(root, 'representedOrganization')) assert.equal(all(organisation, 'id').length, 0);
  assert.ok(all(root, 'representedOrganization').length > 0);
});

test('the patient’s practice is the first in the directory, and everybody stands there once', () => {
  const { root } = send(smallRecord());
  const agents = all(root, 'Agent');
  assert.equal(textOf(agents[0] && all(agents[0], 'family')[0]), 'The Surgery');
  const ids = agents.map((agent) => attr(all(agent, 'id')[0], 'root'));
  assert.equal(new Set(ids).size, 3);
});

test('somebody who is in no resource is carried by the words of the reference, and told', () => {
  const visitor = observation(uuid(50), 'x', '', { performer: [{ reference: 'Practitioner/gone', display: 'Dr Gone' }] });
  const { root, report } = send(smallRecord(visitor));
  assert.ok(all(root, 'family').some((family) => textOf(family) === 'Dr Gone'));
  assert.ok(report.issues.some(({ code, at }) => code === 'link.broken' && at.id === `Observation/${uuid(50)}`));
});

test('a place is known by its name', () => {
  assert.deepEqual(
    of<Location>(carried(), 'Location').map(({ name }) => name),
    ['Branch surgery'],
  );
});

test('of the patient only the number travels', () => {
  const [patient] = of<Patient>(carried(), 'Patient');
  assert.equal(patient?.identifier?.[0]?.value, '9000000009');
  assert.equal(patient?.name, undefined);
});

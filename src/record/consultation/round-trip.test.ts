import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Encounter, List, Observation, Resource } from '../../fhir/types.ts';
import { cameBack } from '../testing.ts';
import { list, observation, receive, send, smallRecord, uuid } from '../testing-record.ts';

const of = <R extends Resource>(resources: readonly Resource[], type: R['resourceType']) =>
  resources.filter((resource) => resource.resourceType === type) as R[];
const carried = () => receive(send(smallRecord()).root).resources;

test('an encounter keeps its id, its kind in words, when it was and where', () => {
  const [encounter] = of<Encounter>(carried(), 'Encounter');
  assert.equal(encounter?.id, uuid(1));
  assert.equal(encounter?.type?.[0]?.text, 'Telephone call');
  assert.deepEqual(encounter?.period, { start: '2021-03-04T09:15:00+00:00', end: '2021-03-04T09:25:00+00:00' });
  assert.ok(encounter?.location?.[0]?.location?.reference);
});

test('topics and categories keep their ids, titles and entries', () => {
  const lists = of<List>(carried(), 'List');
  const shown = (id: string) => {
    const found = lists.find((one) => one.id === id);
    return [found?.title, found?.entry?.map(({ item }) => item?.reference)];
  };
  assert.deepEqual(shown(uuid(3)), ['History', [`Observation/${uuid(4)}`]]);
  const [title, entries = []] = shown(uuid(2));
  assert.equal(title, 'Cough');
  assert.equal(entries[0], `List/${uuid(3)}`);
  assert.equal(lists.find(({ id }) => id === entries[1]?.slice(5))?.entry?.[0]?.item?.reference, `Observation/${uuid(5)}`);
});

test('an entry outside consultations has no encounter', () => {
  const outside = of<Observation>(carried(), 'Observation').find(({ id }) => id === uuid(6));
  assert.ok(outside);
  assert.equal(outside.context, undefined);
});

test('a type of the composition vocabulary travels as its code', () => {
  const coded = { coding: [{ system: 'http://snomed.info/sct', code: '25681000000100', display: 'Telephone call to a patient' }] };
  const bundle = smallRecord(
    { resourceType: 'Encounter', id: uuid(20), type: [coded], period: { start: '2022-01-01' } } as Resource,
    list('two', '325851000000107', { encounter: { reference: `Encounter/${uuid(20)}` } }, `List/${uuid(21)}`),
    list(uuid(21), '25851000000105', {}, `Observation/${uuid(22)}`),
    observation(uuid(22), 'x', 'Practitioner/gp'),
  );
  const encounter = of<Encounter>(receive(send(bundle).root).resources, 'Encounter').find(({ id }) => id === uuid(20));
  assert.deepEqual(encounter?.type?.[0], cameBack(coded));
  assert.deepEqual(encounter?.period, { start: '2022-01-01' });
});

test('a consultation that lists nothing is left out and told', () => {
  const bundle = smallRecord({ resourceType: 'Encounter', id: uuid(20), type: [{ text: 'Visit' }] } as Resource);
  const { root, report } = send(bundle);
  assert.equal(of<Encounter>(receive(root).resources, 'Encounter').length, 1);
  assert.deepEqual(
    report.issues.map(({ code, at }) => [code, at.id]),
    [['statement.notCarried', `Encounter/${uuid(20)}`]],
  );
});

/**
 * The defects of the existing sending adaptor, by the numbers under which they are known, each with the test that would fail if it came
 * here: what concerns the extract as a whole, codes, and consultations.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { validatePayload } from '../hl7v3/validate.ts';
import { at, attr, child, children, textOf } from '../xml/element.ts';
import { all, encounter, list, observation, send, smallRecord, uuid, withId } from './testing-record.ts';

const SNOMED = 'http://snomed.info/sct';
const resource = (type: string, id: string, members: object) => ({ resourceType: type, id, ...members }) as Resource;
const to = (reference: string) => ({ reference });
const gp = [to('Practitioner/gp')];

test('D-01: blank encounters do not make a record of nothing look like a record', () => {
  const { entry = [] } = smallRecord();
  const around = entry.filter((one) => ['Patient', 'Organization'].includes(one.resource?.resourceType ?? ''));
  const blank = { resource: encounter(uuid(50)) };
  const { root, report } = send({ resourceType: 'Bundle', entry: [...around, blank] });
  assert.deepEqual(validatePayload(root), []);
  assert.match(textOf(all(root, 'ehrComposition')[0]), /none of them can be carried by an extract: Encounter \(1\)/);
  assert.ok(report.issues.some(({ at: where }) => where.id === `Encounter/${uuid(50)}`));
});

test('D-02: what would make the message invalid costs its own entry, and the message stays valid', () => {
  const broken = observation(uuid(50), 'Kept words', 'Practitioner/gp', { effectiveDateTime: 'last week', code: 'no concept' });
  const { root, report } = send(smallRecord(broken));
  assert.deepEqual(validatePayload(root), []);
  assert.match(textOf(withId(root, uuid(50))), /Kept words/);
  assert.ok(report.issues.some(({ at: where }) => where.id === `Observation/${uuid(50)}`));
});

test('D-03: a time that supporting information names by its day keeps its minutes in its own statement', () => {
  const measured = observation(uuid(50), '', 'Practitioner/gp', { effectiveDateTime: '2021-02-03T10:20:30+00:00' });
  const plan = resource('ProcedureRequest', uuid(51), {
    intent: 'plan',
    code: { text: 'Repeat it' },
    authoredOn: '2021-02-04',
    supportingInfo: [to(`Observation/${uuid(50)}`)],
  });
  const { root } = send(smallRecord(measured, plan));
  assert.match(textOf(withId(root, uuid(51))), /Observation: 2021-02-03 /);
  assert.equal(attr(child(withId(root, uuid(50)), 'availabilityTime'), 'value'), '20210203102030');
});

test('D-04: an accession number with quotes and ampersands arrives as it was', () => {
  const specimen = resource('Specimen', uuid(50), { accessionIdentifier: { value: 'A"1&<2>\'' } });
  const { root } = send(smallRecord(specimen, report(uuid(51), { specimen: [to(`Specimen/${uuid(50)}`)] })));
  const ids = children(at(withId(root, uuid(50)), 'specimen', 'specimenRole'), 'id').map((id) => attr(id, 'extension'));
  assert.ok(ids.includes('A"1&<2>\''));
});

test('D-05: a category that the source does not have has another id than its topic', () => {
  const { root } = send(smallRecord());
  const ids = all(root, 'CompoundStatement').map((one) => attr(child(one, 'id'), 'root'));
  assert.equal(new Set(ids).size, ids.length);
});

test('D-06: the two statements of an allergy have two ids', () => {
  const { root } = send(smallRecord());
  const inner = withId(root, uuid(7));
  assert.equal(inner.name, 'ObservationStatement');
  const outer = all(root, 'CompoundStatement').find((one) => all(one, 'ObservationStatement').includes(inner));
  assert.notEqual(attr(child(outer, 'id'), 'root') ?? uuid(7), uuid(7));
});

test('D-07: when a specimen was received is told in London time, and a day stays a day', () => {
  const words = (receivedTime: string) => {
    const specimen = resource('Specimen', uuid(50), { receivedTime });
    return textOf(withId(send(smallRecord(specimen, report(uuid(51), { specimen: [to(`Specimen/${uuid(50)}`)] }))).root, uuid(50)));
  };
  assert.match(words('2021-07-01T09:30:00Z'), /Received Date: 2021-07-01 10:30\n/);
  assert.match(words('2021-07-01'), /Received Date: 2021-07-01\n/);
});

test('D-08: a problem that nobody dated has an unknown time, not an empty one', () => {
  const { root } = send(smallRecord(resource('Condition', uuid(50), { clinicalStatus: 'active', code: { text: 'Asthma' } })));
  const time = child(withId(root, uuid(50)), 'availabilityTime');
  assert.deepEqual([attr(time, 'nullFlavor'), attr(time, 'value')], ['UNK', undefined]);
});

test('D-09: a code of a system that is known by its OID only is sent under that OID', () => {
  const coding = [
    { system: SNOMED, code: '162607003', display: 'Cough' },
    { system: 'urn:oid:1.2.826.0.1.77', code: 'C1', display: 'Cough, local' },
  ];
  const { root } = send(smallRecord(observation(uuid(50), '', 'Practitioner/gp', { code: { coding } })));
  const translation = at(withId(root, uuid(50)), 'code', 'translation');
  assert.deepEqual([attr(translation, 'code'), attr(translation, 'codeSystem')], ['C1', '1.2.826.0.1.77']);
});

test('D-09: a code of a system without an OID is named in the report', () => {
  const coding = [
    { system: SNOMED, code: '162607003', display: 'Cough' },
    { system: 'https://example.org/codes', code: 'X9', display: 'Cough, elsewhere' },
  ];
  const sent = send(smallRecord(observation(uuid(50), '', 'Practitioner/gp', { code: { coding } })));
  assert.ok(sent.report.issues.some(({ code, original }) => code === 'value.lost' && original?.some((one) => one.code === 'X9')));
});

test('D-10: the mood ENV stands where every receiver has met it, inside an allergy, and nowhere else', () => {
  const { root } = send(smallRecord());
  const moods = [...all(root, 'ObservationStatement'), ...all(root, 'NarrativeStatement'), ...all(root, 'CompoundStatement')];
  assert.deepEqual(
    moods.filter((one) => attr(one, 'moodCode') !== 'EVN').map((one) => attr(child(one, 'id'), 'root')),
    [uuid(7)],
  );
});

test('D-11: identifiers without a system harm neither the patient nor a report', () => {
  const { entry = [], ...bundle } = smallRecord(
    report(uuid(50), { identifier: [{ value: 'LOCAL' }, { system: 'urn:oid:2.16.840.1.113883.2.1.4.5.5', value: 'PMIP-1' }] }),
  );
  const named = entry.map(({ resource: one }) =>
    one?.resourceType === 'Patient' ? { ...one, identifier: [{ value: 'H1' }, ...(one.identifier ?? [])] } : one,
  );
  const { root } = send({ ...bundle, entry: named.map((one) => ({ resource: one as Resource })) });
  assert.deepEqual(
    children(withId(root, uuid(50)), 'id').map((id) => attr(id, 'extension')),
    [undefined, 'PMIP-1'],
  );
});

test('D-12: a coding that the user did not select is not taken for the selected one', () => {
  const site = {
    coding: [
      { code: '1', display: 'Left arm', userSelected: false },
      { code: '2', display: 'Left deltoid', userSelected: true },
    ],
  };
  const { root } = send(smallRecord(resource('Immunization', uuid(50), { date: '2020-01-01', site })));
  assert.match(textOf(withId(root, uuid(50))), /Site: Left deltoid/);
});

test('D-13: an allergy without a SNOMED code keeps its name', () => {
  const allergy = (clinicalStatus: string) =>
    resource('AllergyIntolerance', uuid(50), { clinicalStatus, category: ['medication'], code: { text: 'Grandmother’s ointment' } });
  for (const status of ['active', 'resolved'])
    assert.equal(textOf(at(withId(send(smallRecord(allergy(status))).root, uuid(50)), 'code', 'originalText')), 'Grandmother’s ointment');
});

test('D-14: codes of other systems are sent where there is no SNOMED code', () => {
  const coding = [
    { system: 'http://read.info/readv2', code: '171..00', display: 'Cough' },
    { system: 'https://fhir.hl7.org.uk/Id/egton-codes', code: 'EMISNQCO1', display: 'Cough' },
  ];
  const { root } = send(smallRecord(observation(uuid(50), '', 'Practitioner/gp', { code: { coding } })));
  const code = child(withId(root, uuid(50)), 'code');
  assert.equal(attr(code, 'code'), '171..00');
  assert.deepEqual(
    children(code, 'translation').map((one) => attr(one, 'code')),
    ['EMISNQCO1'],
  );
});

test('D-15: everything that is made of a redacted result inside a group is marked', () => {
  const meta = { security: [{ system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' }] };
  const member = observation(uuid(51), 'Haemolysed', 'Practitioner/gp', { meta, valueQuantity: { value: 4 } });
  const group = observation(uuid(50), '', 'Practitioner/gp', {
    related: [{ type: 'has-member', target: to(`Observation/${uuid(51)}`) }],
  });
  const { root } = send(smallRecord(group, member, report(uuid(52), { result: [to(`Observation/${uuid(50)}`)] })));
  const battery = withId(root, uuid(50));
  const around = all(battery, 'CompoundStatement').filter((one) => one !== battery);
  const made = [...around, ...all(battery, 'ObservationStatement'), ...all(battery, 'NarrativeStatement')];
  assert.equal(around.length, 1);
  assert.deepEqual(
    made.filter((one) => !child(one, 'confidentialityCode')),
    [],
  );
});

test('D-16: a topic keeps the order of its entries', () => {
  const items = [60, 61, 62].map((number) => observation(uuid(number), '', 'Practitioner/gp'));
  const bundle = smallRecord(
    ...consultation(`Observation/${uuid(60)}`, `List/${uuid(70)}`, `Observation/${uuid(62)}`),
    list(uuid(70), '24781000000107', { title: 'Plan' }, `Observation/${uuid(61)}`),
    ...items,
  );
  const found = all(withId(send(bundle).root, uuid(51)), 'ObservationStatement').map((one) => attr(child(one, 'id'), 'root'));
  assert.deepEqual(found, [uuid(60), uuid(61), uuid(62)]);
});

test('D-17: an entry of a topic that is only words costs itself, and is named', () => {
  const [, visit, topic] = consultation(`Observation/${uuid(60)}`);
  const words = { item: { display: 'Referral items are not supported by the provider system' } };
  const bundle = smallRecord(
    encounter(uuid(50)),
    visit as Resource,
    { ...topic, entry: [words, ...((topic as { entry?: object[] }).entry ?? [])] } as Resource,
    observation(uuid(60), '', 'Practitioner/gp'),
  );
  const { root, report: said } = send(bundle);
  assert.equal(all(withId(root, uuid(51)), 'ObservationStatement').length, 1);
  assert.ok(said.issues.some(({ code, text }) => code === 'link.broken' && text.includes('Referral items')));
});

test('D-18: what stands in a list inside a category is carried', () => {
  const bundle = smallRecord(
    ...consultation(`List/${uuid(70)}`),
    list(uuid(70), '24781000000107', {}, `List/${uuid(71)}`),
    list(uuid(71), 'any', {}, `Observation/${uuid(60)}`),
    observation(uuid(60), '', 'Practitioner/gp'),
  );
  const category = withId(send(bundle).root, uuid(70));
  assert.deepEqual(
    all(category, 'ObservationStatement').map((one) => attr(child(one, 'id'), 'root')),
    [uuid(60)],
  );
});

test('D-19: a list whose id has a full stop is a list', () => {
  const bundle = smallRecord(
    ...consultation('List/category.1'),
    list('category.1', '24781000000107', { title: 'Dotted' }, `Observation/${uuid(60)}`),
    observation(uuid(60), '', 'Practitioner/gp'),
  );
  const category = all(withId(send(bundle).root, uuid(51)), 'CompoundStatement').find((one) => attr(one, 'classCode') === 'CATEGORY');
  assert.equal(textOf(at(category, 'code', 'originalText')), 'Dotted');
});

test('D-20: an entry that two consultations list stands in the extract once', () => {
  const { root } = send(smallRecord(...consultation(`Observation/${uuid(4)}`, `Observation/${uuid(60)}`), observation(uuid(60), '', 'x')));
  assert.equal(all(root, 'ObservationStatement').filter((one) => attr(child(one, 'id'), 'root') === uuid(4)).length, 1);
});

test('D-21: every issue of a plan is sent, wherever the plan stands', () => {
  const drug = { medicationCodeableConcept: { text: 'Aspirin' }, dispenseRequest: { validityPeriod: { start: '2020-01-01' } } };
  const plan = resource('MedicationRequest', uuid(50), { intent: 'plan', status: 'active', ...drug });
  const orders = [51, 52, 53].map((number) =>
    resource('MedicationRequest', uuid(number), {
      intent: 'order',
      status: 'completed',
      basedOn: [to(`MedicationRequest/${uuid(50)}`)],
      ...drug,
    }),
  );
  const { root } = send(smallRecord(plan, ...orders));
  assert.deepEqual(
    all(root, 'MedicationStatement').map((one) => attr(child(one, 'id'), 'root')),
    [uuid(50), uuid(51), uuid(52), uuid(53)],
  );
  assert.equal(all(root, 'inFulfillmentOf').filter((one) => child(one, 'priorMedicationRef')).length, 3);
});

test('D-22: a consultation that the list of consultations forgets, or that has no list of its own, is sent', () => {
  const alone = encounter(uuid(80));
  const inside = observation(uuid(81), '', 'Practitioner/gp', { context: to(`Encounter/${uuid(80)}`) });
  const { root } = send(
    smallRecord(...consultation(`Observation/${uuid(60)}`), observation(uuid(60), '', 'Practitioner/gp'), alone, inside),
  );
  assert.equal(withId(root, uuid(50)).name, 'ehrComposition');
  assert.ok(all(withId(root, uuid(80)), 'ObservationStatement').some((one) => attr(child(one, 'id'), 'root') === uuid(81)));
});

/** An encounter (50) that no list of consultations has, with one topic (51). */
function consultation(...items: readonly string[]): Resource[] {
  return [
    encounter(uuid(50)),
    list('visit', '325851000000107', { encounter: to(`Encounter/${uuid(50)}`) }, `List/${uuid(51)}`),
    list(uuid(51), '25851000000105', { encounter: to(`Encounter/${uuid(50)}`), title: 'Visit' }, ...items),
  ];
}

function report(id: string, members: object): Resource {
  return resource('DiagnosticReport', id, {
    status: 'final',
    issued: '2021-01-01T10:00:00+00:00',
    performer: [{ actor: gp[0] }],
    ...members,
  });
}

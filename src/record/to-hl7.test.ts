import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bundle, Observation, Resource } from '../fhir/types.ts';
import { validatePayload } from '../hl7v3/validate.ts';
import { at, attr, child, textOf } from '../xml/element.ts';
import { type Hl7Handler, TO_HL7 } from './concepts.ts';
import { all, list, observation, send, sendingOptions, smallRecord, uuid } from './testing-record.ts';
import { toHl7 } from './to-hl7.ts';
import type { MapToHl7 } from './types.ts';

const ids = (xml: string) => [...xml.matchAll(/<(?:\w*Statement|LinkSet|ehrComposition)\b[^>]*><id root="([^"]+)"/g)].map(([, id]) => id);

test('a record of one consultation and two entries outside it gives three compositions', () => {
  const { root } = send(smallRecord());
  const codes = all(root, 'ehrComposition').map((composition) => attr(child(composition, 'code'), 'code'));
  assert.deepEqual(codes, ['24591000000103', '196401000000100', '196401000000100']);
});

test('the same record in any order gives the same bytes', () => {
  const { entry = [] } = smallRecord();
  const expected = send(smallRecord()).xml;
  fc.assert(
    fc.property(fc.shuffledSubarray([...entry.keys()], { minLength: entry.length }), (order) => {
      const shuffled = { ...smallRecord(), entry: order.flatMap((position) => entry[position] ?? []) };
      assert.equal(send(shuffled).xml, expected);
    }),
    { numRuns: 20 },
  );
});

test('every statement has an id of its own, and those that came as UUIDs are kept', () => {
  const found = ids(send(smallRecord()).xml);
  assert.equal(new Set(found).size, found.length);
  for (const number of [1, 2, 3, 4, 5, 6, 7]) assert.ok(found.includes(uuid(number)), uuid(number));
});

test('a resource that two consultations list stands in the first', () => {
  const second = { resourceType: 'Encounter', id: uuid(20), type: [{ text: 'Visit' }], period: { start: '2022-01-01' } } as Resource;
  const bundle = smallRecord(
    second,
    list('consultation-2', '325851000000107', { encounter: { reference: `Encounter/${uuid(20)}` } }, `List/${uuid(21)}`),
    list(uuid(21), '25851000000105', {}, `Observation/${uuid(4)}`, `Observation/${uuid(22)}`),
    observation(uuid(22), 'Only here', 'Practitioner/gp'),
  );
  const found = ids(send(bundle).xml);
  assert.equal(found.filter((id) => id === uuid(4)).length, 1);
  assert.ok(found.includes(uuid(22)));
});

test('an entry of a topic that is in no category gets a category of its own', () => {
  const [topic] = all(send(smallRecord()).root, 'CompoundStatement').filter((one) => attr(one, 'classCode') === 'TOPIC');
  assert.ok(topic);
  const inside = all(topic, 'CompoundStatement').filter((one) => attr(one, 'classCode') === 'CATEGORY');
  assert.deepEqual(
    inside.map((one) => textOf(at(one, 'code', 'originalText'))),
    ['History', ''],
  );
});

test('an encounter that no list describes holds what names it as its context', () => {
  const bundle = smallRecord(
    { resourceType: 'Encounter', id: uuid(30), type: [{ text: 'Visit' }], period: { start: '2022-01-01' } } as Resource,
    observation(uuid(31), 'There', 'Practitioner/gp', { context: { reference: `Encounter/${uuid(30)}` } }),
  );
  const visit = all(send(bundle).root, 'ehrComposition').find((one) => attr(child(one, 'id'), 'root') === uuid(30));
  assert.ok(visit);
  assert.deepEqual(
    all(visit, 'ObservationStatement').map((one) => attr(child(one, 'id'), 'root')),
    [uuid(31)],
  );
});

test('a handler that throws costs its resource, whose words stand in its place under its id', () => {
  const handlers = TO_HL7.map((handler): Hl7Handler => {
    if (handler.resourceType !== 'Observation') return handler;
    const map: MapToHl7<Resource> = (resource, place, s) => {
      if ((resource as Observation).comment === 'Outside') throw new Error('broken');
      return handler.map(resource, place, s);
    };
    return { ...handler, map };
  });
  const { root, report } = send(smallRecord(), { handlers });
  const narrative = all(root, 'NarrativeStatement').find((one) => attr(child(one, 'id'), 'root') === uuid(6));
  assert.match(textOf(narrative), /Outside/);
  assert.equal(all(root, 'ehrComposition').length, 3);
  const issues = report.issues.filter(({ code }) => code === 'statement.asText');
  assert.deepEqual(
    issues.map(({ at: where }) => where.id),
    [`Observation/${uuid(6)}`],
  );
});

test('a resource that no statement can carry is reported', () => {
  const { report } = send(smallRecord({ resourceType: 'Appointment', id: 'x' }));
  assert.deepEqual(
    report.issues.map(({ code, at: where }) => [code, where.id]),
    [['statement.notCarried', 'Appointment/x']],
  );
});

test('the folder begins with the earliest entry and ends with the last consultation', () => {
  const folder = at(send(smallRecord()).root, 'component', 'ehrFolder', 'effectiveTime');
  assert.equal(attr(child(folder, 'low'), 'value'), '20200203');
  assert.equal(attr(child(folder, 'high'), 'value'), '20210304092500');
});

test('a redaction is marked in UK07 and reported in UK06, which cannot carry it', () => {
  const secret = observation(uuid(40), 'Secret', 'Practitioner/gp', {
    meta: { security: [{ system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' }] },
  });
  const marked = send(smallRecord(secret));
  assert.equal(all(marked.root, 'confidentialityCode').length, 1);
  const plain = send(smallRecord(secret), { redactions: false });
  assert.equal(all(plain.root, 'confidentialityCode').length, 0);
  assert.ok(plain.report.issues.some(({ code }) => code === 'redaction.notCarried'));
  assert.equal(plain.report.summary.redactions, 1);
});

test('a bundle that is none, without the patient or of another patient is refused', () => {
  const options = sendingOptions(() => undefined);
  const refusal = (bundle: Bundle) => {
    const converted = toHl7(bundle, options);
    return 'refused' in converted ? converted.refused : 'written';
  };
  const { entry = [] } = smallRecord();
  assert.equal(refusal({ resourceType: 'Bundle', entry: entry.slice(1) }), 'noPatient');
  assert.equal(refusal({ resourceType: 'Patient' } as Resource as Bundle), 'unreadable');
  const other = toHl7(smallRecord(), { ...options, nhsNumber: '9000000017' });
  assert.equal('refused' in other && other.refused, 'otherPatient');
});

test('the record of a patient about whom nothing was recorded says so', () => {
  const { entry = [] } = smallRecord();
  const { root, report } = send({ resourceType: 'Bundle', entry: entry.slice(0, 2) });
  assert.equal(all(root, 'EhrEmpty').length, 1);
  assert.deepEqual(
    report.issues.map(({ code }) => code),
    ['record.empty'],
  );
});

test('a record of which no entry can be carried is sent, and says so where a receiver reads it', () => {
  const { entry = [] } = smallRecord();
  const foreign = ['q', 'r'].map((id) => ({ resource: { resourceType: 'QuestionnaireResponse', id } }));
  const { root, report } = send({ resourceType: 'Bundle', entry: [...entry.slice(0, 2), ...foreign] });
  assert.deepEqual(validatePayload(root), []);
  assert.match(textOf(all(root, 'NarrativeStatement')[0]), /none of them can be carried by an extract: QuestionnaireResponse \(2\)/);
  assert.deepEqual(new Set(report.issues.map(({ code }) => code)), new Set(['statement.notCarried']));
});

test('the composition around an allergy has who recorded it as its author and who asserted it as its performer', () => {
  const allergy = {
    ...{ resourceType: 'AllergyIntolerance', id: uuid(41), clinicalStatus: 'active', category: ['medication'], code: { text: 'Nuts' } },
    ...{ recorder: { reference: 'Practitioner/gp' }, asserter: { reference: 'Practitioner/nurse' } },
  } as Resource;
  const { root } = send(smallRecord(allergy));
  const inner = all(root, 'ObservationStatement').find((one) => attr(child(one, 'id'), 'root') === uuid(41));
  const around = all(root, 'ehrComposition').find((one) => inner && all(one, 'ObservationStatement').includes(inner));
  const agents = all(around ?? root, 'Participant').map((one) => attr(at(one, 'agentRef', 'id'), 'root'));
  const outer = ['author', 'Participant2'].map((name) => attr(at(around, name, 'agentRef', 'id'), 'root'));
  assert.equal(new Set(agents).size, 2);
  assert.deepEqual(outer, agents);
});

test('nothing that stands where it does not belong throws', () => {
  const junk = fc.constantFrom(null, '', {}, [], 'x', 5, [null], '#', { reference: 7 });
  const paths = (smallRecord().entry ?? []).flatMap(({ resource }, position) =>
    Object.keys(resource ?? {}).map((member): [number, string] => [position, member]),
  );
  fc.assert(
    fc.property(fc.constantFrom(...paths), junk, ([position, member], value) => {
      const bundle = structuredClone(smallRecord());
      const resource = bundle.entry?.[position]?.resource as { [name: string]: unknown };
      resource[member] = value;
      toHl7(
        bundle,
        sendingOptions(() => undefined),
      );
    }),
    { numRuns: 300 },
  );
});

test('an extract is handed over composition by composition, each before the next is mapped', () => {
  const others = Array.from({ length: 40 }, (_, at) => observation(uuid(200 + at), `Note ${at}`, 'Practitioner/gp'));
  const chunks: string[] = [];
  const when: number[] = [];
  const handlers = TO_HL7.map((handler) => ({
    ...handler,
    map: (...asked: Parameters<typeof handler.map>) => {
      when.push(chunks.length);
      return handler.map(...asked);
    },
  }));
  const converted = toHl7(smallRecord(...others), { ...sendingOptions((chunk) => chunks.push(chunk)), handlers });
  assert.ok('out' in converted);
  for (const chunk of chunks) {
    assert.match(chunk, /^<component typeCode="COMP"><ehrComposition [\s\S]*<\/ehrComposition><\/component>$/);
    assert.equal(chunk.split('<ehrComposition ').length, 2);
  }
  // Two entries stand in the consultation, which is the first composition; each of the others is one of its own.
  assert.equal(chunks.length, when.length - 1);
  assert.deepEqual(when, [0, 0, ...Array.from({ length: when.length - 2 }, (_, at) => at + 1)]);
  for (const text of [converted.out.head, converted.out.tail]) assert.doesNotMatch(text, /ehrComposition/);
});

/** The known defects of the existing sending adaptor in laboratory reports and documents, each with the test that would fail if it came here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { attr, child, textOf, type XmlElement } from '../xml/element.ts';
import { all, observation, send, smallRecord, uuid, withId } from './testing-record.ts';

const SNOMED = 'http://snomed.info/sct';
const resource = (type: string, id: string, members: object) => ({ resourceType: type, id, ...members }) as Resource;
const to = (reference: string) => ({ reference });
const result = (number: number, members: object = {}) => observation(uuid(number), '', 'Practitioner/gp', members);
const comment = (number: number, words: string, members: object = {}) =>
  observation(uuid(number), words, 'Practitioner/nurse', { code: { coding: [{ system: SNOMED, code: '37331000000100' }] }, ...members });
const member = (number: number) => ({ type: 'has-member', target: to(`Observation/${uuid(number)}`) });
const specimen = (number: number, members: object = {}) => resource('Specimen', uuid(number), { type: { text: 'Serum' }, ...members });
const ownIds = (root: XmlElement, name: string) => all(root, name).map((one) => attr(child(one, 'id'), 'root'));
const texts = (root: XmlElement) => all(root, 'NarrativeStatement').map((one) => textOf(child(one, 'text')));

/** A small record with a report (90) of these results, and what else it needs. */
function report(results: readonly number[], members: object, ...others: readonly Resource[]) {
  const one = resource('DiagnosticReport', uuid(90), {
    status: 'final',
    issued: '2021-05-01T10:00:00+00:00',
    performer: [{ actor: to('Practitioner/gp') }],
    result: results.map((number) => to(`Observation/${uuid(number)}`)),
    ...members,
  });
  const sent = send(smallRecord(one, ...others));
  return { ...sent, statement: withId(sent.root, uuid(90)) };
}

test('D-37: a result keeps its id, so that the problem it belongs to finds it', () => {
  const extension = [
    {
      url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-RelatedClinicalContent-1',
      valueReference: to(`Observation/${uuid(50)}`),
    },
  ];
  const problem = resource('Condition', uuid(60), { clinicalStatus: 'active', code: { text: 'Anaemia' }, extension });
  const { root, statement } = report([50], {}, result(50), problem);
  assert.ok(ownIds(statement, 'ObservationStatement').includes(uuid(50)));
  assert.ok(ownIds(root, 'statementRef').includes(uuid(50)));
});

test('D-38: a result whose specimen the report does not list stands in the report, under that specimen', () => {
  const { root } = report([50], { specimen: [to(`Specimen/${uuid(70)}`)] }, specimen(70), specimen(71), {
    ...result(50),
    specimen: to(`Specimen/${uuid(71)}`),
  } as Resource);
  assert.deepEqual(ownIds(withId(root, uuid(71)), 'ObservationStatement'), [uuid(50)]);
});

test('D-39: notes on a specimen keep their order', () => {
  const note = [{ text: 'First.' }, { text: 'Second.' }, { text: 'Third.' }];
  const { root } = report([50], { specimen: [to(`Specimen/${uuid(70)}`)] }, specimen(70, { note }), result(50));
  assert.match(textOf(withId(root, uuid(70))), /First\.\nSecond\.\nThird\./);
});

test('D-40: every filing comment has its own date', () => {
  const { root } = report(
    [50, 51, 52],
    {},
    result(50),
    comment(51, 'Seen', { effectiveDateTime: '2021-05-03' }),
    comment(52, 'Told the patient', { effectiveDateTime: '2021-05-07' }),
  );
  assert.ok(texts(root).some((text) => text.includes('2021-05-03')));
  assert.equal(attr(child(withId(root, uuid(52)), 'availabilityTime'), 'value'), '20210507');
  assert.match(textOf(withId(root, uuid(52))), /CommentDate:20210507/);
});

test('D-41: a comment without words, or a member without code and words, costs at most itself', () => {
  const group = result(50, { related: [member(51), member(52)] });
  const bare = { ...result(52), code: undefined, comment: undefined } as Resource;
  const { statement, report: said } = report([50, 53], {}, group, comment(51, ''), bare, comment(53, ''), result(54));
  assert.equal(attr(statement, 'classCode'), 'CLUSTER');
  assert.ok(ownIds(statement, 'ObservationStatement').includes(uuid(50)));
  assert.ok(ownIds(statement, 'ObservationStatement').includes(uuid(52)));
  assert.ok(!said.issues.some(({ code, at }) => code === 'statement.asText' && at.id === `DiagnosticReport/${uuid(90)}`));
});

test('D-42: the value, range and interpretation of a test group are carried', () => {
  const group = result(50, {
    valueQuantity: { value: 13.5, unit: 'g/dL' },
    interpretation: { text: 'borderline' },
    referenceRange: [{ low: { value: 12, unit: 'g/dL' }, text: 'women' }],
    related: [member(51)],
  });
  const text = texts(withId(report([50], {}, group, result(51)).root, uuid(50))).join('\n');
  for (const part of ['13.5', 'borderline', '12', 'women']) assert.ok(text.includes(part), `${part} in ${text}`);
});

test('D-43: the report says that who made single results is not carried, where they are others than made the report', () => {
  const isSaid = ({ report: said }: ReturnType<typeof report>) =>
    said.issues.some(({ code, at }) => code === 'value.lost' && at.id === `DiagnosticReport/${uuid(90)}`);
  assert.ok(isSaid(report([50], {}, result(50, { performer: [to('Practitioner/nurse')] }))));
  assert.ok(!isSaid(report([50], {}, result(50, { performer: [to('Practitioner/gp')] }))));
});

test('D-44: members of members are carried', () => {
  const { statement } = report([50], {}, result(50, { related: [member(51)] }), result(51, { related: [member(52)] }), result(52));
  assert.ok(ownIds(statement, 'ObservationStatement').includes(uuid(52)));
});

test('D-45: values of every type are carried', () => {
  const values = {
    valueCodeableConcept: [{ text: 'Growth of E. coli' }, 'Growth of E. coli'],
    valueBoolean: [true, 'true'],
    valueRange: [{ low: { value: 3, unit: 'mm' }, high: { value: 7, unit: 'mm' } }, '7 mm'],
    valueRatio: [{ numerator: { value: 1 }, denominator: { value: 128 } }, '128'],
    valueTime: ['10:20:30', '10:20:30'],
    valueDateTime: ['2021-02-03', '2021-02-03'],
    valuePeriod: [{ start: '2021-02-03', end: '2021-02-04' }, '2021-02-04'],
    valueString: ['Many lines\nof words', 'Many lines\nof words'],
  } as const;
  for (const [member, [value, told]] of Object.entries(values)) {
    const text = texts(report([50], {}, result(50, { [member]: value })).root).join('\n');
    assert.ok(text.includes(told), `${member}: ${told} in ${text}`);
  }
});

test('D-46: components of a result are carried', () => {
  const component = [{ code: { text: 'Cells' }, valueQuantity: { value: 40, unit: '/uL' } }];
  const text = texts(report([50], {}, result(50, { component })).root).join('\n');
  assert.match(text, /Cells.*40/);
});

test('D-47: a result that the report lists and that is a member of another stands in it once', () => {
  const { root } = report([50, 51], { specimen: [to(`Specimen/${uuid(70)}`)] }, specimen(70), result(50, { related: [member(51)] }), {
    ...result(51),
    specimen: to(`Specimen/${uuid(70)}`),
  } as Resource);
  assert.equal(ownIds(root, 'ObservationStatement').filter((id) => id === uuid(51)).length, 1);
  assert.equal(root.name, 'EhrExtract');
  assert.equal(all(withId(root, uuid(50)), 'ObservationStatement').length, 1);
});

test('D-48: words that look like an instruction to a template stay words', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are the words
  const trap = 'Price ${LENGTH_PLACEHOLDER_ID=1} $${env:HOME:-x} {{path}} <b>&amp;</b> "quoted"';
  const document = resource('DocumentReference', uuid(50), { created: '2021-01-01', description: trap });
  const { root } = send(smallRecord(document, comment(51, trap)));
  assert.ok(textOf(withId(root, uuid(50))).includes(trap));
  assert.equal(textOf(withId(root, uuid(51))), trap);
});

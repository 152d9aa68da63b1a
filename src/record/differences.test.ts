import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bundle, Resource } from '../fhir/types.ts';
import { differences, inWords, type Side } from './differences.ts';
import { list, observation, receive, send, smallRecord, uuid } from './testing-record.ts';
import type { ConversionReport } from './types.ts';

function sideOf(bundle: Bundle, report: ConversionReport): Side {
  const resources = (bundle.entry ?? []).flatMap(({ resource }) => (resource ? [resource] : []));
  const byType = Map.groupBy(resources, ({ resourceType }) => resourceType);
  return { report, counts: new Map([...byType].map(([type, all]) => [type, all.length])) };
}

function moved(bundle: Bundle) {
  const left = send(bundle);
  const { report, bundle: arrived } = receive(left.root);
  return { sent: sideOf(bundle, left.report), received: sideOf(arrived, report) };
}

const told = (bundle: Bundle) => {
  const { sent, received } = moved(bundle);
  return differences(sent, received).map(inWords).join('\n');
};

test('an entry outside consultations that gets a consultation of its own is named for it', () => {
  const problem = {
    resourceType: 'Condition',
    id: uuid(40),
    code: { coding: [{ system: 'http://snomed.info/sct', code: '49727002', display: 'Cough' }] },
    clinicalStatus: 'active',
    assertedDate: '2020-01-01',
  } as Resource;
  assert.match(told(smallRecord(problem)), new RegExp(`1 Encounter more: It stands in no consultation; .*\\(Condition/${uuid(40)}\\)`));
});

test('what does not arrive is named with the reason', () => {
  const answers: Resource = { resourceType: 'QuestionnaireResponse', id: 'answers' };
  const problems = list('problems', '717711000000103', {}, `Observation/${uuid(6)}`);
  const stranger = { resourceType: 'Practitioner', id: 'stranger', name: [{ text: 'Nobody' }] } as Resource;
  const words = told(smallRecord(answers, problems, stranger));
  assert.match(words, /1 QuestionnaireResponse fewer: No statement of an extract can carry .* \(QuestionnaireResponse\/answers\)/);
  assert.match(words, /2 Lists fewer: A list over the whole record does not travel.*\(List\/all, List\/problems\)/);
  assert.match(words, /1 Practitioner fewer: No entry that is carried names it\. \(Practitioner\/stranger\)/);
});

test('a resource that stands in the bundle twice arrives once, and that is told', () => {
  const bundle = smallRecord();
  const twice = { ...bundle, entry: [...(bundle.entry ?? []), { resource: observation(uuid(6), 'Outside', 'Practitioner/nurse') }] };
  assert.match(told(twice), new RegExp(`1 Observation fewer: It stands in the bundle more than once. \\(Observation/${uuid(6)}\\)`));
});

test('the reasons of a type add up to its difference', () => {
  const { sent, received } = moved(smallRecord());
  for (const one of differences(sent, received)) {
    const sum = one.reasons.reduce((total, { more, names }) => total + (more ? names.length : -names.length), 0);
    assert.equal(sum, one.received - one.sent, one.type);
  }
});

test('what no report accounts for is said to be so', () => {
  const { sent, received } = moved(smallRecord());
  const lost = { ...received, counts: new Map(received.counts).set('AllergyIntolerance', 0) };
  const [difference] = differences(sent, lost).filter(({ type }) => type === 'AllergyIntolerance');
  assert.equal(difference && inWords(difference), '1 AllergyIntolerance fewer: No report accounts for it. (unknown)');
});

test('everything of a record is the origin of something or is said to be left', () => {
  const bundle = smallRecord({ resourceType: 'Specimen', id: 'lone' } as Resource);
  const { report } = send(bundle);
  const named = new Set([...report.origins, ...report.left].map(({ from }) => from.id));
  for (const { resource } of bundle.entry ?? []) assert.ok(named.has(`${resource?.resourceType}/${resource?.id}`), resource?.id);
  const arrived = receive(send(bundle).root);
  const targets = new Set(arrived.report.origins.map(({ target }) => target));
  for (const { resourceType, id } of arrived.resources) assert.ok(targets.has(`${resourceType}/${id}`), `${resourceType}/${id}`);
});

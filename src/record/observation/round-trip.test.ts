import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Condition, Observation } from '../../fhir/types.ts';
import { received, STATEMENT_ID, sent } from '../testing.ts';
import { interpretationInWords } from './interpretation.ts';
import { LABEL } from './terms.ts';
import { observationToFhir } from './to-fhir.ts';
import { observationToHl7 } from './to-hl7.ts';

const PLAIN: Observation = {
  resourceType: 'Observation',
  id: STATEMENT_ID,
  status: 'final',
  code: { coding: [{ system: 'http://snomed.info/sct', code: '364075005', display: 'Heart rate' }] },
  effectiveDateTime: '2024-03-01',
};

function there(observation: Observation): Observation {
  return received(observationToFhir, 'observation', sent(observationToHl7, observation).statement).resources[0] as Observation;
}

const VALUES: readonly Partial<Observation>[] = [
  { valueQuantity: { value: 72, unit: 'per minute', system: 'http://unitsofmeasure.org', code: '/min' } },
  { valueQuantity: { value: 5, unit: 'puffs', comparator: '<' } },
  { valueQuantity: { unit: 'mmHg' } },
  { valueString: 'irregular\nbut strong' },
  { valueCodeableConcept: { text: 'Strongly positive' } },
  { valueBoolean: false },
  { valueRange: { low: { value: 10, unit: 'mg' }, high: { value: 20, unit: 'mg' } } },
  { valueRatio: { numerator: { comparator: '<', value: 1, unit: 'g' }, denominator: { value: 2, unit: 'L' } } },
  { valueTime: '12:30:10' },
  { valueDateTime: '2017-07-01' },
  { valuePeriod: { start: '2017-03-01', end: '2018-06-03' } },
  { valuePeriod: { start: '2017-03-01' } },
];

test('a value of every type comes back, with the comment beside it', () => {
  for (const value of VALUES) {
    const back = there({ ...PLAIN, ...value, comment: 'after climbing stairs' });
    for (const [member, expected] of Object.entries(value))
      assert.deepEqual(back[member as keyof Observation], expected, JSON.stringify(value));
    assert.equal(back.comment, 'after climbing stairs', JSON.stringify(value));
  }
});

const FACTS: Partial<Observation> = {
  bodySite: { text: 'Left wrist' },
  method: { text: 'Palpation' },
  dataAbsentReason: { text: 'Patient moved' },
  interpretation: { text: 'Slightly fast' },
  status: 'amended',
  component: [
    {
      code: { text: 'Rhythm' },
      valueString: 'sinus',
      interpretation: { coding: [{ system: 'http://hl7.org/fhir/v2/0078', code: 'A' }], text: 'odd' },
      referenceRange: [{ low: { value: 1, unit: 'a' }, high: { value: 2, unit: 'b' } }],
    },
    { code: { text: 'Delay' }, valueQuantity: { comparator: '<=', value: 7.2, unit: 'g/dl' } },
    { code: { text: 'Regular' }, valueBoolean: true },
    { code: { text: 'Grade' }, valueCodeableConcept: { text: 'II' }, dataAbsentReason: { text: 'guessed' } },
  ],
  referenceRange: [{ text: 'adult', low: { value: 60, unit: '/min' }, high: { value: 100, unit: '/min' } }, { text: 'athletes lower' }],
  comment: 'Interpretation is mine.\nBodySite: as always',
};

test('what has no place in HL7 travels in words and comes back to its place', () => {
  const back = there({ ...PLAIN, ...FACTS });
  for (const [member, expected] of Object.entries(FACTS)) assert.deepEqual(back[member as keyof Observation], expected, member);
});

test('nothing grows or wanders when a record is handed on a second time', () => {
  const once = there({ ...PLAIN, ...FACTS });
  const { performer: _performer, ...twice } = there(once);
  const { performer: _first, ...expected } = once;
  assert.deepEqual({ ...twice, identifier: expected.identifier }, expected);
});

test('every label is read back', () => {
  const text = sent(observationToHl7, { ...PLAIN, ...FACTS }).xml;
  const written = VALUES.map((value) => sent(observationToHl7, { ...PLAIN, ...value }).xml).join('') + text;
  const unused = Object.entries(LABEL).filter(
    ([key, label]) => key !== 'stringValue' && key !== 'rangeUnits' && !written.includes(label.trim()),
  );
  assert.deepEqual(unused, []);
  assert.doesNotMatch(JSON.stringify(there({ ...PLAIN, ...FACTS }).comment ?? ''), /Component|Absent|Method|Status/);
});

test('a range keeps its own unit where the value has another', () => {
  const range = { low: { value: 3.6, unit: 'mmol/l' }, high: { value: 7.1, unit: 'mmol/l' } };
  const back = there({ ...PLAIN, valueQuantity: { value: 5.5, unit: 'mmol/L' }, referenceRange: [range], comment: 'fasting' });
  assert.deepEqual(back.referenceRange, [range]);
  assert.equal(back.comment, 'fasting');
});

test('high, low and abnormal come back with their degree', () => {
  for (const code of ['H', 'HH', 'HU', 'L', 'LL', 'LU', 'A', 'AA']) {
    const back = there({ ...PLAIN, interpretation: { coding: [{ system: 'http://hl7.org/fhir/v2/0078', code }] } });
    assert.equal(back.interpretation?.coding?.[0]?.code, code);
  }
});

test('the table of interpretations is known by the name that later releases give it', () => {
  const system = 'http://terminology.hl7.org/CodeSystem/v2-0078';
  const [coding] = there({ ...PLAIN, interpretation: { coding: [{ system, code: 'LL' }] } }).interpretation?.coding ?? [];
  assert.equal(coding?.code, 'LL');
});

test('an interpretation in the words of the standard has its code again, in other words none', () => {
  assert.equal(interpretationInWords('Abnormal').coding?.[0]?.code, 'A');
  assert.deepEqual(interpretationInWords('borderline'), { text: 'borderline' });
});

test('a comment note with a value keeps both', () => {
  const code = { coding: [{ system: 'http://snomed.info/sct', code: '37331000000100', display: 'Comment note' }] };
  const back = there({ ...PLAIN, code, comment: 'Patient rang', valueString: 'twice', bodySite: { text: 'Knee' } });
  assert.equal(back.comment, 'Patient rang');
  assert.equal(back.valueString, 'twice');
  assert.deepEqual(back.bodySite, { text: 'Knee' });
});

test('any comment survives, whatever it looks like', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(...Object.values(LABEL), 'BodySite: left\n', 'Range: Low: 3\n', 'true\n', '[a] [b]', '\n'),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const comment = lines
        .join('')
        .replace(/[^A-Za-z0-9 :.,[\]\n-]/g, '')
        .trim();
      const words = JSON.stringify(there({ ...PLAIN, comment })).replace(/\\n|[^A-Za-z0-9]/g, '');
      for (const word of comment.match(/[A-Za-z0-9]+/g) ?? [])
        assert.ok(words.includes(word) || isLabel(word), `${word} of ${JSON.stringify(comment)}`);
    }),
    { numRuns: 200 },
  );
});

const isLabel = (word: string) =>
  Object.values(LABEL).some((label) => label.includes(word)) || ['Low', 'High', 'Start', 'End', 'Text'].includes(word);

test('what its problem says is told by the problem, not by the comment as well', () => {
  const problem: Condition = { resourceType: 'Condition', id: 'p', note: [{ text: 'since childhood' }] };
  const overrides = { problemsNaming: () => [problem] };
  const { statement, xml } = sent(observationToHl7, { ...PLAIN, comment: 'noisy', bodySite: { text: 'Chest' } }, [], overrides);
  assert.match(xml, /Problem Info: Problem Notes: since childhood/);
  const back = received(observationToFhir, 'observation', statement, { problemsNaming: () => ['P'] }).resources[0] as Observation;
  assert.equal(back.comment, 'noisy');
  assert.deepEqual(back.bodySite, { text: 'Chest' });
});

test('a comment note that was entered in error says so, and how it was made', () => {
  const code = { coding: [{ system: 'http://snomed.info/sct', code: '37331000000100' }] };
  const note = {
    comment: 'Patient rang',
    status: 'entered-in-error',
    method: { text: 'By telephone' },
    dataAbsentReason: { text: 'Cut off' },
  };
  const back = there({ ...PLAIN, code, ...note });
  assert.deepEqual([back.comment, back.status, back.method, back.dataAbsentReason], Object.values(note));
});

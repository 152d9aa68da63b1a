import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllergyIntolerance } from '../../fhir/types.ts';
import { at, attr, child, textOf } from '../../xml/element.ts';
import { STATEMENT_ID, sent } from '../testing.ts';
import { allergyToHl7 } from './to-hl7.ts';

const PENICILLIN: AllergyIntolerance = {
  resourceType: 'AllergyIntolerance',
  id: 'A1',
  clinicalStatus: 'active',
  category: ['medication'],
  code: { coding: [{ system: 'http://snomed.info/sct', code: '91936005', display: 'Allergy to penicillin' }] },
  recorder: { reference: 'Practitioner/P1' },
  note: [{ text: 'rash' }],
};
const inner = (allergy: AllergyIntolerance) => at(sent(allergyToHl7, allergy).statement, 'component', 'ObservationStatement');

test('links lead to the observation inside; the compound around it has another id', () => {
  const { statement } = sent(allergyToHl7, PENICILLIN);
  assert.equal(attr(at(statement, 'component', 'ObservationStatement', 'id'), 'root'), STATEMENT_ID);
  assert.notEqual(attr(child(statement, 'id'), 'root'), STATEMENT_ID);
});

test('an active allergy keeps its code; one that ended is sent in words, so that no receiver warns of it for ever', () => {
  assert.equal(attr(child(inner(PENICILLIN), 'code'), 'code'), '91936005');
  const ended = child(inner({ ...PENICILLIN, clinicalStatus: 'resolved' }), 'code');
  assert.equal(attr(ended, 'nullFlavor'), 'UNK');
  assert.equal(textOf(ended), 'Allergy to penicillin');
});

test('a food allergy is no drug allergy, a biologic is one, and both say what they are', () => {
  for (const [category, code, words] of [
    ['food', 'SN53.00', 'Category: Food'],
    ['biologic', '14L..00', 'Category: Biologic'],
  ] as const) {
    const { statement, xml, remarks } = sent(allergyToHl7, { ...PENICILLIN, category: [category] });
    assert.equal(attr(child(statement, 'code'), 'code'), code);
    assert.ok(xml.includes(words));
    assert.equal(remarks[0]?.code, 'value.lost');
  }
});

test('the performer is the recorder where nobody else asserted it', () => {
  const xml = sent(allergyToHl7, { ...PENICILLIN, asserter: { reference: 'Patient/PAT' } }).xml;
  assert.match(xml, /Participant typeCode="AUT".*Participant typeCode="PRF"/);
  assert.match(xml, /Asserted By Patient/);
});

test('the notes of a problem that is this allergy stand before its own', () => {
  const problem = {
    resourceType: 'Condition' as const,
    id: 'C1',
    extension: [
      {
        url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ActualProblem-1',
        valueReference: { reference: 'AllergyIntolerance/A1' },
      },
    ],
    note: [{ text: 'since school' }],
  };
  assert.match(sent(allergyToHl7, PENICILLIN, [problem]).xml, /since school \nrash/);
});

test('a redacted allergy is marked twice in UK07 and not at all in UK06', () => {
  const redacted = { ...PENICILLIN, meta: { security: [{ system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' }] } };
  assert.equal(sent(allergyToHl7, redacted, [], { redactions: true }).xml.match(/NOPAT/g)?.length, 2);
  assert.doesNotMatch(sent(allergyToHl7, redacted).xml, /NOPAT/);
});

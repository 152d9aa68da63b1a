import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitState } from '../../cli/conformance/unit-state.ts';
import type { Condition, Observation, Resource } from '../../fhir/types.ts';
import { cameBack, received, STATEMENT_ID } from '../testing.ts';
import type { Claim, ToFhir } from '../types.ts';
import { FACTS, NOTES, RELATED_PROBLEM } from './terms.ts';
import { problemToFhir } from './to-fhir.ts';
import { problemToHl7 } from './to-hl7.ts';

const NO_DOCUMENT = { reference: '', filename: '', contentType: '', present: false, why: 'none here' } as const;
const CARE_CONNECT = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-';
const CHILD_ID = '6C1F0E9C-5D7A-4C3E-8F21-0A9B8C7D6E5F';
const DRUG_ID = '7D1F0E9C-5D7A-4C3E-8F21-0A9B8C7D6E5F';
const related = (type: string, target: string) => ({
  url: RELATED_PROBLEM,
  extension: [
    { url: 'type', valueCode: type },
    { url: 'target', valueReference: { reference: target } },
  ],
});
type Described = Condition & { severity?: Condition['code']; bodySite?: Condition['code'][] };
const PROBLEM: Described = {
  resourceType: 'Condition',
  id: STATEMENT_ID,
  extension: [
    { url: `${CARE_CONNECT}ProblemSignificance-1`, valueCode: 'major' },
    { url: `${CARE_CONNECT}RelatedClinicalContent-1`, valueReference: { reference: `MedicationRequest/${DRUG_ID}` } },
    related('child', `Condition/${CHILD_ID}`),
    related('sibling', `Condition/${CHILD_ID}`),
  ],
  clinicalStatus: 'resolved',
  verificationStatus: 'refuted',
  severity: { text: 'Moderate' },
  bodySite: [{ text: 'Left foot' }, { text: 'Right foot' }],
  code: { coding: [{ system: 'http://snomed.info/sct', code: '36031001', display: 'Burning feet' }] },
  onsetDateTime: '2020-09-06',
  abatementDateTime: '2020-10-04',
  assertedDate: '2020-09-07',
  asserter: { reference: 'Practitioner/P1' },
  note: [{ text: 'worse at night; no rash' }, { text: 'seen twice' }],
};
const CHILD: Condition = { ...PROBLEM, id: CHILD_ID, extension: [], code: { text: 'Sore toe' } };

/** LinkSet and statement of a problem through both handlers, in a record where every link leads somewhere. */
function there(problem: Condition, around: readonly Resource[] = [CHILD]): { back: Described; xml: string } {
  const state = unitState([...around, problem], { redactions: false, document: () => NO_DOCUMENT });
  const [linkSet, made] = problemToHl7(problem, { composition: 0, under: 'topic', statementId: STATEMENT_ID }, state);
  assert.ok(linkSet);
  const claim = (concept: Claim['concept'], statement: Claim['statement']): Claim => ({ concept, statement, composition: 1, line: 0 });
  const overrides: Partial<ToFhir> = {
    claimOf: (id) => (id === CHILD_ID ? claim('problem', linkSet.xml) : made && claim('observation', made.xml)),
    resourceFor: (id) => ({ [CHILD_ID]: `Condition/${CHILD_ID}`, [DRUG_ID]: `MedicationRequest/${DRUG_ID}` })[id] ?? `Observation/${id}`,
  };
  const { resources } = received(problemToFhir, 'problem', linkSet.xml, overrides);
  return { back: resources[0] as Described, xml: JSON.stringify([linkSet.xml, made?.xml]) };
}

test('a problem keeps its state, significance, words, dates, notes and links', () => {
  const { back } = there(PROBLEM);
  for (const member of ['clinicalStatus', 'verificationStatus', 'severity', 'bodySite', 'onsetDateTime', 'abatementDateTime'] as const)
    assert.deepEqual(back[member], PROBLEM[member], member);
  assert.deepEqual(back.code, cameBack(PROBLEM.code));
  assert.equal(back.extension?.[0]?.valueCode, 'major');
  const content = back.extension
    ?.filter((one) => one.url?.endsWith('RelatedClinicalContent-1'))
    .map((one) => one.valueReference?.reference);
  assert.ok(content?.includes(`MedicationRequest/${DRUG_ID}`));
  assert.deepEqual(
    back.extension?.filter((one) => one.url === RELATED_PROBLEM),
    [related('child', `Condition/${CHILD_ID}`)],
  );
  assert.deepEqual(
    back.note?.map((note) => note.text),
    ['Related Problem: Sibling of Sore toe', 'worse at night; no rash', 'seen twice', 'Inactive Problem, major'],
  );
});

test('notes that a receiver adds do not grow with each transfer', () => {
  const once = there({ ...PROBLEM, extension: [], clinicalStatus: 'inactive' }).back;
  const twice = there({ ...once, extension: [] }).back;
  assert.deepEqual(twice.note, once.note);
});

test('every state comes back', () => {
  for (const clinicalStatus of ['active', 'recurrence', 'inactive', 'remission', 'resolved'])
    assert.equal(there({ ...PROBLEM, clinicalStatus }).back.clinicalStatus, clinicalStatus);
});

test('a problem that is an allergy keeps the words it was coded with', () => {
  const allergy = { url: `${CARE_CONNECT}ActualProblem-1`, valueReference: { reference: 'AllergyIntolerance/A1' } };
  const { back, xml } = there({ ...PROBLEM, extension: [allergy] });
  assert.equal(back.code?.coding?.[0]?.code, '55607006');
  assert.equal(back.code?.text, 'Burning feet');
  assert.match(xml, /Transformed AllergyIntolerance problem header Originally coded: Burning feet/);
  assert.ok(!back.note?.some((note) => note.text?.includes('Transformed')));
});

test('what a problem really is is known by the name of an earlier draft too', () => {
  const url = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-ActualProblem-1';
  const pain: Observation = { resourceType: 'Observation', id: CHILD_ID, code: { text: 'Burning feet' } };
  const { xml } = there({ ...PROBLEM, extension: [{ url, valueReference: { reference: `Observation/${CHILD_ID}` } }] }, [pain]);
  assert.match(xml, new RegExp(`"namedStatementRef"[^}]*"id"[^}]*${CHILD_ID}`));
  assert.doesNotMatch(xml, /"name":"ObservationStatement"/);
});

test('every label of the table is written', () => {
  const { xml } = there(PROBLEM);
  for (const { label } of Object.values(FACTS)) assert.ok(xml.includes(label), label);
  assert.ok(xml.includes(NOTES));
});

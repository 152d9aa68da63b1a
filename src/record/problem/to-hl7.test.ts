import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitState } from '../../cli/conformance/unit-state.ts';
import type { Condition, Resource } from '../../fhir/types.ts';
import { at, attr, child, children, textOf } from '../../xml/element.ts';
import { STATEMENT_ID } from '../testing.ts';
import type { ToHl7 } from '../types.ts';
import { problemToHl7 } from './to-hl7.ts';

const NO_DOCUMENT = { reference: '', filename: '', contentType: '', present: false, why: 'none here' } as const;
const CARE_CONNECT = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-';
const OBSERVATION = '8E1F0E9C-5D7A-4C3E-8F21-0A9B8C7D6E5F';
const link = (name: string, reference: string) => ({ url: `${CARE_CONNECT}${name}-1`, valueReference: { reference } });
const PROBLEM: Condition = {
  resourceType: 'Condition',
  id: 'C1',
  extension: [link('ActualProblem', `Observation/${OBSERVATION}`), { url: `${CARE_CONNECT}ProblemSignificance-1`, valueCode: 'minor' }],
  clinicalStatus: 'active',
  code: { text: 'Burning feet' },
  onsetDateTime: '2020-09-06',
};

function send(problem: Condition, overrides: Partial<ToHl7> = {}, around: readonly Resource[] = []) {
  const state = unitState([...around, problem], { redactions: false, document: () => NO_DOCUMENT });
  const statements = problemToHl7(problem, { composition: 0, under: 'topic', statementId: STATEMENT_ID }, { ...state, ...overrides });
  const linkSet = statements[0]?.xml;
  return {
    linkSet,
    made: statements[1]?.xml,
    named: attr(at(linkSet, 'conditionNamed', 'namedStatementRef', 'id'), 'root'),
    links: children(linkSet, 'component').map((component) => attr(at(component, 'statementRef', 'id'), 'root')),
    issues: state.issues.map((issue) => issue.code),
  };
}

test('a problem names its observation, and nothing is made for it', () => {
  const { named, made, linkSet } = send(PROBLEM);
  assert.equal(named, OBSERVATION);
  assert.equal(made, undefined);
  assert.equal(textOf(child(child(linkSet, 'code'), 'originalText')), 'Active Problem, minor');
});

test('an observation that is not in the extract is replaced by a statement for the problem, and reported', () => {
  const { named, made, issues } = send(PROBLEM, { statementId: () => undefined });
  assert.equal(attr(child(made, 'id'), 'root'), named);
  assert.equal(textOf(child(made, 'code')), 'Burning feet');
  assert.deepEqual(issues, ['link.broken']);
});

test('links to lists, encounters and to what is not in the extract are reported, all others are there, once', () => {
  const content = [
    'List/L',
    'Encounter/E',
    `ReferralRequest/${STATEMENT_ID}`,
    `DocumentReference/${OBSERVATION}`,
    `DocumentReference/${OBSERVATION}`,
  ];
  const problem = {
    ...PROBLEM,
    extension: [...(PROBLEM.extension ?? []), ...content.map((reference) => link('RelatedClinicalContent', reference))],
  };
  const { links, issues } = send(problem);
  assert.deepEqual(links, [OBSERVATION]);
  assert.deepEqual(issues, ['link.broken']);
});

test('a problem never links to itself', () => {
  const { links, issues } = send({ ...PROBLEM, extension: [link('ActualProblem', 'Condition/C1')] });
  assert.deepEqual(links, []);
  assert.deepEqual(issues, []);
});

test('a problem links to one below it, also where only that one says so', () => {
  const below: Condition = {
    ...PROBLEM,
    id: '9F1F0E9C-5D7A-4C3E-8F21-0A9B8C7D6E5F',
    extension: [
      {
        url: `${CARE_CONNECT}RelatedProblemHeader-1`,
        extension: [{ url: 'type', valueCode: 'parent' }, link('x', 'Condition/C1')].map((one) =>
          'valueReference' in one ? { ...one, url: 'target' } : one,
        ),
      },
    ],
  };
  assert.deepEqual(send(PROBLEM, {}, [below]).links, [below.id]);
});

test('who asserted a problem is a practitioner, or is reported', () => {
  const { linkSet, issues } = send({ ...PROBLEM, asserter: { reference: 'Patient/P' } });
  assert.equal(child(linkSet, 'Participant'), undefined);
  assert.deepEqual(issues, ['value.lost']);
  assert.ok(child(send({ ...PROBLEM, asserter: { reference: 'Practitioner/P' } }).linkSet, 'Participant'));
});

test('a date that is not given is unknown, never empty', () => {
  const { linkSet } = send(PROBLEM);
  assert.equal(attr(child(linkSet, 'availabilityTime'), 'nullFlavor'), 'UNK');
});

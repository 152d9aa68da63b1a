import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../../fhir/types.ts';
import { readXml } from '../../xml/read.ts';
import { received } from '../testing.ts';
import type { ToFhir } from '../types.ts';
import { problemToFhir } from './to-fhir.ts';

const NAMED = `<ObservationStatement><id root="OBS-9"/><code code="111100001" codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="Sample finding"/>
  <pertinentInformation><sequenceNumber value="+1"/><pertinentAnnotation><text>note A</text></pertinentAnnotation></pertinentInformation></ObservationStatement>`;
const linkSet = (inside: string, named = 'OBS-9') => `<LinkSet><id root="PRB-1"/>${inside}
  <conditionNamed><namedStatementRef><id root="${named}"/></namedStatementRef></conditionNamed></LinkSet>`;
const STATE = `<code code="394774009"><originalText>Active Problem, Significant</originalText>
  <qualifier><name code="386134007" displayName="Significant"/></qualifier></code>`;

function map(xml: string, overrides: Partial<ToFhir> = {}) {
  const { resources, remarks } = received(problemToFhir, 'problem', xml, {
    claimOf: (id) => (id === 'OBS-9' ? { concept: 'observation', statement: readXml(NAMED), composition: 1, line: 1 } : undefined),
    resourceFor: (id) => (id === 'NOWHERE' ? undefined : `Observation/${id}`),
    ...overrides,
  });
  return { problem: resources[0] as Condition, codes: remarks.map((remark) => remark.code) };
}

test('a problem is what its observation is, with its significance and notes', () => {
  const { problem } = map(linkSet(`${STATE}<effectiveTime><low value="202403"/></effectiveTime>`));
  assert.equal(problem.code?.coding?.[0]?.code, '111100001');
  assert.equal(problem.clinicalStatus, 'active');
  assert.equal(problem.extension?.[0]?.valueCode, 'major');
  assert.deepEqual(problem.extension?.[1]?.valueReference, { reference: 'Observation/OBS-9' });
  assert.equal(problem.onsetDateTime, '2024-03');
  assert.deepEqual(problem.note, [{ text: 'note A' }, { text: 'Active Problem, Significant' }]);
});

test('an unknown state and significance are assumed, and said to be', () => {
  const { problem } = map(linkSet('<code code="394776006"/>'));
  assert.equal(problem.clinicalStatus, 'active');
  assert.deepEqual(
    problem.note?.slice(0, 2).map((note) => note.text),
    ['Defaulted status to active : Unknown status at source', 'Defaulted to Minor'],
  );
});

test('links stand in the order of the bundle; one that leads nowhere is reported', () => {
  const links = ['B', 'A', 'NOWHERE', 'B'].map((id) => `<component><statementRef><id root="${id}"/></statementRef></component>`);
  const { problem, codes } = map(linkSet(STATE + links.join('')), { rankOf: (id) => id.charCodeAt(0) });
  assert.deepEqual(
    problem.extension?.slice(2).map((extension) => extension.valueReference?.reference),
    ['Observation/A', 'Observation/B'],
  );
  assert.deepEqual(codes, ['link.broken']);
});

test('a problem held by another is its child, wherever the two stand', () => {
  const { problem } = map(linkSet(STATE), { problemsHolding: () => ['PARENT'], resourceFor: (id) => `Condition/${id}` });
  assert.deepEqual(problem.extension?.at(-1)?.extension, [
    { url: 'type', valueCode: 'parent' },
    { url: 'target', valueReference: { reference: 'Condition/PARENT' } },
  ]);
});

test('a problem that names nothing is kept, degraded and reported', () => {
  const { problem, codes } = map('<LinkSet><id root="PRB-1"/></LinkSet>');
  assert.equal(problem.id, 'PRB-1');
  assert.equal(problem.code?.coding?.[0]?.code, '196411000000103');
  assert.deepEqual(codes, ['value.lost', 'code.degraded']);
});

test('the end that SystmOne writes for none is none', () => {
  assert.equal(map(linkSet(`${STATE}<effectiveTime><high value="19000101000000"/></effectiveTime>`)).problem.abatementDateTime, undefined);
  assert.equal(map(linkSet(`${STATE}<effectiveTime><high value="20200102"/></effectiveTime>`)).problem.abatementDateTime, '2020-01-02');
});

test('a problem that names a medicine or a plan is what that is coded as', () => {
  const snomed = 'codeSystem="2.16.840.1.113883.2.1.3.2.4.15"';
  const drug = `<MedicationStatement><id root="M1"/><consumable><manufacturedProduct><manufacturedMaterial>
    <code code="322225002" ${snomed} displayName="Samplex"/></manufacturedMaterial></manufacturedProduct></consumable></MedicationStatement>`;
  const plan = `<PlanStatement><id root="P1"/><code code="390906007" ${snomed} displayName="Follow-up"/></PlanStatement>`;
  for (const [xml, code] of [
    [drug, '322225002'],
    [plan, '390906007'],
  ] as const) {
    const { problem, codes } = map(linkSet(STATE, 'NAMED'), {
      claimOf: () => ({ concept: 'medication', statement: readXml(xml), composition: 1, line: 1 }),
    });
    assert.equal(problem.code?.coding?.[0]?.code, code);
    assert.deepEqual(codes, []);
  }
});

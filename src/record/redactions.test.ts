/**
 * Where the mark NOPAT stands: in UK07 at every place that carries one and at no other, in UK06 nowhere. One record for each row of the
 * table, with one marked resource in it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { makePatient } from '../simulator/patients/patient.ts';
import { attr, children, descendants, type XmlElement } from '../xml/element.ts';
import { all, encounter, list, observation, send, smallRecord, uuid } from './testing-record.ts';

const NOPAT = { security: [{ system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' }] };
const to = (reference: string) => ({ reference });
const marked = (one: Resource): Resource => ({ ...one, meta: NOPAT });
const resource = (type: string, id: string, members: object) => ({ resourceType: type, id, ...members }) as Resource;
const coded = (code: string, display: string) => ({ code: { coding: [{ system: 'http://snomed.info/sct', code, display }] } });
const note = (number: number, words: string) =>
  observation(uuid(number), words, 'Practitioner/gp', coded('37331000000100', 'Comment note'));
const result = (number: number, comment = '', members: object = {}) => observation(uuid(number), comment, 'Practitioner/gp', members);
const member = (number: number) => ({ type: 'has-member', target: to(`Observation/${uuid(number)}`) });
const report = (results: readonly number[], members: object = {}) =>
  resource('DiagnosticReport', uuid(90), {
    status: 'final',
    conclusion: 'Fine',
    codedDiagnosis: [{ text: 'None' }],
    issued: '2021-05-01T10:00:00+00:00',
    performer: [{ actor: to('Practitioner/gp') }],
    result: results.map((number) => to(`Observation/${uuid(number)}`)),
    specimen: [to(`Specimen/${uuid(91)}`)],
    ...members,
  });
const specimen = resource('Specimen', uuid(91), { type: { text: 'Serum' }, note: [{ text: 'Haemolysed' }] });
const reading = (code: string, value: number) => ({ ...coded(code, 'A reading'), valueQuantity: { value, unit: 'mmHg' } });
const drug = {
  status: 'active',
  medicationCodeableConcept: { text: 'Aspirin' },
  dispenseRequest: { validityPeriod: { start: '2020-01-01' } },
};
const plan = resource('MedicationRequest', uuid(50), { intent: 'plan', ...drug });
const order = resource('MedicationRequest', uuid(51), { intent: 'order', basedOn: [to(`MedicationRequest/${uuid(50)}`)], ...drug });
const visit = encounter(uuid(50));
const visitList = list('visit', '325851000000107', { encounter: to(`Encounter/${uuid(50)}`) }, `List/${uuid(51)}`);
const topic = list(uuid(51), '25851000000105', { title: 'Cough' }, `List/${uuid(52)}`, `Observation/${uuid(54)}`);
const category = list(uuid(52), '24781000000107', { title: 'History' }, `Observation/${uuid(53)}`);
const consultation = [visit, visitList, topic, category, result(53), result(54)];
const instead = (all: readonly Resource[], one: Resource) => all.map((other) => (other === one ? marked(one) : other));

/** Name and class of the marked element, and the sibling that it follows. */
type Row = readonly [what: string, record: readonly Resource[], expected: readonly string[]];

const ROWS: readonly Row[] = [
  ['an encounter', instead(consultation, visit), ['ehrComposition COMPOSITION after availabilityTime']],
  ['a topic', instead(consultation, topic), ['CompoundStatement TOPIC after availabilityTime']],
  ['a category', instead(consultation, category), []],
  ['a comment note', [marked(note(50, 'Words'))], ['NarrativeStatement OBS after availabilityTime']],
  ['an observation', [marked(result(50))], ['ObservationStatement OBS after availabilityTime']],
  [
    'a blood pressure',
    [
      marked(
        result(50, '', { ...coded('75367002', 'Blood pressure'), component: [reading('72313002', 120), reading('1091811000000102', 80)] }),
      ),
    ],
    ['CompoundStatement BATTERY after availabilityTime'],
  ],
  [
    'an allergy',
    [marked(resource('AllergyIntolerance', uuid(50), { clinicalStatus: 'active', category: ['medication'], code: { text: 'Nuts' } }))],
    ['CompoundStatement CATEGORY after availabilityTime', 'ObservationStatement OBS after availabilityTime'],
  ],
  [
    'an immunisation',
    [marked(resource('Immunization', uuid(50), { date: '2020-01-01' }))],
    ['ObservationStatement OBS after availabilityTime'],
  ],
  [
    'a plan for a procedure',
    [marked(resource('ProcedureRequest', uuid(50), { intent: 'plan', code: { text: 'Recall' }, authoredOn: '2020-01-01' }))],
    ['PlanStatement OBS after availabilityTime'],
  ],
  [
    'a referral',
    [marked(resource('ReferralRequest', uuid(50), { priority: 'urgent', authoredOn: '2020-01-01' }))],
    ['RequestStatement OBS after priorityCode'],
  ],
  ['a medication plan', [marked(plan), order], ['MedicationStatement SBADM after availabilityTime']],
  ['an issue', [plan, marked(order)], ['MedicationStatement SBADM after availabilityTime']],
  [
    'a problem without a statement of its own',
    [marked(resource('Condition', uuid(50), { clinicalStatus: 'active', code: { text: 'Asthma' } }))],
    ['LinkSet OBS after availabilityTime', 'ObservationStatement OBS after availabilityTime'],
  ],
  [
    'a problem that an observation is',
    [
      marked(
        resource('Condition', uuid(50), {
          clinicalStatus: 'active',
          extension: [
            {
              url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ActualProblem-1',
              valueReference: to(`Observation/${uuid(4)}`),
            },
          ],
        }),
      ),
    ],
    ['LinkSet OBS after availabilityTime'],
  ],
  ['a report', [marked(report([50])), specimen, result(50, 'Seen')], ['CompoundStatement CLUSTER after availabilityTime']],
  ['a specimen', [report([50]), marked(specimen), result(50, 'Seen')], ['CompoundStatement CLUSTER after availabilityTime']],
  ['a result', [report([50]), specimen, marked(result(50))], ['ObservationStatement OBS after availabilityTime']],
  [
    'a result with a comment',
    [report([50]), specimen, marked(result(50, 'Seen'))],
    [
      'CompoundStatement CLUSTER after availabilityTime',
      'NarrativeStatement OBS after availabilityTime',
      'ObservationStatement OBS after availabilityTime',
    ],
  ],
  [
    'a test group',
    [report([50]), specimen, marked(result(50, '', { related: [member(51)] })), result(51)],
    ['CompoundStatement BATTERY after availabilityTime'],
  ],
  [
    'a member of a test group, with a comment',
    [report([50]), specimen, result(50, '', { related: [member(51)] }), marked(result(51, 'Seen'))],
    [
      'CompoundStatement CLUSTER after availabilityTime',
      'NarrativeStatement OBS after availabilityTime',
      'ObservationStatement OBS after availabilityTime',
    ],
  ],
  [
    'a filing comment',
    [report([50, 51]), specimen, result(50), marked(note(51, 'Told the patient'))],
    ['NarrativeStatement OBS after availabilityTime'],
  ],
  [
    'a document',
    [marked(resource('DocumentReference', uuid(50), { created: '2020-01-01' }))],
    ['NarrativeStatement OBS after availabilityTime', 'referredToExternalDocument DOC after text'],
  ],
  [
    'a document by its security label',
    [resource('DocumentReference', uuid(50), { created: '2020-01-01', securityLabel: [{ coding: NOPAT.security }] })],
    ['NarrativeStatement OBS after availabilityTime', 'referredToExternalDocument DOC after text'],
  ],
  ['a medicine', [marked(resource('Medication', 'drug', { code: { text: 'Aspirin' } })), plan], []],
];

function marks(root: XmlElement): string[] {
  return [...descendants(root)]
    .flatMap((element) => {
      const inner = children(element);
      const at = inner.findIndex(({ name }) => name === 'confidentialityCode');
      return at < 0 ? [] : [`${element.name} ${attr(element, 'classCode')} after ${inner[at - 1]?.name}`];
    })
    .sort();
}

for (const [what, record, expected] of ROWS) {
  test(`the mark of ${what} stands ${expected.length ? 'where the table says and nowhere else' : 'nowhere, and the report says so'}`, () => {
    const { root, report: said } = send(smallRecord(...record));
    assert.deepEqual(marks(root), expected);
    assert.equal(said.summary.redactions, 1);
    assert.equal(notCarried(said), expected.length ? 0 : 1);
  });

  test(`the mark of ${what} stands nowhere in UK06, and is counted`, () => {
    const { root, report: said } = send(smallRecord(...record), { redactions: false });
    assert.deepEqual(all(root, 'confidentialityCode'), []);
    assert.equal(said.summary.redactions, 1);
    assert.equal(notCarried(said), 1);
  });
}

test('every mark of a record is counted and, in UK06, named at its own resource', () => {
  const { bundle, nhsNumber } = makePatient({ seed: 77, ods: 'A12345', consultations: 8, documents: 3 });
  const people = new Set(['Patient', 'Practitioner', 'PractitionerRole', 'Organization']);
  const entry = (bundle.entry ?? []).map(({ resource: one }) => ({
    resource: one && !people.has(one.resourceType) ? marked(one) : (one as Resource),
  }));
  const expected = entry.filter(({ resource: one }) => one.meta?.security).map(({ resource: one }) => `${one.resourceType}/${one.id}`);
  const { root, report: said } = send({ ...bundle, entry }, { nhsNumber, redactions: false });
  const named = said.issues.filter(({ code }) => code === 'redaction.notCarried').map(({ at }) => at.id);
  assert.deepEqual(all(root, 'confidentialityCode'), []);
  assert.equal(said.summary.redactions, expected.length);
  assert.deepEqual(named.sort(), expected.sort());
});

test('a mark with another code or of another system is none', () => {
  const labels = [
    { system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOSCRUB' },
    { system: 'https://example.org', code: 'NOPAT' },
  ];
  const { root, report: said } = send(smallRecord({ ...result(50), meta: { security: labels } }));
  assert.deepEqual(marks(root), []);
  assert.equal(said.summary.redactions, 0);
});

function notCarried({ issues }: ReturnType<typeof send>['report']): number {
  return issues.filter(({ code }) => code === 'redaction.notCarried').length;
}

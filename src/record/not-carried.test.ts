import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { list, observation, send, smallRecord, uuid } from './testing-record.ts';

const issuesOf = (id: string, ...resources: readonly Resource[]) =>
  send(smallRecord(...resources))
    .report.issues.filter(({ at }) => at.id === id)
    .map(({ code, text }) => `${code} ${text}`);

test('what an extract has no place for is named, all of it in one issue', () => {
  const report = {
    resourceType: 'DiagnosticReport',
    id: uuid(50),
    status: 'final',
    category: { text: 'Haematology' },
    basedOn: [{ reference: 'ProcedureRequest/none' }],
    presentedForm: [{ title: 'scan' }],
    code: { text: 'Full blood count' },
    issued: '2020-02-03T10:00:00Z',
  } as Resource;
  assert.deepEqual(issuesOf(`DiagnosticReport/${uuid(50)}`, report), [
    'value.lost Not carried: the order that it answers, its kind, the report as a file, what the report is called (“Full blood count”).',
  ]);
});

test('for whom a range is meant is named', () => {
  const referenceRange = [{ low: { value: 1 }, appliesTo: [{ text: 'women' }], age: { low: { value: 18 } } }];
  const one = observation(uuid(51), 'A range', 'Practitioner/gp', { valueQuantity: { value: 2 }, referenceRange });
  assert.deepEqual(issuesOf(`Observation/${uuid(51)}`, one), [
    'value.lost Not carried: to whom its range applies, the age that its range is for.',
  ]);
});

test('an observation that was issued on another day than it is about loses that day', () => {
  const other = observation(uuid(52), 'Late', 'Practitioner/gp', { issued: '2020-02-05T10:00:00Z' });
  const same = observation(uuid(53), 'At once', 'Practitioner/gp', { issued: '2020-02-03T10:00:00Z' });
  assert.deepEqual(issuesOf(`Observation/${uuid(52)}`, other, same), ['value.lost Not carried: that it was issued on 2020-02-05.']);
  assert.deepEqual(issuesOf(`Observation/${uuid(53)}`, other, same), []);
});

test('an entry that its consultation does not list says that it stands outside', () => {
  const outside = observation(uuid(54), 'Forgotten', 'Practitioner/gp', { context: { reference: `Encounter/${uuid(1)}` } });
  assert.match(issuesOf(`Observation/${uuid(54)}`, outside).join(), /link\.broken Its consultation does not list it/);
});

test('a medication statement, or a specimen, that nothing carries is an issue', () => {
  const statement = { resourceType: 'MedicationStatement', id: 'taken', status: 'active', taken: 'y' } as Resource;
  const specimen = { resourceType: 'Specimen', id: 'lone' } as Resource;
  assert.deepEqual(issuesOf('MedicationStatement/taken', statement), ['statement.notCarried It is based on no plan that is carried.']);
  assert.deepEqual(issuesOf('Specimen/lone', specimen), ['statement.notCarried No report that is carried names it.']);
});

test('a record that an extract can carry whole has nothing to name', () => {
  const all = list('all-2', '1149501000000101', {}, `Encounter/${uuid(1)}`);
  assert.deepEqual(send(smallRecord(all)).report.issues, []);
});

test('a device that recorded a prescription is named; another practitioner than asked for it is carried', () => {
  const request = {
    resourceType: 'MedicationRequest',
    id: uuid(60),
    status: 'active',
    intent: 'plan',
    extension: [
      {
        url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-PrescriptionType-1',
        valueCodeableConcept: { coding: [{ code: 'repeat' }] },
      },
    ],
    medicationCodeableConcept: { text: 'Ramipril' },
    authoredOn: '2020-05-01',
    dosageInstruction: [{ text: 'One daily' }],
    dispenseRequest: { validityPeriod: { start: '2020-04-01' } },
    requester: { agent: { reference: 'Practitioner/gp' } },
    recorder: { reference: 'Practitioner/nurse' },
  } as Resource;
  assert.deepEqual(issuesOf(`MedicationRequest/${uuid(60)}`, request), []);
  const byDevice = { ...request, recorder: { reference: 'Device/scanner' } } as Resource;
  assert.deepEqual(issuesOf(`MedicationRequest/${uuid(60)}`, byDevice), ['value.lost Not carried: who recorded it.']);
});

test('a consultation that the record does not have is named', () => {
  const one = observation(uuid(54), 'Outside', 'Practitioner/gp', { context: { reference: 'Encounter/none' } });
  assert.deepEqual(issuesOf(`Observation/${uuid(54)}`, one), [
    'link.broken The consultation that it names is not in the record: Encounter/none.',
  ]);
});

test('a topic about a problem that stands outside consultations loses the link, not the name', () => {
  const problem = {
    resourceType: 'Condition',
    id: uuid(61),
    clinicalStatus: 'active',
    assertedDate: '2020-01-01',
    code: { coding: [{ system: 'http://snomed.info/sct', code: '49727002', display: 'Cough' }] },
  } as Resource;
  const url = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-RelatedProblemHeader-1';
  const encounter = { reference: `Encounter/${uuid(63)}` };
  const extension = [{ url, extension: [{ url: 'target', valueReference: { reference: `Condition/${uuid(61)}` } }] }];
  const resources = [
    problem,
    { resourceType: 'Encounter', id: uuid(63), type: [{ text: 'Visit' }], period: { start: '2022-01-01' } } as Resource,
    list('consultation-2', '325851000000107', { encounter }, `List/${uuid(62)}`),
    list(uuid(62), '25851000000105', { encounter, extension }, `Observation/${uuid(64)}`),
    observation(uuid(64), 'About it', 'Practitioner/gp'),
  ];
  assert.match(issuesOf(`List/${uuid(62)}`, ...resources).join(), /link\.broken The problem that it is about stands elsewhere/);
});

test('that a plan is active is named: receivers say that they do not know', () => {
  const plan = { resourceType: 'ProcedureRequest', id: uuid(70), status: 'active', intent: 'plan', authoredOn: '2020-01-01' };
  const code = { coding: [{ system: 'http://snomed.info/sct', code: '413757005', display: 'Medication review due' }] };
  assert.deepEqual(issuesOf(`ProcedureRequest/${uuid(70)}`, { ...plan, code } as Resource), ['value.lost Not carried: that it is active.']);
});

test('that a list warns of what is missing, or has a note, is named at the list', () => {
  const warning = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-ListWarningCode-1';
  const members = {
    extension: [{ url: warning, valueCode: 'confidential-items' }],
    note: [{ text: 'Items excluded due to confidentiality.' }, { text: 'Information not available.' }],
    emptyReason: { coding: [{ code: 'no-content-recorded' }], text: 'No content recorded' },
  };
  assert.deepEqual(issuesOf('List/problems', list('problems', '717711000000103', members)), [
    'value.lost Not carried: the warning “confidential-items”, its note “Items excluded due to confidentiality.”.',
  ]);
});

test('what stays behind of people and places is named once, not for each of them', () => {
  const people = ['one', 'two'].map(
    (id) => ({ resourceType: 'Practitioner', id, name: [{ family: id }], identifier: [{ value: id }] }) as Resource,
  );
  const entries = people.map(({ id }, at) => observation(uuid(80 + at), 'Seen', `Practitioner/${id}`));
  const nobody = { resourceType: 'Practitioner', id: 'three', name: [{ family: 'Three' }], telecom: [{ value: '1' }] } as Resource;
  assert.deepEqual(issuesOf('Patient/patient', ...people, ...entries, nobody), ['value.lost Not carried: of practitioners numbers.']);
});

test('how often a plan was issued is named where the record has another number of issues', () => {
  const repeats = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-MedicationRepeatInformation-1';
  const type = {
    url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-PrescriptionType-1',
    valueCodeableConcept: { coding: [{ code: 'repeat' }] },
  };
  const drug = {
    ...{
      resourceType: 'MedicationRequest',
      status: 'active',
      medicationCodeableConcept: { text: 'Ramipril' },
      dosageInstruction: [{ text: 'One' }],
    },
    dispenseRequest: { validityPeriod: { start: '2020-04-01' } },
  };
  const order = { ...drug, id: uuid(91), intent: 'order', basedOn: [{ reference: `MedicationRequest/${uuid(90)}` }] } as Resource;
  const plan = (issued: number) => {
    const count = { url: 'numberOfRepeatPrescriptionsIssued', valuePositiveInt: issued };
    return { ...drug, id: uuid(90), intent: 'plan', extension: [type, { url: repeats, extension: [count] }] } as Resource;
  };
  assert.deepEqual(issuesOf(`MedicationRequest/${uuid(90)}`, plan(1), order), []);
  assert.deepEqual(issuesOf(`MedicationRequest/${uuid(90)}`, plan(4), order), ['value.lost Not carried: that it was issued 4 times.']);
});

test('a problem that is called something else than the observation that it is loses its name', () => {
  const url = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ActualProblem-1';
  const problem = (text: string) =>
    ({
      ...{ resourceType: 'Condition', id: uuid(95), clinicalStatus: 'active', assertedDate: '2020-01-01', code: { text } },
      extension: [{ url, valueReference: { reference: `Observation/${uuid(6)}` } }],
    }) as Resource;
  assert.match(issuesOf(`Condition/${uuid(95)}`, problem('Whooping cough')).join(), /what the problem is called \(“Whooping cough”\)/);
  assert.deepEqual(issuesOf(`Condition/${uuid(95)}`, problem('Cough')), []);
});

test('a label that is no redaction is named: nobody else hears of it', () => {
  const meta = { security: [{ system: 'http://hl7.org/fhir/v3/Confidentiality', code: 'V' }] };
  const one = observation(uuid(96), 'Kept close', 'Practitioner/gp', { meta });
  assert.deepEqual(issuesOf(`Observation/${uuid(96)}`, one), ['value.lost Not carried: the security label “V”.']);
});

test('a heading under which nothing stands is named', () => {
  const lone = list('lone', '24781000000107', { title: 'Social' });
  assert.match(issuesOf('List/lone', lone).join(), /heading “Social”/);
});

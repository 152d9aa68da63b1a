/**
 * Nothing is dropped silently: whatever member a resource has, an extract or its report is another one without it. The members that
 * `docs/mapping-to-hl7.md` says are left out of every extract without an issue are the only ones of which that is not true.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { observation, send, smallRecord, uuid } from './testing-record.ts';

const CARE_CONNECT = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-';
const GP_CONNECT = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-';
const to = (reference: string) => ({ reference });
const concept = (text: string) => ({ coding: [{ system: 'http://snomed.info/sct', code: '138875005', display: text }], text });
const amount = (value: number) => ({ value, unit: 'mg' });
const period = (year: number) => ({ start: `${year}-01-02`, end: `${year}-03-04` });
const notes = [{ text: 'Noted', authorString: 'A clerk', time: '2019-01-01' }];
const gp = to('Practitioner/gp');
const nurse = to('Practitioner/third');
const nowhere = to('Basic/none');
const coded = (url: string, text: string) => ({ url, valueCodeableConcept: concept(text) });

const MEASURED = {
  status: 'amended',
  basedOn: [nowhere],
  context: to(`Encounter/${uuid(1)}`),
  issued: '2020-02-04T10:00:00Z',
  performer: [gp, nurse],
  dataAbsentReason: concept('Clotted'),
  interpretation: concept('Odd'),
  comment: 'A comment',
  bodySite: concept('Left arm'),
  method: concept('By hand'),
  specimen: to('Specimen/none'),
  device: to('Device/none'),
  referenceRange: [{ low: amount(1), text: 'Adults' }],
  related: [{ type: 'has-member', target: to('Observation/none') }],
};
const readings = [
  { code: concept('Systolic'), coding: '72313002' },
  { code: concept('Diastolic'), coding: '1091811000000102' },
].map(({ code, coding }) => ({ code: { ...code, coding: [{ code: coding }] }, valueQuantity: amount(90) }));

/** One resource of each type, with a value in every member that STU3 gives it and GP Connect may fill. */
const FULL = [
  {
    ...observation(uuid(50), '', 'x', MEASURED),
    category: [concept('Vital signs')],
    valueQuantity: amount(3),
    component: [{ code: concept('Part') }],
  },
  {
    ...observation(uuid(50), '', 'x', MEASURED),
    valueCodeableConcept: concept('Never'),
    effectivePeriod: period(2018),
    effectiveDateTime: undefined,
  },
  { ...observation(uuid(50), '', 'x', MEASURED), code: { coding: [{ code: '37331000000100' }] }, valueString: 'Words' },
  { ...observation(uuid(50), '', 'x', MEASURED), code: { coding: [{ code: '75367002' }] }, component: readings },
  {
    resourceType: 'AllergyIntolerance',
    extension: [{ url: `${GP_CONNECT}AllergyIntoleranceEnd-1`, extension: [{ url: 'endDate', valueDateTime: '2022-02-03' }] }],
    ...{ clinicalStatus: 'active', verificationStatus: 'refuted', type: 'allergy', category: ['food'], criticality: 'high' },
    ...{ code: concept('Nuts'), onsetDateTime: '2001', assertedDate: '2002-03', recorder: gp, asserter: nurse, lastOccurrence: '2003' },
    reaction: [{ substance: concept('Peanut'), description: 'Swelling', severity: 'severe' }],
  },
  {
    resourceType: 'Immunization',
    extension: [coded(`${CARE_CONNECT}VaccinationProcedure-1`, 'Vaccination')],
    ...{
      status: 'entered-in-error',
      notGiven: true,
      vaccineCode: concept('MMR'),
      encounter: to(`Encounter/${uuid(1)}`),
      date: '2001-02-03',
    },
    ...{ primarySource: true, reportOrigin: concept('A card'), location: to('Location/place'), manufacturer: to('Organization/practice') },
    ...{ lotNumber: 'L1', expirationDate: '2005', site: concept('Arm'), route: concept('By needle'), doseQuantity: amount(5) },
    ...{ practitioner: [{ actor: gp }], explanation: { reason: [concept('Travel')] }, reaction: [{ date: '2001' }] },
    vaccinationProtocol: [{ doseSequence: 2 }],
  },
  {
    resourceType: 'MedicationRequest',
    extension: [
      { url: `${GP_CONNECT}MedicationRepeatInformation-1`, extension: [{ url: 'numberOfRepeatPrescriptionsIssued', valuePositiveInt: 3 }] },
    ],
    ...{
      status: 'on-hold',
      intent: 'plan',
      category: concept('Community'),
      priority: 'urgent',
      medicationCodeableConcept: concept('Aspirin'),
    },
    ...{ definition: [nowhere], context: to(`Encounter/${uuid(1)}`), supportingInformation: [nowhere], authoredOn: '2020-01-01' },
    ...{ requester: { agent: gp }, recorder: nurse, reasonCode: [concept('Pain')], dosageInstruction: [{ text: 'One a day' }] },
    ...{
      dispenseRequest: { validityPeriod: period(2020) },
      substitution: { allowed: true },
      priorPrescription: to('MedicationRequest/none'),
    },
    ...{ detectedIssue: [nowhere], eventHistory: [nowhere] },
  },
  {
    resourceType: 'Condition',
    extension: [{ url: `${CARE_CONNECT}ProblemSignificance-1`, valueCode: 'major' }],
    ...{ clinicalStatus: 'recurrence', verificationStatus: 'provisional', category: [concept('Diagnosis')], severity: concept('Severe') },
    ...{ code: concept('Asthma'), bodySite: [concept('Lung')], context: to(`Encounter/${uuid(1)}`), onsetDateTime: '2001' },
    ...{
      abatementDateTime: '2003',
      assertedDate: '2002',
      asserter: gp,
      stage: { summary: concept('Two') },
      evidence: [{ code: [concept('Wheeze')] }],
    },
  },
  {
    resourceType: 'ProcedureRequest',
    ...{
      definition: [nowhere],
      basedOn: [nowhere],
      replaces: [nowhere],
      requisition: { value: 'R' },
      status: 'suspended',
      intent: 'order',
    },
    ...{
      priority: 'urgent',
      doNotPerform: true,
      category: [concept('Imaging')],
      code: concept('X-ray'),
      context: to(`Encounter/${uuid(1)}`),
    },
    ...{
      occurrencePeriod: period(2022),
      asNeededBoolean: true,
      authoredOn: '2021',
      requester: { agent: gp },
      performerType: concept('Nurse'),
    },
    ...{ performer: nurse, reasonCode: [concept('Fall')], reasonReference: [nowhere], supportingInfo: [to(`Observation/${uuid(4)}`)] },
    ...{ specimen: [nowhere], bodySite: [concept('Hand')], relevantHistory: [nowhere] },
  },
  {
    resourceType: 'ReferralRequest',
    identifier: [{ system: 'https://fhir.nhs.uk/Id/ubr-number', value: '1234' }],
    ...{
      definition: [nowhere],
      basedOn: [nowhere],
      replaces: [nowhere],
      groupIdentifier: { value: 'G' },
      status: 'cancelled',
      intent: 'plan',
    },
    ...{ type: concept('Transfer'), priority: 'stat', serviceRequested: [concept('Opinion')], context: to(`Encounter/${uuid(1)}`) },
    ...{ occurrencePeriod: period(2022), authoredOn: '2021', requester: { agent: gp }, specialty: concept('Surgery'), recipient: [nurse] },
    ...{
      reasonCode: [concept('Lump')],
      reasonReference: [nowhere],
      description: 'Please see',
      supportingInfo: [to(`Observation/${uuid(4)}`)],
    },
    relevantHistory: [nowhere],
  },
  {
    resourceType: 'DocumentReference',
    ...{
      masterIdentifier: { value: 'M' },
      status: 'superseded',
      docStatus: 'preliminary',
      type: concept('Letter'),
      class: concept('Notes'),
    },
    ...{ created: '2020', author: [gp], authenticator: nurse, custodian: to('Organization/practice'), relatesTo: [{ code: 'replaces' }] },
    ...{
      description: 'A letter',
      securityLabel: [concept('Secret')],
      content: [{ attachment: { contentType: 'text/plain', title: 'Too big' } }],
    },
    context: { practiceSetting: concept('Ward') },
  },
  {
    resourceType: 'DiagnosticReport',
    identifier: [{ system: '2.16.840.1.113883.2.1.4.5.5', value: 'P' }],
    ...{
      basedOn: [nowhere],
      status: 'partial',
      category: concept('Haematology'),
      code: concept('Blood count'),
      context: to(`Encounter/${uuid(1)}`),
    },
    ...{ effectiveDateTime: '2020', issued: '2020-01-02T00:00:00Z', performer: [{ actor: gp }], specimen: [to('Specimen/blood')] },
    ...{
      result: [to('Observation/none')],
      imagingStudy: [nowhere],
      image: [{ comment: 'Dark' }],
      conclusion: 'Fine',
      codedDiagnosis: [concept('None')],
    },
    presentedForm: [{ title: 'As PDF' }],
  },
  {
    ...{ resourceType: 'Specimen', id: 'blood', accessionIdentifier: { value: 'A' }, status: 'unsatisfactory', type: concept('Blood') },
    ...{
      receivedTime: '2020',
      parent: [nowhere],
      request: [nowhere],
      collection: { collector: nurse },
      processing: [{ description: 'Spun' }],
    },
    container: [{ description: 'Tube' }],
  },
  {
    ...{
      resourceType: 'Encounter',
      id: uuid(1),
      status: 'cancelled',
      class: { code: 'AMB' },
      type: [concept('Visit')],
      priority: concept('Soon'),
    },
    ...{ episodeOfCare: [nowhere], incomingReferral: [nowhere], participant: [{ type: [{ coding: [{ code: 'REC' }] }], individual: gp }] },
    ...{
      appointment: nowhere,
      period: period(2021),
      length: { value: 3 },
      reason: [concept('Cough')],
      diagnosis: [{ condition: nowhere }],
    },
    ...{ hospitalization: { origin: nowhere }, location: [{ location: to('Location/place') }], partOf: nowhere },
  },
  {
    ...{ resourceType: 'List', id: uuid(2), title: 'Cough', code: { coding: [{ code: '25851000000105' }] }, date: '2021-05-05' },
    ...{ emptyReason: concept('Withheld'), extension: [{ url: `${GP_CONNECT}ListWarningCode-1`, valueCode: 'confidential-items' }] },
    entry: [{ item: to(`List/${uuid(3)}`) }],
  },
  {
    resourceType: 'Medication',
    id: 'drug',
    code: concept('Aspirin'),
    form: concept('Tablet'),
    ingredient: [{}],
    package: {},
    isBrand: true,
  },
].map((one) => JSON.parse(JSON.stringify({ id: uuid(50), note: notes, ...one })) as Resource);

const AROUND = [
  { resourceType: 'Practitioner', id: 'third', name: [{ family: 'Third' }] },
  { resourceType: 'Specimen', id: 'blood' },
  { resourceType: 'DiagnosticReport', id: uuid(60), status: 'final', issued: '2020-01-01T00:00:00Z', specimen: [to('Specimen/blood')] },
  {
    ...{ resourceType: 'MedicationRequest', id: uuid(61), status: 'active', intent: 'plan', medicationReference: to('Medication/drug') },
    dispenseRequest: { validityPeriod: period(2020) },
  },
] as Resource[];

/** Members that are not said of, and types that have no notes. */
const NOT_SAID = new Set(['resourceType', 'id']);
const WITHOUT_NOTES = new Set(['Observation', 'DiagnosticReport', 'DocumentReference', 'Encounter', 'Medication']);
const PAGE = readFileSync(new URL('../../docs/mapping-to-hl7.md', import.meta.url), 'utf8');

for (const [at, full] of FULL.entries()) {
  test(`no member of a ${full.resourceType} is dropped silently (${at + 1})`, () => {
    const whole = said(full);
    const members = Object.keys(full).filter((name) => !NOT_SAID.has(name) && !(name === 'note' && WITHOUT_NOTES.has(full.resourceType)));
    const silent = members.filter((name) => said({ ...full, [name]: undefined }) === whole);
    const allowed = silent.filter((name) => PAGE.includes(`\`${full.resourceType}.${name}\``));
    assert.deepEqual(silent, allowed);
  });
}

/** Extract and issues of a record with this resource, without ids that were drawn. */
function said(resource: Resource): string {
  const own = JSON.parse(JSON.stringify(resource)) as Resource;
  const { entry = [], ...bundle } = smallRecord(...AROUND);
  const others = entry.filter(({ resource: one }) => one?.resourceType !== own.resourceType || one.id !== own.id);
  const { xml, report } = send({ ...bundle, entry: [...others, { resource: own }] });
  return xml.replaceAll(/D0000000-0000-4000-8000-\d{12}/g, 'an id') + JSON.stringify(report.issues);
}

/**
 * One record in which every type has every member that GP Connect's profiles and STU3 give it a clinical use for, whether the mapping
 * carries it or not: what a table of losses has to be made from.
 */
import { fhirNumber } from '../fhir/json.ts';
import type { Bundle, Resource } from '../fhir/types.ts';
import { smallRecord, uuid } from './testing-record.ts';

const SCT = 'http://snomed.info/sct';
const GPC = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-';
const CC = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-';
const sct = (code: string, display: string) => ({ coding: [{ system: SCT, code, display }] });
const to = (reference: string) => ({ reference });
const amount = (value: string, unit: string) => ({ value: fhirNumber(value), unit, system: 'http://unitsofmeasure.org', code: unit });
const by = to('Practitioner/gp');
const note = (text: string) => [{ text, time: '2021-03-04T10:00:00+00:00', authorReference: by }];
const id = (number: number) => uuid(500 + number);

const ALLERGY = {
  resourceType: 'AllergyIntolerance',
  id: id(1),
  extension: [
    {
      url: `${GPC}AllergyIntoleranceEnd-1`,
      extension: [
        { url: 'endDate', valueDateTime: '2020-02-01' },
        { url: 'reasonEnded', valueString: 'Tolerated a later course' },
      ],
    },
  ],
  clinicalStatus: 'resolved',
  verificationStatus: 'confirmed',
  type: 'intolerance',
  category: ['medication'],
  criticality: 'high',
  code: sct('294505008', 'Allergy to amoxicillin'),
  onsetDateTime: '2015-06',
  assertedDate: '2015-06-10',
  recorder: by,
  asserter: to('Practitioner/nurse'),
  lastOccurrence: '2018-03-04',
  note: note('came out in a rash'),
  reaction: [
    {
      substance: { text: 'Amoxicillin' },
      manifestation: [sct('247472004', 'Hives'), { text: 'Wheeze' }],
      description: 'within the hour',
      onset: '2015-06-01',
      severity: 'severe',
      exposureRoute: { text: 'Oral' },
      note: [{ text: 'went to hospital' }],
    },
  ],
};

const MEASURED = {
  resourceType: 'Observation',
  id: id(2),
  status: 'preliminary',
  category: [{ coding: [{ system: 'http://hl7.org/fhir/observation-category', code: 'vital-signs', display: 'Vital Signs' }] }],
  code: {
    coding: [
      { system: SCT, code: '27113001', display: 'Body weight' },
      { system: SCT, code: '363808001', display: 'Body weight measure' },
      { system: 'http://read.info/readv2', code: '22A..00', display: 'O/E - weight' },
      { system: 'urn:oid:1.2.3.4', code: 'W', display: 'Weight' },
    ],
    text: 'Weight',
  },
  effectiveDateTime: '2021-03-04T09:20:00+00:00',
  performer: [by],
  valueQuantity: { ...amount('78.50', 'kg'), comparator: '>' },
  interpretation: { coding: [{ system: 'http://hl7.org/fhir/v2/0078', code: 'H', display: 'High' }] },
  comment: 'Measured without shoes.',
  bodySite: sct('38266002', 'Entire body as a whole'),
  method: { text: 'Weighing' },
  device: { display: 'Scales' },
  referenceRange: [
    {
      low: amount('50.0', 'kg'),
      high: amount('80.0', 'kg'),
      text: 'adult',
      type: { text: 'normal' },
      appliesTo: [{ text: 'women' }],
      age: { low: amount('18', 'a') },
    },
    { low: amount('40.0', 'kg'), text: 'child' },
  ],
  basedOn: [to(`ProcedureRequest/${id(9)}`)],
};

const FOUND = (number: number, value: object, more: object = {}) => ({
  resourceType: 'Observation',
  id: id(number),
  status: 'final',
  code: sct('162607003', 'Cough'),
  effectivePeriod: { start: '2021-03-01', end: '2021-03-04' },
  performer: [by],
  ...value,
  ...more,
});

const MEMBERS: readonly object[] = [
  ALLERGY,
  MEASURED,
  FOUND(20, { valueCodeableConcept: sct('260413007', 'None') }),
  FOUND(21, { valueBoolean: true }),
  FOUND(22, { valueRange: { low: amount('3', 'mg'), high: amount('5', 'mg') } }),
  FOUND(23, { valueRatio: { numerator: amount('1', 'mg'), denominator: amount('8', 'mL') } }),
  FOUND(24, { valueTime: '10:20:30' }),
  FOUND(25, { valueDateTime: '2021-02-03' }),
  FOUND(26, { valuePeriod: { start: '2021-02-03', end: '2021-02-05' } }),
  FOUND(27, { valueString: 'dry, at night' }, { dataAbsentReason: { text: 'not asked' } }),
  FOUND(28, {
    component: [
      { code: sct('271649006', 'Systolic blood pressure'), valueQuantity: amount('131', 'mm[Hg]'), interpretation: { text: 'raised' } },
      { code: sct('78564009', 'Pulse rate'), valueQuantity: amount('74', '/min'), dataAbsentReason: { text: 'none' } },
    ],
  }),
  {
    resourceType: 'Immunization',
    id: id(3),
    extension: [
      { url: `${CC}VaccinationProcedure-1`, valueCodeableConcept: sct('38598009', 'MMR vaccination') },
      { url: `${CC}DateRecorded-1`, valueDateTime: '2021-03-04' },
      { url: `${CC}ParentPresent-1`, valueBoolean: true },
    ],
    status: 'completed',
    notGiven: true,
    vaccineCode: sct('61153008', 'MMR vaccine'),
    date: '2021-03-04',
    primarySource: false,
    reportOrigin: { text: 'Parent' },
    location: to('Location/place'),
    manufacturer: { display: 'Acme' },
    lotNumber: 'AB12',
    expirationDate: '2022-01-01',
    site: { text: 'left arm' },
    route: { text: 'intramuscular' },
    doseQuantity: { value: fhirNumber('0.5'), unit: 'ml' },
    practitioner: [{ role: { coding: [{ code: 'AP' }] }, actor: to('Practitioner/nurse') }],
    note: note('arm sore'),
    explanation: { reasonNotGiven: [{ text: 'Declined' }] },
    reaction: [{ date: '2021-03-05', reported: true }],
    vaccinationProtocol: [
      { doseSequence: 1, description: 'Childhood', series: 'MMR', seriesDoses: 2, targetDisease: [{ text: 'Measles' }] },
    ],
  },
  {
    resourceType: 'Medication',
    id: 'drug',
    code: sct('317896006', 'Samplex 5mg tablets'),
    form: { text: 'tablet' },
    package: { batch: [{ lotNumber: 'X1' }] },
  },
  {
    resourceType: 'MedicationRequest',
    id: id(4),
    extension: [
      {
        url: `${GPC}PrescriptionType-1`,
        valueCodeableConcept: {
          coding: [
            {
              system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescriptionType-1',
              code: 'repeat-dispensing',
              display: 'Repeat dispensing',
            },
          ],
        },
      },
      {
        url: `${GPC}MedicationRepeatInformation-1`,
        extension: [
          { url: 'numberOfRepeatPrescriptionsAllowed', valueUnsignedInt: 6 },
          { url: 'numberOfRepeatPrescriptionsIssued', valueUnsignedInt: 1 },
          { url: 'authorisationExpiryDate', valueDateTime: '2021-12-01' },
        ],
      },
      {
        url: `${GPC}MedicationStatusReason-1`,
        extension: [
          { url: 'statusReason', valueCodeableConcept: { text: 'Side effects' } },
          { url: 'statusChangeDate', valueDateTime: '2021-06-01' },
        ],
      },
    ],
    status: 'stopped',
    intent: 'plan',
    category: { text: 'community' },
    priority: 'urgent',
    medicationReference: to('Medication/drug'),
    authoredOn: '2021-03-04',
    requester: { agent: by },
    recorder: to('Practitioner/nurse'),
    reasonCode: [sct('38341003', 'Hypertension')],
    reasonReference: [to(`Condition/${id(7)}`)],
    note: note('with food'),
    dosageInstruction: [
      {
        text: 'one daily',
        patientInstruction: 'with water',
        asNeededBoolean: false,
        route: { text: 'oral' },
        timing: { repeat: { frequency: 1 } },
      },
      { text: 'two on Sundays' },
    ],
    dispenseRequest: {
      validityPeriod: { start: '2021-03-04', end: '2021-12-01' },
      numberOfRepeatsAllowed: 5,
      quantity: { value: 28, unit: 'tablet' },
      expectedSupplyDuration: { value: 28, unit: 'day', system: 'http://unitsofmeasure.org', code: 'd' },
      performer: { display: 'The Pharmacy' },
    },
    substitution: { allowed: true },
  },
  {
    resourceType: 'MedicationRequest',
    id: id(5),
    status: 'completed',
    intent: 'order',
    basedOn: [to(`MedicationRequest/${id(4)}`)],
    medicationReference: to('Medication/drug'),
    authoredOn: '2021-03-04',
    requester: { agent: by },
    dosageInstruction: [{ text: 'one daily' }],
    dispenseRequest: { validityPeriod: { start: '2021-03-04' }, quantity: { value: 28, unit: 'tablet' } },
  },
  {
    resourceType: 'MedicationStatement',
    id: id(6),
    extension: [
      {
        url: `${GPC}PrescribingAgency-1`,
        valueCodeableConcept: {
          coding: [
            {
              system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescribingAgency-1',
              code: 'prescribed-by-another-organisation',
              display: 'Prescribed by another organisation',
            },
          ],
        },
      },
      { url: `${GPC}MedicationStatementLastIssueDate-1`, valueDateTime: '2021-03-04' },
      { url: `${GPC}DosageLastChanged-1`, valueDateTime: '2021-03-01' },
    ],
    basedOn: [to(`MedicationRequest/${id(4)}`)],
    status: 'stopped',
    medicationReference: to('Medication/drug'),
    effectivePeriod: { start: '2021-03-04', end: '2021-06-01' },
    dateAsserted: '2021-03-04',
    taken: 'unk',
    reasonCode: [sct('38341003', 'Hypertension')],
    note: note('brought from hospital'),
    dosage: [{ text: 'one daily', patientInstruction: 'with water' }, { text: 'two on Sundays' }],
  },
  {
    resourceType: 'Condition',
    id: id(7),
    extension: [
      { url: `${CC}ActualProblem-1`, valueReference: to(`Observation/${id(2)}`) },
      { url: `${CC}ProblemSignificance-1`, valueCode: 'major' },
      { url: `${CC}RelatedClinicalContent-1`, valueReference: to(`Observation/${id(20)}`) },
      {
        url: `${CC}RelatedProblemHeader-1`,
        extension: [
          { url: 'type', valueCode: 'child' },
          { url: 'target', valueReference: to(`Condition/${id(8)}`) },
        ],
      },
      { url: `${CC}Episodicity-1`, valueCodeableConcept: { text: 'First' } },
    ],
    clinicalStatus: 'resolved',
    verificationStatus: 'confirmed',
    category: [
      {
        coding: [
          {
            system: 'https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-ConditionCategory-1',
            code: 'problem-list-item',
            display: 'Problem List Item',
          },
        ],
      },
    ],
    severity: { text: 'Severe' },
    code: sct('27113001', 'Body weight'),
    bodySite: [{ text: 'Left knee' }],
    onsetDateTime: '2019-01',
    abatementDateTime: '2021-02-03',
    assertedDate: '2021-03-04T09:15:00+00:00',
    asserter: by,
    stage: { summary: { text: 'II' } },
    evidence: [{ code: [{ text: 'scan' }] }],
    note: note('watch'),
  },
  {
    resourceType: 'Condition',
    id: id(8),
    extension: [
      {
        url: `${CC}RelatedProblemHeader-1`,
        extension: [
          { url: 'type', valueCode: 'parent' },
          { url: 'target', valueReference: to(`Condition/${id(7)}`) },
        ],
      },
    ],
    clinicalStatus: 'active',
    code: sct('37796009', 'Migraine'),
    onsetDateTime: '2020-01-01',
    assertedDate: '2021-03-04',
    asserter: by,
  },
  {
    resourceType: 'ProcedureRequest',
    id: id(9),
    status: 'suspended',
    intent: 'plan',
    priority: 'urgent',
    code: sct('413757005', 'Medication review due'),
    occurrenceDateTime: '2021-09-01',
    authoredOn: '2021-03-04',
    requester: { agent: by },
    performer: { display: 'Nurse clinic' },
    reasonCode: [{ text: 'Hypertension' }],
    bodySite: [{ text: 'Arm' }],
    note: [{ text: 'invite by text' }],
    supportingInfo: [to(`Observation/${id(2)}`)],
  },
  {
    resourceType: 'ReferralRequest',
    id: id(10),
    identifier: [{ system: 'https://fhir.nhs.uk/Id/ubr-number', value: '0001' }],
    status: 'active',
    intent: 'order',
    type: { text: 'Outpatient' },
    priority: 'urgent',
    serviceRequested: [{ text: 'Scan' }],
    occurrenceDateTime: '2021-04-01',
    authoredOn: '2021-03-04',
    requester: { agent: by },
    specialty: { text: 'Orthopaedics' },
    recipient: [to('Practitioner/nurse')],
    reasonCode: [sct('183444007', 'Referral for further care'), { text: 'Hip' }],
    reasonReference: [to(`Condition/${id(7)}`)],
    description: 'Pain for a year',
    supportingInfo: [to(`DocumentReference/${id(14)}`)],
    note: [{ text: 'Mode: written' }],
  },
  {
    resourceType: 'DiagnosticReport',
    id: id(11),
    identifier: [{ system: '2.16.840.1.113883.2.1.4.5.5', value: 'LAB1' }],
    status: 'final',
    category: { coding: [{ system: 'http://hl7.org/fhir/v2/0074', code: 'LAB', display: 'Laboratory' }] },
    code: { coding: [{ system: SCT, code: '721981007', display: 'Diagnostic studies report' }] },
    issued: '2021-03-05T08:00:00+00:00',
    performer: [{ actor: to('Organization/practice') }],
    specimen: [to(`Specimen/${id(12)}`)],
    result: [to(`Observation/${id(13)}`)],
    conclusion: 'haemolysed',
    codedDiagnosis: [{ text: 'Anaemia' }],
    effectiveDateTime: '2021-03-04',
    imagingStudy: [{ display: 'X-ray' }],
  },
  {
    resourceType: 'Specimen',
    id: id(12),
    status: 'unsatisfactory',
    accessionIdentifier: { value: 'B,1' },
    type: { text: 'Blood' },
    receivedTime: '2021-03-04T12:00:00+00:00',
    collection: {
      collectedDateTime: '2021-03-04T09:30:00+00:00',
      collector: to('Practitioner/nurse'),
      quantity: { value: 5, unit: 'ml' },
      bodySite: { text: 'Left arm' },
      method: { text: 'Venepuncture' },
    },
    container: [{ description: 'Tube' }],
    note: [{ text: 'haemolysed' }],
  },
  {
    resourceType: 'Observation',
    id: id(13),
    status: 'corrected',
    category: [{ coding: [{ system: 'http://hl7.org/fhir/observation-category', code: 'laboratory', display: 'Laboratory' }] }],
    code: sct('1022431000000105', 'Haemoglobin estimation'),
    effectiveDateTime: '2021-03-04T09:30:00+00:00',
    performer: [to('Organization/practice')],
    valueQuantity: amount('118', 'g/L'),
    interpretation: { coding: [{ system: 'http://hl7.org/fhir/v2/0078', code: 'L', display: 'Low' }] },
    comment: 'Repeat in a month.',
    bodySite: { text: 'Vein' },
    method: { text: 'Automated' },
    specimen: to(`Specimen/${id(12)}`),
    referenceRange: [{ low: amount('130', 'g/L'), high: amount('170', 'g/L'), text: 'men' }],
  },
  {
    resourceType: 'DocumentReference',
    id: id(14),
    status: 'current',
    docStatus: 'final',
    type: { text: 'Clinic letter' },
    class: { text: 'Letter' },
    created: '2021-03-04',
    indexed: '2021-03-04T12:00:00+00:00',
    author: [by, to('Organization/practice')],
    custodian: to('Organization/practice'),
    description: 'Letter from cardiology',
    content: [
      { attachment: { contentType: 'application/pdf', url: 'https://gp.test/Binary/1', size: 9 } },
      { attachment: { contentType: 'image/png', url: 'https://gp.test/Binary/2', size: 9 } },
    ],
    context: { practiceSetting: { text: 'Cardiology' }, event: [{ text: 'visit' }], period: { start: '2021-03-01' } },
  },
];

/** The small record with one of everything outside its consultation. */
export const everything = (): Bundle => smallRecord(...(MEMBERS as readonly Resource[]));

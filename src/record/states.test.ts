/**
 * In which state a medicine, an allergy or a vaccination arrives, for every state that a source can tell. A patient is harmed by a medicine
 * that runs again, an allergy that no longer locks, a vaccination that was never given.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllergyIntolerance, Bundle, Immunization, MedicationRequest, MedicationStatement, Resource } from '../fhir/types.ts';
import { builtInTerminology } from '../terminology/built-in.ts';
import { hop, resourcesOf } from './testing-hops.ts';
import { receive, send, smallRecord, uuid } from './testing-record.ts';
import { allergy, authorise, consultation, discontinue, extractOf, medication, observed, prescribe } from './testing-vendor.ts';

const SNOMED = '2.16.840.1.113883.2.1.3.2.4.15';
const READ = '2.16.840.1.113883.2.1.6.2';
const of = <R extends Resource>(resources: readonly Resource[], type: R['resourceType']) =>
  resources.filter(({ resourceType }) => resourceType === type) as R[];
const arriving = (...statements: readonly string[]) => receive(extractOf(consultation('ENC', statements.join('')))).resources;

// ---- medicines in an extract

const plan = (status: string, more = '') => medication('MS-1', 'INT', authorise('AUT-1', more, status));
const issue = medication('MS-2', 'ORD', prescribe('PRE-1', 'AUT-1'));
const ended = (when?: string) => medication('MS-3', 'RMD', discontinue('DIS-1', 'AUT-1', when));
const said = (words: string) =>
  `<pertinentInformation><pertinentSupplyAnnotation><text>${words}\n</text></pertinentSupplyAnnotation></pertinentInformation>`;

const MEDICINES: readonly (readonly [source: string, statements: readonly string[], plan: string, statement: string])[] = [
  ['ACTIVE', [plan('ACTIVE')], 'active', 'active'],
  ['ACTIVE with an issue', [plan('ACTIVE'), issue], 'active', 'active'],
  ['COMPLETE', [plan('COMPLETE')], 'completed', 'completed'],
  ['ACTIVE, discontinued at a time', [plan('ACTIVE'), ended()], 'stopped', 'stopped'],
  ['COMPLETE, discontinued at a time', [plan('COMPLETE'), ended()], 'stopped', 'stopped'],
  ['ACTIVE, discontinued, nobody knows when', [plan('ACTIVE'), ended('<availabilityTime nullFlavor="UNK"/>')], 'completed', 'completed'],
  ['ACTIVE, discontinued before it stands', [ended(), plan('ACTIVE')], 'stopped', 'stopped'],
  ['On Hold in words', [plan('ACTIVE', said('Status: On Hold'))], 'on-hold', 'on-hold'],
  ['Cancelled in words', [plan('COMPLETE', said('Status: Cancelled'))], 'cancelled', 'stopped'],
  ['Entered In Error in words', [plan('COMPLETE', said('Status: Entered In Error'))], 'entered-in-error', 'entered-in-error'],
  ['no status', [plan('ACTIVE').replaceAll('<statusCode code="ACTIVE"/>', '')], 'active', 'active'],
];

for (const [source, statements, request, statement] of MEDICINES)
  test(`a medicine that is ${source} arrives as a plan that is ${request}`, () => {
    const resources = arriving(...statements);
    const [planned] = of<MedicationRequest>(resources, 'MedicationRequest').filter(({ intent }) => intent === 'plan');
    const [stated] = of<MedicationStatement>(resources, 'MedicationStatement');
    assert.deepEqual([planned?.status, stated?.status], [request, statement]);
    if (request !== 'active' && request !== 'on-hold') assert.ok(stated?.effectivePeriod?.end, 'what has ended has an end');
  });

test('an issue arrives completed, whatever its plan is', () => {
  for (const [, statements] of MEDICINES) {
    const [order] = of<MedicationRequest>(
      arriving(...statements, issue.replaceAll('PRE-1', 'PRE-9').replaceAll('MS-2', 'MS-9')),
      'MedicationRequest',
    ).filter(({ intent }) => intent === 'order');
    assert.equal(order?.status, 'completed');
  }
});

// ---- medicines of a record, there and on

const prescribed = (status: string, more: object = {}): Resource =>
  ({
    resourceType: 'MedicationRequest',
    id: uuid(300),
    status,
    intent: 'plan',
    medicationCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '317896006', display: 'Samplex 5mg tablets' }] },
    dosageInstruction: [{ text: 'one daily' }],
    dispenseRequest: { validityPeriod: { start: '2021-01-01' }, quantity: { value: 28, unit: 'tablet' } },
    ...more,
  }) as Resource;
const stopped = {
  url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-MedicationStatusReason-1',
  extension: [
    { url: 'statusReason', valueCodeableConcept: { text: 'Side effects' } },
    { url: 'statusChangeDate', valueDateTime: '2021-06-01' },
  ],
};

const STATES: readonly (readonly [status: string, more: object, arrives: string])[] = [
  ['active', {}, 'active'],
  ['completed', {}, 'completed'],
  ['stopped', { extension: [stopped] }, 'stopped'],
  ['stopped', {}, 'stopped'],
  ['cancelled', {}, 'cancelled'],
  ['on-hold', {}, 'on-hold'],
  ['entered-in-error', {}, 'entered-in-error'],
  ['draft', {}, 'draft'],
  ['unknown', {}, 'unknown'],
  ['active', { extension: [stopped] }, 'stopped'],
  ['nonsense', {}, 'completed'],
];

for (const [status, more, arrives] of STATES)
  test(`a plan that is ${status}${'extension' in more ? ' with a reason' : ''} arrives ${arrives}, and so at the next two practices`, () => {
    for (const bundle of journey(smallRecord(prescribed(status, more)))) {
      const [there] = of<MedicationRequest>(resourcesOf(bundle), 'MedicationRequest');
      assert.equal(there?.status, arrives);
      const [stated] = of<MedicationStatement>(resourcesOf(bundle), 'MedicationStatement');
      assert.equal(stated?.status === 'active', arrives === 'active');
    }
  });

/** A record as it stands at the next three practices. */
function journey(bundle: Bundle, patient = '9000000009'): Bundle[] {
  const there: Bundle[] = [];
  for (let at = 1; at <= 3; at++)
    there.push(hop(there.at(-1) ?? bundle, at, { nhsNumber: patient, ods: 'A12345' }, builtInTerminology).bundle);
  return there;
}

// ---- allergies

const sctCode = (code: string, display: string) => `<code code="${code}" codeSystem="${SNOMED}" displayName="${display}"/>`;
const drugValue = (system: string, code: string) =>
  `<value xsi:type="CD" code="${code}" codeSystem="${system}" displayName="Samplecillin"/>`;
const LOCK = '196461000000101';
const OTHER = '196471000000108';

const ALLERGIES: readonly (readonly [source: string, statement: string, category: string, code: string, locked: boolean])[] = [
  ['a drug in SNOMED', allergy('A', '14L..00', sctCode('294505008', 'Allergy to amoxicillin')), 'medication', '294505008', false],
  [
    'a drug in Read only',
    allergy('A', '14L..00', `<code code="14LK.00" codeSystem="${READ}" displayName="H/O: penicillin allergy"/>`),
    'medication',
    LOCK,
    true,
  ],
  [
    'a drug as a value of a vendor’s code',
    allergy('A', '14L..00', sctCode('416098002', 'H/O: drug allergy'), drugValue('2.16.840.1.113883.2.1.6.9', 'XX1')),
    'medication',
    LOCK,
    true,
  ],
  [
    'a drug as a value of SNOMED',
    allergy('A', '14L..00', sctCode('416098002', 'H/O: drug allergy'), drugValue(SNOMED, '372687004')),
    'medication',
    '372687004',
    false,
  ],
  [
    'a drug in words only',
    allergy('A', '14L..00', '<code nullFlavor="UNK"><originalText>Samplecillin</originalText></code>'),
    'medication',
    LOCK,
    true,
  ],
  [
    'a drug that was degraded before',
    allergy(
      'A',
      '14L..00',
      `<code code="${LOCK}" codeSystem="${SNOMED}" displayName="Transfer-degraded drug allergy"><originalText>Samplecillin</originalText></code>`,
    ),
    'medication',
    LOCK,
    true,
  ],
  ['a drug without a code at all', allergy('A', '14L..00', ''), 'medication', LOCK, true],
  ['a food', allergy('A', 'SN53.00', sctCode('91935009', 'Allergy to peanut')), 'environment', '91935009', false],
  [
    'something in words',
    allergy('A', 'SN53.00', '<code nullFlavor="UNK"><originalText>Dust</originalText></code>'),
    'environment',
    OTHER,
    false,
  ],
];

for (const [source, statement, category, code, locked] of ALLERGIES)
  test(`an allergy to ${source} arrives active, as ${category}, ${locked ? 'locking all prescribing' : 'with its code'}, and so at the next two practices`, () => {
    const first = receive(extractOf(consultation('ENC', statement)), { terminology: builtInTerminology });
    for (const bundle of [first.bundle, ...journey(first.bundle)]) {
      const [made, ...more] = of<AllergyIntolerance>(resourcesOf(bundle), 'AllergyIntolerance');
      assert.equal(more.length, 0);
      assert.equal(made?.clinicalStatus, 'active');
      assert.deepEqual(made?.category, [category]);
      const codes = made?.code?.coding?.flatMap((one) => one.code ?? []) ?? [];
      assert.ok(codes.includes(code), codes.join());
      assert.equal(codes.includes(LOCK), locked);
      assert.equal(codes.filter((one) => one === LOCK || one === OTHER).length <= 1, true, 'degraded once');
    }
  });

test('a drug allergy that was degraded on the way from A keeps its lock and its words at B and C', () => {
  const sent = {
    resourceType: 'AllergyIntolerance',
    id: uuid(310),
    clinicalStatus: 'active',
    verificationStatus: 'unconfirmed',
    category: ['medication'],
    code: { coding: [{ system: 'https://fhir.hl7.org.uk/Id/emis-drug-codes', code: 'SAMP9', display: 'Septrin suspension' }] },
    assertedDate: '2019-01-02',
  } as Resource;
  for (const bundle of journey(smallRecord(sent))) {
    const made = of<AllergyIntolerance>(resourcesOf(bundle), 'AllergyIntolerance').find(({ id }) => id === uuid(310));
    assert.equal(made?.code?.coding?.[0]?.code, LOCK);
    assert.ok(made?.code?.coding?.some(({ code, display }) => code === 'SAMP9' && display === 'Septrin suspension'));
    assert.equal(made?.code?.text, 'Septrin suspension');
    assert.deepEqual(made?.category, ['medication']);
  }
});

const ENDED: readonly string[] = ['inactive', 'resolved'];
test('an allergy that has ended arrives ended, is no longer coded, and stays so', () => {
  for (const clinicalStatus of ENDED) {
    const sent = {
      resourceType: 'AllergyIntolerance',
      id: uuid(311),
      clinicalStatus,
      category: ['medication'],
      code: { coding: [{ system: 'http://snomed.info/sct', code: '294505008', display: 'Allergy to amoxicillin' }] },
    } as Resource;
    for (const bundle of journey(smallRecord(sent))) {
      const made = of<AllergyIntolerance>(resourcesOf(bundle), 'AllergyIntolerance').find(({ id }) => id === uuid(311));
      assert.equal(made?.clinicalStatus, clinicalStatus);
      assert.equal(made?.code?.text, 'Allergy to amoxicillin');
      assert.deepEqual(made?.category, ['medication']);
    }
  }
});

test('a refuted allergy and one entered in error say so at every practice', () => {
  for (const verificationStatus of ['refuted', 'entered-in-error', 'confirmed']) {
    const sent = {
      resourceType: 'AllergyIntolerance',
      id: uuid(312),
      clinicalStatus: 'active',
      verificationStatus,
      category: ['medication'],
      code: { text: 'Samplecillin' },
    } as Resource;
    for (const bundle of journey(smallRecord(sent))) {
      const made = of<AllergyIntolerance>(resourcesOf(bundle), 'AllergyIntolerance').find(({ id }) => id === uuid(312));
      assert.equal(made?.verificationStatus, verificationStatus);
    }
  }
});

// ---- vaccinations

const vaccination = (display: string, note = '') =>
  observed(
    'I',
    `<code code="38598009" codeSystem="${SNOMED}" displayName="${display}"/>`,
    note &&
      `<pertinentInformation><sequenceNumber value="+1"/><pertinentAnnotation><text>${note}</text></pertinentAnnotation></pertinentInformation>`,
  );

const VACCINATIONS: readonly (readonly [source: string, statement: string, notGiven: boolean])[] = [
  ['given', vaccination('MMR vaccination'), false],
  ['given, with words about a refusal of something else', vaccination('MMR vaccination', 'brother refused'), false],
  ['not given by its code’s words', vaccination('Measles vaccination not given'), true],
  ['refused by its code’s words', vaccination('MMR vaccination refused'), true],
  ['declined by its code’s words', vaccination('MMR vaccination declined'), true],
  ['without consent by its code’s words', vaccination('No consent for MMR'), true],
  ['not given in our own words', vaccination('MMR vaccination', 'Not Given: true\n'), true],
  ['not given for a reason in our own words', vaccination('MMR vaccination', 'Reason not given: Parent declined\n'), true],
];

for (const [source, statement, notGiven] of VACCINATIONS)
  test(`a vaccination that was ${source} arrives ${notGiven ? 'not given' : 'given'}, and so at the next two practices`, () => {
    const first = receive(extractOf(consultation('ENC', statement)), { terminology: builtInTerminology });
    for (const bundle of [first.bundle, ...journey(first.bundle)])
      assert.deepEqual(
        of<Immunization>(resourcesOf(bundle), 'Immunization').map((one) => one.notGiven),
        [notGiven],
      );
  });

test('a vaccination of a record that was not given never travels as a given one, even where nobody knows that it is a vaccination', () => {
  const sent = {
    resourceType: 'Immunization',
    id: uuid(320),
    extension: [
      {
        url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-VaccinationProcedure-1',
        valueCodeableConcept: { text: 'A new vaccine' },
      },
    ],
    status: 'completed',
    notGiven: true,
    primarySource: true,
    date: '2021-01-01',
  } as Resource;
  assert.match(send(smallRecord(sent)).xml, /Not Given: true/);
  for (const bundle of journey(smallRecord(sent)))
    for (const made of resourcesOf(bundle).filter(({ id }) => id === uuid(320))) {
      if (made.resourceType === 'Immunization') assert.equal((made as Immunization).notGiven, true);
      else assert.match(JSON.stringify(made), /Not Given: true/);
    }
});

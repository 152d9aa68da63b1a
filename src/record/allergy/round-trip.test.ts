import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllergyIntolerance, Resource } from '../../fhir/types.ts';
import { received, sent } from '../testing.ts';
import { FACTS, REACTION } from './terms.ts';
import { allergyToFhir } from './to-fhir.ts';
import { allergyToHl7 } from './to-hl7.ts';

const ALLERGY: AllergyIntolerance = {
  resourceType: 'AllergyIntolerance',
  id: '3B1F0E9C-5D7A-4C3E-8F21-0A9B8C7D6E5F',
  extension: [
    {
      url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-AllergyIntoleranceEnd-1',
      extension: [
        { url: 'endDate', valueDateTime: '2020-02-01' },
        { url: 'reasonEnded', valueString: 'Tolerated a later course' },
      ],
    },
  ],
  clinicalStatus: 'resolved',
  verificationStatus: 'refuted',
  type: 'intolerance',
  category: ['food', 'biologic'],
  criticality: 'high',
  code: { text: 'Egg protein' },
  onsetDateTime: '2015-06',
  assertedDate: '2015-06-10',
  recorder: { reference: 'Patient/PAT' },
  asserter: { reference: 'RelatedPerson/R1' },
  lastOccurrence: '2018-03-04',
  note: [{ text: 'came out in a rash; Site: both arms' }],
  reaction: [
    {
      substance: { text: 'Egg' },
      manifestation: [{ text: 'Hives' }, { text: 'Wheeze' }],
      description: 'within the hour',
      onset: '2015-06-01',
      severity: 'severe',
      exposureRoute: { text: 'Oral' },
      note: [{ text: 'went to hospital' }],
    },
    { manifestation: [{ text: 'Itch' }], severity: 'mild' },
  ],
};
const RELATED: Resource = { resourceType: 'RelatedPerson', id: 'R1', ...{ name: [{ given: ['Jo'], family: 'Bloggs' }] } };

function there(allergy: AllergyIntolerance): AllergyIntolerance {
  const { statement } = sent(allergyToHl7, allergy, [RELATED]);
  return received(allergyToFhir, 'allergy', statement).resources[0] as AllergyIntolerance;
}

test('an allergy keeps its state, kind, risk, reactions, people, times and end', () => {
  const back = there(ALLERGY);
  const kept = [
    'extension',
    'clinicalStatus',
    'verificationStatus',
    'type',
    'category',
    'criticality',
    'onsetDateTime',
    'assertedDate',
  ] as const;
  for (const member of kept) {
    const value = member === 'extension' ? back.extension?.slice(1) : back[member];
    assert.deepEqual(value, ALLERGY[member], member);
  }
  assert.deepEqual(back.reaction, ALLERGY.reaction);
  assert.deepEqual(back.note, ALLERGY.note);
  assert.equal(back.lastOccurrence, '2018-03-04');
  assert.equal(back.code?.text, 'Egg protein');
  assert.deepEqual(back.recorder, { reference: 'Patient/PAT' });
  assert.deepEqual(back.asserter, { display: 'Related Person Jo Bloggs' });
});

test('an allergy that travelled once travels again without change', () => {
  const once = there(ALLERGY);
  const twice = there(once);
  assert.deepEqual(twice.note, once.note);
  assert.deepEqual(twice.reaction, once.reaction);
  assert.deepEqual(twice.asserter, once.asserter);
});

test('every label of the table is written and read', () => {
  const patientAsserts = { ...ALLERGY, asserter: { reference: 'Patient/PAT' } };
  const written = sent(allergyToHl7, ALLERGY, [RELATED]).xml + sent(allergyToHl7, patientAsserts).xml;
  for (const { label } of [...Object.values(FACTS), ...Object.values(REACTION)]) assert.ok(written.includes(label.trim()), label);
  assert.deepEqual(there(patientAsserts).asserter, { reference: 'Patient/PAT' });
});

test('an ordinary drug allergy comes back active, unconfirmed and of its kind, without a note', () => {
  const back = there({
    resourceType: 'AllergyIntolerance',
    id: 'A',
    clinicalStatus: 'active',
    verificationStatus: 'unconfirmed',
    category: ['medication'],
    code: { coding: [{ system: 'http://snomed.info/sct', code: '91936005', display: 'Allergy to penicillin' }] },
    assertedDate: '2015-06-10',
  });
  assert.equal(back.clinicalStatus, 'active');
  assert.equal(back.verificationStatus, 'unconfirmed');
  assert.deepEqual(back.category, ['medication']);
  assert.equal(back.code?.coding?.[0]?.code, '91936005');
  assert.equal(back.note, undefined);
});

test('a description that nobody could look up on the way is still there at the end', () => {
  const description = {
    url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-coding-sctdescid',
    extension: [{ url: 'descriptionId', valueId: '151981015' }],
  };
  const coding = { extension: [description], system: 'http://snomed.info/sct', code: '91936005', display: 'Allergy to penicillin' };
  const once = there({ ...ALLERGY, clinicalStatus: 'active', code: { coding: [coding] } });
  const twice = there(once);
  assert.deepEqual(once.code?.coding?.[1]?.extension, [description]);
  assert.deepEqual(twice.code, once.code);
});

test('several notes come back as several', () => {
  const note = [{ text: 'since school\nand at home' }, { text: 'rash' }];
  assert.deepEqual(there({ ...ALLERGY, note }).note, note);
});

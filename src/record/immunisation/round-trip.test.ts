import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Immunization, Resource } from '../../fhir/types.ts';
import { cameBack, received, sent } from '../testing.ts';
import { FACTS } from './terms.ts';
import { immunisationToFhir } from './to-fhir.ts';
import { immunisationToHl7 } from './to-hl7.ts';

const PROCEDURE = {
  url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-VaccinationProcedure-1',
  valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '38598009', display: 'MMR vaccination' }] },
};
const IMMUNISATION: Immunization = {
  resourceType: 'Immunization',
  id: '4B1F0E9C-5D7A-4C3E-8F21-0A9B8C7D6E5F',
  extension: [
    PROCEDURE,
    { url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ParentPresent-1', valueBoolean: true },
  ],
  status: 'completed',
  notGiven: false,
  vaccineCode: { text: 'Priorix vaccine powder' },
  date: '2024-03-01',
  primarySource: false,
  reportOrigin: { text: 'School nurse' },
  location: { reference: 'Location/L1' },
  manufacturer: { reference: 'Organization/O1' },
  lotNumber: 'AB 12/3',
  expirationDate: '2025-01-31',
  site: { text: 'Left arm' },
  route: { text: 'Intramuscular' },
  doseQuantity: { value: 0.5, unit: 'ml' },
  practitioner: [{ actor: { reference: 'Practitioner/P1' } }],
  note: [{ text: 'Site: looked sore the day after' }],
  explanation: { reason: [{ text: 'Routine schedule' }] },
  vaccinationProtocol: [
    {
      doseSequence: 1,
      description: 'Against three diseases',
      seriesDoses: 2,
      targetDisease: [{ text: 'Measles' }, { text: 'Rubella, congenital' }],
    },
    { doseSequence: 2, targetDisease: [{ text: 'Mumps' }] },
  ],
};
const AROUND: Resource[] = [
  { resourceType: 'Location', id: 'L1', ...{ name: 'Example surgery' } },
  { resourceType: 'Organization', id: 'O1', ...{ name: 'Example maker' } },
];

function there(immunisation: Immunization): Immunization {
  return received(immunisationToFhir, 'immunisation', sent(immunisationToHl7, immunisation, AROUND).statement).resources[0] as Immunization;
}

test('batch, site, route, dose, place, maker, reason and protocols come back where they were', () => {
  const back = there(IMMUNISATION);
  const kept = [
    'status',
    'notGiven',
    'date',
    'primarySource',
    'reportOrigin',
    'lotNumber',
    'expirationDate',
    'site',
    'route',
    'doseQuantity',
    'note',
    'explanation',
    'vaccinationProtocol',
  ] as const;
  for (const member of kept) assert.deepEqual(back[member], IMMUNISATION[member], member);
  const { url, valueCodeableConcept } = PROCEDURE;
  assert.deepEqual(back.extension?.[0], { url, valueCodeableConcept: cameBack(valueCodeableConcept) });
  assert.deepEqual(back.extension?.at(-1), IMMUNISATION.extension?.[1]);
  assert.equal(back.vaccineCode?.text, 'Priorix vaccine powder');
  assert.deepEqual(back.location, { display: 'Example surgery' });
  assert.deepEqual(back.manufacturer, { display: 'Example maker' });
});

test('a vaccination that was not given stays one that was not given', () => {
  const { reason: _, ...explanation } = { ...IMMUNISATION.explanation, reasonNotGiven: [{ text: 'Parent declined' }] };
  const refused: Immunization = { ...IMMUNISATION, notGiven: true, explanation };
  const { xml } = sent(immunisationToHl7, refused, AROUND);
  assert.match(xml, /<text>Not Given: true\n/);
  assert.equal(there(refused).notGiven, true);
  assert.deepEqual(there(refused).explanation, explanation);
  assert.equal(there(there(refused)).notGiven, true);
});

test('one that was entered in error stays so', () => {
  assert.equal(there({ ...IMMUNISATION, status: 'entered-in-error' }).status, 'entered-in-error');
});

test('an immunisation that travelled once travels again without change', () => {
  const once = there(IMMUNISATION);
  const twice = there(once);
  assert.deepEqual({ ...twice, extension: null }, { ...once, extension: null });
});

test('every label of the table is written', () => {
  const refused = { ...IMMUNISATION, notGiven: true, status: 'entered-in-error', explanation: { reasonNotGiven: [{ text: 'ill' }] } };
  const written = sent(immunisationToHl7, IMMUNISATION, AROUND).xml + sent(immunisationToHl7, refused, AROUND).xml;
  for (const { label } of Object.values(FACTS)) assert.ok(written.includes(label), label);
});

test('several notes come back as several', () => {
  const note = [{ text: 'at school\nby the nurse' }, { text: 'sore' }];
  assert.deepEqual(there({ ...IMMUNISATION, note }).note, note);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Immunization } from '../../fhir/types.ts';
import { attr, child, textOf } from '../../xml/element.ts';
import { sent } from '../testing.ts';
import { immunisationToHl7 } from './to-hl7.ts';

const MMR: Immunization = {
  resourceType: 'Immunization',
  id: 'I1',
  extension: [
    {
      url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-VaccinationProcedure-1',
      valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '38598009', display: 'MMR vaccination' }] },
    },
  ],
  date: '2010-06-30T05:59:00+01:00',
  vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/v3/NullFlavor', code: 'UNK' }] },
  practitioner: [
    { role: { coding: [{ code: 'EP' }] }, actor: { reference: 'Practitioner/CLERK' } },
    { role: { coding: [{ code: 'AP' }] }, actor: { reference: 'Practitioner/NURSE' } },
  ],
};

test('a vaccination is an observation of its procedure, at the time it was given', () => {
  const { statement } = sent(immunisationToHl7, MMR);
  assert.equal(attr(child(statement, 'code'), 'code'), '38598009');
  assert.equal(attr(child(statement, 'availabilityTime'), 'value'), '20100630055900');
  assert.equal(child(statement, 'pertinentInformation'), undefined);
});

test('who gave it goes before who entered it', () => {
  const asked: (string | undefined)[] = [];
  sent(immunisationToHl7, MMR, [], {
    agent: (reference) => {
      asked.push(reference?.reference);
      return null;
    },
  });
  assert.deepEqual(asked, ['Practitioner/NURSE']);
  // As it arrives: whoever gave it has no role.
  const arrived = { ...MMR, practitioner: [MMR.practitioner?.[0] ?? {}, { actor: { reference: 'Practitioner/NURSE' } }] };
  const { xml } = sent(immunisationToHl7, arrived, [], { agent: (reference) => reference?.reference?.split('/')[1] ?? null });
  assert.match(xml, /<id root="NURSE"\/>/);
  assert.doesNotMatch(xml, /CLERK/);
});

test('without a procedure the vaccine stands for it, and that is reported', () => {
  const { extension: _, ...without } = {
    ...MMR,
    vaccineCode: { coding: [{ system: 'http://snomed.info/sct', code: '1', display: 'Vaccine' }] },
  };
  const { statement, remarks } = sent(immunisationToHl7, without);
  assert.equal(attr(child(statement, 'code'), 'displayName'), 'Vaccine');
  assert.ok(remarks.some((remark) => remark.code === 'value.lost'));
  const { vaccineCode: __, ...nothing } = without;
  assert.equal(textOf(child(sent(immunisationToHl7, nothing).statement, 'code')), 'Immunisation');
});

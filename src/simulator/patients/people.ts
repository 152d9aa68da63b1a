import type { Chance } from './chance.ts';
import { add, type Chart, coded, extension, type Ref } from './chart.ts';
import { FAMILY, GIVEN, STREETS, TOWNS } from './words.ts';

export type Person = {
  readonly nhsNumber: string;
  readonly family: string;
  readonly given: string[];
  readonly birthDate: string;
  readonly gender: 'female' | 'male';
  readonly addressLines: string[];
  readonly postalCode: string;
};

/** Somebody between 1 and 96 years old on the day the record ends. */
export function makePerson(chance: Chance, nhsNumber: string, asOf: Date): Person {
  const gender = chance.happens(0.5) ? 'female' : 'male';
  const born = new Date(Date.UTC(asOf.getUTCFullYear() - chance.between(1, 96), chance.between(0, 11), chance.between(1, 28)));
  const [town, area] = chance.pick(TOWNS);
  return {
    nhsNumber,
    family: chance.pick(FAMILY),
    given: chance.some(GIVEN[gender], chance.between(1, 2)),
    birthDate: born.toISOString().slice(0, 10),
    gender,
    addressLines: [`${chance.between(1, 180)} ${chance.pick(STREETS)}`, town],
    postalCode: `${area} ${chance.between(1, 9)}${chance.pick(['AA', 'BD', 'QT', 'XY'])}`,
  };
}

/** The practice with its site and its people, then the patient: the entries that everything else refers to. */
export function addPeople(chart: Chart, person: Person): void {
  const { chance, practice, staff } = chart;
  const address = { use: 'work', type: 'physical', line: ['1 Health Way'], city: 'Elmsworth', postalCode: 'ZZ1 1AA' };
  const telecom = [{ system: 'phone', value: '01632 960001', use: 'work', rank: 1 }];
  add(
    chart,
    'Patient',
    {
      active: true,
      identifier: [
        {
          extension: [
            extension('GPC-NHSNumberVerificationStatus-1', {
              valueCodeableConcept: coded(
                'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-NHSNumberVerificationStatus-1',
                '01',
                'Number present and verified',
              ),
            }),
          ],
          system: 'https://fhir.nhs.uk/Id/nhs-number',
          value: person.nhsNumber,
        },
      ],
      name: [{ use: 'official', family: person.family, given: person.given, prefix: [person.gender === 'female' ? 'Ms' : 'Mr'] }],
      telecom: [{ system: 'phone', value: '07700 900123', use: 'mobile' }],
      gender: person.gender,
      birthDate: person.birthDate,
      address: [{ use: 'home', type: 'physical', line: person.addressLines, postalCode: person.postalCode }],
      generalPractitioner: [staff[0]],
      managingOrganization: practice.organisation,
    },
    { id: idOf(chart.patient) },
  );
  add(
    chart,
    'Organization',
    {
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: practice.ods }],
      type: [coded('https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-OrganisationType-1', 'gp-practice', 'GP Practice')],
      name: practice.name,
      telecom,
      address: [address],
    },
    { id: idOf(practice.organisation) },
  );
  add(
    chart,
    'Location',
    { status: 'active', name: `${practice.name}, main site`, telecom, address, managingOrganization: practice.organisation },
    { id: idOf(practice.location) },
  );
  for (const [index, ref] of staff.entries()) {
    const gender = chance.happens(0.5) ? 'female' : 'male';
    const doctor = index * 2 < staff.length;
    const name = { use: 'official', family: chance.pick(FAMILY), given: [chance.pick(GIVEN[gender])], prefix: [doctor ? 'Dr' : 'Nurse'] };
    add(chart, 'Practitioner', { name: [name], gender }, { id: idOf(ref) });
    add(chart, 'PractitionerRole', {
      practitioner: ref,
      organization: practice.organisation,
      code: [
        coded(
          'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-SDSJobRoleName-1',
          doctor ? 'R0260' : 'R0600',
          doctor ? 'General Medical Practitioner' : 'Specialist Nurse Practitioner',
        ),
      ],
    });
  }
}

export function idOf(ref: Ref): string {
  return ref.reference.slice(ref.reference.indexOf('/') + 1);
}

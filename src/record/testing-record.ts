/** A small whole record, and both conversions with ids that count, for tests of what crosses concepts. */
import type { Bundle, Resource } from '../fhir/types.ts';
import type { XmlElement } from '../xml/element.ts';
import { attr, child, descendants } from '../xml/element.ts';
import { readXml } from '../xml/read.ts';
import { type ToFhirOptions, toFhir } from './to-fhir.ts';
import { type ToHl7Options, toHl7 } from './to-hl7.ts';
import type { ConversionReport, Terminology } from './types.ts';

export const NHS_NUMBER = '9000000009';

export const NO_TERMINOLOGY: Terminology = {
  release: null,
  complete: true,
  isImmunisation: () => false,
  preferredTerm: () => undefined,
  conceptOfDescription: () => undefined,
  descriptionOf: () => undefined,
  meaningOf: () => undefined,
  allergyKind: () => undefined,
};

export function counting(): () => string {
  let drawn = 0;
  return () => `d0000000-0000-4000-8000-${String(++drawn).padStart(12, '0')}`;
}

export function uuid(number: number): string {
  return `A0000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

const sct = (code: string, display: string) => ({ coding: [{ system: 'http://snomed.info/sct', code, display }] });
const at = (reference: string) => ({ reference });

/** Patient, practice and two people; one consultation with a topic and a category; an observation and an allergy outside it. */
export function smallRecord(...more: readonly Resource[]): Bundle {
  const resources: Resource[] = [
    {
      resourceType: 'Patient',
      id: 'patient',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: NHS_NUMBER }],
      managingOrganization: at('Organization/practice'),
    } as Resource,
    {
      resourceType: 'Organization',
      id: 'practice',
      name: 'The Surgery',
      telecom: [{ system: 'phone', use: 'work', value: '0113 496 0000' }],
      address: [{ use: 'work', line: ['1 High Street'], city: 'Leeds', postalCode: 'LS1 1AA' }],
    } as Resource,
    { resourceType: 'Practitioner', id: 'gp', name: [{ family: 'Jones', given: ['Ann', 'Mary'], prefix: ['Dr'] }] } as Resource,
    { resourceType: 'Practitioner', id: 'nurse', name: [{ text: 'Sister Smith' }] } as Resource,
    {
      resourceType: 'PractitionerRole',
      id: 'role',
      practitioner: at('Practitioner/gp'),
      organization: at('Organization/practice'),
      code: [{ coding: [{ display: 'General practitioner' }] }],
    } as Resource,
    { resourceType: 'Location', id: 'place', name: 'Branch surgery' } as Resource,
    {
      resourceType: 'Encounter',
      id: uuid(1),
      type: [{ text: 'Telephone call' }],
      period: { start: '2021-03-04T09:15:00+00:00', end: '2021-03-04T09:25:00+00:00' },
      participant: [
        { type: [{ coding: [{ code: 'REC' }] }], individual: at('Practitioner/nurse') },
        { type: [{ coding: [{ code: 'PPRF' }] }], individual: at('Practitioner/gp') },
      ],
      location: [{ location: at('Location/place') }],
    } as Resource,
    list('all', '1149501000000101', {}, `Encounter/${uuid(1)}`),
    list(
      'consultation',
      '325851000000107',
      { encounter: at(`Encounter/${uuid(1)}`), date: '2021-03-04T09:30:00+00:00' },
      `List/${uuid(2)}`,
    ),
    list(uuid(2), '25851000000105', { encounter: at(`Encounter/${uuid(1)}`), title: 'Cough' }, `List/${uuid(3)}`, `Observation/${uuid(5)}`),
    list(uuid(3), '24781000000107', { encounter: at(`Encounter/${uuid(1)}`), title: 'History' }, `Observation/${uuid(4)}`),
    observation(uuid(4), 'In the category', 'Practitioner/gp'),
    observation(uuid(5), 'Beside the category', 'Practitioner/gp'),
    observation(uuid(6), 'Outside', 'Practitioner/nurse'),
    {
      resourceType: 'AllergyIntolerance',
      id: uuid(7),
      clinicalStatus: 'active',
      verificationStatus: 'unconfirmed',
      category: ['medication'],
      code: sct('294505008', 'Allergy to amoxicillin'),
      assertedDate: '2019-01-02',
      recorder: at('Practitioner/gp'),
    } as Resource,
    ...more,
  ];
  return { resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) };
}

export function list(id: string, code: string, members: object, ...items: readonly string[]): Resource {
  return {
    resourceType: 'List',
    id,
    code: { coding: [{ code }] },
    entry: items.map((item) => ({ item: at(item) })),
    ...members,
  } as Resource;
}

export function observation(id: string, comment: string, performer: string, members: object = {}): Resource {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: sct('162607003', 'Cough'),
    effectiveDateTime: '2020-02-03',
    performer: [at(performer)],
    comment,
    ...members,
  } as Resource;
}

export function encounter(id: string): Resource {
  return { resourceType: 'Encounter', id, type: [{ text: 'Visit' }], period: { start: '2022-01-01T10:00:00+00:00' } } as Resource;
}

export type Sent = { readonly xml: string; readonly root: XmlElement; readonly report: ConversionReport };

/** The extract of a record; a refusal fails the test. */
export function send(bundle: Bundle, options: Partial<ToHl7Options> = {}): Sent {
  const chunks: string[] = [];
  const converted = toHl7(bundle, { ...sendingOptions((chunk) => chunks.push(chunk)), ...options });
  if ('refused' in converted) throw new Error(`refused: ${converted.text}`);
  const xml = converted.out.head + chunks.join('') + converted.out.tail;
  return { xml, root: readXml(xml), report: converted.report };
}

export function sendingOptions(write: (chunk: string) => void): ToHl7Options {
  return {
    newId: counting(),
    now: new Date('2024-05-06T07:08:09Z'),
    nhsNumber: NHS_NUMBER,
    requestId: uuid(99),
    fromOds: 'NEW01',
    toOds: 'OLD01',
    redactions: true,
    documents: new Map(),
    write,
  };
}

/** The record of an extract; a refusal fails the test. */
export function receive(root: XmlElement | string, options: Partial<ToFhirOptions> = {}) {
  const converted = toFhir(typeof root === 'string' ? readXml(root) : root, {
    newId: counting(),
    losingPractice: 'OLD01',
    terminology: NO_TERMINOLOGY,
    ...options,
  });
  if ('refused' in converted) throw new Error(`refused: ${converted.text}`);
  const resources = (converted.out.entry ?? []).flatMap(({ resource }) => (resource ? [resource] : []));
  return { resources, report: converted.report, bundle: converted.out };
}

export function all(root: XmlElement, name: string): XmlElement[] {
  return [...descendants(root)].filter((element) => element.name === name);
}

/** The statement or composition whose own id this is. */
export function withId(root: XmlElement, id: string): XmlElement {
  const found = [...descendants(root)].find((element) => !element.name.endsWith('Ref') && attr(child(element, 'id'), 'root') === id);
  if (!found) throw new Error(`no statement has the id ${id}`);
  return found;
}

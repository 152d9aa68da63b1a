/**
 * What of a resource that was carried stays behind, because an extract has no place for it and no words tell it. What depends on a
 * concept's own rules the concept reports; here stands what never travels, one table for all types. What is carried in some shapes and
 * not in others stands in `partly-carried.ts`.
 */
import type { Annotation, CodeableConcept, MedicationRequest, Reference, Resource } from '../fhir/types.ts';
import { attempt, listOf } from './bundle-index.ts';
import { partlyCarried } from './partly-carried.ts';
import { isNopat } from './shared/redaction.ts';
import type { Remark } from './types.ts';

/** What may be asked about a resource of the record. */
export type Around = {
  find(reference: Reference | string | undefined): Resource | undefined;
  /** Issues of a plan. */
  issuesOf(reference: Reference | string): readonly MedicationRequest[];
};

/** One remark that names all of it; none where everything is carried. */
export function notCarried(resource: Resource, around: Around): Remark[] {
  const lost = lostMembers(resource);
  lost.push(...attempt(() => [...partlyCarried(resource, around), ...ofAnyType(resource)], []));
  return lost.length ? [{ code: 'value.lost', text: `Not carried: ${lost.join(', ')}.` }] : [];
}

/** The members of a resource that never travel, as a reader calls them, each once. */
export function lostMembers(resource: Resource): string[] {
  const lost: string[] = [];
  for (const { path, words } of MEMBERS.get(resource.resourceType) ?? [])
    if (has(resource, path) && !lost.includes(words)) lost.push(words);
  return lost;
}

type Lost = { readonly path: readonly string[]; readonly words: string };
/** Members (`a.b`: of one of several `a`) by what a reader calls them. */
type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;

const ENTRIES: Table = {
  DiagnosticReport: {
    basedOn: 'the order that it answers',
    category: 'its kind',
    effectiveDateTime: 'the time that it is about',
    effectivePeriod: 'the time that it is about',
    presentedForm: 'the report as a file',
    image: 'its images',
    imagingStudy: 'its imaging study',
    'performer.role': 'what its performers did',
  },
  DocumentReference: {
    masterIdentifier: 'the number of the document',
    docStatus: 'the state of the document',
    relatesTo: 'which document it replaces or belongs to',
    authenticator: 'who authenticated it',
    class: 'its class',
    'content.attachment.creation': 'when the file was made',
    'context.event': 'the event that it is about',
    'context.period': 'the time that it is about',
    'context.facilityType': 'the kind of place that it is from',
    'context.related': 'what it is related to',
  },
  Encounter: {
    class: 'its class',
    length: 'how long it took',
    reason: 'the reason for it',
    diagnosis: 'its diagnoses',
    priority: 'its priority',
    hospitalization: 'the stay in hospital',
    episodeOfCare: 'the episode that it belongs to',
    incomingReferral: 'the referral that led to it',
    appointment: 'its appointment',
    partOf: 'which consultation it is a part of',
  },
  Immunization: { reaction: 'the reaction to it' },
  List: { 'entry.flag': 'marks on its entries', 'entry.deleted': 'that entries of it were deleted' },
  Medication: {
    form: 'its form',
    ingredient: 'what it is made of',
    package: 'its package',
    manufacturer: 'who made it',
    isBrand: 'that it is a brand',
    isOverTheCounter: 'that it is sold over the counter',
  },
  MedicationRequest: {
    definition: 'the protocol that it follows',
    category: 'its category',
    priority: 'its priority',
    supportingInformation: 'what it rests on',
    substitution: 'whether another product may be given',
    detectedIssue: 'warnings about it',
    eventHistory: 'its history',
    'dispenseRequest.numberOfRepeatsAllowed': 'how often it may be dispensed',
  },
  MedicationStatement: {
    partOf: 'what it is a part of',
    category: 'its category',
    reasonCode: 'the reason',
    reasonReference: 'the reason',
    reasonNotTaken: 'why it is not taken',
    informationSource: 'who said so',
    derivedFrom: 'what it is derived from',
  },
  Observation: {
    basedOn: 'the order that it answers',
    device: 'the device',
    'referenceRange.type': 'what its range means',
    'referenceRange.appliesTo': 'to whom its range applies',
    'referenceRange.age': 'the age that its range is for',
    'component.referenceRange.type': 'what the range of a part means',
    'component.referenceRange.appliesTo': 'to whom the range of a part applies',
    'component.referenceRange.age': 'the age that the range of a part is for',
  },
  ProcedureRequest: {
    definition: 'the protocol that it follows',
    doNotPerform: 'that it is not to be done',
    priority: 'its priority',
    category: 'its category',
    performerType: 'what kind of person is to do it',
    requisition: 'the group that it belongs to',
    asNeededBoolean: 'that it is to be done when needed',
    asNeededCodeableConcept: 'when it is needed',
    occurrenceTiming: 'when it is to be repeated',
    basedOn: 'what it is based on',
    replaces: 'which request it replaces',
    reasonReference: 'the entry that is the reason',
    specimen: 'the specimen',
    relevantHistory: 'its history',
  },
  ReferralRequest: {
    definition: 'the protocol that it follows',
    basedOn: 'what it is based on',
    replaces: 'which referral it replaces',
    groupIdentifier: 'the group that it belongs to',
    type: 'its type',
    occurrencePeriod: 'between when it is to take place',
    reasonReference: 'the entry that is the reason',
    relevantHistory: 'its history',
  },
  Specimen: {
    parent: 'the specimen that it was taken from',
    request: 'the order that it answers',
    processing: 'how it was processed',
    container: 'its container',
    'collection.method': 'how it was taken',
    'collection.collectedPeriod.end': 'until when it was taken',
  },
};

/** Nobody reads of these in an entry: they are known by their names. */
const PEOPLE_AND_PLACES: Table = {
  Patient: {
    name: 'name',
    birthDate: 'date of birth',
    gender: 'gender',
    address: 'address',
    telecom: 'telephone numbers',
    contact: 'contacts',
    communication: 'languages',
    maritalStatus: 'marital status',
    generalPractitioner: 'general practitioner',
    deceasedBoolean: 'that they died',
    deceasedDateTime: 'when they died',
  },
  Practitioner: {
    identifier: 'numbers',
    telecom: 'telephone numbers',
    address: 'addresses',
    qualification: 'qualifications',
    communication: 'languages',
    'name.suffix': 'what stands behind the name',
  },
  PractitionerRole: {
    identifier: 'numbers',
    specialty: 'specialties',
    location: 'places',
    telecom: 'telephone numbers',
  },
  Organization: {
    identifier: 'codes',
    type: 'kinds',
    alias: 'other names',
    contact: 'contacts',
    partOf: 'what they are a part of',
    'address.district': 'districts',
    'address.state': 'counties',
    'address.country': 'countries',
  },
  Location: { identifier: 'numbers', description: 'descriptions', address: 'addresses', telecom: 'telephone numbers' },
  HealthcareService: { identifier: 'numbers', telecom: 'telephone numbers', location: 'places', specialty: 'specialties' },
};

const MEMBERS: ReadonlyMap<string, readonly Lost[]> = new Map(
  Object.entries({ ...ENTRIES, ...PEOPLE_AND_PLACES }).map(([type, members]) => [
    type,
    Object.entries(members).map(([path, words]) => ({ path: path.split('.'), words })),
  ]),
);

/** Whether a value stands at the end of a path, in any of several members; `false` and nothing are no values. */
function has(value: unknown, path: readonly string[], from = 0): boolean {
  const name = path[from];
  if (Array.isArray(value)) return value.some((one) => has(one, path, from));
  if (name === undefined) return value !== undefined && value !== false && value !== '';
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return false;
  return has((value as Readonly<Record<string, unknown>>)[name], path, from + 1);
}

/** Beside what their type has: who wrote the notes, and labels that are no redaction. */
function ofAnyType(resource: Resource): string[] {
  const { note, securityLabel } = resource as Resource & { note?: Annotation[]; securityLabel?: CodeableConcept[] };
  // A referral tells of each note who wrote it and when.
  const lost: string[] = [];
  if (note && resource.resourceType !== 'ReferralRequest') {
    if (has(note, ['authorString']) || has(note, ['authorReference'])) lost.push('who wrote its notes');
    if (has(note, ['time'])) lost.push('when its notes were written');
  }
  if (!resource.meta?.security && !securityLabel) return lost;
  const labels = [...listOf(resource.meta?.security), ...listOf(securityLabel).flatMap(({ coding }) => listOf(coding))];
  const others = new Set(labels.filter((label) => !isNopat(label)).map(({ code, display }) => code ?? display ?? 'unnamed'));
  for (const label of others) lost.push(`the security label “${label}”`);
  return lost;
}

/** What of the patient, and of all people, organisations and places that are carried, stays behind: one remark for the record. */
export function peopleNotCarried(resources: Iterable<Resource>): Remark[] {
  const lost = new Map<string, Set<string>>();
  for (const resource of resources) {
    if (!Object.hasOwn(CALLED, resource.resourceType)) continue;
    const words = lost.get(resource.resourceType) ?? new Set();
    for (const member of [...lostMembers(resource), ...attempt(() => partlyCarried(resource), [])]) words.add(member);
    if (words.size) lost.set(resource.resourceType, words);
  }
  const told = Object.entries(CALLED).flatMap(([type, called]) => {
    const words = lost.get(type);
    return words ? [`of ${called} ${[...words].join(', ')}`] : [];
  });
  return told.length ? [{ code: 'value.lost', text: `Not carried: ${told.join('; ')}.` }] : [];
}

const CALLED: Readonly<Record<keyof typeof PEOPLE_AND_PLACES, string>> = {
  Patient: 'the patient',
  Practitioner: 'practitioners',
  PractitionerRole: 'their roles',
  Organization: 'organisations',
  Location: 'places',
  HealthcareService: 'services',
};

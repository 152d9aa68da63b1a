/**
 * Whether the members of a resource are what FHIR says: a text, a number, a list of codings. What is of another shape cannot be read, and
 * must not go unmentioned. Only members that the mapping reads are looked at.
 */
import { Decimal } from '../fhir/json.ts';
import type { Resource } from '../fhir/types.ts';

/** Paths of members of another shape than FHIR's, for one resource: `code.coding`, `component[1].valueQuantity`. */
export function misshapen(resource: Resource): string[] {
  if (fits(resource, resource.resourceType)) return [];
  const found: string[] = [];
  look(resource, resource.resourceType, null, found);
  return found;
}

/** The members of a type that the mapping reads. */
export const membersRead = (type: string): readonly string[] => [...(SHAPES.get(type)?.keys() ?? [])];

const MOST = 10;

/** Asked of every resource, so it makes nothing. */
function fits(value: object, type: string): boolean {
  const shape = SHAPES.get(type);
  if (!shape) return true;
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) {
    const kind = shape.get(name);
    if (kind === undefined) continue;
    const member = members[name];
    if (kind.list ? !Array.isArray(member) || !member.every((one) => fitsOne(one, kind.of)) : !fitsOne(member, kind.of)) return false;
  }
  return true;
}

function fitsOne(value: unknown, kind: string): boolean {
  return isOf(kind, value) && (typeof value !== 'object' || value === null || fits(value, kind));
}

function look(value: object, type: string, at: Path, found: string[]): void {
  const shape = SHAPES.get(type);
  if (!shape) return;
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) {
    const kind = shape.get(name);
    if (kind === undefined || found.length >= MOST) continue;
    const member = members[name];
    if (!kind.list) lookAtOne(member, kind.of, { within: at, name }, found);
    else if (!Array.isArray(member)) found.push(written({ within: at, name }));
    else for (let index = 0; index < member.length; index++) lookAtOne(member[index], kind.of, { within: at, name, index }, found);
  }
}

function lookAtOne(value: unknown, kind: string, path: Path, found: string[]): void {
  if (found.length >= MOST) return;
  if (!isOf(kind, value)) found.push(written(path));
  else if (typeof value === 'object' && value !== null) look(value, kind, path, found);
}

function isOf(kind: string, value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'words':
      // Some systems send one text where FHIR has a list.
      return [value].flat().every((one) => typeof one === 'string');
    case 'number':
      return typeof value === 'number' || value instanceof Decimal;
    default:
      return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
}

/** Where a member stands; in words only once something is found. */
type Path = { readonly within: Path; readonly name: string; readonly index?: number } | null;

function written(path: Path): string {
  if (path === null) return '';
  const before = written(path.within);
  return `${before ? `${before}.` : ''}${path.name}${path.index === undefined ? '' : `[${path.index}]`}`;
}

type Kind = { readonly of: string; readonly list: boolean };

/** Members by kind; `*` is a list. Kinds that are no type of this table are texts, numbers and booleans. */
function shape(members: Readonly<Record<string, string>>): ReadonlyMap<string, Kind> {
  const kindOf = (kind: string): Kind => ({ of: kind.replace('*', ''), list: kind.endsWith('*') });
  return new Map(Object.entries(members).flatMap(([kind, names]) => names.split(' ').map((name) => [name, kindOf(kind)] as const)));
}

const VALUES = {
  text: 'valueString valueTime valueDateTime',
  boolean: 'valueBoolean',
  Quantity: 'valueQuantity',
  CodeableConcept: 'valueCodeableConcept',
  Range: 'valueRange',
  Ratio: 'valueRatio',
  Period: 'valuePeriod',
};
const MEASURED = { 'Range*': 'referenceRange' };
const ENTRY = { text: 'id status', Meta: 'meta', 'Extension*': 'extension', 'Identifier*': 'identifier' };

const TYPES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Meta: { 'Coding*': 'security' },
  Coding: { text: 'system code display', boolean: 'userSelected', 'Extension*': 'extension' },
  CodeableConcept: { 'Coding*': 'coding', text: 'text' },
  Quantity: { number: 'value', text: 'unit system code comparator', 'Extension*': 'extension' },
  Range: { Quantity: 'low high', text: 'text' },
  Ratio: { Quantity: 'numerator denominator' },
  Period: { text: 'start end' },
  Reference: { text: 'reference display' },
  Identifier: { text: 'system value' },
  Annotation: { text: 'text time authorString', Reference: 'authorReference' },
  HumanName: { text: 'text family', words: 'given prefix' },
  Address: { text: 'use city postalCode', 'text*': 'line' },
  ContactPoint: { text: 'system use value' },
  Extension: {
    text: 'url valueString valueCode valueId valueDateTime valueDate valueUri',
    number: 'valueInteger valuePositiveInt valueUnsignedInt valueDecimal',
    CodeableConcept: 'valueCodeableConcept',
    Reference: 'valueReference',
    Quantity: 'valueQuantity valueDuration',
    'Extension*': 'extension',
  },
  Patient: { ...ENTRY, Reference: 'managingOrganization' },
  Practitioner: { ...ENTRY, 'HumanName*': 'name' },
  PractitionerRole: { ...ENTRY, Reference: 'practitioner organization', 'CodeableConcept*': 'code' },
  RelatedPerson: { ...ENTRY, 'HumanName*': 'name' },
  Organization: { ...ENTRY, text: 'id name', 'ContactPoint*': 'telecom', 'Address*': 'address' },
  Location: { ...ENTRY, text: 'id status name' },
  HealthcareService: { ...ENTRY, text: 'id name' },
  Medication: { ...ENTRY, CodeableConcept: 'code' },
  List: { ...ENTRY, text: 'id status title date', CodeableConcept: 'code', Reference: 'encounter', 'ListEntry*': 'entry' },
  ListEntry: { Reference: 'item' },
  Encounter: {
    ...ENTRY,
    'CodeableConcept*': 'type',
    Period: 'period',
    'Participant*': 'participant',
    'Place*': 'location',
  },
  Participant: { 'CodeableConcept*': 'type', Reference: 'individual' },
  Place: { Reference: 'location' },
  Observation: {
    ...ENTRY,
    ...VALUES,
    ...MEASURED,
    text: `id status comment effectiveDateTime issued ${VALUES.text}`,
    CodeableConcept: `code interpretation bodySite method dataAbsentReason ${VALUES.CodeableConcept}`,
    Period: `effectivePeriod ${VALUES.Period}`,
    Reference: 'specimen context',
    'Reference*': 'performer',
    'Component*': 'component',
    'Related*': 'related',
  },
  Component: { ...VALUES, ...MEASURED, CodeableConcept: `code interpretation dataAbsentReason ${VALUES.CodeableConcept}` },
  Related: { text: 'type', Reference: 'target' },
  AllergyIntolerance: {
    ...ENTRY,
    text: 'id clinicalStatus verificationStatus type criticality onsetDateTime assertedDate lastOccurrence',
    'text*': 'category',
    CodeableConcept: 'code',
    Reference: 'recorder asserter',
    'Annotation*': 'note',
    'Reaction*': 'reaction',
  },
  Reaction: {
    text: 'description severity onset',
    CodeableConcept: 'substance exposureRoute',
    'CodeableConcept*': 'manifestation',
    'Annotation*': 'note',
  },
  Immunization: {
    ...ENTRY,
    text: 'id status date lotNumber expirationDate',
    boolean: 'notGiven primarySource',
    CodeableConcept: 'vaccineCode site route reportOrigin',
    Reference: 'location manufacturer encounter',
    Quantity: 'doseQuantity',
    'Performer*': 'practitioner',
    Explanation: 'explanation',
    'Protocol*': 'vaccinationProtocol',
    'Annotation*': 'note',
  },
  Performer: { Reference: 'actor', CodeableConcept: 'role' },
  Explanation: { 'CodeableConcept*': 'reason reasonNotGiven' },
  Protocol: { number: 'doseSequence seriesDoses', text: 'description', 'CodeableConcept*': 'targetDisease' },
  MedicationRequest: {
    ...ENTRY,
    text: 'id status intent authoredOn',
    CodeableConcept: 'medicationCodeableConcept',
    Reference: 'medicationReference recorder context priorPrescription',
    'Reference*': 'basedOn',
    Requester: 'requester',
    'Dosage*': 'dosageInstruction',
    Dispense: 'dispenseRequest',
    'Annotation*': 'note',
  },
  Requester: { Reference: 'agent onBehalfOf' },
  Dosage: { text: 'text patientInstruction' },
  Dispense: { Period: 'validityPeriod', Quantity: 'quantity expectedSupplyDuration', 'Extension*': 'extension' },
  MedicationStatement: { ...ENTRY, 'Reference*': 'basedOn' },
  Condition: {
    ...ENTRY,
    text: 'id clinicalStatus verificationStatus onsetDateTime abatementDateTime assertedDate',
    CodeableConcept: 'code severity',
    'CodeableConcept*': 'bodySite',
    Reference: 'asserter context',
    'Annotation*': 'note',
  },
  DiagnosticReport: {
    ...ENTRY,
    text: 'id status issued conclusion',
    'Reference*': 'result specimen',
    'Performer*': 'performer',
    'CodeableConcept*': 'codedDiagnosis',
  },
  Specimen: {
    ...ENTRY,
    Identifier: 'accessionIdentifier',
    CodeableConcept: 'type',
    text: 'id status receivedTime',
    Collection: 'collection',
    'Annotation*': 'note',
  },
  Collection: {
    text: 'collectedDateTime',
    Period: 'collectedPeriod',
    Quantity: 'quantity',
    CodeableConcept: 'bodySite',
    Reference: 'collector',
    'Extension*': 'extension',
  },
  ProcedureRequest: {
    ...ENTRY,
    text: 'id status intent authoredOn occurrenceDateTime',
    Period: 'occurrencePeriod',
    CodeableConcept: 'code',
    Requester: 'requester',
    Reference: 'performer context',
    'Reference*': 'supportingInfo',
    'CodeableConcept*': 'bodySite reasonCode',
    'Annotation*': 'note',
  },
  ReferralRequest: {
    ...ENTRY,
    text: 'id status priority authoredOn description occurrenceDateTime',
    CodeableConcept: 'specialty',
    'CodeableConcept*': 'reasonCode serviceRequested',
    Requester: 'requester',
    Reference: 'context',
    'Reference*': 'recipient supportingInfo',
    'Annotation*': 'note',
  },
  DocumentReference: {
    ...ENTRY,
    text: 'id status created indexed description',
    CodeableConcept: 'type',
    'CodeableConcept*': 'securityLabel',
    'Reference*': 'author',
    Reference: 'custodian',
    'Content*': 'content',
    DocumentContext: 'context',
  },
  Content: { Attachment: 'attachment' },
  Attachment: { text: 'url title contentType' },
  DocumentContext: { CodeableConcept: 'practiceSetting' },
};

const SHAPES: ReadonlyMap<string, ReadonlyMap<string, Kind>> = new Map(
  Object.entries(TYPES).map(([type, members]) => [type, shape(members)]),
);

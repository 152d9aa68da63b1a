/**
 * What a record says, fact by fact: written from what FHIR's members mean, over any resource, without looking at what the mapping
 * reads. Every leaf of a resource is a fact; `TECHNICAL` and `KEEPING` say which are none of a clinician's, and why.
 */
import { fhirToHl7 } from '../base/hl7-time.ts';
import { isUuid } from '../base/ids.ts';
import { Decimal, numberText } from '../fhir/json.ts';
import type { CodeableConcept, Coding, Extension, Identifier, Quantity, Range, Reference, Resource } from '../fhir/types.ts';
import { descriptionOf } from './shared/coded.ts';

/** `element` is a path without indexes; `at` tells one item of a list from its neighbours, so that a value stays with its code. */
export type Fact = { readonly element: string; readonly at: string; readonly value: string; readonly isLink: boolean };

/** Members that are no facts. A name stands for a member of that name wherever it is. */
export const TECHNICAL: ReadonlyMap<string, string> = new Map([
  ['id', 'A system’s own name for an entry; links are compared by what they lead to.'],
  ['meta', 'Profile, version and time of a system’s own row; but a security label is a fact, `redaction`.'],
  ['text.div', 'The same again, as a page.'],
  ['language', 'How the resource is written, not what it says.'],
  ['implicitRules', 'How the resource is written, not what it says.'],
  ['identifier (own)', 'A system’s own number of an entry; national and laboratory numbers are facts.'],
  ['subject', 'One record has one patient.'],
  ['patient', 'One record has one patient.'],
  ['userSelected', 'Which of several codings of one meaning was typed.'],
  ['version', 'Edition of a code system.'],
  ['groupIdentifier', 'A system’s own number of a prescription form.'],
  ['url', 'Where a file is fetched here; that there is one, and its type, are facts.'],
  ['size', 'Counted again from the file.'],
  ['hash', 'Counted again from the file.'],
  ['rank', 'Order of telephone numbers.'],
]);

/** Facts that are followed as the others are, but say nothing of the patient’s health or care. */
export const KEEPING: readonly (readonly [element: RegExp, why: string])[] = [
  [/^Patient\.(?!identifier)/, 'Demographics come from the national register, never with a record.'],
  [
    /^(Organization|HealthcareService|Location|PractitionerRole|Practitioner)\./,
    'About people and places. Who did something is a fact of the entry.',
  ],
  [/^(Encounter\.serviceProvider|DocumentReference\.custodian)/, 'The practice that had the record.'],
  [/\.requester\.onBehalfOf$/, 'Whom somebody works for is about people; the list of people says it.'],
  [/ \(of a request\)$/, 'A note of a prescription once more; there it is a fact of its own.'],
  [/ \(leads nowhere\)$/, 'A link to what the record does not have. The report of the conversion names it.'],
  [/^List\.(mode|status|orderedBy)/, 'How a list is kept.'],
  [/^List \(whole record\)/, 'A view of entries that stand in the record anyway.'],
  [/\(time of day\)$/, 'Prescriptions are dated by the day; this is when a key was pressed.'],
  [/\(midnight\)$/, 'That something ended at midnight is how a system writes a day.'],
  [/\(seconds\)$/, 'That a specimen came in is told to the minute.'],
  [
    /^(Observation\.issued|DocumentReference\.indexed)/,
    'When a system made the entry visible. When it was true or made is a date of its own.',
  ],
  [/^MedicationStatement\.dateAsserted|^Immunization\.extension\(DateRecorded\)/, 'When it was typed in.'],
  [/^DiagnosticReport\.(category|code) \(any\)/, 'Every report of an extract is a laboratory’s; its results say so.'],
  [/^Condition\.note\.text \(state again\)/, 'What receivers note of a problem’s state and significance, which are facts of their own.'],
  [
    /^(Encounter\.participant\.type|Immunization\.practitioner\.role|List\.code)/,
    'Which member of the form it is; its value is a fact of its own.',
  ],
  [/^Medication\.code\.description$/, 'Products are known by their concept; the words of the description are kept.'],
];

/** Why a fact is one of record keeping; undefined for a clinical one. */
export const whyKeeping = (element: string) => KEEPING.find(([pattern]) => pattern.test(element))?.[1];

/** All facts of one resource. `nameOf` names people and organisations: they are who they are called, not a row of a system. */
export function factsOf(resource: Resource, nameOf: (reference: string) => string | undefined): Fact[] {
  const found: Fact[] = [];
  const { resourceType, id: _id, meta, text: _page, contained: _contained, ...members } = resource;
  const type = resourceType === 'List' && !isOfConsultation(members as { code?: CodeableConcept }) ? 'List (whole record)' : resourceType;
  for (const { code } of meta?.security ?? []) push(found, `${type}.redaction`, '', code);
  for (const [name, value] of Object.entries(withUnits(members as Measured))) walk(value, `${type}.${name}`, '', found);
  return found
    .map(noted)
    .flatMap(byMeaning)
    .map((fact) => {
      const name = fact.isLink && PEOPLE.test(fact.value) ? nameOf(fact.value) : undefined;
      return name === undefined ? fact : { ...fact, value: name, isLink: false };
    });
}

const PEOPLE = /^(Practitioner|PractitionerRole|Organization|HealthcareService|RelatedPerson|Location)\//;

const isOfConsultation = ({ code }: { code?: CodeableConcept }) =>
  (code?.coding ?? []).some((one) => ['325851000000107', '25851000000105', '24781000000107'].includes(one.code ?? ''));

type Supplied = { extension?: Extension[]; quantity?: Quantity };
type Measured = { valueQuantity?: Quantity; referenceRange?: Range[]; component?: Measured[]; dispenseRequest?: Supplied };

/** A bound without a unit is in the unit of what was measured; the words beside a number without a unit are its unit. */
function withUnits(members: Measured): Measured {
  const { valueQuantity, referenceRange, component, dispenseRequest } = members;
  const unit = valueQuantity?.code ?? valueQuantity?.unit;
  const bound = (name: 'low' | 'high', of: Quantity | undefined) => of && { [name]: of.unit || of.code || !unit ? of : { ...of, unit } };
  const ranges = referenceRange?.map(({ low, high, ...rest }): Range => ({ ...rest, ...bound('low', low), ...bound('high', high) }));
  return {
    ...members,
    ...(ranges && { referenceRange: ranges }),
    ...(component && { component: component.map(withUnits) }),
    ...(dispenseRequest && { dispenseRequest: suppliedInUnits(dispenseRequest) }),
  };
}

function suppliedInUnits(supplied: Supplied): Supplied {
  const { quantity, extension: ofSupply } = supplied;
  const isText = ({ url }: Extension) => url?.endsWith('MedicationQuantityText-1') ?? false;
  const unit = [...(ofSupply ?? []), ...(quantity?.extension ?? [])].find(isText)?.valueString;
  if (!quantity || quantity.value === undefined || quantity.unit || quantity.code || unit === undefined) return supplied;
  const [around, own] = [ofSupply, quantity.extension].map((extensions) => (extensions ?? []).filter((one) => !isText(one)));
  return { ...supplied, extension: around, quantity: { ...quantity, unit, extension: own } } as Supplied;
}

/** A problem's state as receivers note it; and the label that readers put in front of a blood pressure's comment, which is no word of it. */
function noted(fact: Fact): Fact {
  if (fact.element === 'Observation.comment') return { ...fact, value: fact.value.replace(/^BP Note: /, '') };
  const again =
    fact.element === 'Condition.note.text' &&
    /^((Active|Inactive) Problem,|Defaulted to Minor$|Defaulted status to active : Unknown status at source$)/.test(fact.value);
  return again ? { ...fact, element: `${fact.element} (state again)` } : fact;
}

/** Some facts are as exact as their meaning; what is written beyond that is one of its own. */
function byMeaning(fact: Fact): Fact[] {
  const [, kept, beyond] = EXACT.find(([element]) => element.test(fact.element)) ?? [];
  const value = kept ? fact.value.replace(kept, '$1') : fact.value;
  return value === fact.value
    ? [fact]
    : [
        { ...fact, value },
        { ...fact, element: fact.element + beyond },
      ];
}

const EXACT: readonly (readonly [element: RegExp, kept: RegExp, beyond: string])[] = [
  [
    /^MedicationRequest\.authoredOn$|\(MedicationStatementLastIssueDate\)$|\.(validityPeriod|effectivePeriod)\.end$/,
    /^(\d{8})\d{6} London$/,
    ' (time of day)',
  ],
  [/^Specimen\.receivedTime$/, /^(\d{12})\d{2} London$/, ' (seconds)'],
  [/^Condition\.abatementDateTime$/, /^(\d{8})000000 London$/, ' (midnight)'],
];

function push(found: Fact[], element: string, at: string, value: string | undefined, isLink = false): void {
  if (value !== undefined && value !== '') found.push({ element, at, value, isLink });
}

function walk(value: unknown, element: string, at: string, found: Fact[]): void {
  const name = element.slice(element.lastIndexOf('.') + 1);
  if (value === undefined || value === null || TECHNICAL.has(name)) return;
  if (Array.isArray(value)) {
    for (const [index, one] of value.entries()) walk(one, element, at + discriminator(name, one, index), found);
    return;
  }
  if (typeof value !== 'object' || value instanceof Decimal) {
    push(found, element, at, plain(value));
    return;
  }
  if (name === 'identifier' || name === 'accessionIdentifier') identifierFacts(value, element, at, found);
  else if (name === 'extension') extensionFacts(value, element, at, found);
  else if ('reference' in value || (Object.keys(value).length === 1 && 'display' in value))
    referenceFacts(value as Reference, element, at, found);
  else if ('coding' in value || (Object.keys(value).length === 1 && 'text' in value && !FREE_TEXT.has(name)))
    conceptFacts(value as CodeableConcept, element, at, found);
  else if (isQuantity(value)) quantityFacts(value, element, at, found);
  else for (const [inner, one] of Object.entries(value)) walk(one, `${element}.${inner}`, at, found);
}

/** Objects whose `text` is no concept's. */
const FREE_TEXT: ReadonlySet<string> = new Set(['note', 'dosageInstruction', 'dosage', 'referenceRange', 'name', 'address']);

/** Items that are told apart by what they are about rather than by where they stand. */
function discriminator(name: string, item: unknown, index: number): string {
  const { code, type } = (typeof item === 'object' ? item : {}) as { code?: CodeableConcept; type?: unknown };
  if (name === 'component') return `[${code?.text ?? code?.coding?.find(({ system }) => system?.includes('snomed'))?.display ?? index}]`;
  if (name === 'participant') return `[${(type as CodeableConcept[] | undefined)?.[0]?.coding?.[0]?.code ?? index}]`;
  if (name === 'related') return `[${type}]`;
  return ORDERED.has(name) ? `[${index}]` : '';
}

const ORDERED: ReadonlySet<string> = new Set([
  'referenceRange',
  'reaction',
  'dosageInstruction',
  'dosage',
  'vaccinationProtocol',
  'content',
]);

function plain(value: unknown): string {
  if (typeof value === 'number' || value instanceof Decimal) return numberText(value);
  if (typeof value !== 'string') return String(value);
  // Times by the second, whatever zone they are written in.
  if (/^\d{4}-\d{2}-\d{2}T/.test(value)) return `${fhirToHl7(value) ?? value} London`;
  return /^\d{4}-\d{2}(-\d{2})?$/.test(value) ? value.replaceAll('-', '') : value.trim();
}

/**
 * A number that a laboratory, a booking service or a register gave. A system's own numbers stand under its own address, or under the two
 * that GP Connect has for any system's; and a UUID is drawn by a system, wherever it stands.
 */
function identifierFacts({ system = '', value = '' }: Identifier, element: string, at: string, found: Fact[]): void {
  const isIssued = system === '' || /nhs\.uk|hl7\.org|^(urn:oid:)?\d+(\.\d+)+$/.test(system);
  const isOwn = !isIssued || /\/(cross-care-setting-identifier|data-identifier)$/.test(system) || isUuid(value.replace(/^urn:uuid:/, ''));
  if (!isOwn) push(found, element, at, `${system.replace(/^urn:oid:/, '')}|${value}`);
}

function extensionFacts(extension: Extension, element: string, at: string, found: Fact[]): void {
  const { url = '', extension: inner, ...values } = extension;
  const name = url.slice(url.lastIndexOf('/') + 1).replace(/^Extension-(CareConnect-)?(GPC-)?|-1$/g, '');
  const path = element.replace(/extension$/, url.includes('/') ? `extension(${name})` : name);
  const type = inner?.find((one) => one.url === 'type')?.valueCode;
  for (const one of inner ?? [])
    if (one.url !== 'type') extensionFacts(one, `${path}.extension`, type === undefined ? at : `${at}[${type}]`, found);
  for (const value of Object.values(values)) walk(value, path, at, found);
}

function referenceFacts({ reference, display }: Reference, element: string, at: string, found: Fact[]): void {
  if (reference !== undefined) push(found, element, at, reference, true);
  else push(found, element, at, display);
}

function conceptFacts({ coding, text }: CodeableConcept, element: string, at: string, found: Fact[]): void {
  const words = new Set<string | undefined>([text?.trim()]);
  const isLaboratory = coding?.some(({ code }) => code === 'LAB' || code === 'PAT');
  const path = element === 'DiagnosticReport.category' && isLaboratory ? `${element} (any)` : element;
  for (const one of coding ?? []) {
    // A null flavour says that nothing is said.
    if (one.system?.endsWith('/NullFlavor')) continue;
    if (one.code) push(found, `${path}.code`, at, `${systemOf(one)}|${one.code}`);
    const { id, display } = descriptionOf(one);
    push(found, `${path}.description`, at, id);
    words.add(one.display).add(display);
  }
  // Whether words stand as text, as a code's display or as its description's is a system's own business.
  for (const one of words) push(found, `${path}.words`, at, one);
}

/** One code system is one, by whichever of its names a system calls it. */
const systemOf = ({ system = '' }: Coding) => SAME_SYSTEM.get(system) ?? system;

const SAME_SYSTEM: ReadonlyMap<string, string> = new Map([
  ['https://fhir.hl7.org.uk/Id/emis-drug-codes', 'urn:oid:2.16.840.1.113883.2.1.6.9'],
  ['http://terminology.hl7.org/CodeSystem/v2-0078', 'http://hl7.org/fhir/v2/0078'],
  ['http://hl7.org/fhir/condition-category', 'https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-ConditionCategory-1'],
]);

const isQuantity = (value: object): value is Quantity => 'value' in value || 'unit' in value;

/** The unit by its code where it has one: names of units differ from system to system. */
function quantityFacts(quantity: Quantity, element: string, at: string, found: Fact[]): void {
  const { value, unit, code, comparator, extension } = quantity;
  push(found, `${element}.value`, at, value === undefined ? undefined : plain(value));
  push(found, `${element}.unit`, at, code ?? unit);
  push(found, `${element}.comparator`, at, comparator);
  walk(extension, `${element}.extension`, at, found);
}

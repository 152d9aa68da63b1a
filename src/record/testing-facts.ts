/** What a synthetic record says, and where each fact has to stand in the extract: by name, as `[fact, expected, found]`. */
import { fhirToHl7 } from '../base/hl7-time.ts';
import { numberText } from '../fhir/json.ts';
import type {
  AllergyIntolerance,
  CodeableConcept,
  Condition,
  DiagnosticReport,
  DocumentReference,
  Encounter,
  Immunization,
  List,
  Medication,
  MedicationRequest,
  Observation,
  Practitioner,
  ProcedureRequest,
  Reference,
  ReferralRequest,
  Resource,
  Specimen,
} from '../fhir/types.ts';
import { at, attr, child, children, descendants, textOf, type XmlElement } from '../xml/element.ts';
import type { Sent } from './testing-record.ts';

/** `found` holds everything that stands where the fact belongs. */
export type Fact = readonly [name: string, expected: string | undefined, found: readonly (string | undefined)[]];

/** The extract by the ids of its statements, and the names of its people by the ids of their agents. */
export type Extract = {
  statement(id: string | undefined): XmlElement | undefined;
  /** What stands around a statement: a comment on a result stands beside it, in the cluster that both share. */
  around(statement: XmlElement): XmlElement;
  /** Family name of the agent to whom the first participant of a statement refers. */
  people(element: XmlElement | undefined): string[];
  /** The resource behind a reference. */
  find<R extends Resource>(reference: Reference | undefined): R | undefined;
};

export function readExtract({ root, report }: Sent, resources: readonly Resource[]): Extract {
  const targets = new Map(report.origins.map(({ target, from }) => [from.id.split('/')[1] ?? '', target]));
  const parents = new Map<XmlElement, XmlElement>();
  const byId = new Map<string, XmlElement>();
  const names = new Map<string, string>();
  for (const element of descendants(root)) {
    for (const inner of children(element, 'component').flatMap((one) => children(one))) parents.set(inner, element);
    const id = attr(child(element, 'id'), 'root');
    if (id === undefined || element.name.endsWith('Ref')) continue;
    if (element.name === 'Agent') names.set(id, textOf(at(element, 'agentPerson', 'name', 'family')));
    else if (!byId.has(id)) byId.set(id, element);
  }
  const byReference = new Map(resources.map((resource) => [`${resource.resourceType}/${resource.id}`, resource]));
  return {
    statement: (id) => byId.get((id ?? '').toUpperCase()) ?? byId.get(targets.get(id ?? '') ?? ''),
    around: (statement) => parents.get(statement) ?? statement,
    people: (element) =>
      children(element ?? root, 'Participant').flatMap((one) => names.get(attr(at(one, 'agentRef', 'id'), 'root') ?? '') ?? []),
    find: <R extends Resource>(reference: Reference | undefined) => byReference.get(reference?.reference ?? '') as R | undefined,
  };
}

/** The facts of one resource; null for one that has no statement of its own. */
export function factsOf(resource: Resource, extract: Extract): Fact[] | null {
  const one = extract.statement(resource.id);
  const read = READ[resource.resourceType];
  if (!read) return null;
  if (!one) return [['a statement of its own', 'there', []]];
  return read(resource as never, one, extract).filter(([, expected]) => expected !== undefined);
}

type Read<R> = (resource: R, statement: XmlElement, extract: Extract) => Fact[];

const inside = (element: XmlElement | undefined, ...names: string[]): XmlElement[] =>
  element ? [...descendants(element)].filter(({ name }) => names.includes(name)) : [];
const date = (text: string | undefined) => (text === undefined ? undefined : (fhirToHl7(text) ?? text));
const values = (element: XmlElement | undefined, name: string) => inside(element, name).map((one) => attr(one, 'value'));
const words = (element: XmlElement | undefined) => inside(element, 'text', 'originalText').map((one) => textOf(one));

/** One of the texts has the words in it. */
const told = (name: string, expected: string | undefined, element: XmlElement | undefined): Fact => [
  name,
  expected,
  words(element).some((text) => expected !== undefined && text.includes(expected.trim())) ? [expected] : words(element),
];

const familyOf = (reference: Reference | undefined, extract: Extract) => extract.find<Practitioner>(reference)?.name?.[0]?.family;

/** The code of a concept as it is sent: that of the description it was chosen by. */
function codeFacts(
  name: string,
  concept: CodeableConcept | undefined,
  code: XmlElement | undefined,
  use: 'description' | 'concept' = 'description',
): Fact[] {
  const snomed = concept?.coding?.find(({ system }) => system === 'http://snomed.info/sct');
  const description = snomed?.extension?.[0]?.extension?.find(({ url }) => url === 'descriptionId')?.valueId;
  const others = (concept?.coding ?? []).filter((coding) => coding !== snomed && coding.system?.includes('egton'));
  return [
    [name, (use === 'description' && description) || snomed?.code, [attr(code, 'code')]],
    ...others.map(
      (coding): Fact => [`${name}: translation`, coding.code, children(code ?? NOTHING, 'translation').map((one) => attr(one, 'code'))],
    ),
  ];
}

const NOTHING: XmlElement = { name: '', ns: '', prefix: '', attributes: [], children: [], line: 0 };

/** With a comparator the value is the one bound of an interval. */
function quantityFacts(name: string, quantity: Observation['valueQuantity'], statement: XmlElement | undefined): Fact[] {
  const outer = child(statement ?? NOTHING, 'value');
  const bound = quantity?.comparator?.startsWith('<') ? 'high' : 'low';
  const value = quantity?.comparator ? child(outer ?? NOTHING, bound) : outer;
  const units = [attr(value, 'unit'), ...words(value)];
  return [
    [name, quantity?.value === undefined ? undefined : numberText(quantity.value), [attr(value, 'value')]],
    [`${name}: unit`, quantity?.code && units.includes(quantity.code) ? quantity.code : quantity?.unit, units],
  ];
}

const observation: Read<Observation> = (one, statement, extract) => {
  const isNote = one.code?.coding?.some(({ code }) => code === '37331000000100') ?? false;
  const own = statement.name === 'CompoundStatement' && !one.component ? undefined : statement;
  const inReport = one.specimen !== undefined || one.category?.some(({ coding }) => coding?.some(({ code }) => code === 'laboratory'));
  return [
    ...(isNote ? [] : codeFacts('code', one.code, child(statement, 'code'), one.component ? 'concept' : 'description')),
    ...quantityFacts('value', own && one.valueQuantity, own),
    ['date', date(one.effectiveDateTime), [...values(statement, 'availabilityTime'), ...values(statement, 'center')]],
    ['author', isNote || inReport ? undefined : familyOf(one.performer?.[0], extract), extract.people(statement)],
    told('text', one.comment, inReport ? extract.around(statement) : statement),
    ...(one.component ?? []).flatMap((component, at) => {
      const reading = inside(statement, 'ObservationStatement')[at];
      return [
        ...codeFacts('code of a reading', component.code, child(reading ?? NOTHING, 'code'), 'concept'),
        ...quantityFacts('reading', component.valueQuantity, reading),
      ];
    }),
  ];
};

const allergy: Read<AllergyIntolerance> = (one, statement, extract) => [
  ...(one.clinicalStatus === 'active' ? codeFacts('code', one.code, child(statement, 'code')) : []),
  told('name', one.clinicalStatus === 'active' ? undefined : (one.code?.text ?? one.code?.coding?.[0]?.display), statement),
  ['onset', date(one.onsetDateTime), values(statement, 'center')],
  ['date', date(one.assertedDate), values(statement, 'availabilityTime')],
  ['author', familyOf(one.recorder, extract), extract.people(statement)],
  told('status', one.clinicalStatus && `Status: ${one.clinicalStatus[0]?.toUpperCase()}${one.clinicalStatus.slice(1)}`, statement),
  ...(one.reaction ?? []).map((reaction) => told('reaction', reaction.description, statement)),
  ...(one.note ?? []).map((note) => told('text', note.text, statement)),
];

const immunisation: Read<Immunization> = (one, statement, extract) => [
  ...codeFacts(
    'code',
    one.extension?.find(({ url }) => url?.endsWith('VaccinationProcedure-1'))?.valueCodeableConcept,
    child(statement, 'code'),
  ),
  ['date', date(one.date), values(statement, 'center')],
  ['author', familyOf(one.practitioner?.[0]?.actor, extract), extract.people(statement)],
  told('status', one.notGiven ? 'Not Given: true' : undefined, statement),
  told('batch', one.lotNumber, statement),
  told('dose', one.doseQuantity?.value === undefined ? undefined : numberText(one.doseQuantity.value), statement),
  told('vaccine', one.vaccineCode?.text, statement),
  ...(one.note ?? []).map((note) => told('text', note.text, statement)),
];

const medication: Read<MedicationRequest> = (one, statement, extract) => {
  const supply = inside(statement, 'ehrSupplyAuthorise', 'ehrSupplyPrescribe')[0];
  const drug = extract.find<Medication>(one.medicationReference)?.code ?? one.medicationCodeableConcept;
  const plans = (one.basedOn ?? []).map((plan) => inside(extract.statement(plan.reference?.split('/')[1]), 'ehrSupplyAuthorise')[0]);
  const { quantity, validityPeriod } = one.dispenseRequest ?? {};
  return [
    ...codeFacts(
      'code',
      drug,
      inside(statement, 'manufacturedMaterial').flatMap((material) => child(material, 'code') ?? [])[0],
      'concept',
    ),
    ['value', quantity?.value === undefined ? undefined : numberText(quantity.value), values(supply, 'quantity')],
    ['unit', quantity?.unit, words(child(supply ?? NOTHING, 'quantity'))],
    ['date', date(validityPeriod?.start), values(statement, 'availabilityTime')],
    ['end', date(validityPeriod?.end), values(statement, 'high')],
    ['author', familyOf(one.requester?.agent ?? one.recorder, extract), extract.people(statement)],
    ['status', one.status === 'active' ? 'ACTIVE' : 'COMPLETE', [attr(child(statement, 'statusCode'), 'code')]],
    told('dosage', one.dosageInstruction?.[0]?.text, statement),
    told('instruction', one.dosageInstruction?.[0]?.patientInstruction, statement),
    ...(one.note ?? []).map((note) => told('text', note.text, statement)),
    ...plans.map(
      (plan): Fact => [
        'link to its plan',
        attr(child(plan ?? NOTHING, 'id'), 'root'),
        inside(statement, 'priorMedicationRef').map((ref) => attr(child(ref, 'id'), 'root')),
      ],
    ),
  ];
};

const problem: Read<Condition> = (one, statement, extract) => {
  const links = inside(statement, 'statementRef').map((ref) => attr(child(ref, 'id'), 'root'));
  const named = attr(at(statement, 'conditionNamed', 'namedStatementRef', 'id'), 'root');
  const references = (suffix: string) =>
    (one.extension ?? []).filter(({ url }) => url?.endsWith(suffix)).flatMap(({ valueReference }) => valueReference ?? []);
  const [actual] = references('ActualProblem-1');
  return [
    ['status', one.clinicalStatus === 'active' ? '394774009' : '394775005', [attr(child(statement, 'code'), 'code')]],
    ['onset', date(one.onsetDateTime), values(statement, 'low')],
    ['end', date(one.abatementDateTime), values(statement, 'high')],
    ['date', date(one.assertedDate), values(statement, 'availabilityTime')],
    ['author', familyOf(one.asserter, extract), extract.people(statement)],
    [
      'link to what it is',
      actual?.reference?.startsWith('Observation/') ? actual.reference.split('/')[1]?.toUpperCase() : undefined,
      [named],
    ],
    ...references('RelatedClinicalContent-1').map((to): Fact => ['link', to.reference?.split('/')[1]?.toUpperCase(), [...links, named]]),
    ...(one.note ?? []).map((note) => told('text', note.text, extract.statement(named))),
  ];
};

const report: Read<DiagnosticReport> = (one, statement) => {
  const inner = inside(statement, 'CompoundStatement', 'ObservationStatement', 'NarrativeStatement').map((element) =>
    attr(child(element, 'id'), 'root'),
  );
  return [
    ['date', date(one.issued), [attr(child(statement, 'availabilityTime'), 'value')]],
    [
      'number',
      one.identifier?.find(({ system }) => system?.endsWith('.4.5.5'))?.value,
      children(statement, 'id').map((id) => attr(id, 'extension')),
    ],
    told('status', one.status && `Status: ${one.status}`, statement),
    told('conclusion', one.conclusion, statement),
    ...[...(one.result ?? []), ...(one.specimen ?? [])].map((to): Fact => ['link', to.reference?.split('/')[1]?.toUpperCase(), inner]),
  ];
};

const specimen: Read<Specimen> = (one, statement) => [
  ['number', one.accessionIdentifier?.value, inside(statement, 'id').map((id) => attr(id, 'extension'))],
  ['date', date(one.collection?.collectedDateTime), values(at(statement, 'specimen', 'specimenRole'), 'center')],
  ['kind', one.type?.text, inside(statement, 'desc').map((desc) => textOf(desc))],
  ...(one.note ?? []).map((note) => told('text', note.text, statement)),
];

const plan: Read<ProcedureRequest> = (one, statement, extract) => [
  ...codeFacts('code', one.code, child(statement, 'code')),
  ['date', date(one.occurrenceDateTime), values(statement, 'center')],
  ['written', date(one.authoredOn), values(statement, 'availabilityTime')],
  ['author', familyOf(one.requester?.agent, extract), extract.people(statement)],
  ...(one.note ?? []).map((note) => told('text', note.text, statement)),
];

const referral: Read<ReferralRequest> = (one, statement, extract) => [
  ...codeFacts('code', one.reasonCode?.[0], child(statement, 'code')),
  ['date', date(one.authoredOn), values(statement, 'availabilityTime')],
  ['author', familyOf(one.requester?.agent, extract), extract.people(statement)],
  [
    'priority',
    one.priority === undefined ? undefined : one.priority === 'routine' ? '394848005' : '394849002',
    [attr(child(statement, 'priorityCode'), 'code')],
  ],
  told('specialty', one.specialty?.text, statement),
  told('text', one.description, statement),
];

const document: Read<DocumentReference> = (one, statement, extract) => [
  ['date', date(one.created ?? one.indexed), values(statement, 'availabilityTime')],
  ['author', familyOf(one.author?.[0], extract), extract.people(statement)],
  told('kind', one.type?.text, statement),
  told('text', one.description, statement),
  [
    'link to the file',
    one.id?.toUpperCase(),
    inside(statement, 'referredToExternalDocument').map((file) => attr(child(file, 'id'), 'root')),
  ],
];

const encounter: Read<Encounter> = (one, statement) => [
  ['code', one.type?.[0]?.coding?.[0]?.code, [attr(child(statement, 'code'), 'code')]],
  told('kind', one.type?.[0]?.text, child(statement, 'code')),
  ['date', date(one.period?.start), [attr(child(statement, 'availabilityTime'), 'value')]],
];

const list: Read<List> = (one, statement) => [
  ['title', one.title, [textOf(at(statement, 'code', 'originalText'))]],
  ['date', date(one.date), [attr(child(statement, 'availabilityTime'), 'value')]],
];

const READ: Readonly<Record<string, Read<never>>> = {
  Observation: observation,
  AllergyIntolerance: allergy,
  Immunization: immunisation,
  MedicationRequest: medication,
  Condition: problem,
  DiagnosticReport: report,
  Specimen: specimen,
  ProcedureRequest: plan,
  ReferralRequest: referral,
  DocumentReference: document,
  Encounter: encounter,
  List: list,
} as Readonly<Record<string, Read<never>>>;

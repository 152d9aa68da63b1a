/** A composition as Encounter with its Lists: the consultation, its topics, their categories. */
import type { Encounter, Extension, List, Reference } from '../../fhir/types.ts';
import { attr, child, children, type XmlElement } from '../../xml/element.ts';
import { type ClaimedComposition, resourceOf } from '../claim.ts';
import { PRIMARY_PERFORMER, RECORDER } from '../people/terms.ts';
import { SNOMED_URI } from '../shared/code-systems.ts';
import { codedToFhir, sctOf } from '../shared/coded.ts';
import { degraded } from '../shared/degrade.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { allStatementsIn, authorOf, firstCode, idOf, participantsOf, statementsIn } from '../shared/statements.ts';
import { dateTimeOf } from '../shared/times.ts';
import type { Claim, Composition, ToFhir } from '../types.ts';
import { LISTS, RELATED_PROBLEM } from './terms.ts';

export type Consultation = {
  readonly encounter: Encounter;
  readonly consultation: List;
  readonly topics: readonly List[];
  readonly categories: readonly List[];
};

/** One consultation while its lists are made. Two statements may have one id: a statement's claim is found by the statement itself. */
type Around = {
  readonly composition: Composition;
  readonly encounter: Encounter;
  readonly date: string | undefined;
  readonly claims: ReadonlyMap<XmlElement, Claim>;
  readonly s: ToFhir;
};

/** `location` is the reference of the place that the composition names. */
export function consultationToFhir(composition: ClaimedComposition, location: string | undefined, s: ToFhir): Consultation {
  const encounter = encounterToFhir(composition, location, s);
  const claims = new Map(composition.claims.map((claim) => [claim.statement, claim]));
  const around: Around = { composition, encounter, date: listDate(composition.xml, s), claims, s };
  const compounds = statementsIn(composition.xml).filter(isOfClass('TOPIC'));
  const structured = compounds.map((compound) => topicToFhir(compound, around));
  const loose = looseStatements(composition.xml, compounds);
  const topics = structured.map(({ topic }) => topic);
  if (compounds.length === 0 || loose.length) topics.push(flatTopic(loose, around));
  const type = encounter.type?.[0];
  const title = type?.text ?? type?.coding?.[0]?.display;
  const consultation: List = {
    ...list(`${composition.id}-CONS`, LISTS.consultation, 'Consultation', title, around.date, around),
    ...entries(topics.map((topic) => `List/${topic.id}`)),
  };
  return { encounter, consultation, topics, categories: structured.flatMap(({ categories }) => categories) };
}

function encounterToFhir(composition: Composition, location: string | undefined, s: ToFhir): Encounter {
  const { xml, id } = composition;
  const type = degraded(codedToFhir(child(xml, 'code'), s.terminology) ?? {}, 'record', s);
  const recorder = s.practitioner(authorOf(xml).agent);
  const performer = s.practitioner(participantsOf(xml, 'Participant2')[0]?.agent);
  const participant = [
    ...(recorder ? [{ type: [{ coding: [{ ...RECORDER }] }], individual: ref(recorder) }] : []),
    ...(performer ? [{ type: [{ coding: [{ ...PRIMARY_PERFORMER }] }], individual: ref(performer) }] : []),
  ];
  const period = periodOf(xml, s);
  return {
    ...head('Encounter', id, 'Encounter-1', [xml], s),
    status: 'finished',
    type: [type],
    subject: ref(s.patient),
    ...(participant.length && { participant }),
    ...(period && { period }),
    ...(location && { location: [{ location: ref(location) }] }),
  };
}

/** An unknown time is unknown; one of which nothing is said (the usual case) is when the composition was recorded. */
function periodOf(composition: XmlElement, s: ToFhir): Encounter['period'] {
  const effective = child(composition, 'effectiveTime');
  const center = child(effective, 'center');
  const start = dateTimeOf(center, s) ?? dateTimeOf(child(effective, 'low'), s);
  const end = dateTimeOf(center, s) === undefined ? dateTimeOf(child(effective, 'high'), s) : undefined;
  if (start || end) return { ...(start && { start }), ...(end && { end }) };
  if (attr(center, 'nullFlavor') === 'UNK') return undefined;
  const available = dateTimeOf(child(composition, 'availabilityTime'), s);
  return available ? { start: available } : undefined;
}

function listDate(composition: XmlElement, s: ToFhir): string | undefined {
  const effective = child(composition, 'effectiveTime');
  return (
    dateTimeOf(authorOf(composition).time, s) ??
    dateTimeOf(child(composition, 'availabilityTime'), s) ??
    dateTimeOf(child(effective, 'center'), s) ??
    dateTimeOf(child(effective, 'high'), s) ??
    dateTimeOf(child(effective, 'low'), s)
  );
}

function topicToFhir(compound: XmlElement, around: Around) {
  const date = dateTimeOf(child(compound, 'availabilityTime'), around.s) ?? around.date;
  const direct = statementsIn(compound);
  const categories = direct.filter(isCategory).map((category) => categoryToFhir(category, date, around));
  const references = direct.flatMap((one) => (isCategory(one) ? [`List/${idOf(one)}`] : referencesOf(one, around)));
  const below = statementsBelow(compound);
  const within = problemsAbout(below, around);
  const extension = within.length ? within : problemsOfCode(compound, below, around);
  const topic: List = {
    ...list(idOf(compound), LISTS.topic, 'Topic (EHR)', titleOf(compound, around.s), date, around),
    ...(extension.length && { extension }),
    ...entries(references),
  };
  return { topic, categories };
}

const isOfClass = (classCode: string) => (statement: XmlElement) =>
  statement.name === 'CompoundStatement' && firstCode(statement, 'classCode') === classCode;
const isCategory = isOfClass('CATEGORY');

function categoryToFhir(compound: XmlElement, topicDate: string | undefined, around: Around): List {
  const date = dateTimeOf(child(compound, 'availabilityTime'), around.s) ?? topicDate;
  return {
    ...list(idOf(compound), LISTS.category, 'Category (EHR)', titleOf(compound, around.s), date, around),
    ...entries(inside(compound).flatMap((statement) => referencesOf(statement, around))),
  };
}

/** What stands in the composition beside its topics. Problems that a topic is about are told by the topic. */
function looseStatements(composition: XmlElement, topics: readonly XmlElement[]): XmlElement[] {
  const loose = inside(composition).filter((statement) => !topics.includes(statement));
  return topics.length ? loose.filter(({ name }) => name !== 'LinkSet') : loose;
}

/** The topic of a composition that has none, or of what stands beside them. */
function flatTopic(loose: readonly XmlElement[], around: Around): List {
  const references = loose.flatMap((statement) => referencesOf(statement, around));
  const problems = references.filter((reference) => reference.startsWith('Condition/'));
  const extension = [...new Set(problems)].map(aboutProblem);
  const id = around.s.idFor(`topic of ${around.composition.id}`);
  return {
    ...list(id, LISTS.topic, 'Topic (EHR)', undefined, around.date, around),
    ...(extension.length && { extension }),
    ...entries(references),
  };
}

function list(id: string, code: string, display: string, title: string | undefined, date: string | undefined, around: Around): List {
  return {
    resourceType: 'List',
    id,
    meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-List-1'] },
    status: 'current',
    mode: 'snapshot',
    ...(title && { title }),
    code: { coding: [{ system: SNOMED_URI, code, display }] },
    subject: ref(around.s.patient),
    ...maybe('encounter', `Encounter/${around.encounter.id}`),
    ...(date && { date }),
    orderedBy: { coding: [{ system: 'http://hl7.org/fhir/list-order', code: 'system', display: 'Sorted by System' }] },
  };
}

function entries(references: readonly string[]): { entry?: { item: Reference }[] } {
  const distinct = [...new Set(references)];
  return distinct.length ? { entry: distinct.map((reference) => ({ item: ref(reference) })) } : {};
}

function titleOf(compound: XmlElement, s: ToFhir): string | undefined {
  const code = child(compound, 'code');
  const concept = codedToFhir(code, s.terminology);
  return concept?.text ?? (attr(code, 'nullFlavor') === undefined ? concept?.coding?.[0]?.display : undefined);
}

/** Problems of the composition that name something in the topic or its categories. */
function problemsAbout(below: readonly XmlElement[], { composition, s }: Around): Extension[] {
  const about = new Set(below.flatMap((statement) => s.problemsNaming(idOf(statement))));
  const direct = statementsIn(composition.xml).filter((statement) => statement.name === 'LinkSet' && about.has(idOf(statement)));
  return direct.map((linkSet) => aboutProblem(`Condition/${idOf(linkSet)}`));
}

/**
 * A topic about a problem of another consultation has that problem's code, and nothing else that leads there. Of several problems with
 * the code those are meant that stand in the topic; where none does, nobody can say which.
 */
function problemsOfCode(topic: XmlElement, below: readonly XmlElement[], { s }: Around): Extension[] {
  const code = sctOf(child(topic, 'code'));
  const coded = code === undefined ? [] : s.problemsCoded(code);
  const inside = coded.filter((id) => below.some((statement) => statement.name === 'LinkSet' && idOf(statement) === id));
  const meant = inside.length || coded.length > 1 ? inside : coded;
  return meant.map((id) => aboutProblem(`Condition/${id}`));
}

const aboutProblem = (problem: string): Extension => ({
  url: RELATED_PROBLEM,
  extension: [{ url: 'target', valueReference: ref(problem) }],
});

function statementsBelow(topic: XmlElement): XmlElement[] {
  return [...allStatementsIn(topic)].filter(({ name }) => name !== 'CompoundStatement');
}

/** What a list says of a statement: its resource; for a compound statement that is none itself, those of what it holds. */
function referencesOf(statement: XmlElement, around: Around): string[] {
  const claim = around.claims.get(statement);
  if (statement.name === 'MedicationStatement') return suppliesOf(statement);
  if (statement.name !== 'CompoundStatement' || (claim && MAPPED_WHOLE.has(claim.concept))) {
    const reference = claim && resourceOf(claim);
    return reference === undefined ? [] : [reference];
  }
  return inside(statement).flatMap((one) => referencesOf(one, around));
}

const MAPPED_WHOLE: ReadonlySet<Claim['concept']> = new Set(['bloodPressure', 'allergy', 'laboratory']);

// Some senders put several statements into one component. Readers know them in these orders.
const IN_COMPOSITION = [
  'PlanStatement',
  'RequestStatement',
  'LinkSet',
  'ObservationStatement',
  'NarrativeStatement',
  'MedicationStatement',
];
const IN_COMPOUND = ['ObservationStatement', 'PlanStatement', 'RequestStatement', 'LinkSet', 'MedicationStatement', 'NarrativeStatement'];

function inside(parent: XmlElement): XmlElement[] {
  const order = parent.name === 'ehrComposition' ? IN_COMPOSITION : IN_COMPOUND;
  const rank = ({ name }: XmlElement) => (order.includes(name) ? order.indexOf(name) : order.length);
  return children(parent, 'component').flatMap((component) =>
    statementsIn({ ...parent, children: [component] }).sort((a, b) => rank(a) - rank(b)),
  );
}

/** A plan and an order are entries of their own; a discontinuation is none. */
function suppliesOf(statement: XmlElement): string[] {
  return children(statement, 'component').flatMap((component) => {
    const supply = child(component, 'ehrSupplyAuthorise') ?? child(component, 'ehrSupplyPrescribe');
    return supply ? [`MedicationRequest/${idOf(supply)}`] : [];
  });
}

/** A record from practice to practice, and what becomes of its facts on the way. */
import type { Bundle, HumanName, List, MedicationRequest, Resource } from '../fhir/types.ts';
import { fateOfPresent } from './document/fate.ts';
import { type Fact, factsOf } from './testing-clinical.ts';
import { receive, type Sent, send } from './testing-record.ts';
import type { ConversionReport, Terminology } from './types.ts';

export type Hop = {
  readonly before: readonly Resource[];
  readonly after: readonly Resource[];
  readonly bundle: Bundle;
  readonly sent: Sent;
  readonly received: ConversionReport;
};

/** One move: each draws ids of its own. */
export function hop(bundle: Bundle, number: number, of: { nhsNumber?: string; ods?: string }, terminology: Terminology): Hop {
  let drawn = 0;
  const newId = () => `d0${String(number).padStart(6, '0')}-0000-4000-8000-${String(++drawn).padStart(12, '0')}`;
  const documents = (reference: string) =>
    fateOfPresent(reference, (reference.split('/')[1] ?? '').toUpperCase(), typeIn(bundle, reference), 9);
  const sent = send(bundle, { newId, documents, ...(of.nhsNumber !== undefined && { nhsNumber: of.nhsNumber }) });
  const arrived = receive(sent.root, { newId, terminology, ...(of.ods !== undefined && { losingPractice: of.ods }) });
  return { before: resourcesOf(bundle), after: arrived.resources, bundle: arrived.bundle, sent, received: arrived.report };
}

export const resourcesOf = (bundle: Bundle): Resource[] => (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
export const keyOf = ({ resourceType, id }: Resource) => `${resourceType}/${id}`;

function typeIn(bundle: Bundle, reference: string): string {
  const document = resourcesOf(bundle).find((one) => keyOf(one) === reference) as { content?: { attachment?: { contentType?: string } }[] };
  return document?.content?.[0]?.attachment?.contentType ?? 'application/pdf';
}

/** What each resource of a record arrived as: resources of its own type, by the two reports alone. */
export function counterparts({ before, after, sent, received }: Hop): Map<string, readonly Resource[]> {
  const byKey = new Map(after.map((one) => [keyOf(one), one]));
  const bySource = Map.groupBy(received.origins, ({ from }) => from.id.toUpperCase());
  const targets = Map.groupBy(sent.report.origins, ({ from }) => from.id);
  return new Map(
    before.map((resource) => {
      const made = (targets.get(keyOf(resource)) ?? [])
        .flatMap(({ target }) => bySource.get(target.toUpperCase()) ?? [])
        .flatMap(({ target }) => byKey.get(target) ?? [])
        .filter(({ resourceType }) => resourceType === resource.resourceType);
      const same = made.filter(({ id }) => id?.toUpperCase() === resource.id?.toUpperCase());
      return [keyOf(resource), [...new Set(same.length ? same : made)]];
    }),
  );
}

export type Fate = 'kept' | 'words' | 'lost';
export type Followed = { readonly resource: Resource; readonly fact: Fact; readonly fate: Fate };

/**
 * Every fact of a record and what it arrived as: the same in its element; or only its words, in a text of the entry; or not at all.
 */
export function followed(one: Hop): Followed[] {
  const pairs = counterparts(one);
  const headings = new Map(one.after.flatMap((there) => (there.resourceType === 'List' ? [[keyOf(there), there as List]] : [])));
  const arrivedAs = new Set([...pairs.values()].flat());
  /** Entries of a topic that have no heading get one without a name on the way; they are the topic's still. */
  const addedHeadings = (list: Resource) =>
    ((list as List).entry ?? []).flatMap(({ item }) => {
      const heading = list.resourceType === 'List' ? headings.get(item?.reference ?? '') : undefined;
      return heading && !arrivedAs.has(heading) ? [heading] : [];
    });
  const [names, namesThere] = [namesIn(one.before), namesIn(one.after)];
  const has = new Set(one.before.flatMap((resource) => [keyOf(resource), ...containedIn(resource)]));
  const leadsNowhere = ({ isLink, value }: Fact) => isLink && !has.has(value);
  const noted = notesOfRequests(one.before);
  const isRepeated = (resource: Resource, { element, value }: Fact) =>
    element === 'MedicationStatement.note.text' && basesOf(resource).some((plan) => noted.get(plan)?.has(value));
  return one.before.flatMap((resource) => {
    const arrived = pairs.get(keyOf(resource)) ?? [];
    const facts = arrived.flatMap((there) => [there, ...addedHeadings(there)]).flatMap((there) => factsOf(there, namesThere));
    const known = new Set(facts.map((fact) => keyOfFact(fact)));
    const texts = facts.map(({ value }) => value.replace(/\s+/g, ' '));
    return factsOf(resource, names).map((fact) => {
      const aside = leadsNowhere(fact) ? ' (leads nowhere)' : isRepeated(resource, fact) ? ' (of a request)' : '';
      return { resource, fact: { ...fact, element: fact.element + aside }, fate: fateOf(fact, known, texts, pairs) };
    });
  });
}

const basesOf = (resource: Resource) =>
  ((resource as MedicationRequest).basedOn ?? []).flatMap(({ reference }) => (reference === undefined ? [] : [reference]));

/** The notes of a plan and of its issues, by the plan. */
function notesOfRequests(resources: readonly Resource[]): Map<string, Set<string>> {
  const notes = new Map<string, Set<string>>();
  for (const resource of resources) {
    if (resource.resourceType !== 'MedicationRequest') continue;
    const texts = ((resource as MedicationRequest).note ?? []).flatMap(({ text }) => text?.trim() ?? []);
    for (const plan of [keyOf(resource), ...basesOf(resource)]) notes.set(plan, new Set([...(notes.get(plan) ?? []), ...texts]));
  }
  return notes;
}

/** References to what stands inside a resource: from elsewhere, and from the resource itself. */
function containedIn(resource: Resource): string[] {
  const { contained } = resource as { contained?: Resource[] };
  return (contained ?? []).flatMap(({ id = '' }) => [`${keyOf(resource)}#${id.replace('#', '')}`, `#${id.replace('#', '')}`]);
}

/** What people and places are called, whoever a role stands for. */
function namesIn(resources: readonly Resource[]): (reference: string) => string | undefined {
  const names = new Map<string, string>();
  for (const resource of resources) {
    const { name } = resource as { name?: string | HumanName[] };
    const [person] = Array.isArray(name) ? name : [];
    const words = person ? person.text || [...(person.prefix ?? []), ...(person.given ?? []), person.family].join(' ') : name;
    if (typeof words === 'string') names.set(keyOf(resource), words);
  }
  for (const resource of resources) {
    const { practitioner } = resource as { practitioner?: { reference?: string } };
    const who = resource.resourceType === 'PractitionerRole' ? names.get(practitioner?.reference ?? '') : undefined;
    if (who !== undefined) names.set(keyOf(resource), who);
  }
  return (reference) => names.get(reference);
}

const keyOfFact = ({ element, at, value }: Fact, as = value) => `${element} ${at} ${as}`;

function fateOf(fact: Fact, known: ReadonlySet<string>, texts: readonly string[], pairs: Map<string, readonly Resource[]>): Fate {
  if (fact.isLink) {
    const ends = pairs.get(fact.value) ?? [];
    return ends.some((end) => known.has(keyOfFact(fact, keyOf(end)))) ? 'kept' : 'lost';
  }
  if (known.has(keyOfFact(fact))) return 'kept';
  const words = fact.value.replace(/\s+/g, ' ');
  return texts.some((text) => text.includes(words)) ? 'words' : 'lost';
}

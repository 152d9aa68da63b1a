/**
 * Where each resource of a record goes in an extract, and the id of its statement, before anything is written. A resource stands
 * once: in the first consultation that lists it, else in a composition of its own, or inside the resource that holds it. Nothing
 * depends on the order of the bundle.
 */
import { isUuid } from '../base/ids.ts';
import type { Encounter, List, Reference, Resource } from '../fhir/types.ts';
import { ASSOCIATED_ENCOUNTER } from './allergy/terms.ts';
import { attempt, type BundleIndex, listOf } from './bundle-index.ts';
import type { Hl7Handler } from './concepts.ts';
import { LISTS } from './consultation/terms.ts';
import { misshapen } from './shape.ts';
import { foreignCodes } from './shared/foreign-codes.ts';
import { isRedacted } from './shared/redaction.ts';
import { normalised } from './shared/references.ts';
import type { Place, Remark, Uuid } from './types.ts';

export type Item = { readonly resource: Resource; readonly key: string; readonly handler: Hl7Handler };
/** Statements in a category; without `list` in a virtual one; `bare` ones directly in the topic. */
export type Group = { readonly id: Uuid; readonly list: List | undefined; readonly bare: boolean; readonly items: readonly Item[] };
export type Topic = { readonly id: Uuid; readonly list: List | undefined; readonly groups: readonly Group[] };
export type Planned =
  | {
      readonly kind: 'consultation';
      readonly id: Uuid;
      readonly encounter: Encounter;
      readonly list: List | undefined;
      readonly topics: readonly Topic[];
    }
  | { readonly kind: 'outside'; readonly id: Uuid; readonly item: Item };

export type Placement = {
  readonly compositions: readonly Planned[];
  /** By key. A resource that another holds has the place of that one, with an id of its own. */
  readonly places: ReadonlyMap<string, Place>;
  /** By key: the resource inside whose statement this one is written. */
  readonly holders: ReadonlyMap<string, Resource>;
  /** What a resource holds directly. */
  readonly held: ReadonlyMap<Resource, readonly Resource[]>;
  readonly remarks: readonly { readonly about: Resource; readonly remark: Remark }[];
};

export function place(index: BundleIndex, handlers: readonly Hl7Handler[], newId: () => Uuid): Placement {
  return new Placing(index, handlers, newId).run();
}

/** The handler that takes a resource, if one does. */
export function handlerOf(resource: Resource, handlers: readonly Hl7Handler[]): Hl7Handler | undefined {
  return handlers.find((one) => one.resourceType === resource.resourceType && attempt(() => one.when?.(resource) ?? true, false));
}

// Types that the record needs and that are carried as part of others; everything else is reported when nobody takes it.
const SUPPORTING: ReadonlySet<string> = new Set([
  'Bundle',
  'Device',
  'Encounter',
  'HealthcareService',
  'List',
  'Location',
  'Medication',
  'MedicationStatement',
  'OperationOutcome',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'RelatedPerson',
  'Specimen',
]);

// Beside what handlers write.
const MARKED: ReadonlySet<string> = new Set(['Encounter', 'Specimen']);

class Placing {
  readonly #index: BundleIndex;
  readonly #handlers: readonly Hl7Handler[];
  readonly #taken = new Map<Resource, Hl7Handler | undefined>();
  readonly #newId: () => Uuid;
  /** In the order in which they hold and get places outside consultations: observations come last. */
  readonly #ordered: readonly Resource[];
  readonly #used = new Set<Uuid>();
  readonly #places = new Map<string, Place>();
  readonly #holders = new Map<string, Resource>();
  readonly #held = new Map<Resource, Resource[]>();
  readonly #leftOut = new Set<string>();
  readonly #compositions: Planned[] = [];
  readonly #remarks: { about: Resource; remark: Remark }[] = [];

  constructor(index: BundleIndex, handlers: readonly Hl7Handler[], newId: () => Uuid) {
    this.#index = index;
    this.#handlers = handlers;
    this.#ordered = [...index.resources.filter((one) => !isObservation(one)), ...index.resources.filter(isObservation)];
    this.#newId = newId;
  }

  run(): Placement {
    for (const double of this.#index.doubles)
      this.#remark(double, 'statement.notCarried', 'Another resource of the record has the same type and id; that one is carried.');
    this.#leaveOut();
    this.#hold();
    const lists = Map.groupBy(this.#lists(LISTS.consultation), (list) => this.#index.find(list.encounter));
    const encounters = this.#encounters();
    for (const encounter of encounters) if (lists.has(encounter)) this.#consultation(encounter, lists.get(encounter) ?? []);
    const inNoList = encounters.filter((encounter) => !lists.has(encounter));
    if (inNoList.length) this.#unlistedConsultations(inNoList);
    for (const resource of this.#ordered.filter((one) => this.#takes(one))) this.#outside(resource);
    this.#reportUnplaced();
    this.#reportForeignCodes();
    this.#reportShapes();
    this.#reportRedactions();
    return { compositions: this.#compositions, places: this.#places, holders: this.#holders, held: this.#held, remarks: this.#remarks };
  }

  #leaveOut(): void {
    for (const resource of this.#index.resources) {
      const why = whyLeftOut(resource, this.#handler(resource));
      if (why === undefined) continue;
      this.#leftOut.add(this.#key(resource));
      this.#remark(resource, 'statement.notCarried', why);
    }
  }

  /** Observations come last: a report goes before a panel as the holder of its results. No resource holds itself, by any way. */
  #hold(): void {
    for (const resource of this.#ordered) {
      const holds = this.#handler(resource)?.holds;
      if (!holds || this.#leftOut.has(this.#key(resource))) continue;
      const find = (reference: Reference | string | undefined) => this.#index.find(reference, resource);
      for (const held of attempt(() => holds(resource, find), [])) {
        const key = this.#index.keys.get(held);
        if (key === undefined || this.#holders.has(key) || this.#root(resource) === held) continue;
        this.#holdIn(resource, held, key);
      }
    }
    for (const resource of this.#index.resources) if (!this.#holders.has(this.#key(resource))) this.#follow(resource);
  }

  /** What belongs to a resource that another holds stands there too. */
  #follow(resource: Resource): void {
    const follows = this.#handler(resource)?.follows;
    if (!follows) return;
    const targets = attempt(() => follows(resource), []);
    const holder = targets
      .map((target) => this.#index.keyOf(target, resource))
      .map((key) => (key === undefined ? undefined : this.#holders.get(key)))
      .find((one) => one !== undefined);
    if (holder?.resourceType !== 'DiagnosticReport' || this.#leftOut.has(this.#key(resource))) return;
    this.#holdIn(holder, resource, this.#key(resource));
  }

  #holdIn(holder: Resource, resource: Resource, key: string): void {
    this.#holders.set(key, holder);
    const held = this.#held.get(holder);
    if (held) held.push(resource);
    else this.#held.set(holder, [resource]);
  }

  /** The outermost resource inside whose statement this one is written: itself for one that stands alone. */
  #root(resource: Resource): Resource {
    let root = resource;
    for (let holder = this.#holders.get(this.#key(root)); holder; holder = this.#holders.get(this.#key(root))) root = holder;
    return root;
  }

  /** In the order of the record's list of consultations; those that it forgets follow by their beginning. */
  #encounters(): Encounter[] {
    const listed = this.#lists(LISTS.consultations)
      .flatMap(entriesOf)
      .map((entry) => this.#index.find(entry.item))
      .filter((found): found is Encounter => found?.resourceType === 'Encounter');
    const others = this.#index.all('Encounter') as readonly Encounter[];
    return [...new Set([...listed, ...others.toSorted((a, b) => compare(String(a.period?.start ?? ''), String(b.period?.start ?? '')))])];
  }

  #lists(code: string): List[] {
    return (this.#index.all('List') as readonly List[]).filter((list) => isCoded(list, code));
  }

  #consultation(encounter: Encounter, lists: readonly List[]): void {
    const composition = this.#compositions.length;
    this.#compose(
      encounter,
      lists[0],
      lists.flatMap((list) => this.#topics(list, composition)),
    );
  }

  /** A consultation that no list describes holds what names it as its context. */
  #unlistedConsultations(encounters: readonly Encounter[]): void {
    const free = this.#index.resources.filter((resource) => this.#takes(resource));
    const byContext = Map.groupBy(free, (resource) => this.#index.find(contextOf(resource)));
    for (const encounter of encounters) {
      const composition = this.#compositions.length;
      const items = (byContext.get(encounter) ?? []).flatMap((resource) => this.#put(resource, composition, 'category') ?? []);
      const groups = [{ id: this.#newId(), list: undefined, bare: false, items }];
      this.#compose(encounter, undefined, items.length ? [{ id: this.#newId(), list: undefined, groups }] : []);
    }
  }

  #compose(encounter: Encounter, list: List | undefined, topics: readonly Topic[]): void {
    const composition = this.#compositions.length;
    if (topics.length === 0) {
      this.#remark(encounter, 'statement.notCarried', 'The consultation has no entries that can be carried; it is left out.');
      return;
    }
    const id = this.#idFor(encounter);
    this.#places.set(this.#key(encounter), { composition, under: 'composition', statementId: id });
    this.#compositions.push({ kind: 'consultation', id, encounter, list, topics });
  }

  #topics(consultation: List, composition: number): Topic[] {
    const topics: Topic[] = [];
    for (const { item } of entriesOf(consultation)) {
      const found = this.#index.find(item);
      if (found?.resourceType === 'List' && isCoded(found as List, LISTS.topic)) {
        const groups = this.#groups(found as List, entriesOf(found as List), composition);
        if (groups.length) topics.push({ id: this.#idFor(found), list: found as List, groups });
        continue;
      }
      // Anything else is not where it belongs: it is kept, in a topic that the source does not have.
      if (found) this.#remark(consultation, 'link.broken', `${this.#key(found)} stands in a consultation but is no topic; it gets one.`);
      const groups = this.#groups(consultation, [{ ...(item && { item }) }], composition);
      if (groups.length) topics.push({ id: this.#newId(), list: undefined, groups });
    }
    return topics;
  }

  /** Categories as they are; entries that stand in none share a virtual one with their neighbours. */
  #groups(topic: List, entries: readonly Entry[], composition: number): Group[] {
    const groups: { id: Uuid; list: List | undefined; bare: boolean; items: Item[] }[] = [];
    for (const { item } of entries) {
      const found = this.#index.find(item, topic);
      const isList = found?.resourceType === 'List';
      const contained = normalised(item)?.includes('#') ?? false;
      if (isList && !contained && found !== topic) {
        const list = found as List;
        if (!isCoded(list, LISTS.category))
          this.#remark(topic, 'link.broken', `${this.#key(list)} stands in a topic but is no category; its entries are kept in one.`);
        const items = this.#items(list, composition, 'category', new Set([topic, list]));
        if (items.length) groups.push({ id: this.#idFor(list), list, bare: false, items });
        continue;
      }
      const last = groups.at(-1);
      const single = this.#item(topic, item, composition, contained ? 'topic' : 'category');
      if (!single) continue;
      if (last && last.list === undefined && last.bare === contained) last.items.push(single);
      else groups.push({ id: this.#newId(), list: undefined, bare: contained, items: [single] });
    }
    return groups;
  }

  /** What a list leads to, lists inside it opened. */
  #items(list: List, composition: number, under: Place['under'], opened: Set<Resource>): Item[] {
    return entriesOf(list).flatMap(({ item }) => {
      const found = this.#index.find(item, list);
      if (found?.resourceType === 'List') {
        if (opened.has(found)) return [];
        opened.add(found);
        return this.#items(found as List, composition, under, opened);
      }
      return this.#item(list, item, composition, under) ?? [];
    });
  }

  #item(list: List, reference: Reference | undefined, composition: number, under: Place['under']): Item | undefined {
    const found = this.#index.find(reference, list);
    if (!found) {
      const words = reference?.reference ?? reference?.display;
      this.#remark(list, 'link.broken', `An entry leads nowhere${words ? `: ${words}` : ''}; it is not carried.`);
      return undefined;
    }
    const resource = this.#root(found);
    if (this.#takes(resource)) return this.#put(resource, composition, under);
    if (!this.#handler(resource))
      this.#remark(
        list,
        'statement.notCarried',
        `${this.#key(resource)}: no statement of an extract can carry a ${resource.resourceType}.`,
      );
    return undefined;
  }

  #outside(resource: Resource): void {
    const item = this.#put(resource, this.#compositions.length, 'composition');
    if (item) this.#compositions.push({ kind: 'outside', id: this.#newId(), item });
  }

  /** Whether a resource still wants a place of its own. */
  #takes(resource: Resource): boolean {
    const key = this.#key(resource);
    if (this.#places.has(key) || this.#holders.has(key) || this.#leftOut.has(key)) return false;
    return this.#handler(resource) !== undefined;
  }

  #put(resource: Resource, composition: number, under: Place['under']): Item | undefined {
    const handler = this.#handler(resource);
    if (!handler) return undefined;
    this.#putAll(resource, composition, under);
    return { resource, key: this.#key(resource), handler };
  }

  #putAll(resource: Resource, composition: number, under: Place['under']): void {
    this.#places.set(this.#key(resource), { composition, under, statementId: this.#idFor(resource) });
    for (const held of this.#held.get(resource) ?? []) this.#putAll(held, composition, under);
  }

  #reportUnplaced(): void {
    for (const resource of this.#index.resources) {
      const key = this.#key(resource);
      if (this.#places.has(key) || this.#leftOut.has(key) || SUPPORTING.has(resource.resourceType)) continue;
      this.#remark(resource, 'statement.notCarried', `No statement of an extract can carry a ${resource.resourceType}.`);
    }
  }

  /** A UUID is kept, in upper case, unless another statement of the extract has it already. */
  #idFor(resource: Resource): Uuid {
    const own = (resource.id ?? '').replace(/^#/, '').toUpperCase();
    const id = isUuid(own) && !this.#used.has(own) ? own : this.#newId();
    this.#used.add(id);
    return id;
  }

  #handler(resource: Resource): Hl7Handler | undefined {
    const known = this.#taken.get(resource);
    if (known !== undefined || this.#taken.has(resource)) return known;
    const handler = handlerOf(resource, this.#handlers);
    this.#taken.set(resource, handler);
    return handler;
  }

  #key(resource: Resource): string {
    return this.#index.keys.get(resource) ?? `${resource.resourceType}/${resource.id}`;
  }

  /** Codes that stay behind while others of the same entry are carried. */
  #reportForeignCodes(): void {
    for (const resource of this.#index.resources) {
      if (!this.#places.has(this.#key(resource)) && resource.resourceType !== 'Medication') continue;
      const original = attempt(() => foreignCodes(resource), []);
      if (original.length === 0) continue;
      const systems = [...new Set(original.map(({ system }) => system))].join(', ');
      this.#remark(resource, 'value.lost', `No extract can carry codes of ${systems}; they are left out.`, original);
    }
  }

  /** What cannot be read, since it is not what FHIR says. */
  #reportShapes(): void {
    for (const resource of this.#index.resources) {
      if (resource.id === undefined) this.#remark(resource, 'link.broken', 'It has no id that is a text, so that no link can lead to it.');
      const paths = misshapen(resource);
      if (paths.length)
        this.#remark(resource, 'value.lost', `Not of the shape that FHIR gives it, so that it cannot be read: ${paths.join(', ')}.`);
    }
  }

  /** Marks on what no message has a place for: a category, a medicine, a person. */
  #reportRedactions(): void {
    for (const resource of this.#index.resources) {
      if (!attempt(() => isRedacted(resource), false) || this.#carriesMark(resource)) continue;
      const text = `Marked not to be shown to the patient; an extract has no place for the mark of a ${resource.resourceType}.`;
      this.#remark(resource, 'redaction.notCarried', text);
    }
  }

  #carriesMark(resource: Resource): boolean {
    if (resource.resourceType === 'List') return isCoded(resource as List, LISTS.topic);
    return MARKED.has(resource.resourceType) || this.#handler(resource) !== undefined;
  }

  #remark(about: Resource, code: Remark['code'], text: string, original?: Remark['original']): void {
    this.#remarks.push({ about, remark: { code, text, ...(original && { original }) } });
  }
}

const whyLeftOut = (resource: Resource, handler: Hl7Handler | undefined) =>
  handler?.leavesOut && attempt(() => handler.leavesOut?.(resource), undefined);

/** Which encounter a resource says it belongs to; the types name that member differently, and an allergy has an extension for it. */
export function contextOf(resource: Resource): Reference | undefined {
  const { context, encounter } = resource as { context?: Reference | { encounter?: Reference }; encounter?: Reference };
  const own = encounter ?? (typeof context === 'object' && 'encounter' in context ? context.encounter : (context as Reference | undefined));
  return own ?? listOf(resource.extension).find(({ url }) => url === ASSOCIATED_ENCOUNTER)?.valueReference;
}

const isObservation = (resource: Resource) => resource.resourceType === 'Observation';
const isCoded = (list: List, code: string) => listOf(list.code?.coding).some((coding) => coding.code === code);

type Entry = NonNullable<List['entry']>[number];
const entriesOf = (list: List): readonly Entry[] => listOf(list.entry).filter((entry) => typeof entry === 'object');

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * An HL7 extract as a GP Connect record: read the extract, claim every statement, map composition by composition. A fault in one
 * statement costs that statement, which stands in its place as an observation with its words; only an unreadable extract is refused,
 * and where a patient was asked for one without a patient or of another.
 */
import { Fault } from '../base/errors.ts';
import { nhsNumber } from '../base/nhs-number.ts';
import { writeJson } from '../fhir/json.ts';
import type { Bundle, Encounter, List, Organization, Patient, Resource } from '../fhir/types.ts';
import { at, attr, child, children, descendants, type XmlElement, type XmlNode } from '../xml/element.ts';
import { type ClaimedComposition, type Claims, claim, KINDS, type Kind, kindOf, upper } from './claim.ts';
import { TO_FHIR } from './concepts.ts';
import { consultationToFhir } from './consultation/to-fhir.ts';
import { withoutDoubles } from './doubles.ts';
import { type Faulty, faultInStatement } from './faulty.ts';
import { type Finished, finished, type Made } from './finished.ts';
import { Reporting } from './issues.ts';
import { type NotedTerminology, noted } from './look-ups.ts';
import { type Places, placesToFhir } from './people/locations.ts';
import { NHS_NUMBER_URI, ODS_URI } from './people/terms.ts';
import { type People, peopleToFhir } from './people/to-fhir.ts';
import { UnknownUser } from './people/unknown-user.ts';
import { settled } from './settle.ts';
import { asObservation } from './shared/degrade.ts';
import { ref } from './shared/resources.ts';
import { idOf } from './shared/statements.ts';
import type {
  Claim,
  Composition,
  Concept,
  Conversion,
  DocumentLink,
  MapToFhir,
  Origin,
  ReceivedDocument,
  Remark,
  Terminology,
  ToFhir,
  Uuid,
} from './types.ts';

export type ToFhirOptions = {
  /** A fresh UUID at each call. */
  readonly newId: () => string;
  /** ODS code of the practice that lost the patient, as the request named it; never read from the message. */
  readonly losingPractice: string;
  readonly terminology: Terminology;
  /** The patient who was asked for; left out where nobody knows, as when a file is converted. */
  readonly nhsNumber?: string;
  /** What came for an external document. Left out: nobody knows. */
  documents?(link: DocumentLink): ReceivedDocument | undefined;
  /** Left out: all concepts. */
  readonly handlers?: ReadonlyMap<Concept, MapToFhir>;
};

/**
 * `root` is the message or the extract. It is used up: its compositions are taken out of it and let go one after the other, because
 * a tree takes six times the room of its text.
 */
export function toFhir(root: XmlElement, options: ToFhirOptions): Conversion<Bundle> {
  const converted = read(root, options, true);
  if ('refused' in converted) return converted;
  const { id, resources } = converted.out;
  return {
    ...converted,
    out: bundleOf(
      id,
      resources.map(({ resource }) => (resource ? { resource } : {})),
    ),
  };
}

/**
 * As `toFhir`, the bundle as JSON that is handed to `write` in pieces: no more of the record is held as objects than what is being
 * mapped, and a record of 50 MB fits.
 */
export function writeFhir(root: XmlElement, options: ToFhirOptions, write: (piece: string) => void): Conversion<null> {
  const converted = read(root, options, false);
  if ('refused' in converted) return converted;
  const { id, resources } = converted.out;
  // An empty list stands where the entries go.
  const around = writeJson(bundleOf(id, []));
  const place = around.lastIndexOf(']');
  write(around.slice(0, place));
  for (const [at, { json }] of resources.entries()) {
    write(at === 0 ? '{"resource":' : ',{"resource":');
    write(json);
    write('}');
  }
  write(around.slice(place));
  return { ...converted, out: null };
}

function read(root: XmlElement, options: ToFhirOptions, keep: boolean): Conversion<{ id: string; resources: readonly Finished[] }> {
  const extract = extractIn(root);
  if (!extract) return { refused: 'unreadable', at: null, text: `There is no EhrExtract in ${root.name}.` };
  const number = attr(at(extract, 'recordTarget', 'patient', 'id'), 'extension')?.trim();
  if (options.nhsNumber !== undefined) {
    if (!number) return { refused: 'noPatient', at: null, text: 'The extract does not say whose it is.' };
    if (sameForm(number) !== sameForm(options.nhsNumber))
      return { refused: 'otherPatient', at: null, text: 'The extract is of another patient than was asked for.' };
  }
  const people = peopleToFhir(extract);
  const reading = new Reading(extract, takeCompositions(extract), people, number, options, keep);
  const resources = reading.resources();
  const { release, complete } = options.terminology;
  return {
    out: { id: options.newId(), resources },
    report: { ...reading.reporting.report(), terminology: { release, complete } },
  };
}

function bundleOf(id: string, entry: Bundle['entry']): Bundle {
  return {
    resourceType: 'Bundle',
    id,
    meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-StructuredRecord-Bundle-1'] },
    type: 'collection',
    entry,
  };
}

const sameForm = (number: string) => nhsNumber(number) ?? number;

/** Wherever it stands: some exports put a transport's element around the message. */
function extractIn(root: XmlElement): XmlElement | undefined {
  if (root.name === 'EhrExtract') return root;
  const known = at(root, 'ControlActEvent', 'subject', 'EhrExtract');
  if (known) return known;
  for (const element of descendants(root)) if (element.name === 'EhrExtract') return element;
  return undefined;
}

function takeCompositions(extract: XmlElement): XmlElement[] {
  const folders = children(extract, 'component').flatMap((component) => children(component, 'ehrFolder'));
  return folders.flatMap((folder) => {
    const compositions = children(folder, 'component').flatMap((component) => children(component, 'ehrComposition'));
    (folder.children as XmlNode[]).length = 0;
    return compositions;
  });
}

/** The reading of one extract: what was claimed, made and said so far. */
class Reading {
  readonly reporting = new Reporting();
  readonly #options: ToFhirOptions;
  readonly #terminology: NotedTerminology;
  readonly #people: People;
  readonly #places: Places;
  readonly #claims: Claims;
  readonly #compositions: Map<number, Composition>;
  readonly #encounters: ReadonlyMap<number, string>;
  readonly #patient: Patient;
  readonly #custodian: Organization | undefined;
  readonly #custodianReference: string | undefined;
  readonly #unknownUser: UnknownUser;
  /** Whether resources are kept as objects too. */
  readonly #keep: boolean;
  readonly #made = new Map<Kind, Finished[]>(KINDS.map((kind) => [kind, []]));
  readonly #consultations: Record<'encounters' | 'consultations' | 'topics' | 'categories', Finished[]> = {
    encounters: [],
    consultations: [],
    topics: [],
    categories: [],
  };
  readonly #sharedByKey = new Map<string, Finished>();
  readonly #idsByKey = new Map<string, Uuid>();
  readonly #failed = new Set<XmlElement>();
  readonly #extract: Origin;
  readonly #statements: Origin[] = [];
  /** What those before the first composition were made from. */
  readonly #origins = new Map<Resource, Made[]>();
  /** What stands instead of a resource that could not be made. */
  readonly #instead = new Map<string, string>();
  /** References to people who are in no list of people. */
  readonly #unlisted = new Set<string>();

  constructor(
    extract: XmlElement,
    compositions: XmlElement[],
    people: People,
    number: string | undefined,
    options: ToFhirOptions,
    keep: boolean,
  ) {
    this.#options = options;
    this.#keep = keep;
    this.#terminology = noted(options.terminology);
    this.#people = people;
    this.#extract = { composition: null, id: idOf(extract), kind: extract.name, line: extract.line };
    this.#places = placesToFhir(compositions, options.losingPractice, options.newId);
    if (!number) this.reporting.issue({ code: 'value.lost', text: 'The extract does not say whose it is.' }, this.#extract);
    this.#patient = patientToFhir(number, options.newId(), people.first);
    this.#unknownUser = new UnknownUser(options.newId());
    this.#from(this.#patient, this.#extract);
    for (const [resource, agent] of people.agents) this.#from(resource, placeOf(agent, null));
    for (const [location, numbers] of this.#places.named)
      for (const number of numbers) {
        const composition = compositions[number];
        if (composition) this.#from(location, placeOf(composition, number));
      }
    const single = compositions.map((composition, at) => this.#withoutDoubles(composition, at));
    this.#claims = claim(single, this.#terminology.terminology);
    // The caller's frame holds on to the list while everything is mapped; it must not hold on to what was in it.
    compositions.length = 0;
    const { compositions: claimed } = this.#claims;
    this.#compositions = new Map(claimed.map(({ claims: _claims, ...composition }) => [composition.number, composition]));
    this.#encounters = new Map(
      claimed.flatMap(({ isEncounter, number: at, id }) => (isEncounter ? [[at, `Encounter/${id}`] as const] : [])),
    );
    const known = people.byOds.get(options.losingPractice.toUpperCase());
    const needed = claimed.some(({ claims }) => claims.some(({ concept }) => concept === 'document'));
    this.#custodian = needed && !known ? losingPracticeToFhir(options.losingPractice, options.newId()) : undefined;
    if (this.#custodian) this.#from(this.#custodian, this.#extract, 'The practice that had the record; its documents name it.');
    this.#custodianReference = known ?? (this.#custodian && `Organization/${this.#custodian.id}`);
  }

  #withoutDoubles(composition: XmlElement, number: number): XmlElement {
    try {
      const { xml, removed } = withoutDoubles(composition);
      for (const double of removed) {
        this.reporting.came(double.name);
        this.reporting.left(placeOf(double, number), 'The problem’s own observation says the same.');
      }
      return xml;
    } catch (thrown) {
      const from = placeOf(composition, number);
      const { words, technical } = faultInStatement(thrown, `${from.kind} ${from.id}`);
      this.reporting.issue({ code: 'lookUp.skipped', text: `Doubles were not looked for (${words}).`, ...technical }, from);
      return composition;
    }
  }

  /** In the order of the bundle. */
  resources(): readonly Finished[] {
    for (const one of this.#claims.unclaimed) this.#nobodys(one);
    for (let next = this.#claims.compositions.shift(); next; next = this.#claims.compositions.shift()) {
      if (next.isEncounter) this.#consultation(next);
      for (const one of next.claims) this.#one(one);
      this.#letGo(next);
    }
    const skipped = this.#terminology.skipped();
    if (skipped !== undefined) this.reporting.issue({ code: 'lookUp.skipped', text: skipped }, this.#extract);
    const { encounters, consultations, topics, categories } = this.#consultations;
    const before = (resource: Resource) => this.#finished(resource, this.#origins.get(resource) ?? [{ from: this.#extract, why: NOBODY }]);
    const resources: Finished[] = [
      before(this.#patient),
      ...(this.#custodian ? [before(this.#custodian)] : []),
      ...this.#people.resources.map(before),
      ...encounters,
      ...consultations,
      ...topics,
      ...categories,
      ...this.#places.resources.map(before),
      ...KINDS.flatMap((kind) => this.#made.get(kind) ?? []),
    ];
    const { resource: unknown } = this.#unknownUser;
    if (unknown) resources.push(finished(unknown, [{ from: this.#extract, why: NOBODY }], this.#keep));
    const complete = settled(resources, this.#instead, this.#unlisted, this.#options.newId, (remark, one) =>
      this.reporting.issue(remark, { composition: null, id: one.name, kind: one.resourceType, line: null }),
    );
    for (const one of complete) {
      for (const { from, why } of one.made) this.reporting.origin(one.name, from, why);
      this.reporting.wrote(one.resourceType);
    }
    for (const from of this.#statements)
      if (!this.reporting.isOrigin(from)) this.reporting.left(from, 'What it says stands in the entry around it or that it belongs to.');
    for (const one of complete) if (one.redacted) this.reporting.redacted(one.name);
    return complete;
  }

  #consultation(composition: ClaimedComposition): void {
    const from = placeOf(composition.xml, composition.number);
    const s = this.#questions(from);
    this.reporting.came('ehrComposition');
    try {
      const { encounter, consultation, topics, categories } = consultationToFhir(composition, this.#places.of(composition.xml), s);
      const part = (list: List): Finished => {
        const own = this.#claims.byId.get(upper(list.id ?? ''));
        const why = 'The composition has entries in no topic, and a consultation wants one.';
        return this.#finished(list, [own ? { from: originOf(own) } : { from, why }]);
      };
      this.#consultations.encounters.push(this.#finished(encounter, [{ from }]));
      this.#consultations.consultations.push(this.#finished(consultation, [{ from }]));
      this.#consultations.topics.push(...topics.map(part));
      this.#consultations.categories.push(...categories.map(part));
    } catch (thrown) {
      const { words, technical } = faultInStatement(thrown, `ehrComposition ${composition.id}`);
      s.report({
        code: 'value.lost',
        text: `The consultation's own details cannot be read (${words}); its entries are kept.`,
        ...technical,
      });
      const encounter: Encounter = { resourceType: 'Encounter', id: composition.id, status: 'finished', subject: ref(s.patient) };
      this.#consultations.encounters.push(this.#finished(encounter, [{ from }]));
    }
  }

  #one(one: Claim): void {
    this.reporting.came(one.statement.name);
    const from = originOf(one);
    this.#statements.push(from);
    if (UNREAD.some((name) => child(one.statement, name))) this.reporting.issue({ code: 'value.lost', text: WHAT_IS_UNREAD }, from);
    if (one.concept === 'consultation' && child(one.statement, 'specimen'))
      this.reporting.issue({ code: 'value.lost', text: 'A specimen outside a report is not carried; what was found in it is.' }, from);
    if (one.concept === 'consultation' || (one.heldBy && !this.#failed.has(one.heldBy))) return;
    const s = this.#questions(from);
    // What stood inside a statement that could not be mapped is an entry by itself.
    const concept = one.heldBy ? 'observation' : one.concept;
    const handler = (this.#options.handlers ?? TO_FHIR).get(concept);
    let resources: readonly Resource[];
    try {
      if (!handler) throw new Fault('record.concept', `nothing maps a ${concept}`);
      resources = handler(one, s);
    } catch (thrown) {
      this.#failed.add(one.statement);
      resources = [this.#asWords(one, s, faultInStatement(thrown, `the ${one.statement.name}`))];
    }
    const made = this.#made.get(kindOf(one));
    for (const resource of resources) {
      const own = resource.id === undefined ? undefined : this.#claims.byId.get(upper(resource.id));
      made?.push(this.#finished(resource, [{ from: own && own !== one ? originOf(own) : from }]));
    }
  }

  /** What is known to be no entry of a record is only told; anything else is kept as words. */
  #nobodys(one: Claim): void {
    const from = originOf(one);
    const s = this.#questions(from);
    this.reporting.came(one.statement.name);
    if (one.statement.name === 'RegistrationStatement') {
      const text = 'Details of the registration at the other practice are not part of the record.';
      s.report({ code: 'statement.notCarried', text });
      this.reporting.left(from, text);
      return;
    }
    const resource = this.#asWords(one, s, { words: `a ${one.statement.name} is nothing that is known` });
    this.#made.get('observation')?.push(this.#finished(resource, [{ from }]));
  }

  #asWords(one: Claim, s: ToFhir, { words, technical }: Faulty): Resource {
    const place = `composition ${one.composition + 1}, ${one.statement.name} ${idOf(one.statement)}, line ${one.line}`;
    s.report({
      code: 'statement.asText',
      text: `The entry could not be read as what it is (${place}: ${words}); its words are kept as a note.`,
      ...technical,
    });
    const resource = asObservation(shell(one.statement), s.composition(one).xml, s, s.encounterOf(one.composition));
    const meant = this.#claims.resources.get(upper(idOf(one.statement)));
    if (meant !== undefined) this.#instead.set(meant, `Observation/${resource.id}`);
    return resource;
  }

  #from(resource: Resource, from: Origin, why?: string): void {
    this.#origins.set(resource, [...(this.#origins.get(resource) ?? []), { from, ...(why !== undefined && { why }) }]);
  }

  #finished(resource: Resource, made: Made[]): Finished {
    return finished(this.#unknownUser.standsIn(resource), made, this.#keep);
  }

  /** What a handler may ask about the statement that it maps. */
  #questions(from: Origin): ToFhir {
    const report = (remark: Remark) => this.reporting.issue(remark, from);
    const { losingPractice, newId } = this.#options;
    const { terminology } = this.#terminology;
    const claims = this.#claims;
    return {
      losingPractice,
      terminology,
      patient: `Patient/${this.#patient.id}`,
      custodian: this.#custodianReference,
      composition: ({ composition }) => this.#composition(composition),
      claimOf: (id) => claims.byId.get(upper(id)),
      resourceFor: (id) => claims.resources.get(upper(id)),
      issuesOf: (id) => claims.issues.get(upper(id)) ?? [],
      discontinuationOf: (id) => claims.discontinuations.get(upper(id)),
      repeatsOf: (id) => claims.repeats.get(upper(id)),
      prescriptionTypeOf: (id) => claims.prescriptionTypes.get(upper(id)),
      problemsNaming: (id) => claims.naming.get(upper(id)) ?? [],
      problemsHolding: (id) => claims.holding.get(upper(id)) ?? [],
      problemsCoded: (code) => claims.problemsByCode.get(code) ?? [],
      documentsOfReferral: (id) => claims.letters.get(upper(id)) ?? [],
      rankOf: (id) => claims.ranks.get(upper(id)) ?? Number.MAX_SAFE_INTEGER,
      encounterOf: (number) => this.#encounters.get(number),
      practitioner: (agent) => (agent === undefined ? undefined : this.#practitioner(agent, from)),
      agent: (agent) =>
        agent === undefined ? undefined : (this.#people.organisations.get(upper(agent)) ?? this.#practitioner(agent, from)),
      shared: (key, make) => this.#shared(key, make, from),
      newId,
      idFor: (key) => {
        const known = this.#idsByKey.get(key) ?? newId();
        this.#idsByKey.set(key, known);
        return known;
      },
      document: (link) => this.#options.documents?.(link),
      report,
    };
  }

  /** Somebody who is in no list of people is still somebody. No person is invented; the reference says that two entries have one author. */
  #practitioner(agent: Uuid, from: Origin): string | undefined {
    const key = upper(agent);
    const found = this.#people.practitioners.get(key);
    if (found !== undefined || this.#people.organisations.has(key)) return found?.reference;
    const reference = `Practitioner/${agent}`;
    if (!this.#unlisted.has(reference))
      this.reporting.issue({ code: 'link.broken', text: 'Who did this is not in the extract’s list of people.' }, from);
    this.#unlisted.add(reference);
    return reference;
  }

  /** `shared` resources stand before those that use them. */
  #shared(key: string, make: (id: string) => Resource, from: Origin): string {
    const known = this.#sharedByKey.get(key);
    if (known) {
      known.made.push({ from });
      return known.name;
    }
    const one = this.#finished(make(this.#options.newId()), [{ from }]);
    this.#sharedByKey.set(key, one);
    this.#made.get('medication')?.push(one);
    return one.name;
  }

  #composition(number: number): Composition {
    const composition = this.#compositions.get(number);
    if (!composition) throw new RangeError(`no composition ${number}`);
    return composition;
  }

  /** After its mapping only what others may still ask for stays: the statements that problems name, and what is said once for all. */
  #letGo(done: ClaimedComposition): void {
    const { claims, isEncounter: _known, ...composition } = done;
    this.#compositions.set(composition.number, { ...composition, xml: shell(composition.xml) });
    const { byId, naming, holding } = this.#claims;
    for (const one of claims) {
      const id = upper(idOf(one.statement));
      for (const supply of children(one.statement, 'component').flatMap((component) => children(component)))
        if (byId.get(upper(idOf(supply))) === one && !naming.has(id) && !holding.has(id)) byId.delete(upper(idOf(supply)));
      if (byId.get(id) !== one) continue;
      if (!naming.has(id) && !holding.has(id)) byId.delete(id);
      else byId.set(id, { ...one, ...(one.within && { within: shell(one.within) }), ...(one.heldBy && { heldBy: shell(one.heldBy) }) });
    }
  }
}

/** What a statement may say besides, and no system in use sends. */
const UNREAD = ['informant', 'replacementOf', 'sequelTo', 'reason'] as const;
const WHAT_IS_UNREAD = 'Who told it, and what other entry it replaces, follows or is because of, is not carried.';

const NOBODY = 'Nobody is named where GP Connect wants somebody; one unknown user stands there.';

/** An element without the components inside it. */
function shell(element: XmlElement): XmlElement {
  return { ...element, children: element.children.filter((node) => typeof node === 'string' || node.name !== 'component') };
}

function placeOf(element: XmlElement, composition: number | null): Origin {
  return { composition, id: idOf(element), kind: element.name, line: element.line };
}

function originOf({ composition, statement, line }: Claim): Origin {
  return { composition, id: idOf(statement), kind: statement.name, line };
}

/** Nothing but the number: names, birth date and address do not travel. */
function patientToFhir(number: string | undefined, id: string, practice: string | undefined): Patient {
  return {
    resourceType: 'Patient',
    id,
    meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Patient-1'] },
    ...(number && { identifier: [{ system: NHS_NUMBER_URI, value: number }] }),
    ...(practice && { managingOrganization: ref(practice) }),
  };
}

function losingPracticeToFhir(ods: string, id: string): Organization {
  return {
    resourceType: 'Organization',
    id,
    meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Organization-1'] },
    identifier: [{ system: ODS_URI, value: ods }],
  };
}

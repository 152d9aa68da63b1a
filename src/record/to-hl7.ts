/**
 * A GP Connect record as an HL7 extract: index the bundle, place every resource, write composition by composition. A fault in one
 * resource costs that resource, which stands in its place as a narrative; only a bundle without the patient is refused.
 */
import { type Hl7Time, hl7ToEpoch, toHl7Seconds } from '../base/hl7-time.ts';
import { nhsNumber } from '../base/nhs-number.ts';
import type { Bundle, Encounter, List, MedicationRequest, Patient, Resource } from '../fhir/types.ts';
import { h, type XmlElement } from '../xml/element.ts';
import { writeCloseTag, writeOpenTag, writeXml } from '../xml/write.ts';
import { attempt, type BundleIndex, indexBundle, listOf } from './bundle-index.ts';
import { type Hl7Handler, TO_HL7 } from './concepts.ts';
import { category, emptyComposition, encounterComposition, outsideComposition, relatedProblem, topic } from './consultation/to-hl7.ts';
import { type Faulty, faultInResource } from './faulty.ts';
import { Reporting } from './issues.ts';
import { emptyHeading, supportingOrigins, uncarriedText, whyLeft } from './left.ts';
import { namedBy } from './named-by.ts';
import { type Around, notCarried, peopleNotCarried } from './not-carried.ts';
import { type Directory, directory } from './people/directory.ts';
import { NHS_NUMBER_OID, NHS_NUMBER_URI, SDS_ORGANISATION_OID } from './people/terms.ts';
import { agentDirectory } from './people/to-hl7.ts';
import { contextOf, type Group, handlerOf, type Item, type Placement, type Planned, place, type Topic } from './place.ts';
import { type Answers, answersOf, Questions } from './questions.ts';
import { snomedCode } from './shared/coded.ts';
import { asNarrative } from './shared/degrade.ts';
import { isRedacted, MARK_LEFT_OUT } from './shared/redaction.ts';
import { component, id, narrative, statusComplete } from './shared/statements.ts';
import { availabilityTime, effectiveAt, hl7Time, timeElement } from './shared/times.ts';
import { StatementIds } from './statement-ids.ts';
import type { Conversion, DocumentFate, Origin, Remark, Statement, ToHl7, Uuid } from './types.ts';

export type ToHl7Options = {
  /** A fresh UUID at each call; the same sequence gives the same bytes. */
  readonly newId: () => string;
  readonly now: Date;
  /** The patient that the request asks for; the record must be theirs. */
  readonly nhsNumber: string;
  /** Id of the request that the extract answers. */
  readonly requestId: string;
  /** The practice that asked. */
  readonly fromOds: string;
  /** The practice whose record it is. */
  readonly toOds: string;
  /** True in UK07. */
  readonly redactions: boolean;
  /** By `DocumentReference/…`. */
  readonly documents: ReadonlyMap<string, DocumentFate> | ((reference: string) => DocumentFate | undefined);
  /** Takes the compositions, one after the other, as XML text. */
  write(chunk: string): void;
  /** Left out: all concepts. */
  readonly handlers?: readonly Hl7Handler[];
};

/** `head`, what was written, and `tail` make one `<EhrExtract>…</EhrExtract>`. */
export type WrittenExtract = { readonly extractId: Uuid; readonly head: string; readonly tail: string; readonly nhsNumber: string };

export function toHl7(bundle: Bundle, options: ToHl7Options): Conversion<WrittenExtract> {
  if (bundle?.resourceType !== 'Bundle' || (bundle.entry !== undefined && !Array.isArray(bundle.entry)))
    return { refused: 'unreadable', at: null, text: 'What the practice’s system gave is no FHIR bundle.' };
  const index = indexBundle(bundle);
  const patient = patientOf(index, options.nhsNumber);
  if ('refused' in patient) return patient;
  const drawId = () => options.newId().toUpperCase();
  const extractId = drawId();
  const folderId = drawId();
  const placement = place(index, options.handlers ?? TO_HL7, drawId);
  const writing = new Writing(index, placement, drawId, options);
  for (const composition of placement.compositions) writing.composition(composition);
  if (!writing.wroteSome) writing.nothing(patient);
  const ends = writing.ends(extractId, folderId, patient);
  writing.account(extractId, patient);
  return { out: { extractId, ...ends, nhsNumber: options.nhsNumber }, report: writing.reporting.report() };
}

// Carried with other entries, but a loss to the reader where no entry is there to carry them.
const CLINICAL: ReadonlySet<string> = new Set(['MedicationStatement', 'Specimen']);

/** Who and where, and lists: a bundle of these alone is the whole record of a patient about whom nothing was recorded yet. */
const AROUND_ENTRIES: ReadonlySet<string> = new Set([
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'HealthcareService',
  'RelatedPerson',
  'List',
]);

function patientOf(index: BundleIndex, wanted: string): Patient | { refused: 'noPatient' | 'otherPatient'; at: null; text: string } {
  const patients = index.all('Patient') as readonly Patient[];
  if (patients.length === 0) return { refused: 'noPatient', at: null, text: 'The record has no Patient resource.' };
  const numbers = (patient: Patient) =>
    listOf(patient.identifier).flatMap(({ system, value }) =>
      system === NHS_NUMBER_URI && typeof value === 'string' ? [nhsNumber(value) ?? value] : [],
    );
  const found = patients.find((patient) => numbers(patient).includes(nhsNumber(wanted) ?? wanted));
  if (found) return found;
  if (patients.some((patient) => numbers(patient).length > 0))
    return { refused: 'otherPatient', at: null, text: 'The record is of another patient than the request asks for.' };
  return { refused: 'noPatient', at: null, text: 'The record’s patient has no NHS number.' };
}

/** The writing of one extract: what was drawn, named and seen so far. */
class Writing {
  readonly reporting = new Reporting();
  wroteSome = false;
  readonly #index: BundleIndex;
  readonly #placement: Placement;
  readonly #drawId: () => Uuid;
  readonly #options: ToHl7Options;
  readonly #directory: Directory;
  readonly #answers: Answers;
  readonly #issuesOf: Around['issuesOf'];
  readonly #statementIds: StatementIds;
  readonly #origins = new Map<Resource, Origin>();
  #low: Hl7Time | null = null;
  #high: Hl7Time | null = null;

  constructor(index: BundleIndex, placement: Placement, drawId: () => Uuid, options: ToHl7Options) {
    this.#index = index;
    this.#placement = placement;
    this.#drawId = drawId;
    this.#options = options;
    const own = new Set([...placement.places.values()].map(({ statementId }) => statementId));
    this.#statementIds = new StatementIds(own, this.reporting, drawId);
    this.#directory = directory(index, drawId);
    this.#issuesOf = namedBy<MedicationRequest>(index, 'MedicationRequest', (request) => request.basedOn ?? []);
    const { documents, redactions } = options;
    this.#answers = answersOf(index, placement, this.#directory, {
      redactions,
      newId: drawId,
      document: (reference) => (typeof documents === 'function' ? documents(reference) : documents.get(reference)),
      report: (remark, about) => this.reporting.issue(remark, this.#origin(about)),
    });
    for (const resource of [...index.resources, ...index.doubles, ...index.repeats]) this.reporting.came(resource.resourceType);
    for (const { about, remark } of placement.remarks) this.reporting.issue(remark, this.#origin(about));
    this.#marks();
  }

  /** Every mark is counted. One that the kind of message cannot carry is named at its resource, unless no message could. */
  #marks(): void {
    const named = this.#placement.remarks.filter(({ remark }) => remark.code === MARK_LEFT_OUT.code).map(({ about }) => about);
    for (const resource of this.#index.resources) {
      if (!isRedacted(resource)) continue;
      this.reporting.redacted(this.#index.keys.get(resource) ?? '');
      if (!this.#options.redactions && !named.includes(resource)) this.reporting.issue(MARK_LEFT_OUT, this.#origin(resource));
    }
  }

  composition(planned: Planned): void {
    const xml = planned.kind === 'outside' ? this.#outside(planned) : this.#consultation(planned);
    if (xml === null) return;
    this.wroteSome = true;
    this.reporting.wrote('ehrComposition');
    this.#options.write(xml);
  }

  /** Says in the extract, and in the report, that there is nothing to carry; or of what nothing could be carried. */
  nothing(patient: Patient): void {
    const from = this.#origin(patient);
    const [compositionId, statementId, now] = [this.#drawId(), this.#drawId(), toHl7Seconds(this.#options.now)];
    this.reporting.wrote('ehrComposition');
    this.reporting.origin(compositionId, from, 'The schema asks for one composition at least.');
    const entries = this.#index.resources.filter(({ resourceType }) => !AROUND_ENTRIES.has(resourceType));
    if (entries.length === 0) {
      this.reporting.issue({ code: 'record.empty', text: 'The record has no entries; the extract says so.' }, from);
      this.#options.write(writeXml(component(emptyComposition(compositionId, statementId, now))));
      return;
    }
    const text = uncarriedText(entries);
    this.reporting.issue({ code: 'statement.notCarried', text }, from);
    const xml = this.#statementIds.write(narrative(statementId, text, availabilityTime(now)), from);
    const statement: Statement = { xml, effective: now, available: now, author: null };
    this.#options.write(writeXml(component(outsideComposition([statement], 'data', compositionId))));
  }

  #outside({ item, id: compositionId }: Extract<Planned, { kind: 'outside' }>): string | null {
    const statements = this.#statements(item);
    if (statements.length === 0) return null;
    this.#folderBegins(statements[0]?.effective ?? null);
    const why = 'It stands in no consultation; a composition was made around it.';
    this.reporting.origin(compositionId, this.#origin(item.resource), why);
    return writeXml(component(outsideComposition(statements, item.handler.outside, compositionId)));
  }

  #consultation({ encounter, list, topics, id: compositionId }: Extract<Planned, { kind: 'consultation' }>): string | null {
    const inside = topics.map((planned) => ({
      planned,
      groups: planned.groups.map((group) => ({
        group,
        components: group.items.flatMap((item) => this.#statements(item)).map(({ xml }) => component(xml)),
      })),
    }));
    const filled = inside
      .map(({ planned, groups }) => ({ planned, groups: groups.filter(({ components }) => components.length) }))
      .filter(({ groups }) => groups.length);
    const from = this.#origin(encounter);
    if (filled.length === 0) {
      this.reporting.issue({ code: 'statement.notCarried', text: 'Nothing in the consultation could be carried; it is left out.' }, from);
      return null;
    }
    const s = this.#questions(encounter);
    const written = (of: Encounter, withLists: boolean) => {
      const topicsWritten = filled.map(({ planned, groups }) => {
        const own = withLists ? planned.list : undefined;
        const parts = groups.flatMap(({ group, components }) =>
          group.bare ? components : [category(withLists ? group.list : undefined, own, of, group.id, components, s)],
        );
        return topic(own, of, planned.id, parts, s);
      });
      return writeXml(component(encounterComposition(of, withLists ? list : undefined, compositionId, topicsWritten, s)));
    };
    this.#consultationOrigins(compositionId, encounter, list, filled);
    try {
      const xml = written(encounter, true);
      const start = hl7Time(encounter.period?.start, s);
      this.#folderBegins(start);
      if (start !== null) this.#folderEnds(hl7Time(encounter.period?.end, s));
      return xml;
    } catch (thrown) {
      const { words, technical } = this.#fault(thrown, encounter);
      const text = `The consultation's own details cannot be read (${words}); its entries are carried without them.`;
      this.reporting.issue({ code: 'value.lost', text, ...technical }, from);
      return written({ resourceType: 'Encounter', ...(encounter.id && { id: encounter.id }) }, false);
    }
  }

  /** What the composition, its topics and categories were made from. */
  #consultationOrigins(
    compositionId: Uuid,
    encounter: Encounter,
    list: List | undefined,
    topics: readonly { planned: Topic; groups: readonly { group: Group }[] }[],
  ): void {
    const from = this.#origin(encounter);
    this.reporting.origin(compositionId, from);
    this.#losses(encounter);
    if (list) this.reporting.origin(compositionId, this.#origin(list));
    const place = encounter.location?.[0]?.location;
    const location = place && this.#index.find(place, encounter);
    if (location?.resourceType === 'Location') this.reporting.origin(compositionId, this.#origin(location));
    const made = 'What stands in it stands in no such part of the consultation, and an extract wants one.';
    for (const { planned, groups } of topics) {
      if (planned.list) this.#topicOrigin(planned.id, planned.list);
      else this.reporting.origin(planned.id, from, made);
      for (const { group } of groups)
        if (group.list) this.reporting.origin(group.id, this.#origin(group.list));
        else if (!group.bare) this.reporting.origin(group.id, planned.list ? this.#origin(planned.list) : from, made);
    }
  }

  /** A topic is linked with its problem where both stand in one composition; elsewhere only its name tells. */
  #topicOrigin(topicId: Uuid, list: List): void {
    const from = this.#origin(list);
    this.reporting.origin(topicId, from);
    const problem = attempt(() => this.#index.find(relatedProblem(list), list), undefined);
    const there = problem && this.#placement.places.get(this.#origin(problem).id)?.composition;
    const here = this.#index.find(list.encounter, list);
    if (there === undefined || !here || there === this.#origin(here).composition) return;
    const text = 'The problem that it is about stands elsewhere: the topic has the problem’s name, no link to it.';
    this.reporting.issue({ code: 'link.broken', text }, from);
  }

  /** The statements of one resource. Whatever a handler throws, the resource keeps its place, as words. */
  #statements({ resource, key, handler }: Item): readonly Statement[] {
    const where = this.#placement.places.get(key);
    if (!where) return [];
    const s = this.#questions(resource);
    const from = this.#origin(resource);
    try {
      const statements = handler
        .map(resource, where, s)
        .map((statement) => ({ ...statement, xml: this.#statementIds.write(statement.xml, from) }));
      if (statements.length) this.#went(resource, where.statementId);
      else s.report({ code: 'statement.notCarried', text: 'The entry gives nothing that an extract can carry.' });
      return statements;
    } catch (thrown) {
      const { words, technical } = this.#fault(thrown, resource);
      const text = `The entry could not be written as what it is (${words}); its words are kept as a note.`;
      s.report({ code: 'statement.asText', text, ...technical });
      return [this.#asWords(resource, where.statementId, s), ...this.#held(resource)];
    }
  }

  #fault(thrown: unknown, resource: Resource): Faulty {
    return faultInResource(thrown, resource, (reference) => this.#index.find(reference, resource));
  }

  #asWords(resource: Resource, statementId: Uuid, s: ToHl7): Statement {
    const from = this.#origin(resource);
    const statement = asNarrative(resource, statementId, s);
    this.reporting.origin(statementId, from);
    return { ...statement, xml: this.#statementIds.write(statement.xml, from) };
  }

  /** What a resource held that could not be written itself stands beside its words. */
  #held(resource: Resource): Statement[] {
    return (this.#placement.held.get(resource) ?? []).flatMap((held) => {
      const { id: key } = this.#origin(held);
      const handler = handlerOf(held, this.#options.handlers ?? TO_HL7);
      const where = this.#placement.places.get(key);
      if (!where) return [];
      return handler ? this.#statements({ resource: held, key, handler }) : [this.#asWords(held, where.statementId, this.#questions(held))];
    });
  }

  /** A resource is written together with all that it holds; what got no statement of its own stands in that of its holder. */
  #went(resource: Resource, around: Uuid): void {
    const from = this.#origin(resource);
    const own = this.#placement.places.get(from.id)?.statementId;
    const statementId = own !== undefined && this.#statementIds.has(own) ? own : around;
    this.reporting.origin(statementId, from);
    this.#losses(resource);
    for (const held of this.#placement.held.get(resource) ?? []) this.#went(held, statementId);
  }

  /** What of a resource stays behind where the resource itself is carried. */
  #losses(resource: Resource): void {
    const from = this.#origin(resource);
    const around: Around = { find: (reference) => this.#index.find(reference, resource), issuesOf: this.#issuesOf };
    for (const remark of notCarried(resource, around)) this.reporting.issue(remark, from);
    const context = attempt(() => contextOf(resource), undefined);
    const encounter = attempt(() => this.#index.find(context, resource), undefined);
    if (encounter?.resourceType !== 'Encounter') {
      const text = `The consultation that it names is not in the record: ${context?.reference}.`;
      if (!encounter && context?.reference) this.reporting.issue({ code: 'link.broken', text }, from);
      return;
    }
    const own = this.#placement.places.get(from.id)?.composition;
    const text = 'Its consultation does not list it: it is carried, not as part of that consultation.';
    if (own !== undefined && own !== this.#origin(encounter).composition) this.reporting.issue({ code: 'link.broken', text }, from);
  }

  /** Every resource is accounted for: as the origin of something, or as one of which nothing was written. Asked last. */
  account(extractId: Uuid, patient: Patient): void {
    this.reporting.origin(extractId, this.#origin(patient));
    for (const agent of this.#directory.agents()) {
      this.reporting.wrote('Agent');
      for (const one of [agent.practitioner, agent.organisation, agent.role]) if (one) this.reporting.origin(agent.id, this.#origin(one));
    }
    for (const [target, resource] of supportingOrigins(this.#index, (one) => this.#carriedAs(one))) {
      this.reporting.origin(target, this.#origin(resource));
      this.#losses(resource);
    }
    for (const list of this.#index.all('List')) this.#losses(list);
    const named = this.#index.resources.filter((one) => one === patient || this.reporting.isOrigin(this.#origin(one)));
    for (const remark of peopleNotCarried(named)) this.reporting.issue(remark, this.#origin(patient));
    for (const resource of this.#index.resources) {
      const from = this.#origin(resource);
      if (this.reporting.isOrigin(from)) continue;
      const why = this.reporting.whyNotCarried(from.id) ?? whyLeft(resource);
      this.reporting.left(from, why);
      if (CLINICAL.has(resource.resourceType)) this.reporting.issue({ code: 'statement.notCarried', text: why }, from);
      const heading = emptyHeading(resource);
      if (heading)
        this.reporting.issue({ code: 'value.lost', text: `Nothing stands under the heading “${heading}”; it is not carried.` }, from);
    }
    for (const double of this.#index.doubles) this.reporting.left(this.#origin(double), 'Another resource has the same type and id.');
    for (const repeat of this.#index.repeats) this.reporting.left(this.#origin(repeat), 'It stands in the bundle more than once.');
  }

  /** The statement that a resource was written as. */
  #carriedAs(resource: Resource): Uuid | undefined {
    const from = this.#origin(resource);
    return this.reporting.isOrigin(from) ? this.#placement.places.get(from.id)?.statementId : undefined;
  }

  /** What a handler may ask while it maps this resource. */
  #questions(resource: Resource): ToHl7 {
    return new Questions(this.#answers, resource);
  }

  #origin(resource: Resource): Origin {
    const known = this.#origins.get(resource);
    if (known) return known;
    const key = this.#index.keys.get(resource) ?? `${resource.resourceType}/${resource.id ?? ''}`;
    const composition = this.#placement.places.get(key)?.composition ?? null;
    const origin: Origin = { composition, id: key, kind: resource.resourceType, line: null };
    this.#origins.set(resource, origin);
    return origin;
  }

  #folderBegins(time: Hl7Time | null): void {
    const epoch = time === null ? null : hl7ToEpoch(time);
    if (epoch !== null && epoch < (this.#low === null ? Number.POSITIVE_INFINITY : (hl7ToEpoch(this.#low) ?? epoch))) this.#low = time;
  }

  #folderEnds(time: Hl7Time | null): void {
    const epoch = time === null ? null : hl7ToEpoch(time);
    if (epoch !== null && epoch > (this.#high === null ? Number.NEGATIVE_INFINITY : (hl7ToEpoch(this.#high) ?? epoch))) this.#high = time;
  }

  /** What stands before and after the compositions. Known last: whoever was named, and from when to when the entries are. */
  ends(extractId: Uuid, folderId: Uuid, patient: Patient): { head: string; tail: string } {
    this.#statementIds.reportBroken();
    const { nhsNumber: number, requestId, fromOds, toOds } = this.#options;
    const now = toHl7Seconds(this.#options.now);
    const author = h('author', { typeCode: 'AUT' }, h('time', { value: now }), organisation(toOds));
    const folder = h(
      'ehrFolder',
      { classCode: 'FOLDER', moodCode: 'EVN' },
      id(folderId),
      statusComplete(),
      this.#folderTime(),
      availabilityTime(now),
      author,
      this.#agents(patient),
    );
    const around = h('component', { typeCode: 'COMP' });
    const extract = h('EhrExtract', { xmlns: 'urn:hl7-org:v3', 'xmlns:xsi': XSI, classCode: 'EXTRACT', moodCode: 'EVN' });
    const head = [
      writeOpenTag(extract),
      ...[
        id(extractId),
        statusComplete(),
        availabilityTime(now),
        h('recordTarget', { typeCode: 'RCT' }, h('patient', { classCode: 'PAT' }, h('id', { root: NHS_NUMBER_OID, extension: number }))),
        author,
        h('destination', { typeCode: 'DST' }, organisation(fromOds)),
      ].map(writeXml),
      writeOpenTag(around),
      writeXml(folder).slice(0, -writeCloseTag(folder).length),
    ];
    const tail = [
      writeCloseTag(folder),
      writeCloseTag(around),
      ...[answeredRequest(requestId), LIMITATION].map(writeXml),
      writeCloseTag(extract),
    ];
    return { head: head.join(''), tail: tail.join('') };
  }

  #folderTime(): XmlElement {
    if (this.#low === null && this.#high === null) return effectiveAt(null);
    return h(
      'effectiveTime',
      null,
      this.#low === null ? null : timeElement('low', this.#low),
      this.#high === null ? null : timeElement('high', this.#high),
    );
  }

  #agents(patient: Patient): XmlElement {
    const report = (remark: Remark) => this.reporting.issue(remark, this.#origin(patient));
    const practice = patient.managingOrganization && this.#directory.agent(undefined, patient.managingOrganization, { report });
    if (!practice)
      report({ code: 'link.broken', text: 'The patient’s practice is not in the record; the list of people begins without it.' });
    const agents = this.#directory.agents();
    return agentDirectory(
      agents.find((agent) => agent.id === practice),
      agents,
      this.#drawId,
    );
  }
}

const XSI = 'http://www.w3.org/2001/XMLSchema-instance';

function organisation(ods: string): XmlElement {
  return h(
    'AgentOrgSDS',
    { classCode: 'AGNT' },
    h('agentOrganizationSDS', { classCode: 'ORG', determinerCode: 'INSTANCE' }, h('id', { root: SDS_ORGANISATION_OID, extension: ods })),
  );
}

function answeredRequest(requestId: string): XmlElement {
  return h('inFulfillmentOf', { typeCode: 'FLFS' }, h('priorEhrRequest', { classCode: 'EXTRACT', moodCode: 'RQO' }, id(requestId)));
}

const LIMITATION = h(
  'limitation',
  { typeCode: 'LIMIT', inversionInd: 'true' },
  h(
    'limitingEhrExtractSpecification',
    { classCode: 'OBS', moodCode: 'DEF' },
    id('76C49C11-5271-11EA-9384-E83935108FD5'),
    snomedCode('37241000000102', 'Entire record available to originator (administrative concept)'),
  ),
);

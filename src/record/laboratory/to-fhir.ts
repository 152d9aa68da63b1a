import type { DiagnosticReport, Observation, Reference, Resource, Specimen } from '../../fhir/types.ts';
import { child, type XmlElement } from '../../xml/element.ts';
import { COMMENT_NOTE } from '../observation/terms.ts';
import { begun, commentNote, issuedByComposition, measured } from '../observation/to-fhir.ts';
import { codedToFhir, snomedCodesOf } from '../shared/coded.ts';
import { isUserComment, PMIP, withoutEnvelope } from '../shared/comment.ts';
import { degraded } from '../shared/degrade.ts';
import { maybe, ref } from '../shared/resources.ts';
import { allStatementsIn, authorOf, firstCode, idOf, participantsOf, performerOf, statementsIn, textIn } from '../shared/statements.ts';
import { dateTimeOf, effectiveToFhir, instantOf } from '../shared/times.ts';
import type { Claim, MapToFhir, ToFhir } from '../types.ts';
import { readResultText } from './comment.ts';
import { reportOf } from './report.ts';
import { isPlaceholder, specimenToFhir } from './specimen.ts';
import { LABORATORY, PLACEHOLDER, SPECIMEN } from './terms.ts';

/**
 * A report's CompoundStatement with everything below it, at any depth: the report, its specimens, results, test groups and comments.
 * What stands where no laboratory puts it is kept as well as what it is.
 */
export const laboratoryToFhir: MapToFhir = (claim, s) => new ReportReading(claim, s).read();

/** What stands around a statement of the tree. */
type Around = {
  /** Compound statements around it, the report first. */
  readonly compounds: readonly XmlElement[];
  /** `Specimen/…`, where one was named. */
  readonly specimen: string | undefined;
  /** Whether the report lists it itself; what stands in a group is found by its group. */
  readonly listed: boolean;
};

class ReportReading {
  readonly #claim: Claim;
  readonly #s: ToFhir;
  readonly #results: string[] = [];
  readonly #observations = new Map<XmlElement, Observation>();
  readonly #comments: Observation[] = [];
  readonly #groups: Observation[] = [];
  readonly #specimens: Specimen[] = [];

  constructor(claim: Claim, s: ToFhir) {
    this.#claim = claim;
    this.#s = s;
  }

  read(): Resource[] {
    const { statement: xml } = this.#claim;
    const top: Around = { compounds: [xml], specimen: undefined, listed: true };
    const { report, notes, isFiled, told } = reportOf(this.#claim, this.#narrativesIn(xml), this.#s, (narrative) =>
      this.#note(narrative, top),
    );
    this.#isUnknown = told === 'unknown';
    this.#makers = (report.performer ?? []).flatMap(({ actor }) => actor ?? []);
    for (const note of notes) {
      this.#comments.push(this.#inReport(note));
      this.#list(note);
    }
    if (!isFiled) this.#filingComment(xml);
    this.#inside(xml, top);
    const specimen = this.#specimens.filter(({ id }) => this.#named.has(id ?? '')).map(({ id }) => ref(`Specimen/${id}`));
    const whole: DiagnosticReport = {
      ...report,
      ...(specimen.length && { specimen }),
      ...(this.#results.length && { result: this.#results.map(ref) }),
    };
    return [...this.#observations.values(), whole, ...this.#specimens, ...this.#comments, ...this.#groups];
  }

  readonly #named = new Set<string>();
  /** The report says of itself that its status is unknown. */
  #isUnknown = false;
  /** Who made the report, where it names them: the laboratory, whoever asked and whoever is told. */
  #makers: readonly Reference[] = [];

  /**
   * What a part of the report has from the report where it says nothing itself: that its status is unknown; and, of a result, who made it.
   */
  #inReport(observation: Observation, statement?: XmlElement): Observation {
    const own = statement && participantsOf(statement, 'Participant').some(({ type }) => type === 'PRF' || type === 'PPRF');
    return {
      ...observation,
      ...(this.#isUnknown && observation.status === 'final' && { status: 'unknown' }),
      ...(statement && !own && this.#makers[0]?.reference && { performer: [...this.#makers] }),
    };
  }

  /** Results first, then specimens and clusters, in the order of the statement. */
  #inside(parent: XmlElement, around: Around): void {
    for (const statement of statementsIn(parent)) if (statement.name === 'ObservationStatement') this.#result(statement, around);
    for (const statement of statementsIn(parent)) if (statement.name === 'CompoundStatement') this.#compound(statement, around);
  }

  #compound(compound: XmlElement, around: Around): void {
    const inner = { ...around, compounds: [...around.compounds, compound] };
    if (isSpecimen(compound)) this.#specimen(compound, inner);
    else if (firstCode(compound, 'classCode') === 'BATTERY') this.#group(compound, inner);
    else this.#cluster(compound, inner);
  }

  #specimen(cluster: XmlElement, around: Around): void {
    const narratives = this.#narrativesIn(cluster).filter((narrative) => !isEmptyReport(narrative));
    if (isPlaceholder(cluster)) {
      for (const narrative of narratives) if (textOfComment(narrative) !== PLACEHOLDER.specimen) this.#comment(narrative, around);
      this.#inside(cluster, around);
      return;
    }
    const id = idOf(cluster);
    this.#specimens.push(specimenToFhir(cluster, id, narratives, [this.#s.composition(this.#claim).xml, ...around.compounds], this.#s));
    this.#named.add(id);
    this.#inside(cluster, { ...around, specimen: `Specimen/${id}` });
  }

  /** A result with its comments. */
  #cluster(cluster: XmlElement, around: Around): void {
    const results = statementsIn(cluster).flatMap((statement) => {
      const result = statement.name === 'ObservationStatement' ? this.#result(statement, around) : undefined;
      return result ? [{ statement, result }] : [];
    });
    for (const narrative of this.#narrativesIn(cluster)) {
      if (isUserComment(textIn(narrative)) || results.length === 0) {
        const note = this.#comment(narrative, around);
        if (results.length === 0) continue;
        delete note.effectiveDateTime;
        for (const { result } of results) {
          relate(note, 'derived-from', result);
          // What is said about a redacted result tells the result.
          if (result.meta?.security) note.meta = { ...note.meta, security: result.meta.security };
        }
      } else
        for (const { statement, result } of results) addWords(result, textOfComment(narrative), child(statement, 'value') !== undefined);
    }
    for (const statement of statementsIn(cluster)) if (statement.name === 'CompoundStatement') this.#compound(statement, around);
  }

  /** A test group: the results that were asked for together. */
  #group(battery: XmlElement, around: Around): void {
    const inner = { ...around, listed: false };
    const compounds = statementsIn(battery).filter(({ name }) => name === 'CompoundStatement');
    const before = this.#groups.length;
    for (const compound of compounds) this.#compound(compound, inner);
    const groupsInside = this.#groups.splice(before);
    for (const statement of statementsIn(battery)) if (statement.name === 'ObservationStatement') this.#result(statement, inner);
    const group = this.#inReport(this.#groupObservation(battery, around), battery);
    this.#groups.push(group, ...groupsInside);
    for (const narrative of this.#narrativesIn(battery)) {
      if (isUserComment(textIn(narrative))) {
        const note = this.#comment(narrative, inner);
        relate(group, 'has-member', note);
        relate(note, 'derived-from', group);
      } else if (!isEmptyReport(narrative)) addWords(group, textOfComment(narrative), false);
    }
    for (const statement of allStatementsIn(battery)) {
      if (statement.name !== 'ObservationStatement') continue;
      const member = this.#observations.get(statement);
      const target = member ? `Observation/${member.id}` : this.#s.resourceFor(idOf(statement));
      if (target) relateTo(group, 'has-member', target);
      if (member) relate(member, 'derived-from', group);
    }
    for (const one of groupsInside) {
      relate(group, 'has-member', one);
      relate(one, 'derived-from', group);
    }
    if (around.listed) this.#list(group);
  }

  #groupObservation(battery: XmlElement, around: Around): Observation {
    const s = this.#s;
    const claim = { ...this.#claim, statement: battery };
    const { performer: _performer, ...head } = begun(claim, s, around.compounds);
    const performer = s.practitioner(performerOfGroup(battery, s.composition(this.#claim).xml));
    const issued = instantOf(child(battery, 'availabilityTime'), s) ?? instantOf(child(this.#claim.statement, 'availabilityTime'), s);
    return {
      ...head,
      category: [{ coding: [{ ...LABORATORY }] }],
      code: degraded(codedToFhir(child(battery, 'code'), s.terminology) ?? {}, 'record', s),
      ...effectiveToFhir(battery, s),
      ...(issued ? { issued } : issuedByComposition(this.#claim, s)),
      ...(performer && { performer: [ref(performer)] }),
      ...maybe('specimen', around.specimen),
    };
  }

  /** An ObservationStatement as a result; undefined where it became something else (a vaccination). */
  #result(statement: XmlElement, around: Around): Observation | undefined {
    if (!this.#isMine(statement)) return undefined;
    const known = this.#observations.get(statement);
    if (known) return known;
    const s = this.#s;
    const issued = instantOf(child(statement, 'availabilityTime'), s);
    const result: Observation = {
      ...this.#inReport(measured({ ...this.#claim, statement }, s, [statement, ...around.compounds]), statement),
      category: [{ coding: [{ ...LABORATORY }] }],
      ...(issued && { issued }),
      ...maybe('specimen', around.specimen),
    };
    this.#observations.set(statement, result);
    if (around.listed) this.#list(result);
    return result;
  }

  #list(observation: Observation): void {
    const reference = `Observation/${observation.id}`;
    if (!this.#results.includes(reference)) this.#results.push(reference);
  }

  #comment(narrative: XmlElement, around: Around): Observation {
    const note = this.#inReport(this.#note(narrative, around));
    this.#comments.push(note);
    return note;
  }

  #note(narrative: XmlElement, around: Around): Observation {
    const note = commentNote({ ...this.#claim, statement: narrative }, this.#s, [narrative, ...around.compounds], textOfComment(narrative));
    return note;
  }

  /** That a report was filed is only told by the comment of a user in one of its groups: who filed it wrote the composition. */
  #filingComment(report: XmlElement): void {
    const narrative = statementsIn(report)
      .filter((compound) => compound.name === 'CompoundStatement' && firstCode(compound, 'classCode') === 'CLUSTER')
      .flatMap((compound) => statementsIn(compound))
      .filter((compound) => compound.name === 'CompoundStatement' && firstCode(compound, 'classCode') === 'BATTERY')
      .flatMap((battery) => this.#narrativesIn(battery))
      .find((one) => textIn(one).includes(`CommentType:${PMIP.user}`));
    if (!narrative) return;
    const s = this.#s;
    const id = s.newId();
    const author = authorOf(s.composition(this.#claim).xml);
    const performer = s.practitioner(author.agent);
    const effectiveDateTime = dateTimeOf(author.time, s);
    const issued = instantOf(child(narrative, 'availabilityTime'), s);
    const { performer: _performer, ...head } = begun({ ...this.#claim, statement: narrative }, s, [narrative, report]);
    const note: Observation = {
      ...head,
      id,
      identifier: (head.identifier ?? []).map((identifier) => ({ ...identifier, value: id })),
      status: 'unknown',
      code: { coding: [{ ...COMMENT_NOTE }] },
      ...(effectiveDateTime && { effectiveDateTime }),
      ...(issued && { issued }),
      ...(performer && { performer: [ref(performer)] }),
    };
    this.#comments.push(note);
    this.#list(note);
  }

  #narrativesIn(parent: XmlElement): XmlElement[] {
    return statementsIn(parent).filter((statement) => statement.name === 'NarrativeStatement' && this.#isMine(statement));
  }

  /** Documents and vaccinations in a report's tree belong to their own concepts. */
  #isMine(statement: XmlElement): boolean {
    const owner = this.#s.claimOf(idOf(statement));
    return owner === undefined || owner.statement !== statement || owner.concept === 'laboratory';
  }
}

const isSpecimen = (compound: XmlElement) => snomedCodesOf(child(compound, 'code'))[0] === SPECIMEN.code;
const textOfComment = (narrative: XmlElement) => withoutEnvelope(textIn(narrative));
const isEmptyReport = (narrative: XmlElement) => textOfComment(narrative) === PLACEHOLDER.report;

function performerOfGroup(battery: XmlElement, composition: XmlElement): string | undefined {
  const own = participantsOf(battery, 'Participant').find(({ type }) => type === 'PRF' || type === 'PPRF');
  return own?.agent ?? performerOf({ ...battery, children: [] }, composition);
}

function relate(of: Observation, type: 'has-member' | 'derived-from', to: Observation): void {
  relateTo(of, type, `Observation/${to.id}`);
}

function relateTo(of: Observation, type: 'has-member' | 'derived-from', reference: string): void {
  const related = of.related ?? [];
  if (!related.some((one) => one.type === type && one.target?.reference === reference))
    of.related = [...related, { type, target: ref(reference) }];
}

/** The words of a comment of the laboratory belong to its result. */
function addWords(result: Observation, text: string, hasValue: boolean): void {
  const { comment, rangeUnits, referenceRange, ...read } = readResultText(text, hasValue);
  Object.assign(result, { ...read, ...(read.interpretation && { interpretation: { ...result.interpretation, ...read.interpretation } }) });
  const ranges = mergeRanges(result.referenceRange ?? [], referenceRange ?? [], rangeUnits);
  if (ranges.length) result.referenceRange = ranges;
  if (comment) result.comment = result.comment ? `${result.comment}\n${comment}` : comment;
}

type Ranges = NonNullable<Observation['referenceRange']>;

/** The statement has a range's numbers, the comment its text and its unit. */
function mergeRanges(known: Ranges, read: Ranges, unit: string | undefined): Ranges {
  const withUnit = known.map((range) =>
    unit === undefined
      ? range
      : { ...range, ...(range.low && { low: { ...range.low, unit } }), ...(range.high && { high: { ...range.high, unit } }) },
  );
  const left = [...read];
  const merged = withUnit.map((range) => {
    const [next] = left;
    if (!next || range.text !== undefined || next.low || next.high || next.text === undefined) return range;
    left.shift();
    return { ...range, text: next.text };
  });
  return [...merged, ...left];
}

/**
 * Which concept owns each statement of an extract, first match wins; and all facts that cross compositions, indexed once, so that no
 * handler walks the tree.
 */
import type { Hl7Time } from '../base/hl7-time.ts';
import { at, attr, child, children, descendants, type XmlElement } from '../xml/element.ts';
import { isBloodPressureStatement, partsOfBloodPressure } from './blood-pressure/to-fhir.ts';
import { NO_ENCOUNTER } from './consultation/terms.ts';
import { speaksOfVaccination } from './immunisation/terms.ts';
import { repeatsOf, tellsOf } from './medication/supply.ts';
import { isSelfReferral } from './referral/terms.ts';
import { READ_V2_OID, SNOMED_OID } from './shared/code-systems.ts';
import { sctOf, snomedCodesOf } from './shared/coded.ts';
import { annotationsOf } from './shared/comment.ts';
import { firstCode, idOf, statementsIn } from './shared/statements.ts';
import { timeOf } from './shared/times.ts';
import type { Claim, Composition, Concept, Terminology, Uuid } from './types.ts';

export type Issued = { readonly id: Uuid; readonly at: Hl7Time | null; readonly statement: XmlElement };

export type ClaimedComposition = Composition & { readonly isEncounter: boolean; readonly claims: readonly Claim[] };

export type Claims = {
  /** In document order. Whoever maps them takes them out, so that they can go. */
  readonly compositions: ClaimedComposition[];
  /** Statements and supplies by id, in upper case. */
  readonly byId: Map<Uuid, Claim>;
  /** `Type/id` by the id of a statement or supply, in upper case. */
  readonly resources: ReadonlyMap<Uuid, string>;
  readonly ranks: ReadonlyMap<Uuid, number>;
  readonly issues: ReadonlyMap<Uuid, readonly Issued[]>;
  readonly discontinuations: ReadonlyMap<Uuid, XmlElement>;
  /** Repeats that authorisations allow; null for one that does not say. */
  readonly repeats: ReadonlyMap<Uuid, number | null>;
  /** Prescription types that authorisations tell in words. */
  readonly prescriptionTypes: ReadonlyMap<Uuid, string>;
  readonly naming: ReadonlyMap<Uuid, readonly Uuid[]>;
  readonly holding: ReadonlyMap<Uuid, readonly Uuid[]>;
  readonly letters: ReadonlyMap<Uuid, readonly Uuid[]>;
  /** Problems by the SNOMED code of what they are. */
  readonly problemsByCode: ReadonlyMap<string, readonly Uuid[]>;
  /** What stands where a statement should and is none, or is known and carries no entry. */
  readonly unclaimed: readonly Claim[];
};

/** Everything about the compositions of one extract, in document order. */
export function claim(compositions: readonly XmlElement[], terminology: Terminology): Claims {
  return new Claiming(compositions, terminology).claims();
}

/** The order in which the resources of one kind follow those of another; readers are used to it. */
const ORDER = [
  'plan',
  'referral',
  'medication',
  'bloodPressure',
  'observation',
  'immunisation',
  'problem',
  'document',
  'panel',
  'allergy',
  'laboratory',
  'comment',
] as const;
export type Kind = (typeof ORDER)[number];

/** Where the resources of a claim stand among the others. */
export function kindOf({ concept, statement }: Claim): Kind {
  if (statement.name === 'RequestStatement' && isSelfReferral(statement)) return 'observation';
  if (concept === 'observation' && statement.name === 'CompoundStatement') return 'panel';
  if (concept === 'observation' && statement.name === 'NarrativeStatement') return 'comment';
  return ORDER.find((kind) => kind === concept) ?? 'observation';
}

export const KINDS: readonly Kind[] = ORDER;

type Around = {
  readonly composition: number;
  readonly within?: XmlElement;
  readonly report?: XmlElement;
  /** Statements that the compound around them maps itself. */
  readonly held?: { readonly by: XmlElement; readonly parts: readonly XmlElement[] };
};

class Claiming {
  readonly #terminology: Terminology;
  readonly #statements = new Map<Uuid, XmlElement>();
  readonly #claims: Claim[][] = [];
  readonly #compositions: readonly XmlElement[];
  readonly #byId = new Map<Uuid, Claim>();
  readonly #unclaimed: Claim[] = [];

  constructor(compositions: readonly XmlElement[], terminology: Terminology) {
    this.#terminology = terminology;
    this.#compositions = compositions;
    for (const composition of compositions) this.#note(composition);
    for (const [number, composition] of compositions.entries()) {
      this.#claims.push([]);
      this.#walk(composition, { composition: number });
    }
  }

  /** Which ids there are: whether a link set ties letters to a referral depends on what it leads to. */
  #note(parent: XmlElement): void {
    for (const statement of statementsIn(parent)) {
      const id = upper(idOf(statement));
      if (id && !this.#statements.has(id)) this.#statements.set(id, statement);
      if (statement.name === 'CompoundStatement') this.#note(statement);
    }
  }

  #walk(parent: XmlElement, around: Around): void {
    for (const component of children(parent, 'component')) {
      for (const statement of children(component)) {
        if (NOT_STATEMENTS.has(statement.name)) continue;
        const found = this.#claimOne(statement, around);
        if (statement.name === 'CompoundStatement') this.#walk(statement, this.#inside(statement, found, around));
      }
    }
  }

  #inside(compound: XmlElement, found: Claim | undefined, around: Around): Around {
    const next = { composition: around.composition, within: compound };
    if (around.report) return { ...next, report: around.report };
    if (found?.concept === 'laboratory') return { ...next, report: compound };
    if (found?.concept === 'bloodPressure') return { ...next, held: { by: compound, parts: partsOfBloodPressure(compound) } };
    if (found?.concept === 'allergy') return { ...next, held: { by: compound, parts: statementsIn(compound) } };
    return next;
  }

  #claimOne(statement: XmlElement, around: Around): Claim | undefined {
    const { composition, within } = around;
    const decided = this.#decide(statement, around);
    const base = { statement, composition, line: statement.line, ...(within && { within }) };
    if (!decided) {
      if (statement.name !== 'EhrEmpty') this.#unclaimed.push({ ...base, concept: 'observation' });
      return undefined;
    }
    const { concept, heldBy } = decided;
    const made: Claim = { ...base, concept, ...(heldBy && { heldBy }) };
    this.#claims[composition]?.push(made);
    for (const id of [idOf(statement), ...suppliesOf(statement).map(idOf)].map(upper))
      if (id && !this.#byId.has(id)) this.#byId.set(id, made);
    return made;
  }

  /** The one table: first match wins. */
  #decide(statement: XmlElement, { report, held }: Around): { concept: Concept; heldBy?: XmlElement } | undefined {
    const isObservation = statement.name === 'ObservationStatement';
    const isNarrative = statement.name === 'NarrativeStatement';
    if (statement.name === 'CompoundStatement') {
      if (report) return { concept: 'laboratory', heldBy: report };
      if (isReport(statement)) return { concept: 'laboratory' };
      if (isAllergy(statement)) return { concept: 'allergy' };
      if (isBloodPressureStatement(statement)) return { concept: 'bloodPressure' };
      return { concept: isPanel(statement) ? 'observation' : 'consultation' };
    }
    if (held?.parts.includes(statement)) return { concept: isAllergy(held.by) ? 'allergy' : 'bloodPressure', heldBy: held.by };
    if (isNarrative && isDocument(statement)) return { concept: 'document' };
    if (isObservation && this.#isImmunisation(statement)) return { concept: 'immunisation' };
    if (report && (isObservation || isNarrative)) return { concept: 'laboratory', heldBy: report };
    if (isObservation || isNarrative) return { concept: 'observation' };
    switch (statement.name) {
      case 'PlanStatement':
        return { concept: 'plan' };
      case 'RequestStatement':
        return { concept: 'referral' };
      case 'MedicationStatement':
        return { concept: 'medication' };
      case 'LinkSet': {
        const request = this.#referralOf(statement);
        return request ? { concept: 'referral', heldBy: request } : { concept: 'problem' };
      }
      default:
        return undefined;
    }
  }

  #isImmunisation(statement: XmlElement): boolean {
    const code = child(statement, 'code');
    // One supplier's test extracts have a slip of the pen in SNOMED's OID.
    const slip = attr(code, 'codeSystem') === SNOMED_OID_SLIP ? [attr(code, 'code') ?? ''] : [];
    return (
      [...snomedCodesOf(code), ...slip].some((one) => this.#terminology.isImmunisation(one)) ||
      annotationsOf(statement).some(({ text }) => speaksOfVaccination(text))
    );
  }

  /** A link set of letters: it names a referral, holds documents only, and says nothing else. */
  #referralOf(linkSet: XmlElement): XmlElement | undefined {
    const code = child(linkSet, 'code');
    const bare = attr(code, 'codeSystem') === SNOMED_OID && attr(code, 'code') === '394776006' && children(code).length === 0;
    const request = this.#statements.get(namedBy(linkSet) ?? '');
    const letters = heldByLinkSet(linkSet).map((id) => this.#statements.get(id));
    const all = letters.length > 0 && letters.every((letter) => letter?.name === 'NarrativeStatement' && isDocument(letter));
    return bare && all && request?.name === 'RequestStatement' ? request : undefined;
  }

  claims(): Claims {
    const everything = this.#claims.flat();
    const linkSets = everything.filter(({ statement }) => statement.name === 'LinkSet');
    const problems = linkSets.filter(({ concept }) => concept === 'problem').map(({ statement }) => statement);
    const letters = linkSets.filter(({ concept }) => concept === 'referral').map(({ statement }) => statement);
    return {
      compositions: this.#compositions.map((xml, number) => ({
        number,
        xml,
        id: idOf(xml),
        effectiveStart: startOf(xml),
        available: timeOf(child(xml, 'availabilityTime')) ?? null,
        isEncounter: isEncounter(xml),
        claims: this.#claims[number] ?? [],
      })),
      byId: this.#byId,
      resources: resourcesOf(everything),
      ranks: ranksOf(everything),
      issues: issuesOf(everything),
      discontinuations: discontinuationsOf(everything),
      repeats: new Map(supplies(everything, 'ehrSupplyAuthorise').map((supply) => [upper(idOf(supply)), repeatsOf(supply) ?? null])),
      prescriptionTypes: new Map(
        supplies(everything, 'ehrSupplyAuthorise').flatMap((supply) => {
          const { prescriptionType } = tellsOf(supply);
          return prescriptionType === undefined ? [] : [[upper(idOf(supply)), prescriptionType] as const];
        }),
      ),
      naming: grouped(problems.map((linkSet) => [namedBy(linkSet), idOf(linkSet)])),
      holding: grouped(problems.flatMap((linkSet) => heldByLinkSet(linkSet).map((id): [Uuid, Uuid] => [id, idOf(linkSet)]))),
      letters: grouped(letters.flatMap((linkSet) => heldByLinkSet(linkSet).map((id): [Uuid | undefined, Uuid] => [namedBy(linkSet), id]))),
      problemsByCode: grouped(
        problems.map((linkSet) => [sctOf(child(this.#statements.get(namedBy(linkSet) ?? ''), 'code')), idOf(linkSet)]),
      ),
      unclaimed: this.#unclaimed,
    };
  }
}

// Elements that may stand beside a statement in a component.
const NOT_STATEMENTS: ReadonlySet<string> = new Set(['sequenceNumber', 'seperatableInd', 'templateId']);

const SNOMED_OID_SLIP = '2.16.840.1.113883.2.1.3.2.3.15';

/** Ids are compared without case. Most are in upper case already, and stay the same string in every index. */
export const upper = (id: string) => (NOT_UPPER.test(id) ? id.trim().toUpperCase() : id);
const NOT_UPPER = /[^A-Z0-9-]/;

const LABORATORY_REPORT = '16488004';
const SPECIMEN = '123038009';

const isReport = (compound: XmlElement) =>
  (attr(compound, 'classCode') ?? '').split(/\s+/).includes('CLUSTER') && sctOf(child(compound, 'code')) === LABORATORY_REPORT;
const isSpecimen = (compound: XmlElement) => sctOf(child(compound, 'code')) === SPECIMEN;

/** A Read code of one of two kinds around a single observation; what class it says it is does not matter. */
function isAllergy(compound: XmlElement): boolean {
  const code = child(compound, 'code');
  const inside = children(compound, 'component').flatMap((component) => children(component));
  return (
    attr(code, 'codeSystem') === READ_V2_OID &&
    ['SN53.00', '14L..00'].includes((attr(code, 'code') ?? '').trim()) &&
    inside.length === 1 &&
    inside[0]?.name === 'ObservationStatement'
  );
}

const isPanel = (compound: XmlElement) => ['BATTERY', 'CLUSTER'].includes(firstCode(compound, 'classCode')) && !isSpecimen(compound);

export function isDocument(narrative: XmlElement): boolean {
  return children(narrative, 'reference').some((reference) => child(reference, 'referredToExternalDocument'));
}

/** Compositions of data outside consultations, empty ones and those of a registration are no encounters. */
function isEncounter(composition: XmlElement): boolean {
  const inside = children(composition, 'component').flatMap((component) => children(component));
  return (
    !NO_ENCOUNTER.has((attr(child(composition, 'code'), 'code') ?? '').trim()) &&
    !inside.some(({ name }) => name === 'EhrEmpty' || name === 'RegistrationStatement')
  );
}

function startOf(composition: XmlElement): Hl7Time | null {
  const effective = child(composition, 'effectiveTime');
  return timeOf(child(effective, 'center')) ?? timeOf(child(effective, 'low')) ?? null;
}

const refId = (of: XmlElement | undefined) => {
  const root = attr(child(of, 'id'), 'root');
  return root === undefined ? undefined : upper(root);
};
const namedBy = (linkSet: XmlElement) => refId(at(linkSet, 'conditionNamed', 'namedStatementRef'));
const heldByLinkSet = (linkSet: XmlElement) =>
  children(linkSet, 'component').flatMap((component) => refId(child(component, 'statementRef')) ?? []);

const SUPPLIES: ReadonlySet<string> = new Set(['ehrSupplyAuthorise', 'ehrSupplyPrescribe', 'ehrSupplyDiscontinue', 'ehrSupplyDispense']);

function suppliesOf(statement: XmlElement): XmlElement[] {
  if (statement.name !== 'MedicationStatement') return [];
  return children(statement, 'component').flatMap((component) => children(component).filter(({ name }) => SUPPLIES.has(name)));
}

function supplies(claims: readonly Claim[], name: string): XmlElement[] {
  return claims.flatMap(({ statement }) => suppliesOf(statement)).filter((supply) => supply.name === name);
}

function issuesOf(claims: readonly Claim[]): Map<Uuid, Issued[]> {
  return grouped(
    supplies(claims, 'ehrSupplyPrescribe').flatMap((supply) =>
      children(supply, 'inFulfillmentOf').map((link): [Uuid | undefined, Issued] => [
        refId(child(link, 'priorMedicationRef')),
        { id: idOf(supply), at: timeOf(child(supply, 'availabilityTime')) ?? null, statement: supply },
      ]),
    ),
  );
}

function discontinuationsOf(claims: readonly Claim[]): Map<Uuid, XmlElement> {
  const found = new Map<Uuid, XmlElement>();
  for (const supply of supplies(claims, 'ehrSupplyDiscontinue'))
    for (const link of children(supply, 'reversalOf')) {
      const plan = refId(child(link, 'priorMedicationRef'));
      if (plan !== undefined && !found.has(plan)) found.set(plan, supply);
    }
  return found;
}

function grouped<T>(pairs: readonly (readonly [Uuid | undefined, T])[]): Map<Uuid, T[]> {
  const groups = new Map<Uuid, T[]>();
  for (const [key, value] of pairs) {
    if (key === undefined) continue;
    const group = groups.get(key);
    if (!group) groups.set(key, [value]);
    else if (!group.includes(value)) group.push(value);
  }
  return groups;
}

/** Later resources have greater numbers. */
function ranksOf(claims: readonly Claim[]): Map<Uuid, number> {
  const ranks = new Map<Uuid, number>();
  for (const [position, one] of claims.entries()) {
    const rank = ORDER.indexOf(kindOf(one)) * claims.length + position;
    for (const id of [one.statement, ...suppliesOf(one.statement)].map(idOf).map(upper)) if (!ranks.has(id)) ranks.set(id, rank);
  }
  return ranks;
}

function resourcesOf(claims: readonly Claim[]): Map<Uuid, string> {
  const resources = new Map<Uuid, string>();
  const set = (id: string, reference: string | undefined) => {
    if (id && reference !== undefined && !resources.has(upper(id))) resources.set(upper(id), reference);
  };
  for (const one of claims) {
    for (const supply of suppliesOf(one.statement))
      if (supply.name === 'ehrSupplyAuthorise' || supply.name === 'ehrSupplyPrescribe')
        set(idOf(supply), `MedicationRequest/${idOf(supply)}`);
    set(idOf(one.statement), resourceOf(one));
  }
  return resources;
}

/** What a claim becomes; undefined for what becomes nothing by itself. */
export function resourceOf({ concept, statement, within, heldBy }: Claim): string | undefined {
  const id = idOf(statement);
  switch (concept) {
    case 'problem':
      return `Condition/${id}`;
    case 'allergy': {
      const observation = statement.name === 'CompoundStatement' ? statementsIn(statement)[0] : statement;
      return `AllergyIntolerance/${idOf(observation)}`;
    }
    case 'medication':
      return medicationRequestOf(statement);
    case 'immunisation':
      return `Immunization/${id}`;
    case 'bloodPressure':
      return `Observation/${idOf(heldBy ?? statement)}`;
    case 'plan':
      return `ProcedureRequest/${id}`;
    case 'referral':
      if (statement.name === 'LinkSet') return undefined;
      return `${isSelfReferral(statement) ? 'Observation' : 'ReferralRequest'}/${id}`;
    case 'document':
      return `DocumentReference/${id}`;
    case 'consultation':
      return `List/${id}`;
    case 'observation':
      return `Observation/${id}`;
    case 'laboratory':
      return statement.name === 'CompoundStatement' ? laboratoryOf(statement, within, heldBy) : `Observation/${id}`;
  }
}

/** Links to a statement with several supplies mean the one that it is about: the order in an order, the plan in a plan. */
function medicationRequestOf(statement: XmlElement): string | undefined {
  const inside = suppliesOf(statement);
  const prescribe = inside.find(({ name }) => name === 'ehrSupplyPrescribe');
  const authorise = inside.find(({ name }) => name === 'ehrSupplyAuthorise');
  const supply = firstCode(statement, 'moodCode') === 'INT' ? (authorise ?? prescribe) : (prescribe ?? authorise);
  return supply && `MedicationRequest/${idOf(supply)}`;
}

function laboratoryOf(compound: XmlElement, within: XmlElement | undefined, report: XmlElement | undefined): string | undefined {
  if (!report) return `DiagnosticReport/${idOf(compound)}`;
  if (within === report) return `Specimen/${idOf(compound)}`;
  if (firstCode(compound, 'classCode') === 'BATTERY') return `Observation/${idOf(compound)}`;
  // A result in a cluster with its comments: the cluster stands for the result.
  const result = [...descendants(compound)].find(({ name }) => name === 'ObservationStatement');
  return result && `Observation/${idOf(result)}`;
}

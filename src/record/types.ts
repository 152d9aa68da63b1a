/**
 * What the clinical concepts are handed and give back. A concept is a folder: `terms.ts` (its one table of codes and labels),
 * `to-hl7.ts`, `to-fhir.ts`, `round-trip.test.ts`. Each handler sees its own resource or statement and named questions only.
 */
import type { Hl7Time } from '../base/hl7-time.ts';
import type { ReportSummary } from '../base/report.ts';
import type { Coding, Condition, MedicationStatement, Observation, Reference, Resource } from '../fhir/types.ts';
import type { XmlElement } from '../xml/element.ts';

/** Upper case in HL7. */
export type Uuid = string;

// ---- the report

/** Where in the source something stood. Going to HL7, `id` is `Type/id`; going to FHIR, the statement's id. */
export type Origin = { readonly composition: number | null; readonly id: string; readonly kind: string; readonly line: number | null };
/** What the national codes for degraded entries tell apart. */
export type DegradeKind = 'record' | 'medication' | 'referral' | 'request' | 'plan' | 'drugAllergy' | 'nonDrugAllergy';
export type IssueCode =
  | 'code.degraded'
  | 'statement.asText'
  | 'statement.notCarried'
  | 'link.broken'
  | 'value.lost'
  | 'text.replaced'
  | 'date.defaulted'
  | 'redaction.notCarried'
  | 'document.missing'
  | 'lookUp.skipped'
  | 'code.mapped'
  | 'allergy.kind'
  | 'record.empty';
/** `code` never holds patient data; `text` is for a clinician. */
export type Issue = {
  readonly code: IssueCode;
  readonly at: Origin;
  /** For clinicians. */
  readonly text: string;
  readonly original?: readonly Coding[];
  /** A degrade: of what. */
  readonly degraded?: DegradeKind;
  /** What the program said of a fault, for those who mend it: in the report, on no clinician's screen. */
  readonly technical?: string;
};
/** What a handler says; the framework knows where it stands. */
export type Remark = Omit<Issue, 'at'>;
export type ConversionReport = {
  readonly summary: ReportSummary;
  readonly issues: readonly Issue[];
  /** By kind of the source: how many came, and of how many something was written. */
  readonly counts: readonly { readonly kind: string; readonly in: number; readonly out: number }[];
  /** By kind of what was written: FHIR resource types; names of HL7 elements. */
  readonly written: readonly { readonly kind: string; readonly number: number }[];
  /** Why is this here? Each thing written, and what it was made from. */
  readonly origins: readonly Written[];
  /** Going to FHIR: by which release codes were looked up, null for none, and whether it could answer everything. */
  readonly terminology?: { readonly release: string | null; readonly complete: boolean };
  /** What nothing was written of, and why: everything of the source is either here or the origin of something. */
  readonly left: readonly { readonly from: Origin; readonly why: string }[];
};
/** `why` where the thing stands for none of the source's own, only for the sake of the form: a sentence without patient data. */
export type Written = { readonly target: string; readonly from: Origin; readonly why?: string };
export type Refusal = {
  readonly refused: 'unreadable' | 'noPatient' | 'otherPatient';
  readonly at: Origin | null;
  readonly text: string;
};
export type Conversion<Out> = { readonly out: Out; readonly report: ConversionReport } | Refusal;

// ---- sending: a resource is placed once, then written once

export type Place = {
  readonly composition: number;
  readonly under: 'topic' | 'category' | 'composition';
  /** The id of the statement that stands for the resource, and to which links lead. */
  readonly statementId: Uuid;
};

/** What became of a document before the extract is written; nothing is patched into the extract later. */
export type DocumentFate = {
  /** `DocumentReference/…` */
  readonly reference: string;
  /** The id that the manifest gives the attachment; the id of the statement where left out. */
  readonly documentId?: Uuid;
  /** File name as the extract and the manifest give it. */
  readonly filename: string;
  readonly contentType: string;
} & ({ readonly present: true; readonly bytes: number } | { readonly present: false; readonly why: string });

export interface ToHl7 {
  /** True in UK07: NOPAT marks are written. */
  readonly redactions: boolean;
  /** Any resource of the bundle by reference (`Type/id`, absolute, or contained), or undefined. */
  find<R extends Resource>(reference: Reference | string | undefined): R | undefined;
  /** All resources of a type, in bundle order. */
  all<R extends Resource>(resourceType: R['resourceType']): readonly R[];
  /** The statement that stands for a resource; undefined where it is not in the extract: the caller says what it does then. */
  statementId(reference: Reference | string | undefined): Uuid | undefined;
  /** A further id, drawn from what the caller of the conversion handed in. Upper case. */
  newId(): Uuid;
  /** The same id for the same key, in the whole conversion: `supplyId` of a medication request, for one. */
  idFor(key: string): Uuid;
  /** An agent of the directory for a practitioner (or role) and an organisation; null where neither leads to one. */
  agent(practitioner: Reference | undefined, organisation?: Reference | undefined): Uuid | null;
  /** The fate of a document. */
  document(reference: string): DocumentFate | undefined;
  /**
   * The resource inside whose statement this one is written: the report of a result, the panel of its member, by `laboratory/tree.ts`
   * and `observation/panel.ts`. The first in bundle order where several name it; undefined for one that stands by itself.
   */
  holderOf(reference: Reference | string | undefined): string | undefined;
  /** Comment notes that say they derive from this observation, in bundle order. */
  notesOn(reference: Reference | string): readonly Observation[];
  /** Conditions whose ActualProblem extension names this resource, in bundle order. */
  problemsNaming(reference: Reference | string): readonly Condition[];
  /** Conditions that call this one their parent. */
  problemsBelow(reference: Reference | string): readonly Condition[];
  /** What GP Connect tells about a medication request beside it: statements that are based on it. */
  statementsBasedOn(reference: Reference | string): readonly MedicationStatement[];
  report(remark: Remark): void;
}
export type Statement = {
  /** The statement itself (`ObservationStatement`, `LinkSet` …), without the `component` around it. */
  readonly xml: XmlElement;
  /** For the composition that a statement outside consultations gets around it. */
  readonly effective: Hl7Time | null;
  readonly available: Hl7Time | null;
  readonly author: Uuid | null;
  /** Who took part, where that is another one than the author: an allergy names both. Left out: the author. */
  readonly performer?: Uuid | null;
};
/** Gives the statements for one resource, first the one that carries `place.statementId`. A throw degrades the resource in its place. */
export type MapToHl7<R extends Resource> = (resource: R, place: Place, s: ToHl7) => readonly Statement[];

// ---- requesting: a statement is claimed by one concept, then mapped once

export type Concept =
  | 'problem'
  | 'allergy'
  | 'medication'
  | 'immunisation'
  | 'observation'
  | 'bloodPressure'
  | 'laboratory'
  | 'plan'
  | 'referral'
  | 'document'
  | 'consultation';
export type Claim = {
  readonly concept: Concept;
  readonly statement: XmlElement;
  readonly composition: number;
  readonly line: number;
  /** The CompoundStatement directly around the statement; absent where it stands in the composition itself. */
  readonly within?: XmlElement;
  /**
   * The statement whose handler maps this one together with itself, so that this claim gets no call of its own: the wrapper of an
   * allergy, the panel of a blood pressure's readings and narratives, the report of all observations, narratives and compound
   * statements at any depth below it (documents, immunisations and everything else in a report's tree are called as elsewhere).
   */
  readonly heldBy?: XmlElement;
};

/** One ehrComposition, as its statements may see it. */
export type Composition = {
  readonly number: number;
  readonly xml: XmlElement;
  readonly id: Uuid;
  readonly effectiveStart: Hl7Time | null;
  readonly available: Hl7Time | null;
};

/** How an extract refers to a document: the external document's id and the name in its `file://localhost/` reference, decoded. */
export type DocumentLink = {
  readonly documentId: string | undefined;
  readonly filename: string | undefined;
  /** What kind of document it is, in the words of its code. */
  readonly kind?: string | undefined;
};
/** What came for such a reference. */
export type ReceivedDocument = {
  readonly filename: string;
  /** Where the practice's system fetches it. */
  readonly url: string;
  readonly bytes: number | null;
  /** Why it is not there: a placeholder came in its place, or nothing did. */
  readonly missing: string | null;
};

export interface ToFhir {
  /** ODS code of the practice that lost the patient: it names the identifier system of every resource. */
  readonly losingPractice: string;
  readonly terminology: Terminology;
  composition(claim: Claim): Composition;
  /** By the id of a statement, or of a supply inside a MedicationStatement. */
  claimOf(statementId: Uuid): Claim | undefined;
  /**
   * `Observation/…`, known before any handler runs. For a MedicationStatement the request of its first prescribe or, in mood INT or
   * without prescribe, its first authorise; for a supply its own.
   */
  resourceFor(statementId: Uuid): string | undefined;
  /** `Patient/…` */
  readonly patient: string;
  /** Orders of a plan (by the id of its supply), in document order, across compositions. */
  issuesOf(supplyId: Uuid): readonly { readonly id: Uuid; readonly at: Hl7Time | null; readonly statement: XmlElement }[];
  discontinuationOf(supplyId: Uuid): XmlElement | undefined;
  /** How many repeats the plan with this supply allows, 0 for an acute; null where it does not say, undefined where it is not in the extract. */
  repeatsOf(supplyId: Uuid): number | null | undefined;
  /** The prescription type that the plan with this supply tells in words: a number of repeats does not tell them all. */
  prescriptionTypeOf(supplyId: Uuid): string | undefined;
  /** LinkSets that name this statement as what the problem is. */
  problemsNaming(statementId: Uuid): readonly Uuid[];
  /** LinkSets one of whose `statementRef`s leads to this statement, in document order. */
  problemsHolding(statementId: Uuid): readonly Uuid[];
  /** LinkSets of problems that are what this SNOMED code says. */
  problemsCoded(code: string): readonly Uuid[];
  /** Where the resource for a statement stands in the bundle that is being made: for putting references in its order. */
  rankOf(statementId: Uuid): number;
  /** `Encounter/…` where the composition became one. */
  encounterOf(composition: number): string | undefined;
  /** `Practitioner/…` for an agent reference; undefined for none. */
  practitioner(agent: Uuid | undefined): string | undefined;
  /** The resource that `practitioner` cannot give: `Organization/…` or `Practitioner/…`. */
  agent(agent: Uuid | undefined): string | undefined;
  /** The `Medication` for a drug, made once for equal codes: its reference; it is added to the bundle. */
  shared(key: string, make: (id: string) => Resource): string;
  newId(): Uuid;
  /** The same id for the same key, in the whole conversion. */
  idFor(key: string): Uuid;
  /** What came for an external document; undefined where the caller of the conversion knows nothing of it. */
  document(link: DocumentLink): ReceivedDocument | undefined;
  /** `Organization/…` of the practice that lost the patient: the custodian of its documents. */
  readonly custodian: string | undefined;
  /** The document narratives that LinkSets tie to a referral, in document order. */
  documentsOfReferral(requestId: Uuid): readonly Uuid[];
  report(remark: Remark): void;
}
export type MapToFhir = (claim: Claim, s: ToFhir) => readonly Resource[];

/** Questions to one terminology release. Without one a built-in set answers, and `release` is null. */
export interface Terminology {
  /** What people call it. */
  readonly release: string | null;
  /** Whether everything that conversions ask can be answered: false without a release, and for one whose immunisations are not whole. */
  readonly complete: boolean;
  /** By the id of a concept or of a description. */
  isImmunisation(snomedId: string): boolean;
  /** Preferred term of a concept, or undefined. */
  preferredTerm(conceptId: string): string | undefined;
  /** The concept a description belongs to, with that description's term. */
  conceptOfDescription(descriptionId: string): { readonly conceptId: string; readonly term: string } | undefined;
  /** The description of a concept that has this term. */
  descriptionOf(conceptId: string, term: string): string | undefined;
  /** The one concept in use that a code surely means by the national maps; undefined where they do not say, or not clearly. */
  meaningOf(system: 'readV2' | 'ctv3', code: string): { readonly conceptId: string; readonly descriptionId?: string } | undefined;
  /** Whether a code of an allergy, or of what it is to, is of a drug or of something else; undefined where the hierarchy does not say. */
  allergyKind(snomedId: string): 'drug' | 'other' | undefined;
}

/**
 * What stands in for an entry that cannot be carried as what it is. Requesting: the national transfer-degraded codes in front of
 * codes without SNOMED. Both directions: the entry's words as a narrative, in the entry's own place.
 */
import { Fault } from '../../base/errors.ts';
import type { CodeableConcept, Coding, Observation, Resource } from '../../fhir/types.ts';
import type { XmlElement } from '../../xml/element.ts';
import { faultInResource } from '../faulty.ts';
import type { DegradeKind, Remark, Statement, Terminology, ToFhir, ToHl7, Uuid } from '../types.ts';
import { SNOMED_URI } from './code-systems.ts';
import { mappedCoding } from './coded.ts';
import { redactionToHl7 } from './redaction.ts';
import { head, maybe, ref } from './resources.ts';
import { idOf, narrative, performerOf } from './statements.ts';
import { availabilityTime, effectiveToFhir, hl7Time } from './times.ts';
import { wordsOfResource, wordsOfStatement } from './words.ts';

const CODES: Readonly<Record<DegradeKind, readonly [code: string, display: string]>> = {
  record: ['196411000000103', 'Transfer-degraded record entry'],
  medication: ['196421000000109', 'Transfer-degraded medication entry'],
  referral: ['196431000000106', 'Transfer-degraded referral'],
  request: ['196441000000102', 'Transfer-degraded request'],
  plan: ['196451000000104', 'Transfer-degraded plan'],
  drugAllergy: ['196461000000101', 'Transfer-degraded drug allergy'],
  nonDrugAllergy: ['196471000000108', 'Transfer-degraded non-drug allergy'],
};

/** Never of drugs and allergies: their degrade makes somebody look, and stops prescribing until then. A map must not take that away. */
const MAPPED: ReadonlySet<DegradeKind> = new Set(['record', 'plan', 'referral']);

/**
 * The concept itself where it has a SNOMED code; otherwise one goes before its codings, text and codings stay as they are, and it is reported
 * with what stood there: the code that the national maps surely give for a Read code, or the degrade code. Undefined stays undefined.
 */
export function degraded<C extends CodeableConcept | undefined>(
  concept: C,
  kind: DegradeKind,
  s: { readonly terminology: Terminology; report(remark: Remark): void },
): C | CodeableConcept {
  if (!concept || concept.coding?.some((coding) => coding.system === SNOMED_URI && coding.code)) return concept;
  const [code, display] = CODES[kind];
  const original = concept.coding ?? [];
  const mapped = MAPPED.has(kind) ? firstMapped(original, s.terminology) : undefined;
  if (mapped) {
    s.report({ code: 'code.mapped', text: `“${concept.text ?? original[0]?.display ?? ''}” was mapped to “${mapped.display}”.`, original });
    return { ...concept, coding: [mapped, ...original] };
  }
  s.report({
    code: 'code.degraded',
    degraded: kind,
    text: `${display}: “${concept.text ?? original[0]?.display ?? 'no words'}” has no SNOMED code.`,
    original,
  });
  return { ...concept, coding: [{ system: SNOMED_URI, code, display }, ...original] };
}

function firstMapped(codings: readonly Coding[], terminology: Terminology): Coding | undefined {
  for (const coding of codings) {
    const mapped = mappedCoding(coding, terminology);
    if (mapped) return mapped;
  }
  return undefined;
}

/** Sending: a resource that could not be written as what it is, as a narrative with all its words, in its own place. */
export function asNarrative(resource: Resource, statementId: Uuid, s: ToHl7): Statement {
  const available = hl7Time(dateOf(resource), { report: () => undefined });
  const xml = narrative(statementId, wordsOfResource(resource), availabilityTime(available), redactionToHl7(resource, s));
  return { xml, effective: available, available, author: null };
}

/**
 * What a resource inside another one's statement is written as, or, where that fails, its words: a fault of a part must not cost the
 * whole. `made` may throw; `beside` gives what then stands beside the words.
 */
export function madeOrWords(
  resource: Resource,
  statementId: Uuid,
  s: ToHl7,
  made: () => readonly XmlElement[],
  beside: () => readonly XmlElement[] = () => [],
): readonly XmlElement[] {
  try {
    const statements = made();
    for (const statement of statements) checkText(statement);
    return statements;
  } catch (thrown) {
    const which = `${resource.resourceType}/${resource.id}`;
    const { words, technical } = faultInResource(thrown, resource, s.find);
    const text = `${which} could not be written as what it is (${words}); its words are kept as a note.`;
    s.report({ code: 'statement.asText', text, ...technical });
    return [asNarrative(resource, statementId, s).xml, ...beside()];
  }
}

/** Throws where something else stands in place of a text: a resource may have anything there. */
export function checkText(element: XmlElement): void {
  if (element.attributes.some((text) => typeof text !== 'string'))
    throw new Fault('record.shape', 'something that is no text stands where a text belongs');
  for (const node of element.children) if (typeof node !== 'string') checkText(node);
}

const DATES = ['effectiveDateTime', 'date', 'authoredOn', 'assertedDate', 'onsetDateTime', 'created', 'indexed', 'issued', 'recordedDate'];

/** The first date that a resource of any type has. */
function dateOf(resource: Resource): string | undefined {
  const members = resource as Resource & Readonly<Record<string, unknown>>;
  return DATES.map((name) => members[name]).find((value): value is string => typeof value === 'string');
}

/** Requesting: a statement that could not be mapped, as an observation with all its words and the degrade code. */
export function asObservation(statement: XmlElement, composition: XmlElement, s: ToFhir, encounter: string | undefined): Observation {
  const silent = { report: () => undefined };
  const comment = wordsOfStatement(statement);
  const [code, display] = CODES.record;
  const performer = s.practitioner(performerOf(statement, composition));
  return {
    ...head('Observation', idOf(statement), 'Observation-1', [composition, statement], s),
    status: 'unknown',
    code: { coding: [{ system: SNOMED_URI, code, display }] },
    ...maybe('subject', s.patient),
    ...maybe('context', encounter),
    ...effectiveToFhir(statement, silent),
    ...(performer && { performer: [ref(performer)] }),
    ...(comment && { comment }),
  };
}

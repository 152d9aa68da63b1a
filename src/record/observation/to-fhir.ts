import type { Observation } from '../../fhir/types.ts';
import { attr, child, children, textOf, type XmlElement } from '../../xml/element.ts';
import { codedToFhir } from '../shared/coded.ts';
import { annotationsOf, joined } from '../shared/comment.ts';
import { degraded } from '../shared/degrade.ts';
import { intervalBounds, numberOf, quantityToFhir, valueKind } from '../shared/quantity.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { authorOf, idOf, performerOf, statementsIn, textIn } from '../shared/statements.ts';
import { dateTimeOf, effectiveToFhir, instantOf } from '../shared/times.ts';
import type { Claim, MapToFhir, ToFhir } from '../types.ts';
import { readAnnotation, readNote, withoutProblem } from './annotation.ts';
import { interpretationToFhir } from './interpretation.ts';
import { rangesToFhir } from './range.ts';
import { COMMENT_NOTE } from './terms.ts';

/** ObservationStatement, NarrativeStatement or a panel's CompoundStatement as Observation. */
export const observationToFhir: MapToFhir = (claim, s) => {
  switch (claim.statement.name) {
    case 'NarrativeStatement':
      return panelLinks(claim, commentNote(claim, s), s);
    case 'CompoundStatement':
      return [panel(claim, s)];
    default:
      return [...panelLinks(claim, measured(claim, s), s)];
  }
};

/** What observations of every kind begin with. */
export function begun(
  claim: Claim,
  s: ToFhir,
  redactedBy: readonly (XmlElement | undefined)[] = [claim.statement, claim.within],
): Observation {
  const composition = s.composition(claim);
  const performer = s.practitioner(performerOf(claim.statement, composition.xml));
  return {
    ...head('Observation', idOf(claim.statement), 'Observation-1', [composition.xml, ...redactedBy], s),
    status: 'final',
    subject: ref(s.patient),
    ...maybe('context', s.encounterOf(claim.composition)),
    ...(performer && { performer: [ref(performer)] }),
  };
}

/** When the composition was recorded: what an observation was issued at. */
export function issuedByComposition(claim: Claim, s: ToFhir): { issued?: string } {
  const issued = instantOf(authorOf(s.composition(claim).xml).time, s);
  return issued ? { issued } : {};
}

/** An ObservationStatement, wherever it stands. */
export function measured(claim: Claim, s: ToFhir, redactedBy?: readonly XmlElement[]): Observation {
  const { statement } = claim;
  const code = degraded(codedToFhir(child(statement, 'code'), s.terminology) ?? {}, 'record', s);
  const ranges = rangesToFhir(statement);
  const interpretation = interpretationToFhir(statement);
  const { value, words } = valueIn(statement, s);
  const annotation = annotationOf(statement);
  const own = s.problemsNaming(idOf(statement)).length ? withoutProblem(annotation) : annotation;
  const read = readAnnotation(own, ranges, value !== undefined);
  const comment = joined([
    subjectOf(statement),
    own === annotation ? read.comment : read.comment?.trimEnd(),
    words,
    ...qualifiersOf(statement),
  ]);
  return {
    ...begun(claim, s, redactedBy),
    code,
    ...effectiveToFhir(statement, s),
    ...issuedByComposition(claim, s),
    ...(interpretation && { interpretation }),
    ...read,
    ...(interpretation && read.interpretation && { interpretation: { ...interpretation, ...read.interpretation } }),
    ...value,
    ...(comment && { comment }),
  };
}

type Value = { readonly value?: Partial<Observation>; readonly words?: string };

/** The `value` of a statement; what FHIR has no member for, in words. */
export function valueIn(statement: XmlElement, s: ToFhir): Value {
  const element = child(statement, 'value');
  if (!element) return {};
  switch (valueKind(element)) {
    case 'interval': {
      const { low, high } = intervalBounds(element);
      if (low && high) {
        const { comparator: _low, ...lower } = low;
        const { comparator: _high, ...upper } = high;
        return { value: { valueRange: { low: lower, high: upper } } };
      }
      return quantityValue(element, statement);
    }
    case 'quantity':
      return quantityValue(element, statement);
    case 'coded':
    case 'attributeCode': {
      const concept = codedToFhir(valueKind(element) === 'coded' ? element : fromAttributes(element), s.terminology);
      return concept && (concept.coding || concept.text) ? { value: { valueCodeableConcept: concept } } : {};
    }
    case 'simpleCode': {
      const original = child(element, 'originalText');
      const text = original ? textOf(original) : (attr(element, 'displayName') ?? '');
      return text ? { value: { valueString: text } } : {};
    }
    default: {
      const text = textOf(element);
      return text ? { value: { valueString: text } } : {};
    }
  }
}

function quantityValue(element: XmlElement, statement: XmlElement): Value {
  const valueQuantity = quantityToFhir(element, child(statement, 'uncertaintyCode') !== undefined);
  if (valueQuantity) return { value: { valueQuantity } };
  // A number that is none is still what the clinician recorded.
  const text = attr(element, 'value') ?? '';
  return text && numberOf(text) === undefined ? { value: { valueString: joined([text, attr(element, 'unit')]) } } : {};
}

/** Some senders write a code's text as an attribute. */
function fromAttributes(element: XmlElement): XmlElement {
  const text = attr(element, 'originalText');
  if (!text || child(element, 'originalText')) return element;
  return { ...element, children: [...element.children, { ...element, name: 'originalText', attributes: [], children: [text] }] };
}

/** `Subject: Mother` where an observation is about a relative. */
function subjectOf(statement: XmlElement): string {
  const code = child(child(child(statement, 'subject'), 'personalRelationship'), 'code');
  const original = child(code, 'originalText');
  const text = original ? textOf(original) : (attr(code, 'displayName') ?? '');
  return text ? `Subject: ${text}` : '';
}

/** The annotations of a statement as one text, in the order in which their numbers say they follow each other. */
function annotationOf(statement: XmlElement): string {
  const annotations = annotationsOf(statement);
  const before = annotations.find(({ sequence }) => sequence === -1);
  const at = annotations.find(({ sequence }) => sequence === 0);
  const after = annotations.filter((one) => one !== before && one !== at);
  const ordered = [...after].sort((one, other) => (one.sequence ?? 1) - (other.sequence ?? 1));
  // What stands before the term is read on into it: `query` and `myocardial infarction`.
  const term = before?.text ? textOf(child(child(statement, 'code'), 'originalText')) : undefined;
  return joined([before?.text, before?.codeText, term, at?.text, ...ordered.map(({ text }) => text)]);
}

/** Qualifiers of the code other than those that have a place of their own: `{Episodicity : code=…, displayName=…}`. */
function qualifiersOf(statement: XmlElement): string[] {
  return children(child(statement, 'code'), 'qualifier').flatMap((qualifier) => {
    const name = child(qualifier, 'name');
    if (!name) return [];
    const original = textOf(child(name, 'originalText'));
    const parts = [`code=${attr(name, 'code') ?? ''}`, `displayName=${attr(name, 'displayName') ?? ''}`];
    return [`{Episodicity : ${[...parts, ...(original ? [`originalText=${original}`] : [])].join(', ')}}`];
  });
}

/** A NarrativeStatement as a comment note. */
export function commentNote(
  claim: Claim,
  s: ToFhir,
  redactedBy?: readonly XmlElement[],
  text = textIn(claim.statement).trim(),
): Observation {
  const { statement } = claim;
  const available = child(statement, 'availabilityTime');
  const effectiveDateTime = dateTimeOf(available, s);
  const issued = instantOf(available, s);
  return {
    ...begun(claim, s, redactedBy),
    code: { coding: [{ ...COMMENT_NOTE }] },
    ...(effectiveDateTime && { effectiveDateTime }),
    ...(issued && { issued }),
    ...readNote(text),
  };
}

/** A compound statement that holds observations as members. */
function panel(claim: Claim, s: ToFhir): Observation {
  const members = linkedMembers(claim.statement, s);
  return {
    ...begun(claim, s),
    code: degraded(codedToFhir(child(claim.statement, 'code'), s.terminology) ?? {}, 'record', s),
    ...effectiveToFhir(claim.statement, s),
    ...issuedByComposition(claim, s),
    ...(members.length && { related: members.map((target) => ({ type: 'has-member', target: ref(target) })) }),
  };
}

/**
 * The observations of a panel that holds nothing but observations and narratives, its narratives where it holds no others (else nothing
 * would lead to it); none where it holds anything else.
 */
function linkedMembers(compound: XmlElement, s: ToFhir): string[] {
  const inside = statementsIn(compound);
  if (inside.some(({ name }) => name !== 'ObservationStatement' && name !== 'NarrativeStatement')) return [];
  const observations = inside.filter(({ name }) => name === 'ObservationStatement');
  return (observations.length ? observations : inside).flatMap((statement) => {
    const target = s.resourceFor(idOf(statement));
    return target?.startsWith('Observation/') ? [target] : [];
  });
}

/** A member leads back to its panel. */
function panelLinks(claim: Claim, observation: Observation, s: ToFhir): Observation[] {
  const { within } = claim;
  const panelClaim = within && s.claimOf(idOf(within));
  if (!within || panelClaim?.concept !== 'observation' || !linkedMembers(within, s).includes(`Observation/${observation.id}`))
    return [observation];
  return [{ ...observation, related: [{ type: 'derived-from', target: ref(`Observation/${idOf(within)}`) }] }];
}

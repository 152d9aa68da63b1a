/**
 * Panels: an observation whose members are observations of their own ("has-member"), outside reports. HL7 holds the members inside
 * the panel's compound statement; the peer's readers call that a template.
 */
import type { Observation, Reference } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { codedToHl7 } from '../shared/coded.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { normalised } from '../shared/references.ts';
import { component, id, narrative, participant, statusComplete } from '../shared/statements.ts';
import { availabilityTime, availableOfObservation, effectiveFrom, effectiveOfObservation } from '../shared/times.ts';
import type { Place, Statement, ToHl7 } from '../types.ts';
import { annotationText } from './annotation.ts';
import { commentStatement, measurement, performer, problemWords } from './to-hl7.ts';
import { isCommentNote } from './terms.ts';

type Find = (reference: Reference | string | undefined) => { resourceType: string } | undefined;

/** `Observation/…` of the members that are in the bundle, in order. */
export function membersOf(observation: Observation, find: Find): string[] {
  return (observation.related ?? []).flatMap(({ type, target }) => {
    const reference = type === 'has-member' ? normalised(target) : undefined;
    const member = reference === undefined ? undefined : find(reference);
    return reference !== undefined && member?.resourceType === 'Observation' && reference !== `Observation/${observation.id}` ? [reference] : [];
  });
}

/** A panel with the members that it holds; null for an observation that holds none. */
export function panelStatement(observation: Observation, place: Place, s: ToHl7): readonly Statement[] | null {
  const self = `Observation/${observation.id}`;
  const members = membersOf(observation, s.find).filter((member) => s.holderOf(member) === self);
  if (members.length === 0) return null;
  const effective = effectiveOfObservation(observation, s);
  const available = availableOfObservation(observation, s);
  const author = performer(observation, s);
  const own = hasValue(observation) ? [measurement(withoutWords(observation), s.newId(), s).xml] : [];
  const words = annotationText(hasValue(observation) ? { ...observation } : observation, problemWords(observation, s), s);
  const xml = h(
    'CompoundStatement',
    { classCode: 'BATTERY', moodCode: 'EVN' },
    id(place.statementId),
    codedToHl7(observation.code),
    statusComplete(),
    effective,
    availabilityTime(available),
    redactionToHl7(observation, s),
    [...own, ...members.flatMap((member) => memberStatement(member, place, s))].map((statement) => component(statement, true)),
    words ? component(narrative(s.newId(), words, availabilityTime(available), redactionToHl7(observation, s)), true) : null,
    participant('PRF', author),
  );
  return [{ xml, effective: effectiveFrom(effective), available, author }];
}

/** A value of the panel's own stands among its members. */
const hasValue = ({ valueQuantity, valueString }: Observation) => valueQuantity?.value !== undefined || !!valueString;

/** What the panel's narrative tells is not told again. */
function withoutWords(observation: Observation): Observation {
  const { comment: _comment, bodySite: _site, method: _method, component: _component, dataAbsentReason: _absent, related: _related, ...rest } = observation;
  return rest;
}

function memberStatement(reference: string, place: Place, s: ToHl7): XmlElement[] {
  const member = s.find<Observation>(reference);
  const statementId = s.statementId(reference);
  if (!member || statementId === undefined) return [];
  const inside = { ...place, statementId };
  if (isCommentNote(member.code)) return commentStatement(member, inside, s).map(({ xml }) => xml);
  return (panelStatement(member, inside, s) ?? [measurement(member, statementId, s)]).map(({ xml }) => xml);
}

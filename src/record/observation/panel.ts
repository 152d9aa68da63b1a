/**
 * Panels: an observation whose members are observations of their own ("has-member"), outside reports. HL7 holds the members inside
 * the panel's compound statement; receivers call that a template.
 */
import type { Observation, Reference, Resource } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { listOf } from '../bundle-index.ts';
import { codedToHl7 } from '../shared/coded.ts';
import { madeOrWords } from '../shared/degrade.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { component, id, narrative, participant, statusComplete } from '../shared/statements.ts';
import { availabilityTime, availableOfObservation, effectiveFrom, effectiveOfObservation } from '../shared/times.ts';
import type { Place, Statement, ToHl7 } from '../types.ts';
import { annotationText } from './annotation.ts';
import { commentStatement, measurement, performer, problemWords } from './statement.ts';
import { isCommentNote } from './terms.ts';

type Find = (reference: Reference | string | undefined) => Resource | undefined;
type Member = { readonly reference: Reference; readonly observation: Observation };

/** The observations that stand inside a panel's statement. */
export function heldByPanel(observation: Observation, find: Find): Observation[] {
  return isCommentNote(observation.code) ? [] : membersOf(observation, find).map((member) => member.observation);
}

/** The members of an observation that are in the bundle, in order, each once. */
export function membersOf(observation: Observation, find: Find): Member[] {
  const seen = new Set<Resource>([observation]);
  return listOf(observation.related).flatMap(({ type, target }) => {
    const member = type === 'has-member' && target ? find(target) : undefined;
    if (!target || member?.resourceType !== 'Observation' || seen.has(member)) return [];
    seen.add(member);
    return [{ reference: target, observation: member as Observation }];
  });
}

/** A panel with the members that it holds; null for an observation that holds none. */
export function panelStatement(observation: Observation, place: Place, s: ToHl7): readonly Statement[] | null {
  const members = heldMembers(observation, s);
  if (members.length === 0) return null;
  const effective = effectiveOfObservation(observation, s);
  const available = availableOfObservation(observation, s);
  const author = performer(observation, s);
  const own = hasValue(observation) ? [measurement(withoutWords(observation), s.newId(), s).xml] : [];
  const words = annotationText(observation, problemWords(observation, s), s);
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
  const {
    comment: _comment,
    bodySite: _site,
    method: _method,
    component: _component,
    dataAbsentReason: _absent,
    related: _related,
    ...rest
  } = observation;
  return rest;
}

/** A faulty member costs itself; what it holds stands beside its words. */
function memberStatement({ reference, observation }: Member, place: Place, s: ToHl7): readonly XmlElement[] {
  const statementId = s.statementId(reference);
  if (statementId === undefined) return [];
  const inside = { ...place, statementId };
  return madeOrWords(
    observation,
    statementId,
    s,
    () => (isCommentNote(observation.code) ? commentStatement : wholeMember)(observation, inside, s).map(({ xml }) => xml),
    () => heldMembers(observation, s).flatMap((member) => memberStatement(member, place, s)),
  );
}

function wholeMember(observation: Observation, inside: Place, s: ToHl7): readonly Statement[] {
  return panelStatement(observation, inside, s) ?? [measurement(observation, inside.statementId, s)];
}

const heldMembers = (observation: Observation, s: ToHl7) =>
  membersOf(observation, s.find).filter(({ reference }) => s.find(s.holderOf(reference)) === observation);

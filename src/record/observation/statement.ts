/** The statements that observations become, wherever they stand: by themselves, in panels, in reports. */
import type { Observation } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { listOf } from '../bundle-index.ts';
import { problemText } from '../problem/text.ts';
import { codedToHl7 } from '../shared/coded.ts';
import { quantityToHl7, uncertaintyToHl7 } from '../shared/quantity.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { typeOf } from '../shared/references.ts';
import { annotation, id, narrative, participant, statusComplete } from '../shared/statements.ts';
import { availabilityTime, availableOfObservation, effectiveFrom, effectiveOfObservation, hl7Time } from '../shared/times.ts';
import type { MapToHl7, Statement, ToHl7, Uuid } from '../types.ts';
import { annotationText, noteText } from './annotation.ts';
import { interpretationToHl7 } from './interpretation.ts';
import { rangeToHl7 } from './range.ts';

/** A comment note as NarrativeStatement. */
export const commentStatement: MapToHl7<Observation> = (observation, place, s) => {
  const available = availableOfObservation(observation, s) ?? hl7Time(observation.issued, s);
  const author = performer(observation, s);
  reportBroken(observation, s, []);
  if (available === null) s.report({ code: 'date.defaulted', text: 'When the comment was made is not given; it is sent as unknown.' });
  const xml = narrative(
    place.statementId,
    noteText(observation, problemWords(observation, s), s),
    availabilityTime(available),
    redactionToHl7(observation, s),
    participant('PRF', author),
  );
  return [{ xml, effective: available, available, author }];
};

/** One measurement or finding as ObservationStatement. */
export function measurement(observation: Observation, statementId: Uuid, s: ToHl7): Statement {
  const author = performer(observation, s);
  const effective = effectiveOfObservation(observation, s);
  const available = availableOfObservation(observation, s);
  if (!observation.code) s.report({ code: 'code.degraded', text: 'An observation without a code; it travels as unknown.' });
  if (observation.specimen) s.report({ code: 'link.broken', text: 'The specimen of a result that no report holds is not carried.' });
  reportBroken(observation, s);
  const xml = h(
    'ObservationStatement',
    { classCode: 'OBS', moodCode: 'EVN' },
    id(statementId),
    codedToHl7(observation.code),
    statusComplete(),
    effective,
    availabilityTime(available),
    redactionToHl7(observation, s),
    valueParts(observation),
    interpretationToHl7(observation.interpretation),
    annotation(annotationText(observation, problemWords(observation, s), s)),
    observation.valueQuantity?.value === undefined ? null : observation.referenceRange?.map((range) => rangeToHl7(range)),
    participant('PRF', author),
  );
  return { xml, effective: effectiveFrom(effective), available, author };
}

/** `uncertaintyCode` and `value` of what HL7 has a type for. */
export function valueParts({ valueQuantity, valueString }: Observation): (XmlElement | null)[] {
  const quantity = quantityToHl7(valueQuantity);
  if (quantity) return [uncertaintyToHl7(valueQuantity), quantity];
  return [valueString ? h('value', { 'xsi:type': 'ST' }, valueString) : null];
}

/** Who made an observation: the first practitioner among its performers, for the first organisation among them. */
export function performer({ performer: performers }: Observation, s: ToHl7): Uuid | null {
  if (!performers?.length) return null;
  const practitioner = performers.find((one) => ['Practitioner', 'PractitionerRole'].includes(typeOf(one) ?? ''));
  const organisation = performers.find((one) => typeOf(one) === 'Organization');
  if (practitioner || organisation) return s.agent(practitioner, organisation);
  s.report({ code: 'value.lost', text: 'Who made the observation is neither a practitioner nor an organisation and is not carried.' });
  return null;
}

/** The words of the problems that an observation stands for. */
export function problemWords(observation: Observation, s: ToHl7): string[] {
  if (!observation.id) return [];
  return s.problemsNaming(`Observation/${observation.id}`).flatMap((condition) => problemText(condition, s) || []);
}

/**
 * Links that have no place in an extract, and what is not in the record. What is told is members of a panel, and in a report what a
 * comment is a comment on.
 */
export function reportBroken({ related, specimen }: Observation, s: ToHl7, told: readonly string[] = ['has-member', 'derived-from']): void {
  const lost = listOf(related).filter(({ type, target }) => !told.includes(type ?? '') || (type === 'has-member' && !s.find(target)));
  const names = [...lost.map(({ target }) => target), specimen && !s.find(specimen) ? specimen : undefined].filter(
    (one) => one !== undefined,
  );
  if (names.length === 0) return;
  const words = names.map((one) => one.reference ?? one.display ?? 'something unnamed').join(', ');
  s.report({ code: 'link.broken', text: `No link of an extract can lead from it to ${words}.` });
}

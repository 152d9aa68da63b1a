import { fhirNumber } from '../../fhir/json.ts';
import type { Extension, Immunization } from '../../fhir/types.ts';
import { attr, child, textOf, type XmlElement } from '../../xml/element.ts';
import { codedToFhir } from '../shared/coded.ts';
import { annotationsOf } from '../shared/comment.ts';
import { dateFromText, notesInText, readFacts } from '../shared/labels.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { authorOf, idOf, performerOf } from '../shared/statements.ts';
import { dateTimeOf, endOf } from '../shared/times.ts';
import type { MapToFhir, ToFhir } from '../types.ts';
import {
  DATE_RECORDED,
  ENTERED_IN_ERROR,
  FACTS,
  PARENT_PRESENT,
  PROCEDURE,
  PROTOCOL,
  RECORDER_ROLE,
  UNKNOWN_VACCINE,
  WORDS_OF_NOT_GIVEN,
} from './terms.ts';

/** An immunisation from the observation of its procedure; batch, site, route and the like are read back from the words. */
export const immunisationToFhir: MapToFhir = (claim, s) => {
  const { statement } = claim;
  const composition = s.composition(claim).xml;
  const { told, notes } = readAnnotations(statement, s);
  const date = dateOf(statement, s);
  const procedure = codedToFhir(child(statement, 'code'), s.terminology);
  const notGiven = told.notGiven !== undefined || told.reasonNotGiven !== undefined || WORDS_OF_NOT_GIVEN.test(wordsOfCode(statement));
  const practitioner = practitionersOf(statement, composition, s);
  const note = notes.map((text) => ({ text }));
  const immunisation: Immunization = {
    ...head('Immunization', idOf(statement), 'Immunization-1', [composition, statement], s),
    extension: [
      ...(procedure ? [{ url: PROCEDURE, valueCodeableConcept: procedure }] : []),
      ...dateRecorded(composition, s),
      ...(told.parentPresent ? [{ url: PARENT_PRESENT, valueBoolean: told.parentPresent === 'true' }] : []),
    ],
    status: told.status === ENTERED_IN_ERROR ? 'entered-in-error' : 'completed',
    notGiven,
    vaccineCode: { coding: [{ ...UNKNOWN_VACCINE }], ...(told.substance && { text: told.substance }) },
    patient: ref(s.patient),
    ...maybe('encounter', s.encounterOf(claim.composition)),
    ...(date && { date }),
    primarySource: told.primarySource !== 'false',
    ...detailsOf(told),
    ...(practitioner.length && { practitioner }),
    ...(note.length && { note }),
  };
  return [immunisation];
};

type Told = Partial<Record<keyof typeof FACTS, string>>;

function readAnnotations(statement: XmlElement, s: ToFhir): { told: Told; notes: string[] } {
  const told: Told = {};
  const notes: string[] = [];
  for (const { text } of annotationsOf(statement)) {
    const { found, rest } = readFacts(text, FACTS);
    Object.assign(told, found);
    if (Object.keys(found).length) notes.push(...notesInText(rest));
    else if (text.trim()) notes.push(text);
  }
  const effective = child(statement, 'effectiveTime');
  const end = endOf(child(effective, 'high'), s);
  if (end && !dateTimeOf(child(effective, 'center'), s)) notes.push(`End Date: ${end}`);
  return { told, notes };
}

function dateOf(statement: XmlElement, s: ToFhir): string | undefined {
  const effective = child(statement, 'effectiveTime');
  if (!effective) return undefined;
  return (
    dateTimeOf(child(effective, 'center'), s) ??
    dateTimeOf(child(effective, 'low'), s) ??
    dateTimeOf(child(statement, 'availabilityTime'), s)
  );
}

// Not the words of the user where the code has its own: `given; refused last year` is a vaccination.
function wordsOfCode(statement: XmlElement): string {
  const code = child(statement, 'code');
  return attr(code, 'displayName') || textOf(child(code, 'originalText'));
}

function dateRecorded(composition: XmlElement, s: ToFhir): Extension[] {
  const available = child(composition, 'effectiveTime') ? dateTimeOf(child(composition, 'availabilityTime'), s) : undefined;
  const date = child(composition, 'author') ? dateTimeOf(authorOf(composition).time, s) : available;
  return date ? [{ url: DATE_RECORDED, valueDateTime: date }] : [];
}

function practitionersOf(statement: XmlElement, composition: XmlElement, s: ToFhir): NonNullable<Immunization['practitioner']> {
  const performer = performerOf(statement, composition);
  const author = authorOf(composition).agent;
  const gave = s.practitioner(performer);
  if (!gave) return [];
  const entered = author !== performer ? s.practitioner(author) : undefined;
  return [...(entered ? [{ role: { coding: [{ ...RECORDER_ROLE }] }, actor: ref(entered) }] : []), { actor: ref(gave) }];
}

function detailsOf(told: Told): Partial<Immunization> {
  const expiry = told.expiration && dateFromText(told.expiration);
  const dose = told.quantity === undefined ? undefined : quantityOf(told.quantity);
  const explanation = {
    ...(told.reason && { reason: [{ text: told.reason }] }),
    ...(told.reasonNotGiven && { reasonNotGiven: [{ text: told.reasonNotGiven }] }),
  };
  const protocols = told.protocols?.split(PROTOCOL.next).map(protocolOf);
  return {
    ...(told.origin && { reportOrigin: { text: told.origin } }),
    ...(told.location && { location: { display: told.location } }),
    ...(told.manufacturer && { manufacturer: { display: told.manufacturer } }),
    ...(told.batch && { lotNumber: told.batch }),
    ...(expiry && { expirationDate: expiry }),
    ...(told.site && { site: { text: told.site } }),
    ...(told.route && { route: { text: told.route } }),
    ...(dose && { doseQuantity: dose }),
    ...(Object.keys(explanation).length && { explanation }),
    ...(protocols && { vaccinationProtocol: protocols }),
  };
}

function quantityOf(words: string): Immunization['doseQuantity'] {
  const [number = '', ...unit] = words.split(' ');
  const value = fhirNumber(number);
  return value === null ? { unit: words } : { value, ...(unit.length && { unit: unit.join(' ') }) };
}

function protocolOf(words: string): NonNullable<Immunization['vaccinationProtocol']>[number] {
  const [, description = '', sequence, doses, diseases] = PROTOCOL.parts.exec(words) ?? [];
  return {
    ...(sequence !== undefined && { doseSequence: Number(sequence) }),
    ...(description && { description }),
    ...(doses !== undefined && { seriesDoses: Number(doses) }),
    ...(diseases && { targetDisease: diseases.split(PROTOCOL.betweenDiseases).map((text) => ({ text })) }),
  };
}

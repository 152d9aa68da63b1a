import type { AllergyIntolerance, CodeableConcept, HumanName, Resource } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { READ_V2_OID } from '../shared/code-systems.ts';
import { codedAsText, codedToHl7, textOrCoding } from '../shared/coded.ts';
import { joined } from '../shared/comment.ts';
import { fact, factsThenNotes, notesToText } from '../shared/labels.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { typeOf } from '../shared/references.ts';
import { component, id, participant, statusComplete } from '../shared/statements.ts';
import { availabilityTime, dateText, effectiveAt, hl7Time } from '../shared/times.ts';
import type { MapToHl7, ToHl7 } from '../types.ts';
import {
  ALLERGY_END,
  CATEGORY_OF_KIND,
  END_DATE,
  FACTS,
  KIND_OF_CATEGORY,
  KINDS,
  type Kind,
  NO_INFORMATION,
  REACTION,
  RELATED_PERSON,
  WORDS,
  wordsOf,
} from './terms.ts';

/**
 * An allergy: a CATEGORY compound statement that says which kind it is, around the observation that says what it is. Links lead to
 * the observation, which therefore has the place's id; the compound has one of its own.
 */
export const allergyToHl7: MapToHl7<AllergyIntolerance> = (allergy, place, s) => {
  const onset = hl7Time(allergy.onsetDateTime, s);
  const asserted = hl7Time(allergy.assertedDate, s);
  const recorder = practitionerIn(allergy.recorder, s);
  const asserter = practitionerIn(allergy.asserter, s) ?? recorder;
  const kind = kindOf(allergy, s);
  const redaction = redactionToHl7(allergy, s);
  reportLosses(allergy, s);
  const times = [statusComplete(), effectiveAt(onset), availabilityTime(asserted), redaction];
  // `ENV` is the existing adaptor's slip of the pen for `EVN`. The schema allows it, and receivers have been tested with nothing else.
  const observation = h(
    'ObservationStatement',
    { classCode: 'OBS', moodCode: 'ENV' },
    id(place.statementId),
    codeOfAllergy(allergy, s),
    times,
    annotation(textOf(allergy, kind, s)),
    participant('AUT', recorder),
    participant('PRF', asserter),
  );
  const xml = h(
    'CompoundStatement',
    { classCode: 'CATEGORY', moodCode: 'EVN' },
    id(s.idFor(`compound of AllergyIntolerance/${allergy.id}`)),
    h('code', { code: KINDS[kind].code, codeSystem: READ_V2_OID, displayName: KINDS[kind].displayName }),
    times,
    component(observation, true),
  );
  return [{ xml, effective: onset, available: asserted, author: recorder, performer: asserter }];
};

function practitionerIn(reference: AllergyIntolerance['recorder'], s: ToHl7) {
  return typeOf(reference)?.startsWith('Practitioner') ? s.agent(reference) : null;
}

/** As an agent, or in words. */
function isTold(reference: AllergyIntolerance['recorder'], inWords: readonly string[]): boolean {
  const type = typeOf(reference) ?? '';
  return type.startsWith('Practitioner') || inWords.includes(type);
}

function kindOf(allergy: AllergyIntolerance, s: ToHl7): Kind {
  const categories = allergy.category ?? [];
  const known = categories.find((category) => category === 'environment' || category === 'medication');
  if (known) return known === 'medication' ? 'drug' : 'other';
  const other = categories.find((category) => KIND_OF_CATEGORY.has(category));
  const kind = KIND_OF_CATEGORY.get(other ?? '') ?? 'other';
  const what = other ? `The category ${other} is told in words` : 'No category is given';
  s.report({ code: 'value.lost', text: `${what}; the allergy goes out as “${KINDS[kind].displayName}”.` });
  return kind;
}

/**
 * The code of an allergy that has ended is not sent: receivers take every imported allergy for active, and a code would warn
 * for ever. Its words are.
 */
function codeOfAllergy(allergy: AllergyIntolerance, s: ToHl7): XmlElement {
  const { code, clinicalStatus = 'active' } = allergy;
  if (!allergy.clinicalStatus) s.report({ code: 'value.lost', text: 'Whether the allergy is active is not given; it is sent as active.' });
  if (!code?.coding?.length && !code?.text) s.report({ code: 'value.lost', text: 'The allergy does not say to what.' });
  if (clinicalStatus === 'active') return codedToHl7(code, 'allergy');
  if (code?.coding?.length) {
    s.report({
      code: 'code.degraded',
      text: `The allergy is ${clinicalStatus}: it is sent in words, without its code.`,
      original: code.coding,
    });
  }
  return codedAsText(textOrCoding(code));
}

// An allergy has its annotation always, even an empty one.
function annotation(text: string): XmlElement {
  return h(
    'pertinentInformation',
    { typeCode: 'PERT' },
    h('sequenceNumber', { value: '+1' }),
    h('pertinentAnnotation', { classCode: 'OBS', moodCode: 'EVN' }, h('text', null, text)),
  );
}

function textOf(allergy: AllergyIntolerance, kind: Kind, s: ToHl7): string {
  const end = endOf(allergy);
  const categories = allergy.category ?? [];
  const told = categories.length === 1 && categories[0] === CATEGORY_OF_KIND[kind];
  const facts = [
    fact(FACTS.reasonEnded, end.reason),
    fact(FACTS.status, wordsOf(WORDS.status, allergy.clinicalStatus)),
    fact(FACTS.verification, wordsOf(WORDS.verification, allergy.verificationStatus)),
    fact(FACTS.type, wordsOf(WORDS.type, allergy.type)),
    told
      ? undefined
      : fact(
          FACTS.category,
          joined(
            categories.map((category) => wordsOf(WORDS.category, category)),
            ', ',
          ),
        ),
    fact(FACTS.criticality, wordsOf(WORDS.criticality, allergy.criticality)),
    typeOf(allergy.asserter) === 'Patient' ? FACTS.assertedByPatient.label : undefined,
    fact(FACTS.assertedBy, relatedPerson(allergy, s)),
    fact(FACTS.lastOccurred, allergy.lastOccurrence && dateText(allergy.lastOccurrence)),
    typeOf(allergy.recorder) === 'Patient' ? FACTS.recordedByPatient.label : undefined,
    reactionsOf(allergy),
  ];
  const problems = s.problemsNaming(`AllergyIntolerance/${allergy.id}`);
  const notes = notesToText([...problems, allergy].flatMap((resource) => resource.note ?? []).map((note) => note.text));
  const text = factsThenNotes(facts, [notes]);
  const ended = end.date === undefined ? '' : END_DATE.label + dateText(end.date);
  return ended === '' || text === '' || text.endsWith('\n') ? text + ended : `${text}\n${ended}`;
}

function endOf(allergy: AllergyIntolerance): { reason?: string; date?: string } {
  const parts = allergy.extension?.find((extension) => extension.url === ALLERGY_END)?.extension ?? [];
  const reason = parts.find((part) => part.url === 'reasonEnded')?.valueString;
  const date = parts.find((part) => part.url === 'endDate')?.valueDateTime;
  return { ...(reason && reason !== NO_INFORMATION && { reason }), ...(date && { date }) };
}

type RelatedPerson = Resource & { name?: HumanName[] };

function relatedPerson(allergy: AllergyIntolerance, s: ToHl7): string | undefined {
  if (typeOf(allergy.asserter) === 'RelatedPerson') {
    const name = s.find<RelatedPerson>(allergy.asserter)?.name?.[0];
    return joined([RELATED_PERSON, name?.text || joined([...(name?.prefix ?? []), ...(name?.given ?? []), name?.family])]);
  }
  return typeOf(allergy.asserter) === undefined ? allergy.asserter?.display : undefined;
}

function reactionsOf(allergy: AllergyIntolerance): string | undefined {
  const told = (allergy.reaction ?? []).map((reaction, index) =>
    joined([
      `Reaction ${index + 1}`,
      fact(REACTION.description, reaction.description),
      fact(REACTION.exposureRoute, textOrCoding(reaction.exposureRoute)),
      fact(REACTION.severity, wordsOf(WORDS.severity, reaction.severity)),
      fact(REACTION.manifestations, joined((reaction.manifestation ?? []).map(textOrCoding), ', ')),
      fact(REACTION.substance, textOrCoding(reaction.substance)),
      fact(REACTION.onset, reaction.onset && dateText(reaction.onset)),
      fact(REACTION.note, joined((reaction.note ?? []).map((note) => note.text))),
    ]).replace(/\s+/g, ' '),
  );
  return told.length ? told.join(', ') : undefined;
}

function reportLosses(allergy: AllergyIntolerance, s: ToHl7): void {
  const { recorder, asserter } = allergy;
  if (recorder && !isTold(recorder, ['Patient'])) s.report({ code: 'value.lost', text: 'Who recorded the allergy is not carried.' });
  if (asserter?.reference && !isTold(asserter, ['Patient', 'RelatedPerson']))
    s.report({ code: 'value.lost', text: 'Who asserted the allergy is not carried; whoever recorded it stands there.' });
  const otherOnset = Object.keys(allergy).find((member) => member.startsWith('onset') && member !== 'onsetDateTime');
  if (otherOnset) s.report({ code: 'value.lost', text: `When it began is given as ${otherOnset}, which is not carried.` });
  const concepts: CodeableConcept[] = (allergy.reaction ?? []).flatMap((reaction) =>
    [reaction.substance, reaction.exposureRoute, ...(reaction.manifestation ?? [])].flatMap((concept) => concept ?? []),
  );
  const original = concepts.flatMap((concept) => concept.coding ?? []);
  if (original.length) s.report({ code: 'code.degraded', text: 'Its reactions are carried in words, without their codes.', original });
}

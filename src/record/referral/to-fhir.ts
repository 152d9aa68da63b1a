import type { CodeableConcept, Identifier, Observation, ReferralRequest } from '../../fhir/types.ts';
import { attr, child, textOf, type XmlElement } from '../../xml/element.ts';
import { SNOMED_OID } from '../shared/code-systems.ts';
import { codedToFhir } from '../shared/coded.ts';
import { degraded } from '../shared/degrade.ts';
import { fact, factsThenNotes, readFacts } from '../shared/labels.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { agentIn, authorOf, firstCode, furtherIds, idOf, participantsOf, performerOf, textIn } from '../shared/statements.ts';
import { dateTimeOf, dateTimeOfText, effectiveToFhir, instantOf } from '../shared/times.ts';
import type { Claim, MapToFhir, ToFhir, Uuid } from '../types.ts';
import { isSelfReferral, LABELS, NOTE, PRIORITY_WORDS, priorityOf, statusOf, UBRN_OID, UBRN_SYSTEMS } from './terms.ts';

/** A RequestStatement as ReferralRequest; a self-referral as Observation, because nobody was asked for anything. */
export const referralToFhir: MapToFhir = (claim, s) => [isSelfReferral(claim.statement) ? selfReferral(claim, s) : referral(claim, s)];

function referral(claim: Claim, s: ToFhir): ReferralRequest {
  const { statement } = claim;
  const composition = s.composition(claim);
  const id = idOf(statement);
  const priority = child(statement, 'priorityCode');
  const words = wordsOf(textIn(statement));
  const coded = attr(priority, 'codeSystem') === SNOMED_OID ? priorityOf(attr(priority, 'code')) : undefined;
  const requester = words.byPatient ? s.patient : s.practitioner(requesterOf(statement, composition.xml));
  const recipient = recipientOf(statement, s);
  const reason = degraded(codedToFhir(child(statement, 'code'), s.terminology), 'referral', s);
  const authoredOn = dateTimeOf(child(statement, 'availabilityTime'), s);
  const letters = lettersOf(id, s);
  const start = head('ReferralRequest', id, 'ReferralRequest-1', [statement, composition.xml], s);
  return {
    ...start,
    identifier: [...(start.identifier ?? []), ...ubrnOf(statement, words.ubrn)],
    status: words.status ?? 'unknown',
    intent: 'order',
    ...((words.priority ?? coded) && { priority: words.priority ?? coded }),
    ...(words.services && { serviceRequested: words.services }),
    subject: ref(s.patient),
    ...maybe('context', s.encounterOf(claim.composition)),
    ...(authoredOn && { authoredOn }),
    ...(requester && { requester: { agent: ref(requester) } }),
    ...(words.specialty && { specialty: words.specialty }),
    ...(recipient && { recipient: [ref(recipient)] }),
    reasonCode: [...(reason ? [reason] : []), ...words.reasons],
    ...(letters.length && { supportingInfo: letters.map(ref) }),
    ...(words.description && { description: words.description }),
    ...notesOf(statement, priority, words.notes, s),
  };
}

/** Our own sending names the requester as author; the other systems name a performer. */
function requesterOf(statement: XmlElement, composition: XmlElement): Uuid | undefined {
  const own = participantsOf(statement, 'Participant');
  const author = own.every(({ type }) => type === 'AUT') ? own[0]?.agent : undefined;
  return author ?? performerOf(statement, composition);
}

function recipientOf(statement: XmlElement, s: ToFhir): string | undefined {
  const party = child(statement, 'responsibleParty');
  return firstCode(party, 'typeCode') === 'RESP' ? s.agent(agentIn(party)) : undefined;
}

function lettersOf(id: Uuid, s: ToFhir): string[] {
  return s.documentsOfReferral(id).flatMap((document) => s.resourceFor(document) ?? []);
}

function ubrnOf(statement: XmlElement, inText: string | undefined): Identifier[] {
  const value = furtherIds(statement).find(({ root }) => root === UBRN_OID)?.extension || inText;
  return value ? [{ system: UBRN_SYSTEMS[0], value }] : [];
}

function notesOf(
  statement: XmlElement,
  priority: XmlElement | undefined,
  texts: readonly string[],
  s: ToFhir,
): { note?: { text: string }[] } {
  const urgency = textOf(child(priority, 'originalText')) || attr(priority, 'displayName');
  // EMIS sends a date and says in the same breath that there is none (`nullFlavor="NI"`): the date is the fact.
  const center = child(child(statement, 'effectiveTime'), 'center');
  const actionDate = dateTimeOf(center, s) ?? dateTimeOfText(attr(center, 'value') || undefined, s);
  const notes = [urgency && NOTE.priority + urgency, actionDate && NOTE.actionDate + actionDate, ...texts].filter((note) => note);
  return notes.length ? { note: notes.map((note) => ({ text: note ?? '' })) } : {};
}

/** Behind labelled facts every note has a label, and so has the description behind notes; a text without labels is a note. */
function notesAndDescription(text: string, isOurs: boolean): { notes: string[]; description?: string } {
  if (!text.startsWith(NOTE.annotation)) return isOurs ? { notes: [], description: text } : { notes: [text] };
  const end = text.lastIndexOf(`\n${NOTE.description}`);
  const notes = text.slice(NOTE.annotation.length, end < 0 ? text.length : end).split(NOTE.between + NOTE.annotation);
  return {
    notes: notes.map((note) => note.trimEnd()),
    ...(end >= 0 && { description: text.slice(end + 1 + NOTE.description.length) }),
  };
}

type Words = {
  notes: string[];
  description?: string;
  status?: string;
  byPatient: boolean;
  priority?: string;
  ubrn?: string;
  specialty?: CodeableConcept;
  services?: CodeableConcept[];
  reasons: CodeableConcept[];
};

/** What our own text tells, in the members it came from; the rest is the note. Texts of other systems are kept as they stand. */
function wordsOf(text: string): Words {
  const { found, rest } = readFacts(text, LABELS);
  const kept = [
    fact(LABELS.relation, found.relation),
    fact(LABELS.organisation, found.organisation),
    fact(LABELS.device, found.device),
    fact(LABELS.supporting, found.supporting),
    fact(LABELS.recipients, found.recipients),
  ];
  const priority = found.priority && PRIORITY_WORDS[found.priority];
  const said = notesAndDescription(rest, Object.keys(found).length > 0);
  const status = statusOf(found.status);
  return {
    notes: [factsThenNotes(kept, [said.notes[0]]).trimEnd(), ...said.notes.slice(1)],
    ...(said.description && { description: said.description }),
    byPatient: found.patient !== undefined,
    ...(status && { status }),
    ...(priority && { priority }),
    ...(found.ubrn && { ubrn: found.ubrn }),
    ...(found.specialty && { specialty: { text: found.specialty } }),
    ...(found.services && { services: [{ text: found.services }] }),
    reasons: found.reasons ? [{ text: found.reasons }] : [],
  };
}

function selfReferral(claim: Claim, s: ToFhir): Observation {
  const { statement } = claim;
  const composition = s.composition(claim);
  const code = degraded(codedToFhir(child(statement, 'code'), s.terminology), 'record', s);
  const issued = instantOf(authorOf(composition.xml).time, s);
  const performer = s.practitioner(performerOf(statement, composition.xml));
  const urgency = textOf(child(child(statement, 'priorityCode'), 'originalText'));
  return {
    ...head('Observation', idOf(statement), 'Observation-1', [composition.xml, statement], s),
    status: 'final',
    ...(code && { code }),
    subject: ref(s.patient),
    ...maybe('context', s.encounterOf(claim.composition)),
    ...effectiveToFhir(statement, s),
    ...(issued && { issued }),
    ...(performer && { performer: [ref(performer)] }),
    comment: 'SelfReferral',
    component: [
      { code: { text: 'Urgency' }, ...(urgency && { valueString: urgency }) },
      { code: { text: 'Text' }, ...(textIn(statement) && { valueString: textIn(statement) }) },
    ],
  };
}

import type { Annotation, Reference, ReferralRequest } from '../../fhir/types.ts';
import { h } from '../../xml/element.ts';
import { codedToHl7, snomedCode, textOrCoding } from '../shared/coded.ts';
import { joined } from '../shared/comment.ts';
import { fact, factsThenNotes } from '../shared/labels.ts';
import { nameOf } from '../shared/names.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { typeOf } from '../shared/references.ts';
import { agentRef, id, participant, statusComplete } from '../shared/statements.ts';
import { supportingText } from '../shared/supporting.ts';
import { availabilityTime, dateText, effectiveAt, hl7Time } from '../shared/times.ts';
import type { MapToHl7, ToHl7 } from '../types.ts';
import { LABELS, NOTE, PATIENT_REFERRAL, statusWords, UBRN_SYSTEMS, urgencyOf } from './terms.ts';

/** A ReferralRequest as RequestStatement: reason, priority and two people as codes and links, everything else as words. */
export const referralToHl7: MapToHl7<ReferralRequest> = (referral, place, s) => {
  const { requester, reasonCode: [reason] = [] } = referral;
  const urgency = urgencyOf(referral.priority);
  if (urgency.code && urgency.words)
    s.report({ code: 'value.lost', text: `The priority “${referral.priority}” has no code; it is sent as high, and in words.` });
  const actionDate = referral.occurrenceDateTime ?? noted(referral, NOTE.actionDate);
  const effective = hl7Time(actionDate, s);
  const available = hl7Time(referral.authoredOn, s);
  const author = isPractitioner(requester?.agent) ? s.agent(requester?.agent, requester?.onBehalfOf) : null;
  const responsible = referral.recipient?.find(isPractitioner);
  const responsibleAgent = responsible ? s.agent(responsible) : null;
  const xml = h(
    'RequestStatement',
    { classCode: 'OBS', moodCode: 'RQO' },
    id(place.statementId),
    reason ? codedToHl7(reason) : snomedCode(PATIENT_REFERRAL.code, PATIENT_REFERRAL.display),
    h('text', null, textOf(referral, urgency.words, responsibleAgent === null ? undefined : responsible, s)),
    statusComplete(),
    effectiveAt(effective, 'NI'),
    availabilityTime(available),
    urgency.code ? snomedCode(urgency.code.code, urgency.code.display, urgency.code.text, 'priorityCode') : null,
    redactionToHl7(referral, s),
    responsibleAgent === null ? null : h('responsibleParty', { typeCode: 'RESP' }, agentRef(responsibleAgent)),
    participant('AUT', author),
  );
  return [{ xml, effective: available, available, author }];
};

const isPractitioner = (reference: Reference | undefined) => ['Practitioner', 'PractitionerRole'].includes(typeOf(reference) ?? '');

function textOf(referral: ReferralRequest, priority: string | undefined, responsible: Reference | undefined, s: ToHl7): string {
  const requester = referral.requester?.agent;
  const type = typeOf(requester);
  if (requester && !REQUESTERS.has(type ?? ''))
    s.report({ code: 'link.broken', text: `The requester ${requester.reference ?? ''} cannot be a requester.` });
  const named = (wanted: string) => (type === wanted ? nameIn(requester, s) : undefined);
  const facts = [
    fact(LABELS.status, statusWords(referral.status)),
    fact(LABELS.relation, named('RelatedPerson')),
    type === 'Patient' ? LABELS.patient.label : undefined,
    fact(LABELS.organisation, named('Organization')),
    fact(LABELS.device, named('Device')),
    fact(LABELS.priority, priority),
    fact(LABELS.supporting, supportingText(referral.supportingInfo, s)),
    fact(LABELS.ubrn, ubrnOf(referral)),
    fact(LABELS.services, joined((referral.serviceRequested ?? []).map(textOrCoding), ',')),
    fact(LABELS.specialty, textOrCoding(referral.specialty)),
    fact(LABELS.recipients, recipientsText(referral, responsible, s)),
    fact(LABELS.reasons, joined((referral.reasonCode ?? []).slice(1).map(textOrCoding), ',')),
  ];
  const notes = (referral.note ?? []).filter((note) => !carriedElsewhere(note, referral)).map((note) => noteText(note, s));
  const told = joined(notes, NOTE.between);
  const { description } = referral;
  return factsThenNotes(facts, [told && description ? `${told}\n${NOTE.description}${description}` : told || description]);
}

const REQUESTERS: ReadonlySet<string> = new Set(['Practitioner', 'PractitionerRole', 'Organization', 'Device', 'Patient', 'RelatedPerson']);

/** The name behind a reference. One that leads nowhere is reported. */
function nameIn(reference: Reference | undefined, s: ToHl7): string | undefined {
  const name = nameOf(reference, s);
  if (reference && name === undefined) s.report({ code: 'link.broken', text: `${reference.reference ?? ''} is not in the record.` });
  return name;
}

function ubrnOf(referral: ReferralRequest): string | undefined {
  return referral.identifier?.find(({ system }) => UBRN_SYSTEMS.some((ubrn) => ubrn === system))?.value;
}

/** Everyone the referral goes to but the one in `responsibleParty`. */
function recipientsText(referral: ReferralRequest, responsible: Reference | undefined, s: ToHl7): string {
  const texts = (referral.recipient ?? []).map((recipient) => {
    if (recipient === responsible) return undefined;
    const kind = RECIPIENTS[typeOf(recipient) ?? ''];
    if (!kind) s.report({ code: 'link.broken', text: `${recipient.reference ?? ''} cannot receive a referral.` });
    const name = nameIn(recipient, s);
    return name && `${kind ?? 'Other'}: ${name}`;
  });
  return joined(texts, ` ${LABELS.recipients.label}`);
}

const RECIPIENTS: Readonly<Record<string, string>> = {
  Practitioner: 'Practitioner',
  PractitionerRole: 'Practitioner',
  HealthcareService: 'Healthcare Service',
  Organization: 'Org',
};

function noteText(note: Annotation, s: ToHl7): string | undefined {
  if (!note.text) return undefined;
  const author = note.authorReference ? authorText(note.authorReference, s) : labelledAuthor(note.authorString);
  const time = note.time && dateText(note.time);
  if (!author && !time) return note.text.startsWith(NOTE.annotation) ? note.text : NOTE.annotation + note.text;
  return `${NOTE.annotation}${author} @ ${time ?? ''} ${note.text}`;
}

const labelledAuthor = (name: string | undefined) => (name ? `Author: ${name}` : '');

function authorText(author: Reference, s: ToHl7): string {
  const type = typeOf(author);
  if (type === 'Patient') return 'Author: Patient';
  if (type !== 'Practitioner' && type !== 'RelatedPerson')
    s.report({ code: 'link.broken', text: `${author.reference ?? ''} wrote a note; only the name is carried.` });
  const name = nameIn(author, s);
  if (!name) return '';
  return `Author: ${type === 'RelatedPerson' ? 'Relation ' : type === 'Practitioner' ? 'Practitioner ' : ''}${name}`;
}

/** Notes that this product's other direction made of a code or a time: they go back there and would otherwise pile up. */
function carriedElsewhere(note: Annotation, referral: ReferralRequest): boolean {
  const text = note.text ?? '';
  const urgency = urgencyOf(referral.priority).code;
  if (text.startsWith(NOTE.actionDate)) return referral.occurrenceDateTime === undefined && noted(referral, NOTE.actionDate) !== undefined;
  return urgency !== undefined && [urgency.text, urgency.display].some((words) => text === NOTE.priority + words);
}

/** The value of the first note that is a label and a date, nothing else. */
function noted(referral: ReferralRequest, label: string): string | undefined {
  const text = referral.note?.find((note) => note.text?.startsWith(label))?.text?.slice(label.length);
  return text !== undefined && /^\d{4}(-\d{2}(-\d{2}(T\S+)?)?)?$/.test(text) ? text : undefined;
}

import type { Device, ProcedureRequest, Reference } from '../../fhir/types.ts';
import { h } from '../../xml/element.ts';
import { codedToHl7, textOrCoding } from '../shared/coded.ts';
import { joined } from '../shared/comment.ts';
import { fact, factsThenNotes, notesToText } from '../shared/labels.ts';
import { nameOf } from '../shared/names.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { typeOf } from '../shared/references.ts';
import { id, participant, statusComplete } from '../shared/statements.ts';
import { supportingText } from '../shared/supporting.ts';
import { availabilityTime, dateText, effectiveAt, hl7Time } from '../shared/times.ts';
import type { MapToHl7, ToHl7 } from '../types.ts';
import { LABELS, statusWords } from './terms.ts';

/**
 * A ProcedureRequest as PlanStatement. Requests that are no plans (orders, proposals) are sent as plans that say so: left out,
 * nobody would know of them.
 */
export const planToHl7: MapToHl7<ProcedureRequest> = (request, place, s) => {
  const effective = hl7Time(request.occurrenceDateTime ?? request.occurrencePeriod?.end ?? request.occurrencePeriod?.start, s);
  const available = hl7Time(request.authoredOn, s);
  if (available === null) s.report({ code: 'date.defaulted', text: 'It is not known when this plan was made.' });
  const { occurrencePeriod: period } = request;
  if (period && !period.start && !period.end)
    s.report({ code: 'date.defaulted', text: 'When it is due is given as a period without dates.' });
  if (!request.code) s.report({ code: 'statement.asText', text: 'A plan without a code: only its words are carried.' });
  const requester = request.requester;
  const agent = PEOPLE.has(typeOf(requester?.agent) ?? '') ? s.agent(requester?.agent, requester?.onBehalfOf) : null;
  if (requester?.agent && agent === null && !isNamed(requester.agent, s))
    s.report({ code: 'link.broken', text: `Who asked for it (${requester.agent.reference ?? ''}) is not carried.` });
  const text = textOf(request, s);
  const xml = h(
    'PlanStatement',
    { classCode: 'OBS', moodCode: 'INT' },
    id(place.statementId),
    codedToHl7(request.code),
    text === '' ? null : h('text', null, text),
    statusComplete(),
    effectiveAt(effective),
    availabilityTime(available),
    redactionToHl7(request, s),
    participant('PRF', agent),
  );
  // The composition around it says when the plan was made: one that is to come would end the record in the future.
  return [{ xml, effective: available, available, author: agent }];
};

const PEOPLE: ReadonlySet<string> = new Set(['Practitioner', 'PractitionerRole']);

/** An organisation or a device is told in words. */
const isNamed = (agent: Reference, s: ToHl7) => ['Organization', 'Device'].includes(typeOf(agent) ?? '') && nameOf(agent, s) !== undefined;

function textOf(request: ProcedureRequest, s: ToHl7): string {
  const { occurrencePeriod: period, intent } = request;
  const agent = request.requester?.agent;
  const type = typeOf(agent);
  const facts = [
    fact(LABELS.status, statusWords(request.status)),
    fact(LABELS.intent, intent === 'plan' ? undefined : intent),
    fact(LABELS.supporting, supportingText(request.supportingInfo, s)),
    fact(LABELS.earliest, period?.start && period.end && dateText(period.start)),
    fact(LABELS.organisation, type === 'Organization' ? nameOf(agent, s) : undefined),
    fact(LABELS.device, type === 'Device' ? deviceText(agent, s) : undefined),
    fact(LABELS.performer, nameOf(request.performer, s)),
    fact(LABELS.bodySite, joined((request.bodySite ?? []).map(textOrCoding), ', ')),
    fact(LABELS.reasons, joined((request.reasonCode ?? []).map(textOrCoding), ', ')),
  ];
  return factsThenNotes(facts, [notesToText((request.note ?? []).map((note) => note.text))]);
}

/** `Blood pressure monitor Acme`. */
function deviceText(agent: Reference | undefined, s: ToHl7): string {
  return joined([nameOf(agent, s), s.find<Device>(agent)?.manufacturer]);
}

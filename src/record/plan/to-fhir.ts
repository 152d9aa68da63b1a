import type { CodeableConcept, Period, ProcedureRequest, Reference } from '../../fhir/types.ts';
import { child } from '../../xml/element.ts';
import { codedToFhir } from '../shared/coded.ts';
import { degraded } from '../shared/degrade.ts';
import { fact, factsThenNotes, notesInText, readFacts } from '../shared/labels.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { authorOf, idOf, performerOf, textIn } from '../shared/statements.ts';
import { dateTimeOf, dateTimeOfText } from '../shared/times.ts';
import type { MapToFhir, ToFhir } from '../types.ts';
import { LABELS, statusIn } from './terms.ts';

/** A PlanStatement as ProcedureRequest. Its status stands in front of its text, in EMIS's words or ours. */
export const planToFhir: MapToFhir = (claim, s) => {
  const { statement } = claim;
  const composition = s.composition(claim);
  const text = textIn(statement);
  const at = dateTimeOf(child(child(statement, 'effectiveTime'), 'center'), s);
  const { notes, intent, period, performer, bodySite, reasonCode } = wordsOf(text, at !== undefined, s);
  const code = degraded(codedToFhir(child(statement, 'code'), s.terminology), 'plan', s);
  const authoredOn =
    dateTimeOf(child(statement, 'availabilityTime'), s) ??
    dateTimeOf(child(composition.xml, 'availabilityTime'), s) ??
    dateTimeOf(authorOf(composition.xml).time, s);
  const requester = s.practitioner(performerOf(statement, composition.xml));
  const request: ProcedureRequest = {
    ...head('ProcedureRequest', idOf(statement), 'ProcedureRequest-1', [composition.xml, statement], s),
    status: statusIn(text),
    intent: intent ?? 'plan',
    ...(code && { code }),
    subject: ref(s.patient),
    ...maybe('context', s.encounterOf(claim.composition)),
    ...(at && (period ? { occurrencePeriod: { ...period, end: at } } : { occurrenceDateTime: at })),
    ...(authoredOn && { authoredOn }),
    ...(requester && { requester: { agent: ref(requester) } }),
    ...(performer && { performer }),
    ...(bodySite && { bodySite }),
    ...(reasonCode && { reasonCode }),
    ...(notes.length && { note: notes.map((text) => ({ text })) }),
  };
  return [request];
};

type Words = {
  notes: string[];
  intent?: string;
  period?: Period;
  performer?: Reference;
  bodySite?: CodeableConcept[];
  reasonCode?: CodeableConcept[];
};

/**
 * What our own text tells, in the members it came from; the rest is the note. Texts of other systems are kept as they stand:
 * EMIS's `Status: Seen, …` too, because the words after it belong to it.
 */
function wordsOf(text: string, hasEnd: boolean, s: ToFhir): Words {
  const { found, rest } = readFacts(text, LABELS);
  if (Object.keys(found).length === 0) return { notes: text ? [text] : [] };
  // A period needs its end, which is the plan's own date.
  const start = hasEnd ? dateTimeOfText(found.earliest?.replace(/\D/g, ''), s) : undefined;
  const kept = [
    fact(LABELS.earliest, start ? undefined : found.earliest),
    fact(LABELS.supporting, found.supporting),
    fact(LABELS.organisation, found.organisation),
    fact(LABELS.device, found.device),
  ];
  const [first, ...others] = notesInText(rest);
  return {
    notes: [factsThenNotes(kept, [first]).trimEnd(), ...others].filter((note) => note),
    ...(found.intent && { intent: found.intent }),
    ...(start && { period: { start } }),
    ...(found.performer && { performer: { display: found.performer } }),
    ...(found.bodySite && { bodySite: [{ text: found.bodySite }] }),
    ...(found.reasons && { reasonCode: [{ text: found.reasons }] }),
  };
}

import { Fault } from '../../base/errors.ts';
import type { Hl7Time } from '../../base/hl7-time.ts';
import type { CodeableConcept, Medication, MedicationRequest } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { attempt, listOf } from '../bundle-index.ts';
import { codedAsText, codedToHl7 } from '../shared/coded.ts';
import { notesToText } from '../shared/labels.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { normalised, typeOf } from '../shared/references.ts';
import { component, id, participant } from '../shared/statements.ts';
import { availabilityTime, effectiveBetween, hl7Time } from '../shared/times.ts';
import type { MapToHl7, ToHl7 } from '../types.ts';
import { authorise, discontinue, prescribe } from './supply-to-hl7.ts';
import { extensionOf, NO_INFORMATION, PRESCRIBING_AGENCY, PRESCRIBING_AGENCY_SYSTEM } from './terms.ts';

/** A plan becomes an authorisation (and its discontinuation), an order a prescription that fulfils it. */
export const medicationToHl7: MapToHl7<MedicationRequest> = (request, place, s) => {
  const plan = isPlan(request);
  const period = request.dispenseRequest?.validityPeriod;
  const start = hl7Time(period?.start, s) ?? authored(request, s);
  const end = hl7Time(period?.end, s);
  const author = authorOf(request, s);
  const recorder = typeOf(request.recorder)?.startsWith('Practitioner') ? s.agent(request.recorder) : null;
  const supply = { request, start, end, active: isActive(request, s), agency: agencyOf(request, s), takingNotes: takingNotes(request, s) };
  const xml = h(
    'MedicationStatement',
    { classCode: 'SBADM', moodCode: plan ? 'INT' : 'ORD' },
    id(place.statementId),
    h('statusCode', { code: supply.active ? 'ACTIVE' : 'COMPLETE' }),
    effectiveBetween(start, end),
    availabilityTime(start),
    redactionToHl7(request, s),
    consumable(request, s),
    plan ? [component(authorise(supply, s)), componentOf(discontinue(request, s))] : component(prescribe(supply, s)),
    dosages(request, s),
    participant('AUT', author, writtenApart(request, start, s)),
    participant('ENT', recorder !== author ? recorder : null),
  );
  reportLosses(request, s);
  return [{ xml, effective: start, available: start, author }];
};

const componentOf = (statement: XmlElement | null) => statement && component(statement);

function isPlan(request: MedicationRequest): boolean {
  if (request.intent === 'plan') return true;
  if (request.intent === 'order') return false;
  throw new Fault('medication.intent', `a medication request with intent “${request.intent ?? ''}” is neither a plan nor an issue`);
}

function isActive(request: MedicationRequest, s: ToHl7): boolean {
  if (!request.status) s.report({ code: 'value.lost', text: 'No status is given; it is sent as not active.' });
  return request.status === 'active';
}

function authored(request: MedicationRequest, s: ToHl7) {
  const time = hl7Time(request.authoredOn, s);
  s.report({
    code: 'date.defaulted',
    text: `When it starts is not given; ${time === null ? 'it is sent as unknown' : 'the date of writing stands for it'}.`,
  });
  return time;
}

/** When it was written, where that is another day than the one from which it is to be taken. */
function writtenApart({ authoredOn }: MedicationRequest, start: Hl7Time | null, s: ToHl7): Hl7Time | null {
  const time = authoredOn && start !== null ? hl7Time(authoredOn, s) : null;
  return time === null || time.slice(0, 8) === start?.slice(0, 8) ? null : time;
}

function consumable(request: MedicationRequest, s: ToHl7): XmlElement {
  const code = drugOf(request, s);
  const material = h('manufacturedMaterial', { determinerCode: 'KIND', classCode: 'MMAT' }, code);
  return h('consumable', { typeCode: 'CSM' }, h('manufacturedProduct', { classCode: 'MANU' }, material));
}

function drugOf(request: MedicationRequest, s: ToHl7): XmlElement {
  const { medicationCodeableConcept: concept, medicationReference: reference } = request;
  const code: CodeableConcept | undefined = concept ?? s.find<Medication>(reference)?.code;
  if (code) return codedToHl7(code, 'medication');
  s.report({ code: 'link.broken', text: `The medicine ${normalised(reference) ?? ''} is not in the record.` });
  return codedAsText(reference?.display ?? NO_INFORMATION);
}

function dosages(request: MedicationRequest, s: ToHl7): XmlElement[] {
  const texts = (request.dosageInstruction ?? []).flatMap((dosage) => (dosage.text ? [dosage.text] : []));
  if (texts.length === 0) s.report({ code: 'value.lost', text: 'No dosage is given in words.' });
  return (texts.length ? texts : [NO_INFORMATION]).map((text) =>
    h(
      'pertinentInformation',
      { typeCode: 'PERT' },
      h('pertinentMedicationDosage', { classCode: 'SBADM', moodCode: 'RMD' }, h('text', null, text)),
    ),
  );
}

function authorOf({ requester, recorder }: MedicationRequest, s: ToHl7) {
  const who = requester?.agent ?? recorder;
  if (typeOf(who) === 'Organization') return s.agent(undefined, who);
  return who ? s.agent(who, requester?.agent ? requester.onBehalfOf : undefined) : null;
}

/** The prescribing agency stands at the statement that goes with a plan; an order has that of its plan. */
function agencyOf(request: MedicationRequest, s: ToHl7): string | undefined {
  const requests = [`MedicationRequest/${request.id}`, ...(request.basedOn ?? [])];
  const statement = requests.flatMap((reference) => s.statementsBasedOn(reference))[0];
  // What is said beside a request may be of any shape; that costs the request nothing else.
  return attempt(() => {
    const codings = listOf(extensionOf(statement, PRESCRIBING_AGENCY)?.valueCodeableConcept?.coding);
    return codings.find((coding) => coding.system === PRESCRIBING_AGENCY_SYSTEM)?.code;
  }, undefined);
}

/** Systems note at a statement once more what its plan and its issues note; what only the statement notes goes with the plan. */
function takingNotes(request: MedicationRequest, s: ToHl7): string {
  if (request.intent !== 'plan') return '';
  const plan = `MedicationRequest/${request.id}`;
  const texts = s.statementsBasedOn(plan).flatMap(({ note }) => listOf(note).map(({ text }) => text?.trim()));
  if (texts.length === 0) return '';
  const issues = s.all<MedicationRequest>('MedicationRequest').filter((one) => listOf(one.basedOn).some((to) => normalised(to) === plan));
  const known = new Set([request, ...issues].flatMap(({ note }) => listOf(note).map(({ text }) => text?.trim())));
  return notesToText(texts.filter((text) => !known.has(text)));
}

function reportLosses(request: MedicationRequest, s: ToHl7): void {
  const structured = (request.dosageInstruction ?? []).flatMap((dosage) => Object.keys(dosage));
  const lost = [
    structured.some((member) => member !== 'text' && member !== 'patientInstruction') && 'the structured dosage',
    (request.reasonCode?.length || request.reasonReference?.length) && 'the reason',
    request.dispenseRequest?.performer && 'who is to dispense it',
  ].filter((what) => what);
  if (lost.length) s.report({ code: 'value.lost', text: `Not carried: ${lost.join(', ')}.` });
}

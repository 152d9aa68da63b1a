/** The supplies inside a MedicationStatement: authorise, prescribe, discontinue. */
import type { Hl7Time } from '../../base/hl7-time.ts';
import { numberText } from '../../fhir/json.ts';
import type { MedicationRequest, Reference } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { codedAsText, codedToHl7, snomedCode, textOrCoding } from '../shared/coded.ts';
import { joined } from '../shared/comment.ts';
import { fact, factsThenNotes, notesToText } from '../shared/labels.ts';
import { id, statusComplete } from '../shared/statements.ts';
import { availabilityTime, dateText, effectiveBetween, hl7Time } from '../shared/times.ts';
import type { ToHl7, Uuid } from '../types.ts';
import {
  AGENCIES,
  DURATION_WORDS,
  extensionOf,
  FACTS,
  NO_INFORMATION,
  NOTES,
  PRESCRIPTION_TYPE,
  PRESCRIPTION_TYPES,
  QUANTITY_TEXT,
  REPEAT_INFORMATION,
  STATUS_REASON,
  STATUS_WORDS,
  STOPPED,
  SUPPLY,
  SUPPLY_NOTE,
  TAKING_NOTES,
  UNKNOWN_UNIT,
  WHOLE_AMOUNT,
} from './terms.ts';

export type Supply = {
  readonly request: MedicationRequest;
  readonly start: Hl7Time | null;
  readonly end: Hl7Time | null;
  readonly active: boolean;
  /** Code of the prescribing agency, where the record tells it. */
  readonly agency: string | undefined;
  /** What the statement beside a plan notes and no request does. */
  readonly takingNotes: string;
};

export function authorise(supply: Supply, s: ToHl7): XmlElement {
  const { request, start, end } = supply;
  const { repeats, told } = repeatsOf(request, s);
  return h(
    'ehrSupplyAuthorise',
    null,
    id(supplyId(request, s)),
    codeOf(supply),
    statusOf(supply),
    effectiveBetween(start, end),
    availabilityTime(start),
    h('repeatNumber', { value: repeats }),
    quantity(request),
    predecessor(request, s),
    annotation(
      [stateOf(supply), fact(FACTS.prescriptionType, told), agencyWords(supply), expiryOf(supply, s), ...wordsOf(request)],
      supply,
    ),
  );
}

export function prescribe(supply: Supply, s: ToHl7): XmlElement {
  const { request, start } = supply;
  return h(
    'ehrSupplyPrescribe',
    null,
    id(supplyId(request, s)),
    codeOf(supply),
    statusOf(supply),
    availabilityTime(start),
    quantity(request),
    fulfilled(request, s),
    annotation([stateOf(supply), fact(FACTS.statusReason, reasonOfOrder(request)), agencyWords(supply), ...wordsOf(request)], supply),
  );
}

/** That a plan was stopped; null where nothing says so. Receivers take every plan with one for stopped. */
export function discontinue(request: MedicationRequest, s: ToHl7): XmlElement | null {
  const { given, reason, changed } = statusReason(request, s);
  if (!given) return null;
  if (request.status === 'active')
    s.report({ code: 'value.lost', text: 'It is active and has a reason for its state; it arrives as stopped.' });
  if (changed === null) s.report({ code: 'date.defaulted', text: 'When its state changed is not given; it is sent as unknown.' });
  const words = textOrCoding(reason);
  const code = words && reason ? codedToHl7(reason) : codedAsText(STOPPED);
  return h(
    'ehrSupplyDiscontinue',
    { classCode: 'SPLY', moodCode: 'RQO' },
    id(s.newId()),
    code,
    statusComplete(),
    availabilityTime(changed),
    h('reversalOf', { typeCode: 'REV' }, prior(supplyId(request, s), { moodCode: 'ORD', classCode: 'SBADM' })),
    h(
      'pertinentInformation',
      { typeCode: 'PERT' },
      h(
        'pertinentSupplyAnnotation',
        { classCode: 'OBS', moodCode: 'EVN', nullFlavor: words ? null : 'UNK' },
        h('text', null, words ?? STOPPED),
      ),
    ),
  );
}

/** The id under which plan and orders meet: receivers know a request by its supply, not by the statement around it. */
function supplyId(request: MedicationRequest, s: ToHl7): Uuid {
  return s.idFor(`supply of MedicationRequest/${request.id}`);
}

const prior = (root: Uuid, attributes: Record<string, string>) => h('priorMedicationRef', attributes, id(root));

function statusOf({ active }: Supply): XmlElement {
  return h('statusCode', { code: active ? 'ACTIVE' : 'COMPLETE' });
}

function codeOf({ agency }: Supply): XmlElement {
  const { code, displayName } = supplyOfAgency(agency);
  return snomedCode(code, displayName);
}

const supplyOfAgency = (agency: string | undefined) => SUPPLY[AGENCIES.get(agency ?? '')?.supply ?? 'nhs'];

function agencyWords({ agency }: Supply): string | undefined {
  return agency === 'prescribed-by-previous-practice' ? fact(FACTS.agency, AGENCIES.get(agency)?.display) : undefined;
}

/** Number of repeats, and the type in words where the number does not tell it. */
function repeatsOf(request: MedicationRequest, s: ToHl7): { repeats: string; told: string | undefined } {
  const concept = extensionOf(request, PRESCRIPTION_TYPE)?.valueCodeableConcept;
  const code = concept?.coding?.[0]?.code;
  const type = PRESCRIPTION_TYPES.get(code ?? '');
  if (!type && !(code === undefined && concept?.text === NO_INFORMATION)) {
    const words = code ?? concept?.text;
    s.report({
      code: 'value.lost',
      text: `${words ? `The prescription type “${words}”` : 'No prescription type'}; it is sent as a repeat.`,
    });
  }
  if (type && !type.repeats) return { repeats: '0', told: code === 'acute' ? undefined : type.display };
  const allowed = extensionOf(extensionOf(request, REPEAT_INFORMATION), 'numberOfRepeatPrescriptionsAllowed');
  const number = allowed?.valuePositiveInt ?? allowed?.valueUnsignedInt ?? allowed?.valueInteger;
  const repeats = number === undefined ? '1' : numberText(number);
  return { repeats, told: type && (code !== 'repeat' || Number(repeats) === 0) ? type.display : undefined };
}

function expiryOf({ request, end }: Supply, s: ToHl7): string | undefined {
  const expiry = extensionOf(extensionOf(request, REPEAT_INFORMATION), 'authorisationExpiryDate')?.valueDateTime;
  return expiry && hl7Time(expiry, s) !== end ? fact(FACTS.expiry, dateText(expiry)) : undefined;
}

function quantity({ dispenseRequest }: MedicationRequest): XmlElement {
  const given = dispenseRequest?.quantity;
  const value = given?.value === undefined ? '1' : numberText(given.value);
  const text = extensionOf(dispenseRequest, QUANTITY_TEXT)?.valueString || extensionOf(given, QUANTITY_TEXT)?.valueString;
  const whole = given?.value === undefined && !given?.unit && text ? text + WHOLE_AMOUNT : undefined;
  const words = whole ?? (given?.unit || text || given?.code || UNKNOWN_UNIT);
  return h('quantity', { value, unit: '1' }, h('translation', { value }, h('originalText', null, words)));
}

/** The plan that this one continues, where it is in the extract. */
function predecessor(request: MedicationRequest, s: ToHl7): XmlElement | null {
  const id = request.priorPrescription && supplyOf(request.priorPrescription, s);
  return id ? h('predecessor', { typeCode: 'SUCC' }, prior(id, { moodCode: 'INT' })) : null;
}

/** The schema has room for one plan: the first that is in the extract. The report names the others. */
function fulfilled(request: MedicationRequest, s: ToHl7): XmlElement | null {
  if (!request.basedOn?.length) s.report({ code: 'link.broken', text: 'The issue does not say which plan it belongs to.' });
  const [first, ...others] = (request.basedOn ?? []).flatMap((reference) => {
    const id = supplyOf(reference, s);
    return id ? [{ id, reference }] : [];
  });
  if (others.length) {
    const names = others.map(({ reference }) => reference.reference).join(', ');
    s.report({ code: 'link.broken', text: `An issue can belong to one plan only; not carried: that it belongs to ${names} too.` });
  }
  return first ? h('inFulfillmentOf', { typeCode: 'FLFS' }, prior(first.id, { moodCode: 'INT' })) : null;
}

/** The supply of a plan of the extract; a reference to anything else is reported. */
function supplyOf(reference: Reference, s: ToHl7): Uuid | undefined {
  const plan = s.find<MedicationRequest>(reference);
  if (plan?.intent === 'plan' && s.statementId(reference) !== undefined) return supplyId(plan, s);
  s.report({ code: 'link.broken', text: `${reference.reference ?? 'A plan'} is no plan of this record; the link to it is not carried.` });
  return undefined;
}

function statusReason(request: MedicationRequest, s: ToHl7) {
  const extension = extensionOf(request, STATUS_REASON);
  return {
    given: extension !== undefined,
    reason: extensionOf(extension, 'statusReason')?.valueCodeableConcept,
    changed: hl7Time(extensionOf(extension, 'statusChangeDate')?.valueDateTime, s),
  };
}

function reasonOfOrder(request: MedicationRequest): string | undefined {
  const extension = extensionOf(request, STATUS_REASON);
  const date = extensionOf(extension, 'statusChangeDate')?.valueDateTime;
  return extension && joined([textOrCoding(extensionOf(extension, 'statusReason')?.valueCodeableConcept), date && `(${dateText(date)})`]);
}

/** A state that the status code does not tell, and that no discontinuation tells either. */
function stateOf({ request }: Supply): string | undefined {
  const told = request.intent === 'plan' && extensionOf(request, STATUS_REASON) && request.status === 'stopped';
  const status = request.status ?? '';
  return told || !Object.hasOwn(STATUS_WORDS, status) ? undefined : fact(FACTS.status, STATUS_WORDS[status]);
}

function wordsOf({ dosageInstruction, dispenseRequest }: MedicationRequest): (string | undefined)[] {
  const duration = dispenseRequest?.expectedSupplyDuration;
  const unit = DURATION_WORDS.get(duration?.code ?? '') ?? duration?.unit ?? duration?.code;
  const value = duration?.value === undefined ? undefined : numberText(duration.value);
  return [fact(FACTS.patientInstruction, dosageInstruction?.[0]?.patientInstruction), fact(FACTS.duration, value && joined([value, unit]))];
}

function annotation(facts: readonly (string | undefined)[], { request: { note }, agency, takingNotes }: Supply): XmlElement {
  const repeated = SUPPLY_NOTE + supplyOfAgency(agency).displayName;
  const notes = notesToText((note ?? []).map((one) => one.text?.trim()).filter((text) => text !== repeated));
  const told = [notes && NOTES + notes, takingNotes && TAKING_NOTES + takingNotes].filter((text) => text).join('\n');
  const text = factsThenNotes(facts, [told]);
  return h('pertinentInformation', { typeCode: 'PERT' }, h('pertinentSupplyAnnotation', null, h('text', null, text)));
}

/** Reading a supply (authorise, prescribe, discontinue) inside a MedicationStatement. */
import { fhirNumber } from '../../fhir/json.ts';
import type { Quantity } from '../../fhir/types.ts';
import { at, attr, child, children, textOf, type XmlElement } from '../../xml/element.ts';
import { dateFromText, notesInText, readFacts } from '../shared/labels.ts';
import { numberOf } from '../shared/quantity.ts';
import { idOf } from '../shared/statements.ts';
import type { ToFhir, Uuid } from '../types.ts';
import { DURATION_WORDS, FACTS, NOTES, PRESCRIPTION_TYPES, QUANTITY_TEXT, STATUS_WORDS, TAKING_NOTES, WHOLE_AMOUNT } from './terms.ts';

export type SupplyName = 'ehrSupplyAuthorise' | 'ehrSupplyPrescribe' | 'ehrSupplyDiscontinue' | 'ehrSupplyDispense';

/** Supplies of one kind, in order. Without an id nothing can refer to them, and they are no requests. */
export function suppliesIn(statement: XmlElement, name: SupplyName): XmlElement[] {
  return children(statement, 'component')
    .flatMap((component) => children(component, name))
    .filter((supply) => idOf(supply) !== '' || name === 'ehrSupplyDiscontinue' || name === 'ehrSupplyDispense');
}

/** The code of the medicine: the first that is named in the statement or in one of its supplies. */
export function drugCodeIn(statement: XmlElement): XmlElement | undefined {
  return [statement, ...children(statement, 'component').flatMap((component) => children(component))]
    .flatMap((element) => children(element, 'consumable'))
    .map((consumable) => at(consumable, 'manufacturedProduct', 'manufacturedMaterial', 'code'))
    .find((element) => element !== undefined);
}

/** The number of repeats that an authorisation allows; undefined where it does not say. */
export function repeatsOf(authorise: XmlElement): number | undefined {
  const value = attr(child(authorise, 'repeatNumber'), 'value')?.trim();
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

export function isAcute(authorise: XmlElement): boolean {
  return repeatsOf(authorise) === 0;
}

/** The issues of a plan by their beginning, earliest first, those without one last. */
export function issuesInOrder(planId: Uuid, s: ToFhir): readonly { readonly id: Uuid; readonly at: string | null }[] {
  return s.issuesOf(planId).toSorted(byBeginning);
}

function byBeginning({ at: a }: { readonly at: string | null }, { at: b }: { readonly at: string | null }): number {
  if (a === b) return 0;
  return (a ?? '~') < (b ?? '~') ? -1 : 1;
}

/**
 * The plan that an issue belongs to. GP Connect gives each issue of an acute medicine a plan of its own, HL7 one plan for several:
 * the first keeps it, each further issue gets a copy. Both the plan's and the issue's mapping ask here.
 */
export function planIdOf(planId: Uuid, orderId: Uuid, s: ToFhir): Uuid {
  if (s.repeatsOf(planId) !== 0) return planId;
  let first: { readonly id: Uuid; readonly at: string | null } | undefined;
  for (const issue of s.issuesOf(planId)) if (first === undefined || byBeginning(issue, first) < 0) first = issue;
  return first === undefined || first.id.toUpperCase() === orderId.toUpperCase() ? planId : copyId(planId, orderId, s);
}

export function copyId(planId: Uuid, orderId: Uuid, s: ToFhir): Uuid {
  return s.idFor(`plan ${planId.toUpperCase()} for issue ${orderId.toUpperCase()}`).toLowerCase();
}

/** Digits as they were written; the unit in words. */
export function quantityOf(supply: XmlElement): Quantity | undefined {
  const quantity = child(supply, 'quantity');
  const value = numberOf(attr(quantity, 'value'));
  const unit = textOf(at(quantity, 'translation', 'originalText'));
  if (unit.trim() && unit.endsWith(WHOLE_AMOUNT)) return { extension: [{ url: QUANTITY_TEXT, valueString: unit.trimEnd() }] };
  return value === undefined && !unit ? undefined : { ...(value !== undefined && { value }), ...(unit && { unit }) };
}

/** What the annotations of a supply tell in words. */
export type Told = {
  readonly notes: readonly string[];
  readonly takingNotes: readonly string[];
  readonly status?: string;
  readonly statusReason?: string;
  readonly prescriptionType?: string;
  readonly agency?: string;
  readonly expiry?: string;
  readonly patientInstruction?: string;
  readonly duration?: Quantity;
};

export function tellsOf(supply: XmlElement): Told {
  const notes: string[] = [];
  const found: Partial<Record<keyof typeof FACTS, string>> = {};
  const takingNotes: string[] = [];
  for (const whole of annotationTexts(supply)) {
    const { text, taking } = withoutTaking(whole);
    takingNotes.push(...taking);
    const read = readFacts(text, FACTS, NOTES);
    Object.assign(found, read.found);
    if (read.rest) notes.push(...(text.includes(NOTES + read.rest) ? notesInText(read.rest) : [read.rest]));
  }
  const status = Object.keys(STATUS_WORDS).find((code) => STATUS_WORDS[code] === found.status);
  const prescriptionType = [...PRESCRIPTION_TYPES].find(([, { display }]) => display === found.prescriptionType)?.[0];
  const expiry = found.expiry && dateFromText(found.expiry);
  const duration = found.duration === undefined ? undefined : durationOf(found.duration);
  return {
    notes: found.statusReason ? [...notes, FACTS.statusReason.label + found.statusReason] : notes,
    takingNotes,
    ...(status && { status }),
    ...(prescriptionType && { prescriptionType }),
    ...(found.agency && { agency: 'prescribed-by-previous-practice' }),
    ...(expiry && { expiry }),
    ...(found.patientInstruction && { patientInstruction: found.patientInstruction }),
    ...(duration && { duration }),
  };
}

function withoutTaking(text: string): { text: string; taking: string[] } {
  const start = text.startsWith(TAKING_NOTES) ? 0 : text.lastIndexOf(`\n${TAKING_NOTES}`) + 1;
  if (start === 0 && !text.startsWith(TAKING_NOTES)) return { text, taking: [] };
  return { text: text.slice(0, start).replace(/\n$/, ''), taking: notesInText(text.slice(start + TAKING_NOTES.length)) };
}

/** Texts of the annotations of a supply, in order. */
export function annotationTexts(supply: XmlElement): string[] {
  return children(supply, 'pertinentInformation').flatMap((information) => {
    const text = at(information, 'pertinentSupplyAnnotation', 'text');
    return text ? [textOf(text)] : [];
  });
}

/** `28 days`, also as `28 day`: senders disagree about the plural. */
function durationOf(words: string): Quantity {
  const [number = '', ...rest] = words.split(' ');
  const value = fhirNumber(number);
  const unit = rest.join(' ');
  if (value === null) return { unit: words };
  const singular = unit.replace(/s$/, '');
  const code = [...DURATION_WORDS].find(([, word]) => word.replace(/s$/, '') === singular)?.[0];
  return { value, ...(unit && { unit: code ? singular : unit }), ...(code && { system: 'http://unitsofmeasure.org', code }) };
}

/**
 * Amounts in both directions: FHIR Quantity and HL7 PQ or IVL_PQ. Digits are never recomputed: `8.800` leaves as `8.800`.
 */
import { type FhirNumber, fhirNumber, numberText } from '../../fhir/json.ts';
import type { Quantity } from '../../fhir/types.ts';
import { attr, child, h, textOf, type XmlElement } from '../../xml/element.ts';
import { unitName } from './units.ts';

const UCUM = 'http://unitsofmeasure.org';
const APPROXIMATION = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ValueApproximation-1';

// ---- sending

/** `<value xsi:type="PQ" …>` or, with a comparator, `IVL_PQ`; null where there is no number. */
export function quantityToHl7(quantity: Quantity | undefined): XmlElement | null {
  if (quantity?.value === undefined) return null;
  const bound = BOUNDS.get(quantity.comparator ?? '');
  if (!bound) return amount('value', { 'xsi:type': 'PQ' }, quantity, {});
  return h('value', { 'xsi:type': 'IVL_PQ' }, amount(bound.side, {}, quantity, { inclusive: String(bound.inclusive) }));
}

const BOUNDS: ReadonlyMap<string, { side: 'low' | 'high'; inclusive: boolean }> = new Map([
  ['<', { side: 'high', inclusive: false }],
  ['<=', { side: 'high', inclusive: true }],
  ['>', { side: 'low', inclusive: false }],
  ['>=', { side: 'low', inclusive: true }],
]);

type Attributes = Readonly<Record<string, string>>;

function amount(name: string, before: Attributes, quantity: Quantity, after: Attributes): XmlElement {
  const value = numberText(quantity.value ?? 0);
  const { code, unit } = quantity;
  if (quantity.system === UCUM && code) return h(name, { ...before, value, unit: code, ...after });
  const codeSystem = code ? oidOf(quantity.system) : undefined;
  let translation: XmlElement | null = null;
  if (codeSystem) translation = h('translation', { value, code, codeSystem, displayName: unit || null });
  else if (unit || code) translation = h('translation', { value }, h('originalText', null, unit ? wordsOf(quantity, unit) : code));
  return h(name, { ...before, value, unit: '1', ...after }, translation);
}

/** A code without a system is what a unit was called before its name was looked up: so called, it is known again by whoever is next. */
function wordsOf({ code, system }: Quantity, unit: string): string {
  return code && system === undefined && unitName(code) === unit ? code : unit;
}

/** A unit's code system as HL7 names it: UCUM's URI, an OID or a UUID; undefined for anything else. */
function oidOf(system: string | undefined): string | undefined {
  if (system === undefined) return undefined;
  if (system === UCUM) return system;
  const bare = system.replace(/^urn:(oid|uuid):/, '');
  const oid = !system.startsWith('urn:uuid:') && /^[0-2](\.[1-9]\d*)+$/.test(bare);
  const uuid = !system.startsWith('urn:oid:') && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(bare);
  return oid || uuid ? bare : undefined;
}

/** `<uncertaintyCode>` that stands before `<value>`; null where the amount is not marked as approximate. */
export function uncertaintyToHl7(quantity: Quantity | undefined): XmlElement | null {
  const marked = quantity?.extension?.some((extension) => extension.url === APPROXIMATION && extension.valueBoolean === true);
  return marked ? h('uncertaintyCode', { code: 'U', codeSystem: '2.16.840.1.113883.5.1053', displayName: 'Recorded as uncertain' }) : null;
}

/** Number and unit as words: `5.50 mmol/L`. '' for none. */
export function quantityText(quantity: Quantity | undefined): string {
  if (!quantity) return '';
  const { comparator, value, unit, code } = quantity;
  return [comparator, value === undefined ? undefined : numberText(value), unit || code].filter((part) => part).join(' ');
}

// ---- requesting

/** What a `<value>` holds. Its `xsi:type` decides; senders that leave it out are understood by what they write. */
export type ValueKind = 'quantity' | 'interval' | 'coded' | 'simpleCode' | 'attributeCode' | 'text';

export function valueKind(value: XmlElement): ValueKind {
  switch (attr(value, 'xsi:type')?.replace(/^.*:/, '')) {
    case 'PQ':
      return 'quantity';
    case 'IVL_PQ':
      return 'interval';
    case 'CD':
    case 'CE':
      return 'coded';
    case 'CV':
    case 'CO':
    case 'CS':
      return 'simpleCode';
    default:
      if (attr(value, 'value') !== undefined) return 'quantity';
      return attr(value, 'type') === 'CD' ? 'attributeCode' : 'text';
  }
}

/**
 * A PQ or IVL_PQ as a Quantity; an interval's upper bound goes before its lower one (`intervalBounds` has both). Undefined
 * where there is no readable number. `approximate` sets the extension that an `uncertaintyCode` beside the value means.
 */
export function quantityToFhir(value: XmlElement | undefined, approximate = false): Quantity | undefined {
  if (!value) return undefined;
  const { low, high } = intervalBounds(value);
  const quantity = valueKind(value) === 'interval' ? (high ?? low) : plainQuantity(value, '1');
  if (!quantity || !approximate) return quantity;
  return { extension: [{ url: APPROXIMATION, valueBoolean: true }], ...quantity };
}

/** Both bounds of an IVL_PQ, each with its comparator. */
export function intervalBounds(value: XmlElement): { low?: Quantity; high?: Quantity } {
  const low = boundToFhir(child(value, 'low'), '>=', '>');
  const high = boundToFhir(child(value, 'high'), '<=', '<');
  return { ...(low && { low }), ...(high && { high }) };
}

function boundToFhir(bound: XmlElement | undefined, inclusive: string, exclusive: string): Quantity | undefined {
  const quantity = bound && plainQuantity(bound, '');
  return quantity && { ...quantity, comparator: attr(bound, 'inclusive') === 'true' ? inclusive : exclusive };
}

/** Number and unit of a PQ. A PQ without a unit counts (`1`); inside an interval nothing is assumed (`''`). */
export function plainQuantity(pq: XmlElement, unitWhenAbsent: '1' | ''): Quantity | undefined {
  const value = numberOf(attr(pq, 'value'));
  return value === undefined ? undefined : { value, ...unitOf(pq, unitWhenAbsent) };
}

/** Unit, system and code of a PQ by themselves: a range takes them from one bound for both. */
export function unitOf(pq: XmlElement, unitWhenAbsent: '1' | ''): { unit?: string; system?: string; code?: string } {
  const unit = (attr(pq, 'unit') ?? unitWhenAbsent).trim();
  if (unit === '') return {};
  const translation = child(pq, 'translation');
  if (!translation) return { unit: unitName(unit) ?? unit, system: UCUM, code: unit };
  const words = textOf(child(translation, 'originalText')) || attr(translation, 'displayName') || attr(translation, 'code') || '';
  const name = unitName(words);
  if (name !== undefined) return { unit: name, code: words };
  return words ? { unit: words } : {};
}

/** A number as people and systems write it (`+5`, `.5`, `5.`), digits kept; undefined for anything else. */
export function numberOf(text: string | undefined): FhirNumber | undefined {
  const plain = (text ?? '')
    .trim()
    .replace(/^\+/, '')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.$/, '')
    .replace(/^(-?)0+(?=\d)/, '$1');
  return fhirNumber(plain) ?? undefined;
}

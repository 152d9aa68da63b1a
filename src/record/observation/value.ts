/**
 * Values that HL7 cannot carry as a `value` here, as words and back: everything but quantities and strings. The words are one line;
 * what cannot be read back surely stays the words that it was.
 */
import { hl7ToFhir } from '../../base/hl7-time.ts';
import type { Observation, Period, Quantity } from '../../fhir/types.ts';
import { numberOf, quantityText } from '../shared/quantity.ts';
import { dateText } from '../shared/times.ts';
import type { Remark } from '../types.ts';
import { rangeText, readRangeWords } from './range.ts';
import { COMPARATOR_WORDS } from './terms.ts';

export type Values = Pick<
  Observation,
  | 'valueQuantity'
  | 'valueString'
  | 'valueCodeableConcept'
  | 'valueBoolean'
  | 'valueRange'
  | 'valueRatio'
  | 'valueSampledData'
  | 'valueAttachment'
  | 'valueTime'
  | 'valueDateTime'
  | 'valuePeriod'
>;

/** Which of the labels a value stands behind. */
export type ValueKey =
  | 'codeValue'
  | 'booleanValue'
  | 'rangeValue'
  | 'ratioValue'
  | 'timeValue'
  | 'dateTimeValue'
  | 'periodValue'
  | 'quantityValue';

// ---- sending

/** The value as words and the key of their label; undefined for no value, a quantity with a number, or a string. */
export function valueWords(of: Values, s: { report(remark: Remark): void }): readonly [key: ValueKey, words: string] | undefined {
  if (of.valueCodeableConcept) return words('codeValue', conceptWords(of.valueCodeableConcept, s));
  if (of.valueBoolean !== undefined) return words('booleanValue', String(of.valueBoolean));
  if (of.valueRange) return words('rangeValue', rangeText(of.valueRange));
  if (of.valueRatio) return words('ratioValue', `${quantityText(of.valueRatio.numerator)} / ${quantityText(of.valueRatio.denominator)}`);
  if (of.valueTime) return words('timeValue', of.valueTime);
  if (of.valueDateTime) return words('dateTimeValue', dateText(of.valueDateTime));
  if (of.valuePeriod) return words('periodValue', periodWords(of.valuePeriod));
  if (of.valueQuantity && of.valueQuantity.value === undefined) return words('quantityValue', quantityText(of.valueQuantity));
  for (const type of ['valueSampledData', 'valueAttachment'] as const)
    if (of[type]) s.report({ code: 'value.lost', text: `A value of type ${type.slice('value'.length)} cannot be carried.` });
  return undefined;
}

const words = (key: ValueKey, text: string) => (text.trim() ? ([key, text] as const) : undefined);

function conceptWords({ coding, text }: NonNullable<Values['valueCodeableConcept']>, s: { report(remark: Remark): void }): string {
  const { code, display } = coding?.[0] ?? {};
  if (!code || !display) return text || display || code || '';
  if (text && text !== display) s.report({ code: 'text.replaced', text: `The value “${text}” travels as its code's own words.` });
  return `${code} ${display}`;
}

function periodWords({ start, end }: Period): string {
  return [start && `Start ${dateText(start)}`, end && `End ${dateText(end)}`].filter((part) => part).join(' ');
}

/** `[Less than] 7.2 g/dl`, as the existing adaptor writes an amount inside a component. */
export function componentQuantityWords(quantity: Quantity): string {
  const comparator = COMPARATOR_WORDS.get(quantity.comparator ?? '');
  return [comparator, quantityText({ ...quantity, comparator: '' })].filter((part) => part).join(' ');
}

// ---- requesting

/** What `valueWords` said; undefined where the words are none of its own. */
export function readValueWords(key: ValueKey, text: string): Values | undefined {
  switch (key) {
    case 'codeValue':
      return { valueCodeableConcept: { text } };
    case 'booleanValue':
      return text === 'true' || text === 'false' ? { valueBoolean: text === 'true' } : undefined;
    case 'rangeValue': {
      const valueRange = readRangeWords(text);
      return valueRange && { valueRange };
    }
    case 'ratioValue':
      return readRatio(text);
    case 'timeValue':
      return /^\d{2}:\d{2}(:\d{2})?$/.test(text) ? { valueTime: text } : undefined;
    case 'dateTimeValue': {
      const valueDateTime = readDateText(text);
      return valueDateTime === undefined ? undefined : { valueDateTime };
    }
    case 'periodValue':
      return readPeriod(text);
    case 'quantityValue': {
      const valueQuantity = readQuantityWords(text);
      return valueQuantity && { valueQuantity };
    }
  }
}

/** `[comparator] [number] [unit]`, comparator as a sign or in words. */
export function readQuantityWords(text: string): Quantity | undefined {
  let rest = text.trim();
  let comparator: string | undefined;
  for (const [sign, words] of COMPARATOR_WORDS) {
    const found = [words, sign].find((start) => rest.startsWith(`${start} `));
    if (found === undefined) continue;
    comparator = sign;
    rest = rest.slice(found.length).trim();
    break;
  }
  const [first = '', ...others] = rest.split(' ');
  const value = numberOf(first);
  const unit = value === undefined ? rest : others.join(' ');
  if (value === undefined && (comparator !== undefined || unit === '')) return undefined;
  return { ...(comparator && { comparator }), ...(value !== undefined && { value }), ...(unit && { unit }) };
}

function readRatio(text: string): Values | undefined {
  const [numerator, denominator, more] = text.split(' / ');
  if (numerator === undefined || denominator === undefined || more !== undefined) return undefined;
  const [above, below] = [readQuantityWords(numerator), readQuantityWords(denominator)];
  return above || below ? { valueRatio: { ...(above && { numerator: above }), ...(below && { denominator: below }) } } : undefined;
}

function readPeriod(text: string): Values | undefined {
  const match = /^(?:Start ([\d: -]+?))?(?: ?End ([\d: -]+))?$/.exec(text);
  const [start, end] = [readDateText(match?.[1]), readDateText(match?.[2])];
  return start || end ? { valuePeriod: { ...(start && { start }), ...(end && { end }) } } : undefined;
}

/** A date as `dateText` writes it (London wall clock) as FHIR dateTime. */
export function readDateText(text: string | undefined): string | undefined {
  if (!text || !/^\d{4}(-\d{2}(-\d{2}( \d{2}:\d{2}(:\d{2})?)?)?)?$/.test(text)) return undefined;
  const digits = text.replace(/[-: ]/g, '');
  return hl7ToFhir(digits.length === 12 ? `${digits}00` : digits) ?? undefined;
}

/** Every label that a value can stand behind. */
export const VALUE_KEYS: readonly ValueKey[] = [
  'codeValue',
  'booleanValue',
  'rangeValue',
  'ratioValue',
  'timeValue',
  'dateTimeValue',
  'periodValue',
  'quantityValue',
];

/** Reference ranges in both directions. */
import { numberText } from '../../fhir/json.ts';
import type { Observation, Quantity, Range } from '../../fhir/types.ts';
import { attr, child, children, h, textOf, type XmlElement } from '../../xml/element.ts';
import { numberOf, quantityText, unitOf } from '../shared/quantity.ts';

export type ReferenceRange = NonNullable<Observation['referenceRange']>[number];

// ---- sending

/**
 * `<referenceRange>`; null for a range without a number: the existing adaptor refuses a whole record that has a range of words
 * only, so these words travel in the annotation.
 */
export function rangeToHl7(range: ReferenceRange, withText = true): XmlElement | null {
  const low = boundValue(range.low);
  const high = boundValue(range.high);
  if (low === undefined && high === undefined) return null;
  return h(
    'referenceRange',
    { typeCode: 'REFV' },
    h(
      'referenceInterpretationRange',
      { classCode: 'OBS', moodCode: 'EVN.CRT' },
      withText && range.text ? h('text', null, range.text) : null,
      h('value', null, low === undefined ? null : h('low', { value: low }), high === undefined ? null : h('high', { value: high })),
    ),
  );
}

const boundValue = (bound: Quantity | undefined) => (bound?.value === undefined ? undefined : numberText(bound.value));

/** The unit of a range, where it is not the unit of the value beside it. */
export function differentUnit(range: ReferenceRange, value: Quantity | undefined): string | undefined {
  const unit = range.high?.unit ?? range.low?.unit;
  return unit && value?.unit && unit !== value.unit ? unit : undefined;
}

/** `Low: 3.6 mmol/L High: 7.1 mmol/L` */
export function boundsText(range: ReferenceRange): string {
  return [boundText('Low', range.low), boundText('High', range.high)].filter((part) => part).join(' ');
}

function boundText(label: string, bound: Quantity | undefined): string {
  if (bound?.value === undefined) return '';
  return [`${label}:`, numberText(bound.value), bound.unit].filter((part) => part).join(' ');
}

/** `Low 3.6 mmol/L High 7.1 mmol/L` of bounds that have both number and unit; '' for none. */
function rangeWords(range: Range | undefined): string {
  return [boundWords('Low', range?.low), boundWords('High', range?.high)].filter((part) => part).join(' ');
}

/** As `rangeWords`; bounds without a unit have no place in the words that other systems write, and are written all the same. */
export function rangeText(range: Range | undefined): string {
  const bounds = [range?.low, range?.high].filter((one) => one?.value !== undefined || one?.unit);
  if (bounds.every((one) => one?.value !== undefined && one.unit)) return rangeWords(range);
  return [
    ['Low', quantityText(range?.low)],
    ['High', quantityText(range?.high)],
  ]
    .flatMap(([label, bound]) => (bound ? [`${label} ${bound}`] : []))
    .join(' ');
}

function boundWords(label: string, bound: Quantity | undefined): string {
  return bound?.value === undefined || !bound.unit ? '' : `${label} ${numberText(bound.value)} ${bound.unit}`;
}

// ---- requesting

/** The reference ranges of a statement; those of words only included. */
export function rangesToFhir(statement: XmlElement): ReferenceRange[] {
  return children(statement, 'referenceRange').flatMap((element) => {
    const range = rangeToFhir(child(element, 'referenceInterpretationRange'));
    return Object.keys(range).length ? [range] : [];
  });
}

function rangeToFhir(interpretation: XmlElement | undefined): ReferenceRange {
  const text = textOf(child(interpretation, 'text'));
  const value = child(interpretation, 'value');
  const [low, high] = [child(value, 'low'), child(value, 'high')];
  // One bound speaks for the unit of both.
  const unit = high ? unitOf(high, '') : low ? unitOf(low, '') : {};
  const words = [low, high].map(unreadable).filter((word) => word !== '');
  return {
    ...bound('low', low, unit),
    ...bound('high', high, unit),
    ...((text || words.length > 0) && { text: [text, ...words].filter((part) => part).join(' ') }),
  };
}

function bound(name: 'low' | 'high', element: XmlElement | undefined, unit: Partial<Quantity>): { low?: Quantity; high?: Quantity } {
  const value = numberOf(attr(element, 'value'));
  return value === undefined ? {} : { [name]: { value, ...unit } };
}

/** A bound that is no number is kept as words. */
function unreadable(element: XmlElement | undefined): string {
  const value = attr(element, 'value') ?? '';
  return value !== '' && numberOf(value) === undefined ? `${element?.name === 'low' ? 'Low' : 'High'}: ${value}` : '';
}

const BOUNDS = /^(?:Low: (\S+)(?: (?!High: )(.+?))?)?(?:(?:^| )High: (\S+)(?: (.+))?)?$/;

/** What `boundsText` wrote; undefined for anything else. */
export function readBounds(text: string): Pick<ReferenceRange, 'low' | 'high'> | undefined {
  const match = BOUNDS.exec(text.trim());
  if (!match) return undefined;
  const [, low, lowUnit, high, highUnit] = match;
  const found = { ...readBound('low', low, lowUnit), ...readBound('high', high, highUnit) };
  return Object.keys(found).length ? found : undefined;
}

function readBound(name: 'low' | 'high', number: string | undefined, unit: string | undefined): { low?: Quantity; high?: Quantity } {
  const value = numberOf(number);
  return value === undefined ? {} : { [name]: { value, ...(unit && { unit }) } };
}

const RANGE = /^(?:Low (\S+) (?!High )(\S.*?))?(?:(?:^| )High (\S+) (\S.*))?$/;

/** What `rangeWords` wrote; undefined for anything else. */
export function readRangeWords(text: string): Range | undefined {
  const match = RANGE.exec(text.trim());
  if (!match) return undefined;
  const [, low, lowUnit, high, highUnit] = match;
  const found = { ...readBound('low', low, lowUnit), ...readBound('high', high, highUnit) };
  return Object.keys(found).length ? found : undefined;
}

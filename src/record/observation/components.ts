/** Components of an observation as one line of words, `[Code: … Quantity Value: …] […]`, and back. */
import type { CodeableConcept, Observation } from '../../fhir/types.ts';
import { textOrCoding } from '../shared/coded.ts';
import type { Remark } from '../types.ts';
import { INTERPRETATION_SYSTEM } from './interpretation.ts';
import { rangeText, readRangeWords } from './range.ts';
import { componentQuantityWords, readQuantityWords, readValueWords, type ValueKey, type Values, valueWords } from './value.ts';

export type Component = NonNullable<Observation['component']>[number];

const VALUE_LABEL: Readonly<Record<ValueKey | 'stringValue', string>> = {
  quantityValue: 'Quantity Value',
  stringValue: 'String Value',
  codeValue: 'Code Value',
  booleanValue: 'Boolean Value',
  rangeValue: 'Range Value',
  ratioValue: 'Ratio Value',
  timeValue: 'Time Value',
  dateTimeValue: 'DateTime Value',
  periodValue: 'Period Value',
};

// ---- sending

/** All components that say something; '' for none. */
export function componentWords(components: readonly Component[], s: { report(remark: Remark): void }): string {
  if (components.some(({ code }) => code?.coding?.some((coding) => coding.code)))
    s.report({ code: 'value.lost', text: 'The parts of the observation travel as words, without the codes of what they are.' });
  return components
    .map((component) => wordsOf(component, s))
    .filter((words) => words)
    .map((words) => `[${words}]`)
    .join(' ');
}

function wordsOf(component: Component, s: { report(remark: Remark): void }): string {
  const { interpretation, referenceRange, dataAbsentReason } = component;
  const coding = interpretation?.coding?.find((one) => one.userSelected !== undefined) ?? interpretation?.coding?.[0];
  const [range, ...furtherRanges] = referenceRange ?? [];
  const bounds = rangeText(range);
  if (furtherRanges.length || (range?.text && bounds))
    s.report({ code: 'value.lost', text: 'Of the ranges of a part only the bounds of the first are carried.' });
  return [
    part('Code', textOrCoding(component.code)),
    componentValue(component, s),
    part('Interpretation Code', coding?.code ?? coding?.display),
    part('Interpretation Text', interpretation?.text),
    part('Range', bounds || range?.text),
    part('Data Absent', textOrCoding(dataAbsentReason)),
  ]
    .filter((words) => words)
    .join(' ');
}

const part = (label: string, words: string | undefined) => (words ? `${label}: ${words}` : '');

function componentValue(component: Component, s: { report(remark: Remark): void }): string {
  if (component.valueString) return part(VALUE_LABEL.stringValue, component.valueString);
  if (component.valueQuantity) return part(VALUE_LABEL.quantityValue, componentQuantityWords(component.valueQuantity));
  const value = valueWords(component, s);
  return value ? part(VALUE_LABEL[value[0]], value[1]) : '';
}

// ---- requesting

const KEYS: ReadonlyMap<string, ValueKey | 'stringValue'> = new Map(
  (
    [
      'quantityValue',
      'stringValue',
      'codeValue',
      'booleanValue',
      'rangeValue',
      'ratioValue',
      'timeValue',
      'dateTimeValue',
      'periodValue',
    ] as const
  ).map((key) => [VALUE_LABEL[key], key]),
);
const PARTS = /(?:^| )(Code|[A-Z][A-Za-z]+ Value|Interpretation Code|Interpretation Text|Range|Data Absent): /g;

/** What `componentWords` wrote; undefined where any of it cannot be read. */
export function readComponents(text: string): Component[] | undefined {
  const line = text.trim();
  if (!line.startsWith('[') || !line.endsWith(']')) return undefined;
  const components = line.slice(1, -1).split('] [').map(readComponent);
  return components.every((component) => component !== undefined) ? components : undefined;
}

function readComponent(text: string): Component | undefined {
  const component: Component = {};
  const interpretation: CodeableConcept = {};
  const starts = [...text.matchAll(PARTS)];
  if (starts[0]?.index !== 0) return undefined;
  for (const [index, start] of starts.entries()) {
    const words = text.slice(start.index + start[0].length, starts[index + 1]?.index ?? text.length).trim();
    const label = start[1] ?? '';
    if (label === 'Code') component.code = { text: words };
    else if (label === 'Interpretation Code')
      interpretation.coding = [{ ...(KNOWN.test(words) && { system: INTERPRETATION_SYSTEM }), code: words }];
    else if (label === 'Interpretation Text') interpretation.text = words;
    else if (label === 'Data Absent') component.dataAbsentReason = { text: words };
    else if (label === 'Range') component.referenceRange = [readRangeWords(words) ?? { text: words }];
    else Object.assign(component, readComponentValue(label, words));
  }
  if (interpretation.coding || interpretation.text) component.interpretation = interpretation;
  return component;
}

const KNOWN = /^(HH?|HU|LL?|LU|AA?|N)$/;

function readComponentValue(label: string, words: string): Values {
  const key = KEYS.get(label);
  if (key === undefined) return { valueString: `${label}: ${words}` };
  if (key === 'stringValue') return { valueString: words };
  if (key === 'quantityValue') {
    const valueQuantity = readQuantityWords(words);
    return valueQuantity ? { valueQuantity } : { valueString: words };
  }
  return readValueWords(key, words) ?? { valueString: words };
}

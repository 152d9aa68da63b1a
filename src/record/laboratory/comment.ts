/**
 * The words of a result, in both directions: the narratives beside its statement. Values other than amounts have no other place
 * in a laboratory statement, as receivers know it.
 */
import type { Observation } from '../../fhir/types.ts';
import { componentWords, readComponents } from '../observation/components.ts';
import { interpretationInWords, interpretationWords } from '../observation/interpretation.ts';
import { boundsText, differentUnit, type ReferenceRange, readBounds } from '../observation/range.ts';
import { NOTABLE_STATUSES } from '../observation/terms.ts';
import { readValueWords, VALUE_KEYS, valueWords } from '../observation/value.ts';
import { textOrCoding, userSelectedTextOrCoding } from '../shared/coded.ts';
import { quantityText } from '../shared/quantity.ts';
import type { Remark } from '../types.ts';
import { LINE, type LineKey, RESULT_LABEL, type ResultKey } from './terms.ts';

type Reporter = { report(remark: Remark): void };

// ---- sending

/**
 * The texts of the narratives of a result, in order. `group`: it has no statement of its own, so its value is words too. A result of
 * which nothing else is said has the report's status where that is unknown; one that is final in such a report says so.
 */
export function resultTexts(result: Observation, group: boolean, s: Reporter, reportStatus?: string): string[] {
  const single = (key: ResultKey, words: string | undefined) => (words ? [RESULT_LABEL[key] + oneLine(words)] : []);
  const combined = combinedText(result, group, s, reportStatus);
  return [
    ...single('dataAbsent', textOrCoding(result.dataAbsentReason)),
    ...single('site', textOrCoding(result.bodySite)),
    ...single('method', textOrCoding(result.method)),
    ...(combined ? [combined] : []),
  ];
}

const oneLine = (words: string) => words.replace(/\s+/g, ' ').trim();

function combinedText(result: Observation, group: boolean, s: Reporter, reportStatus: string | undefined): string {
  const quantity = result.valueQuantity?.value === undefined ? undefined : result.valueQuantity;
  const inWords = group || !quantity;
  const value = valueWords(result, s);
  const interpretation = group ? userSelectedTextOrCoding(result.interpretation) : interpretationWords(result.interpretation);
  const ranges = result.referenceRange ?? [];
  const before = interpretation ? [LINE.interpretation + oneLine(interpretation)] : [];
  const after: [LineKey, string | undefined][] = [
    // A string may have many lines: a report of histology is one.
    ['value', result.valueString?.trim()],
    ...(value ? [[value[0], oneLine(value[1])] as [LineKey, string]] : []),
    ['quantityValue', group && quantity ? quantityText(quantity) : undefined],
    ['components', componentWords(result.component ?? [], s)],
    ['status', isTold(result.status, reportStatus) ? result.status : undefined],
    ...ranges.flatMap((range): [LineKey, string | undefined][] => [
      ['rangeText', range.text && oneLine(range.text)],
      ['rangeUnits', inWords ? undefined : differentUnit(range, quantity)],
      ['range', inWords ? boundsText(range) : undefined],
    ]),
  ];
  const lines = after.flatMap(([key, words]) => (words ? [LINE[key] + words] : []));
  return [...before, ...(result.comment ? [result.comment] : []), ...lines].join('\n').trim();
}

const isTold = (status: string | undefined, reportStatus?: string) =>
  NOTABLE_STATUSES.has(status ?? '') || (status === 'final' && reportStatus === 'unknown');

// ---- requesting

/** What one narrative (out of its envelope) says of a result that has no value yet, and the comment that is left. */
export function readResultText(text: string, hasValue: boolean): Partial<Observation> & { readonly rangeUnits?: string } {
  for (const key of ['dataAbsent', 'site', 'method'] as const) {
    const label = RESULT_LABEL[key];
    if (text.startsWith(label) && !text.includes('\n')) return single(key, text.slice(label.length));
  }
  return readCombined(text, hasValue);
}

function single(key: ResultKey, words: string): Partial<Observation> {
  const concept = { text: words };
  return key === 'dataAbsent' ? { dataAbsentReason: concept } : key === 'site' ? { bodySite: concept } : { method: concept };
}

const AFTER: readonly LineKey[] = ['value', ...VALUE_KEYS, 'components', 'status', 'rangeText', 'rangeUnits', 'range'];

function readCombined(text: string, hasValue: boolean): Partial<Observation> & { readonly rangeUnits?: string } {
  const read: Partial<Observation> & { rangeUnits?: string } = {};
  const lines = text.split('\n');
  if (lines[0]?.startsWith(LINE.interpretation)) {
    read.interpretation = interpretationInWords(lines[0].slice(LINE.interpretation.length));
    lines.shift();
  }
  const ranges: ReferenceRange[] = [];
  // From the end: a label is one only while everything after it is labelled.
  for (let last = lines.at(-1); last !== undefined; last = lines.at(-1)) {
    const key = AFTER.find((one) => last.startsWith(LINE[one]));
    if (key === undefined || key === 'value' || !take(key, last.slice(LINE[key].length), read, ranges, hasValue)) break;
    lines.pop();
  }
  const start = hasValue ? -1 : lines.findIndex((line) => line.startsWith(LINE.value));
  if (start >= 0) {
    const [first = '', ...more] = lines.splice(start);
    read.valueString = [first.slice(LINE.value.length), ...more].join('\n');
  }
  if (ranges.length) read.referenceRange = ranges;
  const comment = lines.join('\n');
  return comment ? { ...read, comment } : read;
}

/** Takes one labelled line, ranges from the last to the first; false where its words are none that we write. */
function take(
  key: LineKey,
  words: string,
  read: Partial<Observation> & { rangeUnits?: string },
  ranges: ReferenceRange[],
  hasValue: boolean,
): boolean {
  switch (key) {
    case 'range': {
      const bounds = readBounds(words);
      if (bounds) ranges.unshift(bounds);
      return bounds !== undefined;
    }
    case 'rangeText': {
      const first = ranges[0];
      if (first && first.text === undefined) ranges[0] = { ...first, text: words };
      else ranges.unshift({ text: words });
      return true;
    }
    case 'rangeUnits':
      if (/\s/.test(words)) return false;
      read.rangeUnits = words;
      return true;
    case 'status':
      if (!isTold(words, 'unknown')) return false;
      read.status = words;
      return true;
    case 'components': {
      const component = readComponents(words);
      if (component) read.component = component;
      return component !== undefined;
    }
    case 'value':
    case 'interpretation':
      return false;
    default: {
      const value = hasValue ? undefined : readValueWords(key, words);
      if (value) Object.assign(read, value);
      return value !== undefined;
    }
  }
}

/**
 * The words beside an observation's value: everything ObservationStatement has no place for, then the comment. Each fact is a line
 * behind its label; both directions use the table of labels in `terms.ts`.
 */
import type { Observation } from '../../fhir/types.ts';
import { PROBLEM_INFO } from '../problem/terms.ts';
import { textOrCoding } from '../shared/coded.ts';
import { fact, factsThenNotes, type Labels } from '../shared/labels.ts';
import { quantityText } from '../shared/quantity.ts';
import type { Remark } from '../types.ts';
import { componentWords, readComponents } from './components.ts';
import { interpretationWords } from './interpretation.ts';
import { boundsText, differentUnit, type ReferenceRange, rangeToHl7, readBounds } from './range.ts';
import { LABEL, NOTABLE_STATUSES } from './terms.ts';
import { readValueWords, VALUE_KEYS, type ValueKey, valueWords } from './value.ts';

const VALUES = {
  codeValue: { label: LABEL.codeValue },
  booleanValue: { label: LABEL.booleanValue, value: /true|false/ },
  rangeValue: { label: LABEL.rangeValue },
  ratioValue: { label: LABEL.ratioValue },
  timeValue: { label: LABEL.timeValue, value: /\d{2}:\d{2}:\d{2}/ },
  dateTimeValue: { label: LABEL.dateTimeValue, value: /\d{4}(-\d\d(-\d\d( \d\d:\d\d:\d\d)?)?)?/ },
  periodValue: { label: LABEL.periodValue },
  quantityValue: { label: LABEL.quantityValue },
} satisfies Labels<ValueKey>;

// In the order in which they are written.
const LABELS = {
  components: { label: LABEL.components },
  ...VALUES,
  rangeUnits: { label: LABEL.rangeUnits },
  range: { label: LABEL.range },
  interpretation: { label: LABEL.interpretation },
  dataAbsent: { label: LABEL.dataAbsent },
  method: { label: LABEL.method },
  status: { label: LABEL.status, value: /[a-z-]+/ },
} satisfies Labels<string>;
type Key = keyof typeof LABELS;

// Only labels that nobody writes by hand: a narrative is a clinician's own words.
const NOTE_LABELS = {
  ...VALUES,
  stringValue: { label: LABEL.stringValue },
  components: { label: LABEL.components },
  bodySite: { label: LABEL.bodySite },
  dataAbsent: { label: LABEL.dataAbsent },
  method: { label: LABEL.method },
  status: { label: LABEL.status, value: /[a-z-]+/ },
} satisfies Labels<string>;

// ---- sending

/** The annotation of an observation; `problems` are the words of the problems that it stands for. '' for none. */
export function annotationText(of: Observation, problems: readonly string[], s: { report(remark: Remark): void }): string {
  const value = valueWords(of, s);
  const ranges = of.referenceRange ?? [];
  const inWords = of.valueQuantity?.value === undefined ? ranges : ranges.filter((range) => rangeToHl7(range) === null);
  const facts = [
    fact(LABELS.components, componentWords(of.component ?? [], s)),
    value && fact(LABELS[value[0]], value[1]),
    fact(LABELS.rangeUnits, of.valueQuantity?.value === undefined ? undefined : unitOfRanges(ranges, of.valueQuantity)),
    fact(LABELS.range, inWords.map(wordsOfRange).filter(Boolean).join(` ${LABEL.range}`)),
    fact(LABELS.interpretation, interpretationWords(of.interpretation)),
    fact(LABELS.dataAbsent, textOrCoding(of.dataAbsentReason)),
    fact(LABELS.method, textOrCoding(of.method)),
    fact(LABELS.status, NOTABLE_STATUSES.has(of.status ?? '') ? of.status : undefined),
  ];
  const site = fact({ label: LABEL.bodySite }, textOrCoding(of.bodySite));
  const text = factsThenNotes(facts, [of.comment?.trim()]);
  return [text, site && `${site}\n`, ...problems].reduce<string>(onLine, '');
}

/** What follows stands on a line of its own. */
function onLine(text: string, next: string | undefined): string {
  if (!next) return text;
  return text && !text.endsWith('\n') ? `${text}\n${next}` : text + next;
}

const unitOfRanges = (ranges: readonly ReferenceRange[], value: Observation['valueQuantity']) =>
  ranges.map((range) => differentUnit(range, value)).find((unit) => unit !== undefined);

/** `Text: adult Low: 3.6 mmol/L High: 7.1 mmol/L` */
function wordsOfRange(range: ReferenceRange): string {
  return [range.text && `Text: ${range.text}`, boundsText(range)].filter((part) => part).join(' ');
}

/**
 * The text of a comment note. A note that also has a value is rare, and a narrative has no place for one: its words go before
 * the comment.
 */
export function noteText(of: Observation, problems: readonly string[], s: { report(remark: Remark): void }): string {
  const quantity = of.valueQuantity?.value === undefined ? undefined : quantityText(of.valueQuantity);
  const value = valueWords(of, s);
  const facts = [
    value && fact(NOTE_LABELS[value[0]], value[1]),
    fact(NOTE_LABELS.quantityValue, quantity),
    fact(NOTE_LABELS.stringValue, of.valueString),
    fact(NOTE_LABELS.components, componentWords(of.component ?? [], s)),
    fact(NOTE_LABELS.bodySite, textOrCoding(of.bodySite)),
    fact(NOTE_LABELS.dataAbsent, textOrCoding(of.dataAbsentReason)),
    fact(NOTE_LABELS.method, textOrCoding(of.method)),
    fact(NOTE_LABELS.status, NOTABLE_STATUSES.has(of.status ?? '') ? of.status : undefined),
  ];
  return factsThenNotes(facts, [of.comment, ...problems]);
}

// ---- requesting

/** The text of a narrative taken apart: the value that a note had beside its comment. */
export function readNote(text: string): Partial<Observation> {
  const { found, rest } = readLines<keyof typeof NOTE_LABELS>(text, NOTE_LABELS);
  if (Object.keys(found).length === 0) return text.trim() ? { comment: text } : {};
  const component = found.components === undefined ? undefined : readComponents(found.components);
  const { value, unread } = readValues(found, false);
  if (found.components !== undefined && !component) unread.push(LABEL.components + found.components);
  const isStatus = found.status !== undefined && NOTABLE_STATUSES.has(found.status);
  if (found.status !== undefined && !isStatus) unread.push(LABEL.status + found.status);
  const comment = [...unread, rest.trim()].filter((part) => part).join('\n');
  return {
    ...value,
    ...(found.stringValue !== undefined && { valueString: found.stringValue }),
    ...(component && { component }),
    ...(found.bodySite !== undefined && { bodySite: { text: found.bodySite } }),
    ...(found.dataAbsent !== undefined && { dataAbsentReason: { text: found.dataAbsent } }),
    ...(found.method !== undefined && { method: { text: found.method } }),
    ...(isStatus && { status: found.status }),
    ...(comment && { comment }),
  };
}

/**
 * Takes labelled lines off the beginning of a text. Only whole lines count: where all runs together, as the existing adaptor writes
 * it, nobody can say where a value ends and a clinician's words begin.
 */
function readLines<K extends string>(text: string, labels: Labels<K>): { found: Partial<Record<K, string>>; rest: string } {
  const found: Partial<Record<K, string>> = {};
  let at = 0;
  for (const key in labels) {
    const { label, value } = labels[key];
    const end = text.startsWith(label, at) ? text.indexOf('\n', at) : -1;
    if (end < 0) continue;
    const words = text.slice(at + label.length, end);
    if (value && value.exec(words)?.[0] !== words) continue;
    found[key] = words;
    at = end + 1;
  }
  return { found, rest: text.slice(at) };
}

/** An observation has one value. */
function readValues(found: Partial<Record<ValueKey, string>>, hasValue: boolean): { value: Partial<Observation>; unread: string[] } {
  const value: Partial<Observation> = {};
  const unread: string[] = [];
  for (const key of VALUE_KEYS) {
    const words = found[key];
    if (words === undefined) continue;
    const read = hasValue || Object.keys(value).length ? undefined : readValueWords(key, words);
    if (read) Object.assign(value, read);
    else unread.push(LABEL[key] + words);
  }
  return { value, unread };
}

/** The words of an observation without those that are its problem's and are told there. */
export function withoutProblem(text: string): string {
  const start = text.startsWith(PROBLEM_INFO) ? 0 : text.indexOf(`\n${PROBLEM_INFO}`) + 1;
  return start > 0 || text.startsWith(PROBLEM_INFO) ? text.slice(0, start) : text;
}

/** An annotation taken apart: what it says of an observation, and the comment that is left. */
export function readAnnotation(text: string, ranges: readonly ReferenceRange[], hasValue: boolean): Partial<Observation> {
  const { found, rest } = readLines<Key>(text, LABELS);
  const { site, comment } = siteAndComment(rest);
  const { value, unread } = readValues(found, hasValue);
  const observation: Partial<Observation> = { ...value };
  if (found.components !== undefined) {
    const component = readComponents(found.components);
    if (component) observation.component = component;
    else unread.push(LABEL.components + found.components);
  }
  const referenceRange = [...withUnit(ranges, found.rangeUnits), ...readRanges(found.range)];
  if (referenceRange.length) observation.referenceRange = referenceRange;
  if (found.rangeUnits !== undefined && !ranges.length) unread.push(LABEL.rangeUnits + found.rangeUnits);
  if (found.interpretation !== undefined) observation.interpretation = { text: found.interpretation };
  if (found.dataAbsent !== undefined) observation.dataAbsentReason = { text: found.dataAbsent };
  if (found.method !== undefined) observation.method = { text: found.method };
  if (found.status !== undefined && NOTABLE_STATUSES.has(found.status)) observation.status = found.status;
  else if (found.status !== undefined) unread.push(LABEL.status + found.status);
  if (site !== undefined) observation.bodySite = { text: site };
  const left = [...unread, comment].filter((part) => part).join('\n');
  return left ? { ...observation, comment: left } : observation;
}

const SITE = /(?:^|\n)BodySite: ([^\n]+)\n(?=(?:Problem Info: [\s\S]*)?$)/;

function siteAndComment(text: string): { site?: string; comment: string } {
  const match = text.includes(LABEL.bodySite) ? SITE.exec(text) : null;
  if (!match?.[1]) return { comment: text };
  const after = text.slice(match.index + match[0].length);
  return { site: match[1], comment: [text.slice(0, match.index), after].filter((part) => part).join(' ') };
}

function withUnit(ranges: readonly ReferenceRange[], unit: string | undefined): ReferenceRange[] {
  if (unit === undefined) return [...ranges];
  return ranges.map(({ low, high, ...rest }) => ({
    ...(low && { low: { ...low, unit } }),
    ...(high && { high: { ...high, unit } }),
    ...rest,
  }));
}

function readRanges(words: string | undefined): ReferenceRange[] {
  if (words === undefined) return [];
  return words.split(` ${LABEL.range}`).map((one) => {
    const text = /^Text: (.*?)(?= Low: | High: |$)/.exec(one);
    const bounds = readBounds(one.slice(text?.[0].length ?? 0));
    if (!text && !bounds) return { text: one };
    return { ...bounds, ...(text?.[1] && { text: text[1] }) };
  });
}

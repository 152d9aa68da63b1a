/**
 * Facts for which HL7 has no place travel as words: `Batch: AB12`. What one direction writes the other reads back, by one table of
 * labels that stands in the `terms.ts` of the concept. Every labelled fact is a line of its own, ended by a line feed, and the
 * notes follow: so a value and the notes after it cannot be mixed up. The existing adaptor puts single blanks between all of them; such a text
 * is read as far as it is certain, and from there on it stays the note that it was.
 */
import { hl7ToFhir } from '../../base/hl7-time.ts';

export type Label = {
  /** With the blank that stands before a value; a label without one has no value. */
  readonly label: string;
  /** The only values it can have (a sticky expression); without it any text. */
  readonly value?: RegExp;
};
/** In the order in which they are written. */
export type Labels<K extends string> = Readonly<Record<K, Label>>;

/** `Batch: AB12`, or undefined for no value. Line breaks inside a value become blanks: they are the grammar here. */
export function fact({ label }: Label, value: string | null | undefined): string | undefined {
  const text = value?.replace(/\s+/g, ' ').trim();
  return text ? label + text : undefined;
}

/** Between the notes of one entry: a line that ends with a blank, which no line inside a note does. Other systems show two lines. */
const NEXT_NOTE = ' \n';

/** Notes as one text, each of them once; those that say nothing are left out. */
export function notesToText(notes: readonly (string | undefined)[]): string {
  const texts = notes.map((note) => note?.replace(/[^\S\n]+(?=\n)/g, '').trim()).filter((note) => note);
  return [...new Set(texts)].join(NEXT_NOTE);
}

/** The notes of a text that `notesToText` wrote. */
export const notesInText = (text: string): string[] => text.split(NEXT_NOTE).filter((note) => note.trim());

/** Labelled facts, each a line, then the notes. A fact that a note already tells in the same words is not told twice. */
export function factsThenNotes(facts: readonly (string | undefined)[], notes: readonly (string | undefined)[]): string {
  const told = notes.filter((note) => note !== undefined && note !== '');
  const lines = facts.filter((fact) => fact !== undefined && fact !== '' && !told.some((note) => note?.includes(fact)));
  return lines.map((line) => `${line}\n`).join('') + told.join(' ');
}

/**
 * Takes labelled facts off the beginning of a text. `rest` is what follows them: the notes, and all that could not be told from notes.
 * Where notes have a label of their own (`''` where there are none at all), every value's end is certain; that label is taken off too.
 */
export function readFacts<K extends string>(
  text: string,
  labels: Labels<K>,
  notes?: string,
): { found: Partial<Record<K, string>>; rest: string } {
  const found: Partial<Record<K, string>> = {};
  const keys = namesOf(labels);
  let at = skipBlanks(text, 0);
  let separator: '\n' | ' ' | undefined;
  for (const [index, key] of keys.entries()) {
    const { label, value } = labels[key];
    if (!text.startsWith(label.trimEnd(), at)) continue;
    const after = at + label.trimEnd().length;
    const from = label.endsWith(' ') ? skipBlanks(text, after) : after;
    const later = [...keys.slice(index + 1).map((name) => labels[name].label), ...(notes ? [notes] : [])].map((one) => one.trimEnd());
    const known = value ? endOfMatch(text, from, value) : endOfText(text, from, later, separator);
    const end = known ?? (notes === undefined || value ? undefined : text.length);
    if (end === undefined) {
      if (value) continue;
      break;
    }
    found[key] = text.slice(from, end).replace(/\s+/g, ' ').trim();
    if (end < text.length) separator ??= text[end] === '\n' ? '\n' : ' ';
    at = skipBlanks(text, end);
  }
  const rest = text.slice(at);
  return { found, rest: notes && rest.startsWith(notes) ? rest.slice(notes.length) : rest };
}

function namesOf<K extends string>(labels: Labels<K>): K[] {
  const names: K[] = [];
  for (const name in labels) names.push(name);
  return names;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? '')) at++;
  return at;
}

function endOfMatch(text: string, from: number, value: RegExp): number | undefined {
  const sticky = new RegExp(value.source, 'y');
  sticky.lastIndex = from;
  const match = sticky.exec(text);
  if (!match) return undefined;
  const end = from + match[0].length;
  return end === text.length || /\s/.test(text[end] ?? '') ? end : undefined;
}

/** Free text ends at its line feed, or at a later label; nowhere else can its end be known. */
function endOfText(text: string, from: number, later: readonly string[], separator: '\n' | ' ' | undefined): number | undefined {
  const feed = separator === ' ' ? -1 : text.indexOf('\n', from);
  const upTo = feed < 0 ? text.length : feed;
  let end = feed < 0 ? undefined : feed;
  for (const label of later) {
    for (let found = text.indexOf(label, from); found > 0 && found < upTo; found = text.indexOf(label, found + 1)) {
      if (!/\s/.test(text[found - 1] ?? '')) continue;
      if (end === undefined || found - 1 < end) end = found - 1;
      break;
    }
  }
  return end;
}

/** A date as `dateText` writes it, as FHIR dateTime (London's clock for times). Undefined for anything else. */
export function dateFromText(text: string): string | undefined {
  return hl7ToFhir(text.replace(/[-: ]/g, '')) ?? undefined;
}

/**
 * The words of a blood pressure in both directions. HL7 has a narrative for the panel and an annotation for each reading, FHIR one
 * comment: labels keep them apart.
 */
import { LINE, type LineKey, NOTE } from './terms.ts';

/** The words that belong to the panel and to each of its readings. */
export type Notes = { readonly systolic: string; readonly diastolic: string; readonly panel: string };

// ---- sending

/** A comment that was made of labelled notes taken apart again; any other comment belongs to the panel. */
export function notesOf(comment: string | undefined): Notes {
  const text = comment ?? '';
  const starts = [NOTE.systolic, NOTE.diastolic, NOTE.panel].map((label) => startOf(label, text));
  if (!starts.includes(0)) return { systolic: '', diastolic: '', panel: text };
  const [systolic = '', diastolic = '', panel = ''] = [NOTE.systolic, NOTE.diastolic, NOTE.panel].map((label, index) => {
    const from = starts[index] ?? -1;
    if (from < 0) return '';
    const end = starts.slice(index + 1).find((start) => start > from) ?? text.length;
    return text.slice(from + label.length, end).trim();
  });
  return { systolic, diastolic, panel };
}

/** Where a label stands at the beginning of a word; -1 for nowhere. */
function startOf(label: string, text: string): number {
  if (text.startsWith(label)) return 0;
  const found = text.indexOf(` ${label}`);
  return found < 0 ? -1 : found + 1;
}

/** The panel's narrative: its note, then a line for each labelled fact. '' where there is nothing to say. */
export function panelText(note: string, facts: Readonly<Partial<Record<LineKey, string | undefined>>>): string {
  const lines = keys.flatMap((key) => {
    const words = facts[key]?.replace(/\s+/g, ' ').trim();
    return words ? [`${LINE[key]}${words}\n`] : [];
  });
  return (note && lines.length ? `${note}\n` : note) + lines.join('');
}

const keys: readonly LineKey[] = ['site', 'systolicAbsent', 'diastolicAbsent', 'interpretations', 'components', 'method', 'status'];

// ---- requesting

/** A panel's narrative taken apart. A labelled line is one only if everything after it is labelled too. */
export function readPanelText(text: string): { note: string; facts: Partial<Record<LineKey, string>> } {
  const facts: Partial<Record<LineKey, string>> = {};
  if (!text.endsWith('\n')) return { note: text, facts };
  const lines = text.slice(0, -1).split('\n');
  let last = keys.length;
  while (lines.length > 0) {
    const line = lines[lines.length - 1] ?? '';
    const index = keys.findIndex((key, at) => at < last && line.startsWith(LINE[key]));
    const key = keys[index];
    if (key === undefined) break;
    facts[key] = line.slice(LINE[key].length);
    last = index;
    lines.pop();
  }
  return { note: lines.join('\n'), facts };
}

/** All notes as the one comment of the observation; '' for none. */
export function commentOf(readings: readonly { readonly label: string; readonly text: string }[], panel: readonly string[]): string {
  const parts = readings.map(({ label, text }) => `${label}${text}`);
  const notes = panel.filter((note) => note.trim());
  if (notes.length) parts.push(NOTE.panel + notes.join(' '));
  return parts.join(' ').trim();
}

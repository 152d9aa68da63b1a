/** Everything a person can read in an entry, for the case that nothing else of it can be carried. */
import { Decimal } from '../../fhir/json.ts';
import type { Resource } from '../../fhir/types.ts';
import { attr, child, children, textOf, type XmlElement } from '../../xml/element.ts';

// Members whose values are made for machines, and those that lead elsewhere.
const NOT_READ: ReadonlySet<string> = new Set([
  'resourceType',
  'id',
  'meta',
  'identifier',
  'contained',
  'extension',
  'system',
  'url',
  'reference',
  'subject',
  'patient',
  'context',
  'encounter',
  'div',
  'userSelected',
  'version',
  'data',
]);

/** `MedicationRequest. status: active. medicationCodeableConcept: 42, Paracetamol. …`: every value of a resource, by its member's name. */
export function wordsOfResource(resource: Resource): string {
  const lines = Object.entries(resource).flatMap(([member, value]) => {
    const words = NOT_READ.has(member) ? '' : wordsIn(value, 0);
    return words ? [`${member}: ${words}`] : [];
  });
  return [resource.resourceType, ...lines].join('. ');
}

function wordsIn(value: unknown, depth: number): string {
  if (depth > 8 || value === null || value === undefined) return '';
  if (value instanceof Decimal) return value.text;
  if (typeof value !== 'object') return String(value).trim();
  const inner = Array.isArray(value)
    ? value.map((one) => wordsIn(one, depth + 1))
    : Object.entries(value).map(([member, one]) => (NOT_READ.has(member) ? '' : wordsIn(one, depth + 1)));
  return [...new Set(inner.filter((words) => words !== ''))].join(', ');
}

const TEXTS: ReadonlySet<string> = new Set(['text', 'originalText', 'desc', 'name']);

/** The codes' words, the texts and the amounts of a statement, in document order, each once. */
export function wordsOfStatement(statement: XmlElement): string {
  const words: string[] = [];
  collect(statement, words);
  return [...new Set(words.map((word) => word.trim()).filter((word) => word !== ''))].join('\n');
}

function collect(element: XmlElement, words: string[]): void {
  if (TEXTS.has(element.name)) words.push(textOf(element));
  else if (attr(element, 'displayName') && !child(element, 'originalText')) words.push(attr(element, 'displayName') ?? '');
  else if (element.name === 'value' || element.name === 'low' || element.name === 'high' || element.name === 'quantity')
    words.push([attr(element, 'value'), unitWord(attr(element, 'unit'))].filter((part) => part).join(' ') || ownText(element));
  for (const inner of children(element)) if (!TEXTS.has(element.name)) collect(inner, words);
}

const unitWord = (unit: string | undefined) => (unit === '1' ? undefined : unit);
const ownText = (element: XmlElement) => element.children.filter((node) => typeof node === 'string').join('');

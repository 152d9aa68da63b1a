/**
 * Claims about what became of a fragment, one line each:
 *
 *     2 Condition                                          so many resources of the type
 *     Condition.clinicalStatus = active                    a value at the path, in one of them
 *     Condition.onsetDateTime < LinkSet/effectiveTime/low  every value there is that of an element of the fragment, by the end of its path
 *     Condition.abatementDateTime -                        nothing there, in none of them
 */
import { hl7ToFhir, hl7ToInstant } from '../src/base/hl7-time.ts';
import type { Resource } from '../src/fhir/types.ts';
import { children, textOf, type XmlElement } from '../src/xml/element.ts';

const CLAIM = /^(?:(?<count>\d+) (?<counted>\w+)|(?<path>\w+(?:\.\w+)+) (?:= (?<value>.+)|< (?<source>\S+)|(?<absent>-)))$/;

/** What is wrong with a claim, null for nothing. */
export function wrongWith(claim: string, resources: readonly Resource[], root: XmlElement): string | null {
  const parts = CLAIM.exec(claim)?.groups;
  if (!parts) return `no claim: ${claim}`;
  const { count, counted, path = '', value, source, absent } = parts;
  if (count !== undefined) {
    const there = resources.filter(({ resourceType }) => resourceType === counted).length;
    return there === Number(count) ? null : `${claim}: there are ${there}`;
  }
  const [type, ...members] = path.split('.');
  const values = resources.filter(({ resourceType }) => resourceType === type).flatMap((resource) => valuesAt(resource, members));
  if (absent) return values.length === 0 ? null : `${claim}: there is ${values}`;
  if (value !== undefined) return values.includes(value) ? null : `${claim}: there is ${values.join(', ') || 'nothing'}`;
  const known = new Set(elementsAt(root, (source ?? '').split('/')).flatMap(formsOf));
  const stray = values.filter((one) => !known.has(one) && !known.has(one.slice(one.lastIndexOf('/') + 1)));
  if (values.length === 0 || stray.length > 0) return `${claim}: there is ${stray.join(', ') || 'nothing'}, expected one of ${[...known]}`;
  return null;
}

function valuesAt(value: unknown, members: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => valuesAt(one, members));
  const [member, ...more] = members;
  if (member === undefined)
    return value === undefined || value === null ? [] : [typeof value === 'object' ? JSON.stringify(value) : String(value)];
  return typeof value === 'object' && value !== null && member in value ? valuesAt((value as Record<string, unknown>)[member], more) : [];
}

/** Elements whose path ends in the names given. */
function elementsAt(root: XmlElement, names: readonly string[], above: readonly string[] = []): XmlElement[] {
  const path = [...above, root.name];
  const ends = names.every((name, at) => path[path.length - names.length + at] === name);
  return [...(ends ? [root] : []), ...children(root).flatMap((inner) => elementsAt(inner, names, path))];
}

/** Everything that an element may be in a resource: its attributes as they stand and as dates, its words. */
function formsOf(element: XmlElement): string[] {
  const values = element.attributes.filter((_, at) => at % 2 === 1);
  const dates = values.flatMap((value) => [hl7ToFhir(value), hl7ToInstant(value)]).filter((date) => date !== null);
  const words = textOf(element);
  return [...values, ...dates, words, words.trim()].filter((form) => form !== '');
}

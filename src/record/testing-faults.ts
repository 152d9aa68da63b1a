/** Faults made by rule, and what they may change: each member of a resource left out, of the wrong type, or huge. */
import { Decimal } from '../fhir/json.ts';
import type { Bundle, Resource } from '../fhir/types.ts';
import { attr, child, children, descendants, type XmlElement } from '../xml/element.ts';
import { writeXml } from '../xml/write.ts';
import type { Sent } from './testing-record.ts';

export type Path = readonly (string | number)[];
export type FaultKind = 'left out' | 'a number' | 'a text' | 'an object' | 'a list' | 'a huge text' | 'a huge list';
export type MadeFault = { readonly resource: string; readonly path: Path; readonly kind: FaultKind };

const KINDS: readonly FaultKind[] = ['left out', 'a number', 'a text', 'an object', 'a list', 'a huge text', 'a huge list'];
const HUGE = 20_000;

const keyOf = (resource: Resource) => `${resource.resourceType}/${resource.id}`;
const resourcesOf = (bundle: Bundle) => (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);

/** Every fault of every member of the fullest resources of each type, `perType` of them. */
export function faultsOf(bundle: Bundle, perType = 1): MadeFault[] {
  const types = Map.groupBy(resourcesOf(bundle), ({ resourceType }) => resourceType);
  const chosen = [...types.values()].flatMap((all) => all.toSorted((a, b) => pathsIn(b).length - pathsIn(a).length).slice(0, perType));
  return chosen.flatMap((resource) =>
    pathsIn(resource).flatMap((path) => KINDS.map((kind) => ({ resource: keyOf(resource), path, kind }))),
  );
}

/** Members of a resource but its type, and members of these; of lists the first item. */
function pathsIn(value: unknown, at: Path = []): Path[] {
  if (Array.isArray(value)) return value.length ? [[...at, 0], ...pathsIn(value[0], [...at, 0])] : [];
  if (typeof value !== 'object' || value === null || at.length > 5) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'resourceType' ? [] : [[...at, name], ...pathsIn(inner, [...at, name])],
  );
}

/** The bundle with one fault. */
export function withFault(bundle: Bundle, { resource, path, kind }: MadeFault): Bundle {
  const entry = (bundle.entry ?? []).map((one) =>
    one.resource && keyOf(one.resource) === resource ? { ...one, resource: changed(one.resource, path, kind) as Resource } : one,
  );
  return { ...bundle, entry };
}

function changed(value: unknown, [first, ...rest]: Path, kind: FaultKind): unknown {
  if (first === undefined) return instead(value, kind);
  if (Array.isArray(value)) {
    const inner = value.map((one, index) => (index === first ? changed(one, rest, kind) : one));
    return inner.filter((one) => one !== undefined);
  }
  const { [first]: inner, ...others } = value as { [name: string]: unknown };
  const made = changed(inner, rest, kind);
  return made === undefined ? others : { ...(value as object), [first]: made };
}

function instead(value: unknown, kind: FaultKind): unknown {
  switch (kind) {
    case 'left out':
      return undefined;
    case 'a number':
      return typeof value === 'number' || value instanceof Decimal ? 'seven' : 7;
    case 'a text':
      return typeof value === 'string' ? false : 'seven';
    case 'an object':
      return typeof value === 'object' && !Array.isArray(value) ? ['seven'] : { seven: 7 };
    case 'a list':
      return Array.isArray(value) ? { seven: 7 } : [7, 'seven', [null]];
    case 'a huge text':
      return 'x'.repeat(HUGE);
    case 'a huge list':
      return Array.from({ length: HUGE / 100 }, () => (Array.isArray(value) ? (value[0] ?? 7) : value));
  }
}

/** Whoever a resource leads to or is led to by, directly. */
export function neighbours(bundle: Bundle): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (from: string, to: string) => found.set(from, (found.get(from) ?? new Set()).add(to));
  for (const resource of resourcesOf(bundle))
    for (const to of referencesIn(resource)) {
      add(keyOf(resource), to);
      add(to, keyOf(resource));
    }
  return found;
}

function referencesIn(value: unknown): string[] {
  if (typeof value === 'string') return /^[A-Z]\w+\/[^/]+$/.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(referencesIn);
}

/**
 * What an extract says for each resource: all that was made from it, without what was made from others and without drawn ids. Parts
 * of a report or a panel that have no resource of their own, a comment on one of its results, are told apart as `partsOf` it.
 */
export function places({ root, report }: Sent): Map<string, string> {
  const written = new Map<string, string>();
  for (const element of descendants(root)) {
    const id = ownId(element);
    if (id !== undefined && !written.has(id)) written.set(id, writeXml(alone(element)).replaceAll(DRAWN, 'an id'));
  }
  const found = new Map<string, string[]>();
  for (const { target, from, why } of report.origins) {
    const own = written.get(target);
    const key = why === undefined ? from.id : partsOf(from.id);
    if (own !== undefined) found.set(key, [...(found.get(key) ?? []), own]);
  }
  return new Map([...found].map(([key, all]) => [key, all.sort().join('\n')]));
}

export const partsOf = (key: string) => `parts of ${key}`;

/** The parts of whatever a resource stands inside of, for each resource. */
export function partsAround({ root, report }: Sent): Map<string, Set<string>> {
  const keys = Map.groupBy(report.origins, ({ target }) => target);
  const found = new Map<string, Set<string>>();
  const walk = (element: XmlElement, around: readonly string[]) => {
    const origins = keys.get(ownId(element) ?? '') ?? [];
    for (const { from } of origins) found.set(from.id, new Set([...(found.get(from.id) ?? []), partsOf(from.id), ...around]));
    const inner = [...around, ...origins.map(({ from }) => partsOf(from.id))];
    for (const node of children(element)) walk(node, inner);
  };
  walk(root, []);
  return found;
}

/** All resources that are written inside the statement of another, for that one. */
export function heldIn({ root, report }: Sent): Map<string, Set<string>> {
  const keys = Map.groupBy(report.origins, ({ target }) => target);
  const found = new Map<string, Set<string>>();
  const walk = (element: XmlElement, around: readonly string[]) => {
    const own = (keys.get(ownId(element) ?? '') ?? []).filter(({ why }) => why === undefined).map(({ from }) => from.id);
    for (const outer of around) found.set(outer, new Set([...(found.get(outer) ?? []), ...own]));
    for (const node of children(element)) walk(node, [...around, ...own]);
  };
  walk(root, []);
  return found;
}

const ownId = (element: XmlElement) => (element.name.endsWith('Ref') ? undefined : attr(child(element, 'id'), 'root'));

/** The resources that something in the extract was made from together: a person and the organisation they act for, for one. */
export function together({ report }: Pick<Sent, 'report'>): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const origins of Map.groupBy(report.origins, ({ target }) => target).values()) {
    const keys = origins.map(({ from }) => from.id);
    for (const key of keys) found.set(key, new Set([...(found.get(key) ?? []), ...keys]));
  }
  return found;
}

const DRAWN = /D0000000-0000-4000-8000-\d{12}/g;

/** An element without the statements inside it; supplies belong to the statement around them. */
function alone(element: XmlElement): XmlElement {
  const inner = children(element, 'component').filter((one) => one.children.some((node) => typeof node !== 'string' && isStatement(node)));
  const nodes = element.children.filter((node) => typeof node === 'string' || !inner.includes(node));
  return { ...element, children: nodes.map((node) => (typeof node === 'string' ? node : alone(node))) };
}

const isStatement = ({ name }: XmlElement) => /Statement$|^LinkSet$|^ehrComposition$|^ehrFolder$/.test(name);

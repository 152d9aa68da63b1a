/** One record by its references. What is found, and in which order, does not depend on the order of the bundle's entries. */
import { writeJson } from '../fhir/json.ts';
import type { Bundle, BundleEntry, Reference, Resource } from '../fhir/types.ts';
import { normalised } from './shared/references.ts';

export type BundleIndex = {
  /** `Type/id`, or `List/id#local` for a resource contained in a list. */
  readonly keys: ReadonlyMap<Resource, string>;
  /** By relative or absolute reference, by `fullUrl`, or `#local` with the resource that contains it. */
  find(reference: Reference | string | undefined, container?: Resource): Resource | undefined;
  keyOf(reference: Reference | string | undefined, container?: Resource): string | undefined;
  /** All resources of a type, by id. */
  all(resourceType: string): readonly Resource[];
  /** Everything, by type and id; what lists contain comes last. */
  readonly resources: readonly Resource[];
  /** Resources whose type and id another, different one has already; nothing finds them. */
  readonly doubles: readonly Resource[];
  /** Resources that stand in the bundle once more, word for word. */
  readonly repeats: readonly Resource[];
};

export function indexBundle(bundle: Bundle): BundleIndex {
  const entries = (bundle.entry ?? [])
    .map((entry) => withUsableId(tidied(entry) as BundleEntry))
    .filter((entry) => isResource(entry?.resource));
  const given = entries.flatMap((entry) => (entry.resource ? [entry.resource] : [])).sort(byTypeAndId);
  const byKey = new Map<string, Resource>();
  const keys = new Map<Resource, string>();
  const doubles: Resource[] = [];
  const repeats: Resource[] = [];
  const add = (key: string, resource: Resource) => {
    const first = byKey.get(key);
    if (first === undefined) {
      byKey.set(key, resource);
      keys.set(resource, key);
    } else (writeJson(first) === writeJson(resource) ? repeats : doubles).push(resource);
  };
  for (const [at, resource] of given.entries()) add(`${resource.resourceType}/${resource.id ?? `without-id-${at + 1}`}`, resource);
  for (const list of given) {
    if (list.resourceType !== 'List') continue;
    for (const inner of listOf(list.contained)) if (isResource(inner)) add(`List/${list.id}#${localId(inner)}`, inner);
  }
  const byUrl = new Map(entries.flatMap((entry) => (entry.fullUrl && entry.resource ? [[entry.fullUrl, entry.resource] as const] : [])));

  // Records refer to the same few resources over and over, each time in the same words.
  const asked = new Map<string, Resource | undefined>();
  const find = (reference: Reference | string | undefined, container?: Resource): Resource | undefined => {
    const words = typeof reference === 'string' ? reference : reference?.reference;
    if (typeof words !== 'string') return undefined;
    const known = asked.get(words);
    if (known !== undefined || asked.has(words)) return known;
    const text = normalised(words);
    if (text === undefined) return undefined;
    if (text.startsWith('#')) return listOf(container?.contained).find((inner) => isResource(inner) && localId(inner) === text.slice(1));
    const found = byKey.get(text) ?? byUrl.get(text) ?? byUrl.get(words.trim());
    asked.set(words, found);
    return found;
  };
  const resources = [...keys.keys()];
  const byType = Map.groupBy(resources, (resource) => resource.resourceType);
  return {
    keys,
    find,
    keyOf: (reference, container) => {
      const found = find(reference, container);
      return found && keys.get(found);
    },
    all: (resourceType) => byType.get(resourceType) ?? [],
    resources,
    doubles,
    repeats,
  };
}

/** Without nulls, which JSON allows everywhere and FHIR almost nowhere. What has none is not copied. */
function tidied(value: unknown): unknown {
  if (value === null || !hasNull(value)) return value;
  if (Array.isArray(value)) return value.filter((one) => one !== null).map(tidied);
  const members = Object.entries(value as object).filter(([, one]) => one !== null);
  return Object.fromEntries(members.map(([name, one]) => [name, tidied(one)]));
}

/** Whether there is a null anywhere inside. Asked of everything, so it makes nothing. */
function hasNull(value: unknown): boolean {
  if (typeof value !== 'object') return false;
  if (value === null) return true;
  if (Array.isArray(value)) {
    for (const one of value) if (hasNull(one)) return true;
    return false;
  }
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) if (hasNull(members[name])) return true;
  return false;
}

/** An id that is no text is none: its resource is known by what it says. */
function withUsableId(entry: BundleEntry): BundleEntry {
  const { resource } = entry ?? {};
  if (resource?.id === undefined || typeof resource.id === 'string') return entry;
  const { id: _id, ...others } = resource;
  return { ...entry, resource: others };
}

/** A resource has a type, and its id, if any, is a text. */
function isResource(resource: Resource | undefined): boolean {
  return typeof resource?.resourceType === 'string' && (resource.id === undefined || typeof resource.id === 'string');
}

/** Of two with the same name the order of the bundle must not decide either. */
function byTypeAndId(a: Resource, b: Resource): number {
  return compare(a.resourceType, b.resourceType) || compare(a.id ?? '', b.id ?? '') || compare(writeJson(a), writeJson(b));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The answer to a question about a resource; of one of impossible shape, which may break any question, the other answer. */
export function attempt<T>(question: () => T, otherwise: T): T {
  try {
    return question();
  } catch {
    return otherwise;
  }
}

/** The members of a list; none where something else stands in its place. */
export function listOf<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? value : [];
}

const localId = (resource: Resource) => (resource.id ?? '').replace(/^#/, '');

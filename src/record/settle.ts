/** The last look at a record's resources: every id once, and every reference to something that is there. */
import type { List, Reference, Resource } from '../fhir/types.ts';
import type { Remark } from './types.ts';

/**
 * `instead` says what stands for a reference to a resource that could not be made. A resource without an id, or with one that another of
 * its type has, gets a fresh one. Entries of lists that lead nowhere go; other references to what is not there are told, and keep the id
 * as `missing` gives it: a receiver that follows every reference must not stumble over the record.
 */
export function settled(
  resources: readonly Resource[],
  instead: ReadonlyMap<string, Reference>,
  newId: () => string,
  missing: (id: string) => Reference,
  say: (remark: Remark, resource: Resource) => void,
): Resource[] {
  const present = new Set<string>();
  const unique = resources.map((resource) => {
    const key = `${resource.resourceType}/${resource.id}`;
    if (resource.id && !present.has(key)) {
      present.add(key);
      return resource;
    }
    const id = newId();
    say({ code: 'link.broken', text: 'The entry has no id, or one that another entry has already; it got a new one.' }, resource);
    present.add(`${resource.resourceType}/${id}`);
    const identifier = resource.identifier?.map((one) => (one.value === (resource.id ?? '') ? { ...one, value: id } : one));
    return { ...resource, id, ...(identifier && { identifier }) };
  });
  return unique.map((resource) => {
    const led = instead.size ? (redirected(resource, instead) as Resource) : resource;
    const kept = led.resourceType === 'List' ? withoutBrokenEntries(led as List, present, say) : led;
    const broken = [...referencesIn(kept)].filter((reference) => !present.has(reference));
    for (const reference of broken) say({ code: 'link.broken', text: `${reference} is not in the record.` }, kept);
    if (broken.length === 0) return kept;
    return redirected(kept, new Map(broken.map((one) => [one, missing(one.slice(one.indexOf('/') + 1))]))) as Resource;
  });
}

function withoutBrokenEntries(list: List, present: ReadonlySet<string>, say: (remark: Remark, resource: Resource) => void): List {
  const { entry = [] } = list;
  const kept = entry.filter(({ item }) => item?.reference === undefined || present.has(item.reference));
  if (kept.length === entry.length) return list;
  const { entry: _broken, ...rest } = list;
  say({ code: 'link.broken', text: `${entry.length - kept.length} entries of the list lead to nothing in the record.` }, list);
  return { ...rest, ...(kept.length && { entry: kept }) };
}

function redirected(value: unknown, instead: ReadonlyMap<string, Reference>): unknown {
  if (Array.isArray(value)) return value.map((one) => redirected(one, instead));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const { reference } = value as Reference;
  const other = typeof reference === 'string' ? instead.get(reference) : undefined;
  if (other) return other;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redirected(inner, instead)]));
}

function* referencesIn(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const one of value) yield* referencesIn(one);
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'reference' && typeof inner === 'string') yield inner;
      else yield* referencesIn(inner);
    }
}

/** The last look at a record's resources: every id once, and every reference to something that is there. */
import type { List, Resource } from '../fhir/types.ts';
import type { Remark } from './types.ts';

/**
 * `instead` says what stands for a resource that could not be made: references to it lead there. A resource without an id, or with
 * one that another of its type has, gets a fresh one. Entries of lists that lead nowhere go; other broken references stay as the extract has them and are
 * told, but those of which something was `told` already.
 */
export function settled(
  resources: readonly Resource[],
  instead: ReadonlyMap<string, string>,
  told: ReadonlySet<string>,
  newId: () => string,
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
    for (const reference of referencesIn(kept))
      if (!present.has(reference) && !told.has(reference)) say({ code: 'link.broken', text: `${reference} is not in the record.` }, kept);
    return kept;
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

function redirected(value: unknown, instead: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((one) => redirected(one, instead));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === 'reference' && typeof inner === 'string' ? (instead.get(inner) ?? inner) : redirected(inner, instead),
    ]),
  );
}

function* referencesIn(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const one of value) yield* referencesIn(one);
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'reference' && typeof inner === 'string') yield inner;
      else yield* referencesIn(inner);
    }
}

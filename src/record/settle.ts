/** The last look at a record's resources: every id once, and every reference to something that is there. */
import { Decimal } from '../fhir/json.ts';
import type { List, Resource } from '../fhir/types.ts';
import { changed, type Finished, referencesIn } from './finished.ts';
import type { Remark } from './types.ts';

/**
 * `instead` says what stands for a resource that could not be made: references to it lead there. A resource without an id, or with
 * one that another of its type has, gets a fresh one. Entries of lists that lead nowhere go; other broken references stay as the extract
 * has them and are told, but those of which something was `told` already.
 */
export function settled(
  resources: readonly Finished[],
  instead: ReadonlyMap<string, string>,
  told: ReadonlySet<string>,
  newId: () => string,
  say: (remark: Remark, resource: Finished) => void,
): Finished[] {
  const present = new Set<string>();
  const unique = resources.map((one) => {
    if (one.name !== `${one.resourceType}/` && !present.has(one.name)) {
      present.add(one.name);
      return one;
    }
    const id = newId();
    say({ code: 'link.broken', text: 'The entry has no id, or one that another entry has already; it got a new one.' }, one);
    present.add(`${one.resourceType}/${id}`);
    return changed(one, (resource) => withId(resource, id));
  });
  return unique.map((one) => {
    const led = instead.size ? redirected(one, instead) : one;
    let broken = referencesIn(led).filter((reference) => !present.has(reference));
    if (broken.length === 0) return led;
    const kept = led.resourceType === 'List' ? withoutBrokenEntries(led, present, say) : led;
    if (kept !== led) broken = referencesIn(kept).filter((reference) => !present.has(reference));
    for (const reference of broken)
      if (!told.has(reference)) say({ code: 'link.broken', text: `${reference} is not in the record.` }, kept);
    return kept;
  });
}

function withId(resource: Resource, id: string): Resource {
  const identifier = resource.identifier?.map((one) => (one.value === (resource.id ?? '') ? { ...one, value: id } : one));
  return { ...resource, id, ...(identifier && { identifier }) };
}

function redirected(one: Finished, instead: ReadonlyMap<string, string>): Finished {
  if (!referencesIn(one).some((reference) => instead.has(reference))) return one;
  const led = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(led);
    if (typeof value !== 'object' || value === null || value instanceof Decimal) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        name === 'reference' && typeof inner === 'string' ? (instead.get(inner) ?? inner) : led(inner),
      ]),
    );
  };
  return changed(one, (resource) => led(resource) as Resource);
}

function withoutBrokenEntries(one: Finished, present: ReadonlySet<string>, say: (remark: Remark, resource: Finished) => void): Finished {
  let lost = 0;
  const kept = changed(one, (resource) => {
    const { entry = [], ...rest } = resource as List;
    const whole = entry.filter(({ item }) => item?.reference === undefined || present.has(item.reference));
    lost = entry.length - whole.length;
    // An unchanged list keeps its members in their order.
    return lost === 0 ? resource : { ...rest, ...(whole.length && { entry: whole }) };
  });
  if (lost > 0) say({ code: 'link.broken', text: `${lost} entries of the list lead to nothing in the record.` }, one);
  return kept;
}

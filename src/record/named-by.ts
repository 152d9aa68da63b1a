/** Who names a resource: an index made once, so that no handler walks all resources of a type for each of its own. */
import type { Reference, Resource } from '../fhir/types.ts';
import { attempt, type BundleIndex, listOf } from './bundle-index.ts';

/** Resources of a type by what they name; each once, in the order of the index. */
export function namedBy<R extends Resource>(
  index: BundleIndex,
  resourceType: R['resourceType'],
  namesOf: (resource: R) => readonly (Reference | undefined)[],
): (reference: Reference | string) => readonly R[] {
  const byNamed = new Map<Resource, R[]>();
  for (const resource of index.all(resourceType) as readonly R[]) {
    for (const name of new Set(attempt(() => listOf(namesOf(resource)).map((reference) => index.find(reference, resource)), []))) {
      if (name === undefined) continue;
      const known = byNamed.get(name);
      if (known) known.push(resource);
      else byNamed.set(name, [resource]);
    }
  }
  return (reference) => {
    const resource = index.find(reference);
    return (resource && byNamed.get(resource)) ?? [];
  };
}

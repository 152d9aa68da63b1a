/** Which problems name a resource as what they are about. */
import type { Condition, Reference, Resource } from '../fhir/types.ts';
import type { BundleIndex } from './bundle-index.ts';

const ACTUAL_PROBLEM = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ActualProblem-1';

/** Conditions by the resource that their ActualProblem extension names. */
export function problemIndex(index: BundleIndex): (reference: Reference | string) => readonly Condition[] {
  const byProblem = new Map<Resource, Condition[]>();
  for (const condition of index.all('Condition') as readonly Condition[]) {
    const extension = listOf(condition.extension).find((one) => one?.url === ACTUAL_PROBLEM);
    const named = index.find(extension?.valueReference, condition);
    if (!named) continue;
    byProblem.set(named, [...(byProblem.get(named) ?? []), condition]);
  }
  return (reference) => {
    const resource = index.find(reference);
    return (resource && byProblem.get(resource)) ?? [];
  };
}

const listOf = <T>(value: readonly T[] | undefined): readonly T[] => (Array.isArray(value) ? value : []);

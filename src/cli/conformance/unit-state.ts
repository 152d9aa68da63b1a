import { isUuid } from '../../base/ids.ts';
import type { Condition, MedicationStatement, Reference, Resource } from '../../fhir/types.ts';
import { parentsOf } from '../../record/problem/text.ts';
import type { DocumentFate, Issue, Remark, ToHl7, Uuid } from '../../record/types.ts';

export type UnitState = ToHl7 & { readonly issues: readonly Pick<Issue, 'code' | 'text'>[] };

/**
 * What a handler may ask, for a resource that stands alone: every reference leads to a statement and every practitioner or
 * organisation to an agent, found or not, because the record around the resource is not there.
 */
export function unitState(
  resources: readonly Resource[],
  options: { redactions: boolean; document: (reference: string, statementId: Uuid) => DocumentFate },
): UnitState {
  const byReference = new Map<string, Resource>();
  for (const resource of resources) {
    const key = `${resource.resourceType}/${resource.id}`;
    if (!byReference.has(key)) byReference.set(key, resource);
    for (const inner of resource.contained ?? []) byReference.set(`#${inner.id}`, inner);
  }
  const ids = new Map<string, Uuid>();
  const issues: Remark[] = [];
  let drawn = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++drawn).padStart(12, '0')}`;
  const idFor = (key: string) => {
    const known = ids.get(key);
    if (known) return known;
    const id = newId();
    ids.set(key, id);
    return id;
  };
  const statementId = (reference: Reference | string | undefined) => {
    const key = keyOf(reference);
    const id = key.slice(key.lastIndexOf('/') + 1);
    return isUuid(id) ? id.toUpperCase() : idFor(key);
  };
  return {
    issues,
    redactions: options.redactions,
    find: <R extends Resource>(reference: Reference | string | undefined) => byReference.get(keyOf(reference)) as R | undefined,
    all: <R extends Resource>(type: R['resourceType']) => resources.filter((resource) => resource.resourceType === type) as R[],
    statementId: (reference) => (keyOf(reference) === '' ? undefined : statementId(reference)),
    newId,
    idFor,
    agent: (practitioner, organisation) => {
      const keys = [keyOf(practitioner), keyOf(organisation)].filter((key) => /^(Practitioner|PractitionerRole|Organization)\//.test(key));
      return keys.length ? idFor(keys.join('-')) : null;
    },
    document: (reference) => options.document(reference, statementId(reference)),
    holderOf: () => undefined,
    notesOn: () => [],
    problemsBelow: (reference) =>
      resources.filter((resource): resource is Condition =>
        parentsOf(resource).some((parent) => parent !== undefined && keyOf(parent) === keyOf(reference)),
      ),
    statementsBasedOn: (reference) =>
      resources.filter(
        (resource): resource is MedicationStatement =>
          resource.resourceType === 'MedicationStatement' &&
          ((resource as MedicationStatement).basedOn ?? []).some((request) => keyOf(request) === keyOf(reference)),
      ),
    problemsNaming: (reference) => resources.filter((resource): resource is Condition => names(resource, keyOf(reference))),
    report: (remark) => {
      issues.push(remark);
    },
  };
}

function names(problem: Resource, reference: string): boolean {
  return (
    problem.resourceType === 'Condition' &&
    (problem.extension ?? []).some(({ url, valueReference }) => url?.endsWith('ActualProblem-1') && keyOf(valueReference) === reference)
  );
}

function keyOf(reference: Reference | string | undefined): string {
  const text = typeof reference === 'string' ? reference : (reference?.reference ?? '');
  return text.startsWith('#') ? text : text.split('/').slice(-2).join('/');
}

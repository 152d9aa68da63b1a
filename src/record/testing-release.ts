/** A terminology release that knows the codes of some records: what a receiver has that loaded one. */
import type { Coding, Resource } from '../fhir/types.ts';
import { descriptionOf } from './shared/coded.ts';
import type { Terminology } from './types.ts';

const SNOMED = 'http://snomed.info/sct';

/** Terms are those that the records show; immunisations what they call vaccination procedures. */
export function releaseOf(resources: readonly Resource[]): Terminology {
  const preferred = new Map<string, string>();
  const descriptions = new Map<string, { conceptId: string; term: string }>();
  const byTerm = new Map<string, string>();
  const immunisations = new Set<string>();
  for (const resource of resources) {
    for (const coding of codingsIn(resource)) {
      const { code, display } = coding;
      if (coding.system !== SNOMED || !code) continue;
      const { id, display: term = display } = descriptionOf(coding);
      if (display && !preferred.has(code)) preferred.set(code, display);
      if (id === undefined || !term) continue;
      descriptions.set(id, { conceptId: code, term });
      byTerm.set(`${code} ${term}`, id);
    }
    if (resource.resourceType !== 'Immunization') continue;
    const procedure = resource.extension?.find(({ url }) => url?.endsWith('VaccinationProcedure-1'));
    for (const { code } of procedure?.valueCodeableConcept?.coding ?? []) if (code) immunisations.add(code);
  }
  return {
    complete: true,
    release: 'the codes of these records',
    isImmunisation: (code) => immunisations.has(code),
    preferredTerm: (code) => preferred.get(code),
    conceptOfDescription: (id) => descriptions.get(id),
    descriptionOf: (code, term) => byTerm.get(`${code} ${term}`),
    meaningOf: () => undefined,
    allergyKind: () => undefined,
  };
}

function* codingsIn(value: unknown): Generator<Coding> {
  if (Array.isArray(value)) for (const one of value) yield* codingsIn(one);
  else if (typeof value === 'object' && value !== null) {
    if ('system' in value && 'code' in value) yield value as Coding;
    for (const inner of Object.values(value)) yield* codingsIn(inner);
  }
}

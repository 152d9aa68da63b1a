/** Members that FHIR resources made from HL7 statements share. */
import type { Meta, Reference, Resource } from '../../fhir/types.ts';
import type { XmlElement } from '../../xml/element.ts';
import type { ToFhir } from '../types.ts';
import { metaOf } from './redaction.ts';

export function ref(reference: string): Reference {
  return { reference };
}

/** `[{ reference }]` of a reference that may be missing, to be spread: `...maybe('context', s.encounterOf(n))`. */
export function maybe<Name extends string>(name: Name, reference: string | undefined): { [name in Name]?: Reference } {
  return (reference === undefined ? {} : { [name]: ref(reference) }) as { [name in Name]?: Reference };
}

/**
 * What every clinical resource begins with: type, id, profile (without its prefix: `Observation-1`), the redaction that one of
 * the elements demands, and the identifier that names the losing practice.
 */
export function head<Type extends string>(
  resourceType: Type,
  id: string,
  profile: string,
  redactedBy: readonly (XmlElement | undefined)[],
  s: ToFhir,
): { resourceType: Type; id: string; meta: Meta; identifier: Resource['identifier'] } {
  return {
    resourceType,
    id,
    meta: metaOf(profile, redactedBy, s),
    identifier: [{ system: `https://PSSAdaptor/${s.losingPractice}`, value: id }],
  };
}

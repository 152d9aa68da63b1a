import type { Practitioner } from '../../fhir/types.ts';

/** `Mr NHS Test`; undefined for somebody without a name. */
export function personName(practitioner: Practitioner): string | undefined {
  const name = practitioner.name?.[0];
  const parts = [...(name?.prefix ?? []), ...(name?.given ?? []), name?.family].filter((part) => part);
  return parts.join(' ') || name?.text;
}

/** People, organisations and devices by name, where HL7 has words only. */
import type { CodeableConcept, HumanName, PractitionerRole, Reference, Resource } from '../../fhir/types.ts';
import type { ToHl7 } from '../types.ts';
import { textOrCoding } from './coded.ts';
import { joined } from './comment.ts';

/** As it was written, else given names and family name. Undefined for none. */
export function nameText(name: HumanName | undefined): string | undefined {
  return name?.text || joined([...[name?.given ?? []].flat(), name?.family]) || undefined;
}

/** What a reference leads to, by name; else what it shows; undefined where neither says anything. */
export function nameOf(reference: Reference | undefined, s: Pick<ToHl7, 'find'>): string | undefined {
  const found = s.find<Named>(reference);
  const role = found?.resourceType === 'PractitionerRole' ? s.find<Named>((found as PractitionerRole).practitioner) : undefined;
  return nameIn(role ?? found) ?? reference?.display;
}

// Members of every type that has a name: a list of names for people, one text for the others, a kind for a device.
type Named = Resource & { name?: HumanName[] | string; type?: CodeableConcept | CodeableConcept[] };

function nameIn(found: Named | undefined): string | undefined {
  const { name, type } = found ?? {};
  if (typeof name === 'string') return name || undefined;
  if (found?.resourceType === 'Device') return textOrCoding(Array.isArray(type) ? type[0] : type);
  return nameText(name?.[0]);
}

/** Codes of systems for which nobody has an OID: an HL7 code names its system by one, so they cannot be sent. */
import type { CodeableConcept, Coding, Resource } from '../../fhir/types.ts';
import { hl7System } from './code-systems.ts';

// Where a code says what the entry is. Anywhere else codes are carried in words, and the concepts say so.
const MEMBERS = ['code', 'medicationCodeableConcept', 'vaccineCode', 'reasonCode'];

/** The codings of an entry that an extract has no place for, whatever else it carries of the entry. */
export function foreignCodes(resource: Resource): Coding[] {
  const members = resource as Resource & Readonly<Record<string, unknown>>;
  const found: Coding[] = [];
  for (const name of MEMBERS) {
    const member = members[name];
    if (member === undefined) continue;
    for (const concept of [member].flat() as (CodeableConcept | undefined)[])
      for (const coding of concept?.coding ?? []) if (isForeign(coding)) found.push(coding);
  }
  return found;
}

const isForeign = ({ system, code }: Coding) =>
  code !== undefined && system !== undefined && system !== NULL_FLAVOUR && hl7System(system) === undefined;

// A reason for having no code.
const NULL_FLAVOUR = 'http://hl7.org/fhir/v3/NullFlavor';

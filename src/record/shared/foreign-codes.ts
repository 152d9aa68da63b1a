/** Codes of systems for which nobody has an OID: an HL7 code names its system by one, so they cannot be sent. */
import type { CodeableConcept, Coding, Resource } from '../../fhir/types.ts';
import { hl7System } from './code-systems.ts';

// Where a code says what the entry is. Anywhere else codes are carried in words, and the concepts say so.
const MEMBERS = ['code', 'medicationCodeableConcept', 'vaccineCode', 'reasonCode'];

/** The codings of an entry that an extract has no place for, whatever else it carries of the entry. */
export function foreignCodes(resource: Resource): Coding[] {
  const members = resource as Resource & Readonly<Record<string, unknown>>;
  return MEMBERS.flatMap((name) => [members[name]].flat() as (CodeableConcept | undefined)[]).flatMap((concept) =>
    (concept?.coding ?? []).filter(
      ({ system, code }) => code !== undefined && system !== undefined && system !== NULL_FLAVOUR && hl7System(system) === undefined,
    ),
  );
}

// A reason for having no code.
const NULL_FLAVOUR = 'http://hl7.org/fhir/v3/NullFlavor';

/** Code systems of both worlds: OIDs in HL7, URIs in FHIR. */

export const SNOMED_OID = '2.16.840.1.113883.2.1.3.2.4.15';
export const READ_V2_OID = '2.16.840.1.113883.2.1.6.2';
export const CTV3_OID = '2.16.840.1.113883.2.1.3.2.4.14';
export const EGTON_OID = '2.16.840.1.113883.2.1.6.3';
export const EMIS_DRUG_OID = '2.16.840.1.113883.2.1.6.9';

export const SNOMED_URI = 'http://snomed.info/sct';
export const READ_V2_URI = 'http://read.info/readv2';
export const CTV3_URI = 'http://read.info/ctv3';

const URI_OF_OID: ReadonlyMap<string, string> = new Map([
  [SNOMED_OID, SNOMED_URI],
  [READ_V2_OID, READ_V2_URI],
  [CTV3_OID, CTV3_URI],
  [EGTON_OID, 'https://fhir.hl7.org.uk/Id/egton-codes'],
]);
const OID_OF_URI: ReadonlyMap<string, string> = new Map([
  ...[...URI_OF_OID].map(([oid, uri]): [string, string] => [uri, oid]),
  ['https://fhir.hl7.org.uk/Id/emis-drug-codes', EMIS_DRUG_OID],
]);

// An arc of zero is legal in an OID, but the existing adaptors do not take `1.2.0.3` for one and pass it on bare.
const OID = /^[0-2](\.[1-9]\d*)+$/;

/** The FHIR system of an HL7 code system: known ones by name, other OIDs as `urn:oid:`, anything else verbatim. */
export function fhirSystem(codeSystem: string): string {
  return URI_OF_OID.get(codeSystem) ?? (OID.test(codeSystem) ? `urn:oid:${codeSystem}` : codeSystem);
}

/**
 * The HL7 code system of a FHIR system; undefined where none is known. `urn:oid:` is taken off, so that a code that once
 * arrived under an OID without a name leaves under the same OID.
 */
export function hl7System(system: string | undefined): string | undefined {
  if (system === undefined) return undefined;
  const known = OID_OF_URI.get(system);
  if (known !== undefined) return known;
  const bare = system.startsWith('urn:oid:') ? system.slice('urn:oid:'.length) : '';
  return /^[0-2](\.(0|[1-9]\d*))+$/.test(bare) ? bare : undefined;
}

/** Identifiers and roles of people and organisations in both worlds. */

export const NHS_NUMBER_URI = 'https://fhir.nhs.uk/Id/nhs-number';
export const NHS_NUMBER_OID = '2.16.840.1.113883.2.1.4.1';
export const ODS_URI = 'https://fhir.nhs.uk/Id/ods-organization-code';
/** Organisations as senders of messages. */
export const SDS_ORGANISATION_OID = '1.2.826.0.1285.0.1.10';
/** Organisations in an agent directory. */
export const ODS_OID = '2.16.840.1.113883.2.1.4.3';
export const GMP_URI = 'https://fhir.hl7.org.uk/Id/gmp-number';

export const RECORDER = {
  system: 'https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-ParticipantType-1',
  code: 'REC',
  display: 'recorder',
} as const;
export const PRIMARY_PERFORMER = {
  system: 'http://hl7.org/fhir/v3/ParticipationType',
  code: 'PPRF',
  display: 'primary performer',
} as const;

export const UNKNOWN = 'Unknown';

/** Object identifiers and fixed texts of the GP2GP messages (HL7 v3, National Programme localisation). */
export const OID = {
  interactionId: '2.16.840.1.113883.2.1.3.2.4.12',
  /** ASID, the number of an accredited system. */
  asid: '1.2.826.0.1285.0.2.0.107',
  /** Organisation (ODS) in message headers. */
  sdsOrganisation: '1.2.826.0.1285.0.1.10',
  nhsNumber: '2.16.840.1.113883.2.1.4.1',
  /** GMP or GNC code of a person in the agent directory. */
  person: '2.16.840.1.113883.2.1.4.2',
  /** Organisation code in the agent directory. */
  organisation: '2.16.840.1.113883.2.1.4.3',
  snomed: '2.16.840.1.113883.2.1.3.2.4.15',
  /** "EhrRequestAckCode": GP2GP response codes, and code 0 of a continue. */
  responseCode: '2.16.840.1.113883.2.1.3.2.4.17.101',
  issueQualifier: '2.16.840.1.113883.2.1.3.2.4.17.104',
  copcPayload: '2.16.840.1.113883.2.1.3.2.4.17.202',
  messageType: '2.16.840.1.113883.2.1.3.2.4.18.17',
  /** Spine's own error codes in an acknowledgement: never GP2GP codes. */
  spineError: '2.16.840.1.113883.2.1.3.2.4.17.32',
  confidentiality: '2.16.840.1.113883.4.642.3.47',
} as const;

export const HL7_NAMESPACE = 'urn:hl7-org:v3';
export const GP2GP_NAMESPACE = 'urn:nhs:names:services:gp2gp';
export const LOCALISATION_NAMESPACE = 'NPFIT:HL7:Localisation';

export const INTERACTION = {
  request: 'RCMR_IN010000UK05',
  extractUk06: 'RCMR_IN030000UK06',
  extractUk07: 'RCMR_IN030000UK07',
  copc: 'COPC_IN000001UK01',
  acknowledgement: 'MCCI_IN010000UK13',
} as const;

export type InteractionId = (typeof INTERACTION)[keyof typeof INTERACTION];

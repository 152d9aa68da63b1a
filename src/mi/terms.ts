/**
 * The words of the national management-information events (GP Registrations MI API): what is reported, when, by whom, and the closed
 * lists of values. A path and the event type it is stored under are not always alike: `/errors` is `ERROR`, `/ehr-degrades` is `DEGRADES`.
 */

/** The nine events. `by`: the practice whose system reports it. `sendingPractice`: whether the national service insists on it. */
export const EVENTS = {
  registrations: { type: 'REGISTRATIONS', by: 'requesting', sendingPractice: 'optional' },
  'transfer-compatibility-statuses': { type: 'TRANSFER_COMPATIBILITY_STATUSES', by: 'requesting', sendingPractice: 'enforced' },
  'ehr-requests': { type: 'EHR_REQUESTS', by: 'requesting', sendingPractice: 'specified' },
  'ehr-responses': { type: 'EHR_RESPONSES', by: 'sending', sendingPractice: 'enforced' },
  'document-responses': { type: 'DOCUMENT_RESPONSES', by: 'requesting', sendingPractice: 'enforced' },
  'ready-to-integrate-statuses': { type: 'READY_TO_INTEGRATE_STATUSES', by: 'requesting', sendingPractice: 'specified' },
  'ehr-degrades': { type: 'DEGRADES', by: 'requesting', sendingPractice: 'forbidden' },
  'ehr-integrations': { type: 'EHR_INTEGRATIONS', by: 'requesting', sendingPractice: 'enforced' },
  errors: { type: 'ERROR', by: 'either', sendingPractice: 'optional' },
} as const satisfies Readonly<Record<string, EventTerms>>;

/** `specified`: the specification demands it, the national service does not look. */
type EventTerms = {
  readonly type: string;
  readonly by: 'requesting' | 'sending' | 'either';
  readonly sendingPractice: 'optional' | 'specified' | 'enforced' | 'forbidden';
};
/** The last part of the path that an event is posted to. */
export type EventPath = keyof typeof EVENTS;
/** The name under which the national service stores an event. */
export type EventType = (typeof EVENTS)[EventPath]['type'];

export const EVENT_PATHS = Object.keys(EVENTS) as readonly EventPath[];

export const REGISTRATION_TYPES = ['NEW_GP_REGISTRATION', 'CHANGE_PATIENT_TYPE'] as const;
/** Who made a placeholder: this send, or one before it. */
export const PLACEHOLDER_ORIGINS = ['SENDER', 'PRE_EXISTING'] as const;
/** EhrAttachmentCode of an ExternalDocument, as words. */
export const CLINICAL_TYPES = [
  'SCANNED_DOCUMENT',
  'ORIGINAL_TEXT_DOCUMENT',
  'OCR_TEXT_DOCUMENT',
  'IMAGE',
  'AUDIO_DICTATION',
  'OTHER_AUDIO',
  'OTHER_DIGITAL_SIGNAL',
  'EDI_MESSAGE',
  'NOT_AVAILABLE',
  'OTHER',
] as const;
/** Why an attachment is missing (NPFIT-PC-BLD-0099.04), as words. */
export const PLACEHOLDER_REASONS = [
  'FILE_TYPE_UNSUPPORTED',
  'FILE_DELETED',
  'FILE_NOT_FOUND',
  'FILE_LOCKED',
  'UNABLE_TO_DETERMINE_PROBLEM',
] as const;
/** Categories of NPFIT-PC-BLD-0132.03. */
export const DEGRADE_TYPES = [
  'MEDICATION',
  'NON_DRUG_ALLERGY',
  'DRUG_ALLERGY',
  'REFERRAL',
  'PLAN',
  'REQUEST',
  'RECORD_ENTRY',
  'OTHER',
] as const;
export const DEGRADE_REASONS = ['CODE', 'NUMERIC_VALUE', 'DRUG_NAME', 'OTHER'] as const;
export const INTEGRATION_OUTCOMES = [
  'INTEGRATED',
  'INTEGRATED_AND_SUPPRESSED',
  'SUPPRESSED_AND_REACTIVATED',
  'FILED_AS_ATTACHMENT',
  'REJECTED',
  'INTERNAL_TRANSFER',
  'FAILED_TO_INTEGRATE',
] as const;
export const FAILURE_POINTS = [
  'PATIENT_TRACE',
  'ENDPOINT_LOOKUP',
  'PATIENT_GENERAL_UPDATE',
  'EHR_REQUESTED',
  'EHR_RESPONSE',
  'EHR_READY_TO_INTEGRATE',
  'EHR_INTEGRATION',
  'OTHER',
] as const;

export type ClinicalType = (typeof CLINICAL_TYPES)[number];
export type PlaceholderReason = (typeof PLACEHOLDER_REASONS)[number];
export type DegradeType = (typeof DEGRADE_TYPES)[number];
export type DegradeReason = (typeof DEGRADE_REASONS)[number];
export type IntegrationOutcome = (typeof INTEGRATION_OUTCOMES)[number];
export type FailurePoint = (typeof FAILURE_POINTS)[number];

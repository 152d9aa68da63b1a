/** The one table of a medication's codes, extensions and labels: what is written on the way to HL7 is read by it on the way to FHIR. */
import type { Extension, MedicationRequest } from '../../fhir/types.ts';
import type { Labels } from '../shared/labels.ts';

const GP_CONNECT = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-';
export const QUANTITY_TEXT = `${GP_CONNECT}MedicationQuantityText-1`;
export const REPEAT_INFORMATION = `${GP_CONNECT}MedicationRepeatInformation-1`;
export const STATUS_REASON = `${GP_CONNECT}MedicationStatusReason-1`;
export const PRESCRIPTION_TYPE = `${GP_CONNECT}PrescriptionType-1`;
export const PRESCRIBING_AGENCY = `${GP_CONNECT}PrescribingAgency-1`;
export const LAST_ISSUE_DATE = `${GP_CONNECT}MedicationStatementLastIssueDate-1`;

export const PRESCRIPTION_TYPE_SYSTEM = 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescriptionType-1';
export const PRESCRIBING_AGENCY_SYSTEM = 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescribingAgency-1';

/** HL7 has a number of repeats, 0 for an acute; FHIR has five types. `repeats` says which side of that a type is on. */
export const PRESCRIPTION_TYPES: ReadonlyMap<string, { readonly display: string; readonly repeats: boolean }> = new Map([
  ['acute', { display: 'Acute', repeats: false }],
  ['repeat', { display: 'Repeat', repeats: true }],
  ['acute-handwritten', { display: 'Acute - handwritten', repeats: false }],
  ['delayed-prescribing', { display: 'Delayed prescribing', repeats: true }],
  ['repeat-dispensing', { display: 'Repeat dispensing', repeats: true }],
]);

/** Code of a supply. */
export const SUPPLY = {
  nhs: { code: '394823007', displayName: 'NHS Prescription' },
  elsewhere: { code: '394828003', displayName: 'Prescription by another organisation' },
} as const;

export const AGENCIES: ReadonlyMap<string, { readonly display: string; readonly supply: keyof typeof SUPPLY }> = new Map([
  ['prescribed-at-gp-practice', { display: 'Prescribed at GP practice', supply: 'nhs' }],
  ['prescribed-by-previous-practice', { display: 'Prescribed by previous practice', supply: 'nhs' }],
  ['prescribed-by-another-organisation', { display: 'Prescribed by another organisation', supply: 'elsewhere' }],
]);
export const DEFAULT_AGENCY = 'prescribed-at-gp-practice';
/** Names of supplies as vendors send them, in lower case. Any other name means the practice, and is kept in a note. */
export const AGENCY_OF_SUPPLY: ReadonlyMap<string, string> = new Map([
  ['prescribed by another organisation', 'prescribed-by-another-organisation'],
  ['prescription by another organisation', 'prescribed-by-another-organisation'],
  ['otc sale', 'prescribed-by-another-organisation'],
  ['personal administration', 'prescribed-by-another-organisation'],
  ['prescribed by previous practice', 'prescribed-by-previous-practice'],
  ['nhs prescription', 'prescribed-at-gp-practice'],
  ['private prescription', 'prescribed-at-gp-practice'],
  ['acbs prescription', 'prescribed-at-gp-practice'],
  ['past medication', 'prescribed-at-gp-practice'],
]);

/** States that HL7 cannot tell from a completed one. */
export const STATUS_WORDS: Readonly<Record<string, string>> = {
  'on-hold': 'On Hold',
  cancelled: 'Cancelled',
  'entered-in-error': 'Entered In Error',
  stopped: 'Stopped',
  draft: 'Draft',
  unknown: 'Unknown',
};

const DATE = /\d{4}(?:-\d{2}(?:-\d{2}(?: \d{2}:\d{2}:\d{2})?)?)?/;

/** In the annotation of a supply, in the order in which they are written; the notes follow behind their own label. */
export const FACTS = {
  status: { label: 'Status: ', value: /On Hold|Cancelled|Entered In Error|Stopped|Draft|Unknown/ },
  statusReason: { label: 'Status Reason: ' },
  prescriptionType: { label: 'Prescription Type: ', value: /Acute - handwritten|Acute|Repeat dispensing|Repeat|Delayed prescribing/ },
  agency: { label: 'Prescribing Agency: ', value: /Prescribed by previous practice/ },
  expiry: { label: 'Authorisation Expiry Date: ', value: DATE },
  patientInstruction: { label: 'Patient Instruction: ' },
  duration: { label: 'Expected Supply Duration: ' },
} as const satisfies Labels<string>;
export const NOTES = 'Notes: ';
/** Last, on a line of its own: what is noted of taking the medicine, which no request of it notes. */
export const TAKING_NOTES = 'Taking Notes: ';

/** The note by which a receiver keeps the name of a supply. It is not sent on where the supply itself says so again. */
export const SUPPLY_NOTE = 'Prescription type: ';

/** Units of a duration: codes of FHIR, and the words for them. */
export const DURATION_WORDS: ReadonlyMap<string, string> = new Map([
  ['s', 'seconds'],
  ['min', 'minute'],
  ['h', 'hours'],
  ['d', 'days'],
  ['wk', 'weeks'],
  ['mo', 'months'],
  ['a', 'years'],
]);

/**
 * Behind an amount that was given in words only. HL7 wants a number, which is then 1; read as a unit, `28 tablets` would be one of them.
 */
export const WHOLE_AMOUNT = '\n';
/** A unit that nobody gave. */
export const UNKNOWN_UNIT = 'Unk UoM';
/** A dosage that nobody gave. */
export const NO_INFORMATION = 'No information available';
/** A discontinuation without a reason. */
export const STOPPED = 'Stopped';

/**
 * Why a request is not carried at all; undefined for one that is. An order that was stopped was never a supply, and would arrive as
 * one: HL7 cannot say that an issue did not take place.
 */
export function notCarried(request: MedicationRequest): string | undefined {
  return request.intent === 'order' && request.status === 'stopped'
    ? 'An issue that was stopped is not carried: it would arrive as one that took place.'
    : undefined;
}

export function extensionOf(of: { extension?: Extension[] } | undefined, url: string): Extension | undefined {
  return of?.extension?.find((extension) => extension.url === url);
}

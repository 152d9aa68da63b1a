/** What `/errors` says of a failure: code, words, and where it happened. */
import type { FailurePoint } from './terms.ts';

export type MiError = {
  readonly errorCode: string;
  readonly errorDescription: string;
  readonly failurePoint: FailurePoint;
  readonly otherFailurePoint?: string;
};

/** Short names of the GP2GP response codes in national reports. */
export const CODE_NAMES: Readonly<Record<string, string>> = {
  '06': 'Not at surgery',
  '07': 'GP2GP disabled',
  '08': 'Config issue',
  '09': 'Unexpected EHR',
  '10': 'Failed to generate',
  '11': 'Failed to integrate',
  '12': 'Duplicate EHR',
  '13': 'Config issue',
  '14': 'Req not LM compliant',
  '15': 'ABA suppressed',
  '17': 'ABA wrong patient',
  '18': 'Req malformed',
  '19': 'Unauthorised req',
  '20': 'Spine error',
  '21': 'Extract malformed',
  '23': 'Sender not LM compliant',
  '24': 'SDS lookup',
  '25': 'Timeout',
  '26': 'Filed as attachment',
  '28': 'Wrong patient',
  '29': 'LM reassembly',
  '30': 'LM general failure',
  '31': 'Missing LM',
  '99': 'Unexpected',
};
const OWN: Readonly<Record<string, string>> = {
  NOT_DELIVERED: 'The message could not be delivered to the other practice',
  NO_EXTRACT: 'No extract came within the time that the contract allows',
  NOT_REGISTERED_HERE: 'PDS does not show the patient at the requesting practice',
  PDS_UNAVAILABLE: 'PDS could not be asked',
};

/** The error for a response code, or for a code of our own; of what a peer wrote only what a code may hold is kept. */
export function errorFor(given: string, failurePoint: FailurePoint): MiError {
  const code = given
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
    .slice(0, 50);
  const errorCode = /^[a-z]/.test(given) ? code.toUpperCase() : code || 'NO_CODE';
  const errorDescription = CODE_NAMES[errorCode] ?? OWN[errorCode] ?? `The transfer was stopped: ${errorCode}`;
  return { errorCode, errorDescription, failurePoint, ...(failurePoint === 'OTHER' && { otherFailurePoint: errorDescription }) };
}

/**
 * Where a check that ended without a transfer met a fault. `null`: it met none, the answer is simply no. That PDS does not show the
 * patient at the practice means that the update of PDS, which the practice's system makes, did not take place.
 */
export function failurePointOfCheck(reason: string | null, fault: string | null): FailurePoint | null {
  if (reason === 'NOT_REGISTERED_HERE') return 'PATIENT_GENERAL_UPDATE';
  if (fault?.startsWith('sds.')) return 'ENDPOINT_LOOKUP';
  if (fault?.startsWith('pds.') || reason === 'PDS_UNAVAILABLE')
    return fault === null || fault.startsWith('pds.') ? 'PATIENT_TRACE' : 'OTHER';
  return null;
}

import type { ResponseCode } from './types.ts';

/** What a response code asks of whoever receives it. */
export type CodeClass =
  | 'success'
  /** Recorded, changes nothing. */
  | 'noOutcome'
  | 'business'
  | 'configuration'
  /** A new request, in a new conversation, may succeed. */
  | 'askAgain'
  /** The sender may send again in the same conversation. */
  | 'sendAgain';

type CodeRow = { readonly text: string; readonly class: CodeClass };

/** GP2GP response codes (MIM vocabulary EhrRequestAckCode) with the display texts in use nationally. */
export const CODES: Readonly<Record<ResponseCode, CodeRow>> = {
  '06': { text: 'Patient not at surgery.', class: 'business' },
  '07': { text: 'GP2GP Messaging is not enabled on this system', class: 'configuration' },
  '08': { text: "The system's configuration prevents it from processing this message", class: 'configuration' },
  '09': { text: 'EHR Extract received without corresponding request', class: 'business' },
  '10': { text: 'Failed to successfully generate EHR Extract', class: 'askAgain' },
  '11': { text: 'Failed to successfully integrate EHR Extract', class: 'sendAgain' },
  '12': { text: 'Duplicate EHR Extract received', class: 'noOutcome' },
  '13': { text: "The system's configuration prevents it from processing this message", class: 'configuration' },
  '14': { text: 'Message not sent because requesting practice is not Large Message compliant', class: 'configuration' },
  '15': { text: 'A-B-A EHR Extract Received and Stored As Suppressed Record', class: 'success' },
  '17': { text: 'A-B-A EHR Extract Received and rejected due to wrong record or wrong patient', class: 'business' },
  '18': { text: 'Request message not well-formed or not able to be processed', class: 'askAgain' },
  '19': { text: "Sender check indicates that Requester is not the patient's current healthcare provider", class: 'business' },
  '20': { text: 'Spine system responded with an error', class: 'askAgain' },
  '21': { text: 'EHR Extract message not well-formed or not able to be processed', class: 'sendAgain' },
  '23': { text: 'Message not sent because sending practice is not Large Message compliant', class: 'configuration' },
  '24': { text: 'SDS lookup provided zero or more than one result to the query for each interaction', class: 'askAgain' },
  '25': { text: 'Large messages rejected due to timeout duration reached of overall transfer', class: 'sendAgain' },
  '26': { text: 'Returning Patient EHR Extract Received and filed as an attachment', class: 'success' },
  '28': { text: 'Non A-B-A EHR Extract Received and rejected due to wrong record or wrong patient', class: 'business' },
  '29': { text: 'Large Message Re-assembly failure', class: 'sendAgain' },
  '30': { text: 'Large Message general failure', class: 'sendAgain' },
  '31': {
    text: 'The overall EHR Extract has been rejected because one or more attachments via Large Messages were not received',
    class: 'sendAgain',
  },
  '99': { text: 'Unexpected condition', class: 'askAgain' },
};

/** A code as peers write it (`6`, `06`, ` 06 `), or null where it is none that GP2GP defines. */
export function responseCode(text: string): ResponseCode | null {
  const padded = text.trim().padStart(2, '0');
  return Object.hasOwn(CODES, padded) ? (padded as ResponseCode) : null;
}

/** Whether a negative acknowledgement with this code still means that the record was taken. */
export function isSuccess(code: ResponseCode | null): code is '15' | '26' {
  return code === '15' || code === '26';
}

import type { ResponseCode } from './types.ts';

/** What a response code asks of whoever receives it, and what may be tried again. */
export type CodeClass =
  | 'success'
  /** Recorded, changes nothing. */
  | 'noOutcome'
  /** Nothing is tried again: people look at registration, patient or paper. */
  | 'business'
  /** Nothing is tried again until a setting is changed. */
  | 'configuration'
  /** A new request, in a new conversation, may succeed. */
  | 'askAgain'
  /** The sender may send again in the same conversation. */
  | 'sendAgain';

type CodeRow = {
  /** The display text in use nationally. */
  readonly text: string;
  readonly class: CodeClass;
  /** When a practice answers so. */
  readonly cause: string;
};

/** GP2GP response codes (MIM vocabulary EhrRequestAckCode) with the display texts in use nationally. */
export const CODES: Readonly<Record<ResponseCode, CodeRow>> = {
  '06': {
    text: 'Patient not at surgery.',
    class: 'business',
    cause: 'the NHS number is not known at the sender, or the patient is not registered there',
  },
  '07': {
    text: 'GP2GP Messaging is not enabled on this system',
    class: 'configuration',
    cause: 'GP2GP is switched off at the practice that answers',
  },
  '08': {
    text: "The system's configuration prevents it from processing this message",
    class: 'configuration',
    cause: 'the sender excludes the requester by a setting',
  },
  '09': {
    text: 'EHR Extract received without corresponding request',
    class: 'business',
    cause: 'an extract came that no request of this practice asked for',
  },
  '10': {
    text: 'Failed to successfully generate EHR Extract',
    class: 'askAgain',
    cause: 'the record could not be taken out of the sender’s system, or written as an extract',
  },
  '11': {
    text: 'Failed to successfully integrate EHR Extract',
    class: 'sendAgain',
    cause: 'the record was read and the requester’s system did not file it',
  },
  '12': {
    text: 'Duplicate EHR Extract received',
    class: 'noOutcome',
    cause: 'a second extract came in a conversation whose first is good',
  },
  '13': {
    text: "The system's configuration prevents it from processing this message",
    class: 'configuration',
    cause: 'a setting of the practice that answers stands in the way',
  },
  '14': {
    text: 'Message not sent because requesting practice is not Large Message compliant',
    class: 'configuration',
    cause: 'the record needs large messages and the requester takes none',
  },
  '15': {
    text: 'A-B-A EHR Extract Received and Stored As Suppressed Record',
    class: 'success',
    cause: 'the patient returns, and the record that came was stored suppressed',
  },
  '17': {
    text: 'A-B-A EHR Extract Received and rejected due to wrong record or wrong patient',
    class: 'business',
    cause: 'the patient returns, and a person rejected the record as another’s or the wrong one',
  },
  '18': {
    text: 'Request message not well-formed or not able to be processed',
    class: 'askAgain',
    cause: 'the request could not be read, or lacks what it needs',
  },
  '19': {
    text: "Sender check indicates that Requester is not the patient's current healthcare provider",
    class: 'business',
    cause: 'PDS or SDS do not show the requester as the patient’s practice',
  },
  '20': {
    text: 'Spine system responded with an error',
    class: 'askAgain',
    cause: 'PDS, SDS or the sender’s own system did not answer',
  },
  '21': {
    text: 'EHR Extract message not well-formed or not able to be processed',
    class: 'sendAgain',
    cause: 'the core of the extract cannot be read',
  },
  '23': {
    text: 'Message not sent because sending practice is not Large Message compliant',
    class: 'configuration',
    cause: 'the record needs large messages and the sender makes none',
  },
  '24': {
    text: 'SDS lookup provided zero or more than one result to the query for each interaction',
    class: 'askAgain',
    cause: 'SDS does not show exactly one system for the other practice',
  },
  '25': {
    text: 'Large messages rejected due to timeout duration reached of overall transfer',
    class: 'sendAgain',
    cause: 'a part came after the time for it was over',
  },
  '26': {
    text: 'Returning Patient EHR Extract Received and filed as an attachment',
    class: 'success',
    cause: 'the patient returns, and the record was filed as one document',
  },
  '28': {
    text: 'Non A-B-A EHR Extract Received and rejected due to wrong record or wrong patient',
    class: 'business',
    cause: 'a person rejected the record as another’s or the wrong one',
  },
  '29': {
    text: 'Large Message Re-assembly failure',
    class: 'sendAgain',
    cause: 'the pieces of an attachment do not make one',
  },
  '30': {
    text: 'Large Message general failure',
    class: 'sendAgain',
    cause: 'a part cannot be read or sent, or there are too many or too large ones',
  },
  '31': {
    text: 'The overall EHR Extract has been rejected because one or more attachments via Large Messages were not received',
    class: 'sendAgain',
    cause: 'parts that the record needs did not come, or cannot be used',
  },
  '99': { text: 'Unexpected condition', class: 'askAgain', cause: 'something that no other code is for' },
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

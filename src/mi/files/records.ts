/** A transfer's row in a weekly file, made of its history: the same entries that the events are made of. */
import type { ConversationId, Instant, Ods } from '../../base/ids.ts';
import { CODE_NAMES, failurePointOfCheck } from '../errors.ts';
import type { Entry } from '../from-history.ts';
import type { PlaceholderReason } from '../terms.ts';
import type { RequestRecord, SendRecord } from './columns.ts';
import { londonTime } from './week.ts';

export type RecordAbout = { readonly practice: Ods; readonly otherPractice: Ods | null; readonly conversationId: ConversationId };

/** `null`: no registration for good, of which nothing is reported. */
export function requestRecord({ practice, otherPractice, conversationId }: RecordAbout, entries: readonly Entry[]): RequestRecord | null {
  let record: RequestRecord | null = null;
  let [fragments, came] = [0, 0];
  for (const { at, measured } of entries) {
    const text = (name: string) => (typeof measured[name] === 'string' ? measured[name] : '');
    if (measured['permanent'] === 'false' || measured['reason'] === 'NOT_GMS1') return null;
    if (measured['permanent'] === 'true')
      record = {
        ConversationID: conversationId,
        RequestorODS: practice,
        SenderODS: otherPractice ?? '',
        RegistrationTime: londonTime(at),
        RegistrationType: measured['returning'] === 'true' ? '2' : '1',
        RequestFailurePoint: '0',
        RequestFailureType: '0',
        RequestRetryCount: '0',
        ExtractAckRetryCount: '0',
      };
    if (!record) continue;
    if (text('compatible') === 'false') record = { ...record, ...notAsked(record, at, text('reason'), text('fault'), text('internal')) };
    if (measured['left'] === 'request')
      record = { ...record, RequestTime: record.RequestTime ?? londonTime(at), RequestFailureType: record.RequestErrorCode ? '6' : '1' };
    if (measured['interaction'] === 'request' && record.RequestMessageID === undefined)
      record = { ...record, RequestMessageID: text('message') };
    if (measured['refusedTo'] === 'request')
      record = {
        ...record,
        RequestFailureType: '6',
        RequestFailureTime: londonTime(at),
        RequestFailureMessageID: text('message'),
        RequestErrorCode: text('refused'),
        RequestErrorDescription: CODE_NAMES[text('refused')] ?? '',
      };
    if (measured['outcome'] === 'undeliverable')
      record = { ...record, RequestFailurePoint: '60', RequestFailureTime: londonTime(at), RequestErrorCode: '20' };
    if (measured['interaction'] === 'extract' && record.ExtractTime === undefined)
      record = { ...record, ExtractTime: londonTime(at), ExtractMessageID: text('message') };
    fragments += Number(measured['outside'] ?? 0);
    if (measured['interaction'] === 'piece' || measured['interaction'] === 'index') came++;
    // What stands for good is the first that is no duplicate's.
    if (measured['answeredTo'] === 'extract' && (record.ExtractAckStatus === undefined || record.ExtractAckStatus === '3'))
      record = { ...record, ...answered(text('answered')), ExtractAckTime: londonTime(at), ExtractAckMessageID: text('answeredBy') };
  }
  if (!record) return null;
  const large = { LargeMessageFragmentCount: String(fragments), LargeMessageFragmentSuccessCount: String(Math.min(came, fragments)) };
  return record.ExtractTime === undefined ? record : { ...record, ...large };
}

/** Why nothing was asked for, as its codes have it: failure point and type. */
function notAsked(record: RequestRecord, at: Instant, reason: string, fault: string, internal: string): RequestRecord {
  if (internal === 'true') return { RegistrationType: '3', RequestFailureType: '0' };
  const RequestFailureTime = londonTime(at);
  const point = failurePointOfCheck(reason || null, fault || null);
  if (point !== null) {
    const RequestFailurePoint = { PATIENT_TRACE: '10', PATIENT_GENERAL_UPDATE: '20', ENDPOINT_LOOKUP: '40' }[point as string] ?? '70';
    return { RequestFailurePoint, RequestFailureTime, RequestErrorCode: RequestFailurePoint === '40' ? '24' : '' };
  }
  const returning = record.RegistrationType === '2';
  switch (reason) {
    case 'NO_PREVIOUS_GP':
      return { RequestFailureType: '5', RequestFailureTime };
    case 'SAME_PRACTICE':
      return { RequestFailureType: '2', RequestFailureTime };
    default:
      // The previous practice cannot be asked by GP2GP, whatever the reason.
      return { RequestFailureType: returning ? '3' : '4', RequestFailureTime };
  }
}

const STATUS_OF_CODES: Readonly<Record<string, string>> = {
  AA: '1',
  '17': '2',
  '28': '2',
  '12': '3',
  '09': '4',
  '15': '5',
  '26': '5',
  '25': '6',
  '29': '6',
  '30': '6',
  '31': '6',
};

function answered(code: string): RequestRecord {
  return { ExtractAckStatus: STATUS_OF_CODES[code] ?? '7', ExtractAckCode: code === 'AA' ? '00' : code };
}

/** How many placeholders the core held, by the reason for which a document is not there. */
export type PlaceholderCounts = Readonly<Partial<Record<PlaceholderReason, number>>>;

/** `null`: no request came. */
export function sendRecord(
  { practice, otherPractice, conversationId }: RecordAbout,
  entries: readonly Entry[],
  placeholders: PlaceholderCounts,
): SendRecord | null {
  let record: SendRecord | null = null;
  let [parts, sent, taken] = [0, 0, 0];
  for (const { at, measured } of entries) {
    const text = (name: string) => (typeof measured[name] === 'string' ? measured[name] : '');
    if (measured['interaction'] === 'request' && record === null)
      record = {
        RequestMessageID: text('message'),
        ConversationID: conversationId,
        RequestorODS: otherPractice ?? '',
        SenderODS: practice,
        RequestTime: londonTime(at),
        RequestAckRetryCount: '0',
        ExtractFailurePoint: '0',
        ExtractFailureRetryCount: '0',
        LargeMessagingRequired: '0',
      };
    if (!record) continue;
    if (measured['answeredTo'] === 'request' && record.RequestAckTime === undefined) {
      const code = text('answered');
      const ack = { RequestAckTime: londonTime(at), RequestAckCode: code === 'AA' ? '00' : code, RequestAckMessageID: text('answeredBy') };
      record = { ...record, ...ack };
    }
    const refusal = measured['outcome'] === 'refusedByUs' ? text('code') : measured['outcome'] === 'undeliverable' ? '20' : '';
    if (refusal !== '')
      record = {
        ...record,
        ExtractFailurePoint: POINT_OF_CODES[refusal] ?? '60',
        ExtractFailureTime: londonTime(at),
        ExtractFailureErrorCode: refusal,
        ExtractFailureErrorDescription: CODE_NAMES[refusal] ?? '',
      };
    if (measured['left'] === 'core') {
      parts = Number(measured['parts'] ?? 0);
      record = { ...record, ExtractMessageID: text('core'), ExtractTime: londonTime(at), LargeMessagingRequired: parts > 0 ? '1' : '0' };
    }
    if (measured['left'] === undefined && measured['answer'] === undefined && isPart(text('interaction'))) sent++;
    if (measured['taken'] === 'part') taken++;
    if (text('outcome') !== '') record = { ...record, ConversationCloseTime: londonTime(at) };
  }
  if (!record || record.ExtractTime === undefined) return record;
  const count = (reason: PlaceholderReason) => String(placeholders[reason] ?? 0);
  return {
    ...record,
    LargeMessageFragmentCount: String(parts),
    LargeMessageFragmentSentCount: String(Math.min(sent, parts)),
    LargeMessageFragmentSuccessCount: String(Math.min(taken, parts)),
    PlaceholdersFileTypeUnsupported: count('FILE_TYPE_UNSUPPORTED'),
    PlaceholdersFileDeleted: count('FILE_DELETED'),
    PlaceholdersFileNotFound: count('FILE_NOT_FOUND'),
    PlaceholdersFileLocked: count('FILE_LOCKED'),
    PlaceholdersUndeterminedReason: count('UNABLE_TO_DETERMINE_PROBLEM'),
  };
}

const POINT_OF_CODES: Readonly<Record<string, string>> = { '06': '10', '07': '0', '19': '20', '24': '30', '13': '40', '14': '50' };

function isPart(interaction: string): boolean {
  return interaction === 'piece' || interaction === 'index';
}

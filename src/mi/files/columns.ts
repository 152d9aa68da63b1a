/**
 * The weekly files of the older process ("Stats" files): four kinds of records, told by their first column, the others by their position.
 * Names and order of the columns are those under which the files are read nationally.
 */
export const HEADER_COLUMNS = [
  'RecordType',
  'RequestorODS',
  'RequestorASID',
  'RequestorSoftware',
  'RequestorApplicationStatus',
  'ReportTimePeriod',
  'MaxMessageSize',
  'MaxNumAttachments',
  'MaxAttachSize',
  'ConfigA',
  'ConfigB',
] as const;
export const REQUEST_COLUMNS = [
  'RecordType',
  'ConversationID',
  'RequestorODS',
  'SenderODS',
  'RegistrationTime',
  'RegistrationType',
  'RegistrationSmartcardUID',
  'RequestFailurePoint',
  'RequestFailureTime',
  'RequestFailureMessageID',
  'RequestFailureType',
  'RequestErrorCode',
  'RequestErrorDescription',
  'RequestRetryCount',
  'RequestMessageID',
  'RequestTime',
  'ExtractTime',
  'ExtractMessageID',
  'LargeMessageReason',
  'LargeMessageFragmentCount',
  'LargeMessageFragmentSuccessCount',
  'ExtractAckStatus',
  'ExtractAckCode',
  'ExtractAckTime',
  'ExtractAckMessageID',
  'ExtractAckFailureTime',
  'ExtractAckFailureType',
  'ExtractAckErrorCode',
  'ExtractAckErrorDescription',
  'ExtractAckRetryCount',
  'ExtractProcessingUID',
] as const;
export const SEND_COLUMNS = [
  'RecordType',
  'RequestMessageID',
  'ConversationID',
  'RequestorODS',
  'SenderODS',
  'RequestorApplicationStatus',
  'RequestTime',
  'RequestAckTime',
  'RequestAckCode',
  'RequestAckMessageID',
  'RequestAckFailureType',
  'RequestAckErrorCode',
  'RequestAckErrorDescription',
  'RequestAckRetryCount',
  'ExtractFailurePoint',
  'ExtractFailureTime',
  'ExtractFailureMessageID',
  'ExtractFailureType',
  'ExtractFailureErrorCode',
  'ExtractFailureErrorDescription',
  'ExtractFailureRetryCount',
  'ExtractMessageID',
  'ExtractTime',
  'LargeMessagingRequired',
  'LargeMessageFragmentCount',
  'LargeMessageFragmentSentCount',
  'LargeMessageFragmentSuccessCount',
  'ConversationCloseTime',
  'PlaceholdersFileTypeUnsupported',
  'PlaceholdersFileDeleted',
  'PlaceholdersFileNotFound',
  'PlaceholdersFileLocked',
  'PlaceholdersUndeterminedReason',
] as const;
export const FOOTER_COLUMNS = ['RecordType', 'RequestRecordCount', 'SendRecordCount', 'RequestorODS', 'ReportTimePeriod'] as const;

export type RequestRecord = Partial<Readonly<Record<(typeof REQUEST_COLUMNS)[number], string>>>;
export type SendRecord = Partial<Readonly<Record<(typeof SEND_COLUMNS)[number], string>>>;

const KINDS = { HR: HEADER_COLUMNS, RR: REQUEST_COLUMNS, SR: SEND_COLUMNS, FR: FOOTER_COLUMNS } as const;
export type RecordKind = keyof typeof KINDS;

/** One line: a value for each column, quoted where it has to be; what is not known is empty. */
export function line(kind: RecordKind, values: Readonly<Record<string, string | undefined>>): string {
  return KINDS[kind].map((name) => cell(name === 'RecordType' ? kind : (values[name] ?? ''))).join(',');
}

function cell(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

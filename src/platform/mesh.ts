/**
 * The weekly files that systems sent over MESH before there was an API: lines of a header, requester, sender or footer record, told by
 * their first column, the others by position. Only read, for what was reported then.
 */
import { cellsOf, damaged, lines } from './csv.ts';
import type { BrokenRow } from './load-spine.ts';

const REQUESTER = `RecordType ConversationID RequestorODS SenderODS RegistrationTime RegistrationType RegistrationSmartcardUID
  RequestFailurePoint RequestFailureTime RequestFailureMessageID RequestFailureType RequestErrorCode RequestErrorDescription
  RequestRetryCount RequestMessageID RequestTime ExtractTime ExtractMessageID LargeMessageReason LargeMessageFragmentCount
  LargeMessageFragmentSuccessCount ExtractAckStatus ExtractAckCode ExtractAckTime ExtractAckMessageID ExtractAckFailureTime
  ExtractAckFailureType ExtractAckErrorCode ExtractAckErrorDescription ExtractAckRetryCount ExtractProcessingUID`.split(/\s+/);
const SENDER = `RecordType RequestMessageID ConversationID RequestorODS SenderODS RequestorApplicationStatus RequestTime RequestAckTime
  RequestAckCode RequestAckMessageID RequestAckFailureType RequestAckErrorCode RequestAckErrorDescription RequestAckRetryCount
  ExtractFailurePoint ExtractFailureTime ExtractFailureMessageID ExtractFailureType ExtractFailureErrorCode ExtractFailureErrorDescription
  ExtractFailureRetryCount ExtractMessageID ExtractTime LargeMessagingRequired LargeMessageFragmentCount LargeMessageFragmentSentCount
  LargeMessageFragmentSuccessCount ConversationCloseTime PlaceholdersFileTypeUnsupported PlaceholdersFileDeleted PlaceholdersFileNotFound
  PlaceholdersFileLocked PlaceholdersUndeterminedReason`.split(/\s+/);
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  HR: `RecordType RequestorODS RequestorASID RequestorSoftware RequestorApplicationStatus ReportTimePeriod MaxMessageSize MaxNumAttachments
    MaxAttachSize ConfigA ConfigB`.split(/\s+/),
  RR: REQUESTER,
  SR: SENDER,
  FR: ['RecordType', 'RequestRecordCount', 'SendRecordCount', 'RequestorODS', 'ReportTimePeriod'],
};
export type MeshRecord = {
  readonly kind: 'HR' | 'RR' | 'SR' | 'FR';
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
};

/** Records of a file. The delimiter is not written down anywhere: it is what stands behind the first line's type. */
export async function* readMeshFile(
  pieces: AsyncIterable<string | Uint8Array>,
  onBroken: (row: BrokenRow) => void,
): AsyncGenerator<MeshRecord> {
  let number = 0;
  let delimiter: string | null = null;
  for await (const line of lines(pieces)) {
    number++;
    const text = number === 1 ? line.replace(/^\ufeff/, '') : line;
    if (text.trim() === '') continue;
    delimiter ??= /^"?(?:HR|RR|SR|FR)"?([,|;\t^~])/.exec(text)?.[1] ?? null;
    const cells = delimiter === null ? null : cellsOf(text, delimiter);
    const kind = cells?.[0]?.trim() ?? '';
    const columns = Object.hasOwn(COLUMNS, kind) ? COLUMNS[kind] : undefined;
    if (!cells)
      onBroken({ line: number, fault: delimiter === null ? 'no record type with a delimiter behind it' : 'a quote is not closed' });
    else if (!columns) onBroken({ line: number, fault: `the record type is none of HR, RR, SR, FR: ${JSON.stringify(kind.slice(0, 20))}` });
    else if (cells.length !== columns.length)
      onBroken({ line: number, fault: `${kind} has ${cells.length} columns instead of ${columns.length}` });
    else {
      const fault = damaged(columns, cells);
      if (fault !== null) onBroken({ line: number, fault });
      else
        yield {
          kind: kind as MeshRecord['kind'],
          line: number,
          cells: Object.fromEntries(columns.map((name, at) => [name, cells[at]?.trim() ?? ''])),
        };
    }
  }
}

export type RegistrationKind =
  | 'newRegistrant'
  | 'returningNoOtherGp'
  | 'alreadyRegistered'
  | 'patientLookupFailure'
  | 'systemLookupFailure'
  | 'nonGp2gpPractice'
  | 'internal'
  | 'gp2gp'
  | 'transferUnknown'
  | 'unknown';

/** What a requester record reports: the first that holds. */
export function registrationKind({ cells }: MeshRecord): RegistrationKind {
  const [type, failure, point] = [cells['RegistrationType'], cells['RequestFailureType'], cells['RequestFailurePoint']];
  const unfailed = point === '0' && cells['RequestFailureTime'] === '';
  const elsewhere = failure === '3' || failure === '4';
  if (type === '1' && failure === '5') return 'newRegistrant';
  if (type === '2' && failure === '5') return 'returningNoOtherGp';
  if (failure === '2') return 'alreadyRegistered';
  if (point === '10' || point === '20') return 'patientLookupFailure';
  if (!elsewhere && (point === '40' || point === '50')) return 'systemLookupFailure';
  if (!((type === '3' && failure === '0') || elsewhere || (failure !== '5' && point === '60') || unfailed)) return 'unknown';
  if (elsewhere) return 'nonGp2gpPractice';
  if (type === '3' && failure === '0') return 'internal';
  return unfailed || (type !== '3' && failure !== '2' && failure !== '5' && point === '60') ? 'gp2gp' : 'transferUnknown';
}

/** Whole files were sent again: the same registration is told by its time and practices. */
export function registrationKey({ cells }: MeshRecord): string {
  return `${cells['RegistrationTime']}-${cells['RequestorODS']}-${cells['SenderODS']}`;
}

/** Counts by practice and week, from either process: what a practice reports must not depend on which one it is in. */
import type { Instant, Ods } from '../base/ids.ts';
import type { RequestRecord, SendRecord } from './files/columns.ts';
import { type Monday, weekOf } from './files/week.ts';
import type { IntegrationOutcome } from './terms.ts';

export const COUNTED = [
  'registrations',
  'notEligible',
  'internal',
  'requested',
  'refused',
  'integrated',
  'suppressed',
  'filedAsAttachment',
  'rejected',
  'failedToIntegrate',
  // As the previous practice: whose record left and whose did not, and documents that did not go with it.
  'sent',
  'notSent',
  'placeholders',
] as const;
export type Counted = (typeof COUNTED)[number];
export type Counts = Readonly<Record<Counted, number>>;

/** An event as it was posted. */
export type PostedEvent = { readonly eventType: string; readonly body: Readonly<Record<string, unknown>> };

const NONE: Counts = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Record<Counted, number>;

const BY_OUTCOME: Readonly<Record<Exclude<IntegrationOutcome, 'INTERNAL_TRANSFER'>, Counted>> = {
  INTEGRATED: 'integrated',
  INTEGRATED_AND_SUPPRESSED: 'integrated',
  SUPPRESSED_AND_REACTIVATED: 'suppressed',
  FILED_AS_ATTACHMENT: 'filedAsAttachment',
  REJECTED: 'rejected',
  FAILED_TO_INTEGRATE: 'failedToIntegrate',
};

/**
 * `practice week` -> counts from events: of the registrations that began there and then, and of the records that left it then or would not.
 * Practices without any have none.
 */
export function countsOfEvents(events: readonly PostedEvent[]): Map<string, Counts> {
  const conversations = new Map<string, PostedEvent[]>();
  for (const event of events) {
    const id = event.body['conversationId'];
    if (typeof id === 'string') conversations.set(id, [...(conversations.get(id) ?? []), event]);
  }
  const counts = new Map<string, Counts>();
  for (const conversation of conversations.values()) {
    const sorted = conversation.toSorted((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1));
    const registered = sorted.find(({ eventType }) => eventType === 'REGISTRATIONS');
    if (registered)
      add(counts, String(registered.body['reportingPracticeOdsCode']), weekOf(timeOf(registered)), [
        'registrations',
        ...fateOfEvents(sorted.filter((event) => !isSenders(event))),
      ]);
    const own = sorted.filter(isSenders);
    // The record as it was sent last.
    const sent = own.findLast(({ eventType }) => eventType === 'EHR_RESPONSES');
    const told = sent ?? own.at(-1);
    if (told) add(counts, String(told.body['reportingPracticeOdsCode']), weekOf(timeOf(told)), sent ? sentIn(sent) : ['notSent']);
  }
  return counts;
}

function isSenders({ body }: PostedEvent): boolean {
  return body['reportingPracticeOdsCode'] !== body['requestingPracticeOdsCode'];
}

function sentIn({ body }: PostedEvent): Counted[] {
  const { ehr } = body['payload'] as { ehr: { placeholders?: readonly unknown[] | null } };
  return ['sent', ...(ehr.placeholders ?? []).map(() => 'placeholders' as const)];
}

function fateOfEvents(events: readonly PostedEvent[]): Counted[] {
  const fate = new Set<Counted>();
  for (const { eventType, body } of events) {
    const payload = (body['payload'] ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    if (eventType === 'EHR_REQUESTS') fate.add('requested');
    const outcome = payload['integration']?.['outcome'] as IntegrationOutcome | undefined;
    if (outcome) fate.add(outcome === 'INTERNAL_TRANSFER' ? 'internal' : BY_OUTCOME[outcome]);
    const { errorCode, failurePoint } = payload['error'] ?? {};
    if (failurePoint === 'EHR_REQUESTED' && errorCode !== 'NOT_DELIVERED') fate.add('refused');
  }
  // The latest holds; one that was withdrawn had been eligible.
  const status = events.findLast(({ eventType }) => eventType === 'TRANSFER_COMPATIBILITY_STATUSES')?.body['payload'] as
    | { transferCompatibilityStatus: { transferCompatible: boolean; reason?: string } }
    | undefined;
  const { transferCompatible = true, reason } = status?.transferCompatibilityStatus ?? {};
  if (!transferCompatible && reason !== 'WITHDRAWN') fate.add('notEligible');
  return [...fate];
}

/** The same from the rows of weekly files; a row that is there several times, since its transfer went on, counts as its last. */
export function countsOfRecords(requests: readonly RequestRecord[], sends: readonly SendRecord[]): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const record of lastOf(requests, ({ RequestorODS, ConversationID }) => `${RequestorODS} ${ConversationID}`))
    add(counts, record.RequestorODS ?? '', weekOfTime(record.RegistrationTime), ['registrations', ...fateOfRecord(record)]);
  for (const record of lastOf(sends, ({ SenderODS, ConversationID }) => `${SenderODS} ${ConversationID}`)) {
    const { SenderODS = '', ExtractTime, ExtractFailureTime } = record;
    const missing = PLACEHOLDERS.reduce((sum, name) => sum + Number(record[name] ?? 0), 0);
    const fate: Counted[] = ['sent', ...Array.from({ length: missing }, () => 'placeholders' as const)];
    if (ExtractTime !== undefined) add(counts, SenderODS, weekOfTime(ExtractTime), fate);
    else if (ExtractFailureTime !== undefined) add(counts, SenderODS, weekOfTime(ExtractFailureTime), ['notSent']);
  }
  return counts;
}

const PLACEHOLDERS = [
  'PlaceholdersFileTypeUnsupported',
  'PlaceholdersFileDeleted',
  'PlaceholdersFileNotFound',
  'PlaceholdersFileLocked',
  'PlaceholdersUndeterminedReason',
] as const;

function lastOf<Row>(rows: readonly Row[], key: (row: Row) => string): Iterable<Row> {
  return new Map(rows.map((row) => [key(row), row])).values();
}

/** London's wall clock says the day by itself. */
function weekOfTime(time: string | undefined): Monday {
  return weekOf(`${(time ?? '').slice(0, 10)}T12:00:00.000Z` as Instant);
}

/** The counts of practices of which some did nothing: these have noughts, and are not left out. */
export function alsoIdle(counts: ReadonlyMap<string, Counts>, practices: readonly string[], week: Monday): Map<string, Counts> {
  return new Map([...practices.map((practice) => [`${practice} ${week}`, NONE] as const), ...counts]);
}

const BY_STATUS: Readonly<Record<string, Counted>> = {
  '1': 'integrated',
  '2': 'rejected',
  '6': 'failedToIntegrate',
  '7': 'failedToIntegrate',
};

function fateOfRecord(record: RequestRecord): Counted[] {
  const { RequestTime, RequestFailureType: type = '', RequestFailurePoint: point = '0', ExtractAckStatus: status = '' } = record;
  const fate: Counted[] = [];
  if (record.RegistrationType === '3') fate.push('internal');
  if (RequestTime !== undefined) fate.push('requested');
  else if (record.SenderODS !== '' && (['2', '3', '4'].includes(type) || ['10', '20', '40', '70'].includes(point)))
    fate.push('notEligible');
  if (type === '6') fate.push('refused');
  if (status === '5') fate.push(record.ExtractAckCode === '15' ? 'suppressed' : 'filedAsAttachment');
  const counted = BY_STATUS[status];
  if (counted) fate.push(counted);
  return fate;
}

function add(counts: Map<string, Counts>, practice: Ods | string, week: Monday, names: readonly Counted[]): void {
  const key = `${practice} ${week}`;
  const sum: Record<Counted, number> = { ...(counts.get(key) ?? NONE) };
  for (const name of names) sum[name]++;
  counts.set(key, sum);
}

function timeOf({ body }: PostedEvent): Instant {
  return String(body['registrationEventDateTime']) as Instant;
}

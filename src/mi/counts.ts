/** Counts by practice and week, from either process: what a practice reports must not depend on which one it is in. */
import type { Instant, Ods } from '../base/ids.ts';
import type { RequestRecord } from './files/columns.ts';
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

/** `practice week` -> counts of the registrations that began there and then, from their events. Practices without any have none. */
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
    if (!registered) continue;
    add(counts, String(registered.body['reportingPracticeOdsCode']), weekOf(timeOf(registered)), [
      'registrations',
      ...fateOfEvents(sorted),
    ]);
  }
  return counts;
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
export function countsOfRecords(records: readonly RequestRecord[]): Map<string, Counts> {
  const last = new Map<string, RequestRecord>();
  for (const record of records) last.set(`${record.RequestorODS} ${record.ConversationID}`, record);
  const counts = new Map<string, Counts>();
  for (const record of last.values()) {
    const day = Date.parse(`${(record.RegistrationTime ?? '').slice(0, 10)}T12:00:00Z`);
    add(counts, record.RequestorODS ?? '', weekOf(new Date(day).toISOString() as Instant), ['registrations', ...fateOfRecord(record)]);
  }
  return counts;
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

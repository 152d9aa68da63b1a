/**
 * Events of the earlier MI service (2021 and 2022), read for old data only: one endpoint a protocol, times called `transferEventDateTime`,
 * organisations inside the payload.
 */
import { z } from 'zod';
import { Fault } from '../base/errors.ts';
import { readEventTime } from '../mi/event-time.ts';
import { DAY, type Micros } from './micros.ts';

export const EARLIER_TYPES = [
  'EHR_GENERATED',
  'EHR_INTEGRATED',
  'EHR_REQUESTED',
  'EHR_SENT',
  'EHR_VALIDATED',
  'ERROR',
  'PDS_GENERAL_UPDATE',
  'REGISTRATION_STARTED',
  'SDS_LOOKUP',
  'PDS_TRACE',
  'EHR_READY_TO_INTEGRATE',
  'MIGRATE_DOCUMENT_REQUEST',
  'MIGRATE_DOCUMENT_RESPONSE',
  'MIGRATE_STRUCTURED_RECORD_REQUEST',
  'MIGRATE_STRUCTURED_RECORD_RESPONSE',
  'INTERNAL_TRANSFER',
] as const;
export type EarlierType = (typeof EARLIER_TYPES)[number];

const schema = z.object({
  conversationId: z.string().min(1),
  eventId: z.string().min(1),
  eventType: z.enum(EARLIER_TYPES),
  transferProtocol: z.enum(['PRE_TRANSFER', 'GP2GP', 'GP_CONNECT', 'INTERNAL_TRANSFER']),
  transferEventDateTime: z.string().refine((text) => readEventTime(text) !== null, 'no date and time'),
  reportingSystemSupplier: z.string().min(1),
  reportingPracticeOdsCode: z.string().min(1),
  payload: z
    .object({
      registration: z.object({ requestingPracticeOdsCode: z.string().nullish(), sendingPracticeOdsCode: z.string().nullish() }).nullish(),
    })
    .nullish(),
});

export type EarlierEvent = {
  readonly conversationId: string;
  readonly eventId: string;
  readonly type: EarlierType;
  readonly protocol: string;
  readonly at: Micros;
  readonly supplier: string;
  readonly reporting: string;
  readonly requesting: string | null;
  readonly sending: string | null;
};
export type EarlierTransfer = {
  readonly conversationId: string;
  readonly requesting: string | null;
  readonly sending: string | null;
  /** In order of time. */
  readonly events: readonly EarlierType[];
  /** More than a day between the request and the record being ready; `null` where either is missing. */
  readonly slow: boolean | null;
};

/** Throws a `Fault` `input.earlierEvent` that names the member. */
export function readEarlierEvent(text: string): EarlierEvent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Fault('input.earlierEvent', 'the event is no JSON', { cause });
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new Fault('input.earlierEvent', `${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { data } = result;
  const time = readEventTime(data.transferEventDateTime);
  return {
    conversationId: data.conversationId,
    eventId: data.eventId,
    type: data.eventType,
    protocol: data.transferProtocol,
    at: time ? time.seconds * 1e6 + Math.floor(time.nanoseconds / 1000) : 0,
    supplier: data.reportingSystemSupplier,
    reporting: data.reportingPracticeOdsCode,
    requesting: data.payload?.registration?.requestingPracticeOdsCode ?? null,
    sending: data.payload?.registration?.sendingPracticeOdsCode ?? null,
  };
}

/** One line a conversation. Who requested is what the events say, not which of them came first. */
export function earlierTransfers(events: readonly EarlierEvent[]): EarlierTransfer[] {
  return [...Map.groupBy(events, ({ conversationId }) => conversationId)].map(([conversationId, group]) => {
    const inOrder = group.toSorted((a, b) => a.at - b.at);
    const first = (...types: readonly EarlierType[]) => inOrder.find(({ type }) => types.includes(type))?.at;
    const requested = first('EHR_REQUESTED', 'MIGRATE_STRUCTURED_RECORD_REQUEST');
    const ready = first('EHR_VALIDATED', 'EHR_READY_TO_INTEGRATE');
    return {
      conversationId,
      requesting: inOrder.find(({ requesting }) => requesting !== null)?.requesting ?? null,
      sending: inOrder.find(({ sending }) => sending !== null)?.sending ?? null,
      events: inOrder.map(({ type }) => type),
      slow: requested === undefined || ready === undefined ? null : ready - requested > DAY,
    };
  });
}

/** What the practices of a synthetic England tell of their registrations, as their systems would. */
import type { TransferEvent } from '../../mi/events.ts';
import type { EventPath } from '../../mi/terms.ts';
import { FAILURE_REASONS } from '../classify/outcome.ts';
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { type Micros, SECOND } from '../micros.ts';
import { type StoredEvent, storedEvent } from '../store/events.ts';
import { type Chance, weighted } from './chance.ts';

const SUPPLIERS: Readonly<Record<string, string>> = { EMIS: 'YGJ', SystmOne: 'YGA', Vision: 'YGC' };
const CLINICAL_TYPES = ['SCANNED_DOCUMENT', 'ORIGINAL_TEXT_DOCUMENT', 'IMAGE', 'OCR_TEXT_DOCUMENT', 'OTHER'] as const;
const clinicalType = weighted([60, 24, 8, 5, 3]);
const LEFT_OUT = ['FILE_NOT_FOUND', 'FILE_DELETED', 'FILE_TYPE_UNSUPPORTED', 'FILE_LOCKED', 'UNABLE_TO_DETERMINE_PROBLEM'] as const;
const leftOut = weighted([46, 22, 19, 6, 7]);
const NOT_COMPATIBLE = [
  'Previous practice is not enabled for GP2GP',
  'Previous practice is in Wales',
  'Sending practice is the same as requesting',
] as const;
/** Of an event, that it is lost on the way to the platform. */
const LOST = 0.015;
const REGISTERED = {
  registration: { type: 'NEW_GP_REGISTRATION', returningPatient: false, multifactorAuthenticationPresent: true },
  demographicTraceStatus: { matched: true, multifactorAuthenticationPresent: true },
  gpLinks: { gpLinksComplete: true },
};

/** Everything that both practices tell of one transfer, up to `now`; some of it is lost. */
export function* eventsOf(transfer: ClassifiedTransfer, now: Micros, chance: Chance): Generator<StoredEvent> {
  for (const event of told(transfer, chance)) if (event.at <= now && chance.next() >= LOST) yield stored(transfer, event);
}

/** A registration like this one that no electronic transfer follows. */
export function* registrationOf(like: ClassifiedTransfer, now: Micros, chance: Chance): Generator<StoredEvent> {
  const transfer = { ...like, conversationId: `R${like.conversationId.slice(1)}` };
  const kind = chance.next();
  const at = like.requestedAt + chance.below(600) * SECOND;
  const events: Told[] = [];
  if (kind < 0.12) {
    const payload = {
      ...REGISTERED,
      demographicTraceStatus: { matched: false, reason: 'No results from PDS', multifactorAuthenticationPresent: true },
    };
    events.push({ path: 'registrations', at, payload, alone: true });
  } else if (kind < 0.35) events.push({ path: 'registrations', at, payload: REGISTERED, alone: true });
  else if (kind < 0.5)
    events.push({ path: 'registrations', at, payload: REGISTERED }, compatibility(at, false, chance.pick(NOT_COMPATIBLE), false));
  else
    events.push({ path: 'registrations', at, payload: REGISTERED }, compatibility(at, true, null, true), {
      path: 'ehr-integrations',
      at: at + 40 * SECOND,
      payload: { integration: { outcome: 'INTERNAL_TRANSFER' } },
    });
  for (const event of events) if (event.at <= now) yield stored(transfer, event);
}

type Told = {
  readonly path: EventPath;
  readonly at: Micros;
  readonly bySender?: boolean;
  /** There is no previous practice. */
  readonly alone?: boolean;
  readonly payload?: object;
};

function compatibility(at: Micros, compatible: boolean, reason: string | null, internal: boolean): Told {
  return {
    path: 'transfer-compatibility-statuses',
    at: at + 2 * SECOND,
    payload: {
      transferCompatibilityStatus: { internalTransfer: internal, transferCompatible: compatible, ...(reason !== null && { reason }) },
    },
  };
}

function error(at: Micros, code: number, failurePoint: string, bySender = false): Told {
  return {
    path: 'errors',
    at,
    bySender,
    payload: { error: { errorCode: String(code), errorDescription: 'As the code says', failurePoint } },
  };
}

function* told(transfer: ClassifiedTransfer, chance: Chance): Generator<Told> {
  const { requestedAt, coreAt, completedAt, lastSenderMessageAt, failureReason, finalErrorCodes, senderErrorCodes } = transfer;
  yield { path: 'registrations', at: requestedAt - 60 * SECOND, payload: REGISTERED };
  yield compatibility(requestedAt - (chance.next() < 0.01 ? 1800 : 30) * SECOND, true, null, false);
  yield { path: 'ehr-requests', at: requestedAt };
  const refusal = senderErrorCodes.find((code) => code !== null);
  if (failureReason === FAILURE_REASONS.FATAL_SENDER_ERROR) yield error(requestedAt + 5 * SECOND, refusal ?? 99, 'EHR_RESPONSE', true);
  if (failureReason === FAILURE_REASONS.CORE_EHR_NOT_SENT && chance.next() < 0.6)
    yield error(requestedAt + 86_400 * SECOND, 25, 'EHR_RESPONSE');
  if (failureReason === FAILURE_REASONS.REQUEST_NOT_ACKNOWLEDGED && chance.next() < 0.5)
    yield error(requestedAt + 1200 * SECOND, 20, 'EHR_REQUESTED');
  if (coreAt === null) return;
  const placeholders = Array.from({ length: chance.next() < 0.13 ? 1 + Math.floor(3 * Math.exp(chance.normal())) : 0 }, () => ({
    generatedBy: chance.next() < 0.7 ? 'SENDER' : 'PRE_EXISTING',
    clinicalType: CLINICAL_TYPES[clinicalType(chance)],
    reason: LEFT_OUT[leftOut(chance)],
    originalMimeType: 'image/tiff',
  }));
  const size = Math.round(180_000 * Math.exp(chance.normal()));
  yield { path: 'ehr-responses', at: coreAt, bySender: true, payload: { ehr: { ehrStructuredSizeBytes: size, placeholders } } };
  if (/COPC/.test(failureReason ?? '')) {
    yield error(coreAt + 7200 * SECOND, 30, 'EHR_RESPONSE');
    return;
  }
  const arrived = (lastSenderMessageAt ?? coreAt) + 3 * SECOND;
  const documents = transfer.large ? 1 + chance.below(4) : 0;
  for (let n = 0; n < documents; n++) {
    const successful = chance.next() >= 0.02;
    yield {
      path: 'document-responses',
      at: arrived + n * 1000,
      payload: {
        attachment: {
          clinicalType: CLINICAL_TYPES[clinicalType(chance)],
          mimeType: 'application/pdf',
          sizeBytes: Math.round(44_000 * Math.exp(chance.normal() * 1.9)) + (chance.next() < 0.0005 ? 110_000_000 : 0),
        },
        documentMigration: { successful, ...(!successful && { reason: '31 fragment missing' }) },
      },
    };
  }
  yield { path: 'ready-to-integrate-statuses', at: arrived + 20 * SECOND };
  if (completedAt === null) return;
  const final = finalErrorCodes.find((code) => code !== null) ?? null;
  const outcome =
    final === null
      ? chance.next() < 0.06
        ? 'SUPPRESSED_AND_REACTIVATED'
        : 'INTEGRATED'
      : final === 17 || final === 28
        ? 'REJECTED'
        : final === 26
          ? 'FILED_AS_ATTACHMENT'
          : 'FAILED_TO_INTEGRATE';
  yield { path: 'ehr-integrations', at: completedAt, payload: { integration: { outcome } } };
  if (final !== null) yield error(completedAt + 1000, final, 'EHR_INTEGRATION');
}

function stored({ conversationId, requesting, sending }: ClassifiedTransfer, { path, at, bySender, alone, payload }: Told): StoredEvent {
  const by = bySender ? sending : requesting;
  const body = {
    conversationId,
    registrationEventDateTime: new Date(at / 1000).toISOString(),
    reportingSystemSupplier: SUPPLIERS[by.supplier ?? ''] ?? 'YGJ',
    reportingPracticeOdsCode: by.ods ?? '',
    requestingPracticeOdsCode: requesting.ods ?? '',
    ...(!alone && { sendingPracticeOdsCode: sending.ods ?? '' }),
    ...(payload && { payload }),
  };
  // Which payload belongs to which path is held by a test against the national shapes, not by the compiler.
  return storedEvent({ path, body } as unknown as TransferEvent);
}

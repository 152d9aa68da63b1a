/**
 * The shapes of the nine events of the GP Registrations MI API: what the national service takes (`check.ts` adds what only the
 * specification demands). Unknown members are refused, as there; that keeps degrades without any link to a transfer.
 */
import { z } from 'zod';
import { readEventTime } from './event-time.ts';
import {
  CLINICAL_TYPES,
  DEGRADE_REASONS,
  DEGRADE_TYPES,
  type EventPath,
  FAILURE_POINTS,
  INTEGRATION_OUTCOMES,
  PLACEHOLDER_ORIGINS,
  PLACEHOLDER_REASONS,
  REGISTRATION_TYPES,
} from './terms.ts';

/** No database keeps U+0000 or half a surrogate pair. */
const readable = z.string().refine((value) => value.isWellFormed() && !value.includes('\0'), {
  params: { unreadable: 'must be a text without U+0000 and halves of surrogate pairs' },
});
const text = readable.min(1);
/** Optional members may be null too: the national service knows no difference. */
const optionalText = readable.nullish();
const bytes = z.int().min(0);
const when = z
  .string()
  .refine((value) => value === '' || readEventTime(value) !== null, {
    params: { unreadable: 'must be a date and time, 2026-02-08T08:30:27Z' },
  })
  .min(1);

const base = {
  /** One id for the whole registration; the conversation id of GP2GP. */
  conversationId: text,
  /** When it happened at the practice. UTC; senders write a `Z`. */
  registrationEventDateTime: when,
  /** ODS code of the supplier. */
  reportingSystemSupplier: text,
  reportingPracticeOdsCode: text,
  requestingPracticeOdsCode: text,
};
const maySend = { sendingPracticeOdsCode: optionalText };
const mustSend = { sendingPracticeOdsCode: readable.refine((value) => value.trim() !== '', 'must not be empty') };

const placeholder = z.strictObject({
  generatedBy: z.enum(PLACEHOLDER_ORIGINS),
  clinicalType: z.enum(CLINICAL_TYPES),
  reason: z.enum(PLACEHOLDER_REASONS),
  originalMimeType: text,
});
const degrade = z.strictObject({
  type: z.enum(DEGRADE_TYPES),
  reason: z.enum(DEGRADE_REASONS),
  coding: z.array(z.strictObject({ code: text, system: text })).min(1),
});

export const EVENT_SCHEMAS = {
  registrations: z.strictObject({
    ...base,
    ...maySend,
    payload: z.strictObject({
      registration: z.strictObject({
        type: z.enum(REGISTRATION_TYPES),
        returningPatient: z.boolean(),
        multifactorAuthenticationPresent: z.boolean(),
      }),
      demographicTraceStatus: z.strictObject({
        matched: z.boolean(),
        reason: optionalText,
        multifactorAuthenticationPresent: z.boolean(),
      }),
      gpLinks: z.strictObject({ gpLinksComplete: z.boolean() }),
    }),
  }),
  'transfer-compatibility-statuses': z.strictObject({
    ...base,
    ...mustSend,
    payload: z.strictObject({
      transferCompatibilityStatus: z.strictObject({
        internalTransfer: z.boolean(),
        transferCompatible: z.boolean(),
        reason: optionalText,
      }),
    }),
  }),
  'ehr-requests': z.strictObject({ ...base, ...maySend }),
  'ehr-responses': z.strictObject({
    ...base,
    ...mustSend,
    payload: z.strictObject({
      ehr: z.strictObject({
        /** The structured part alone, without attachments. */
        ehrStructuredSizeBytes: bytes,
        placeholders: z.array(placeholder).nullish(),
      }),
    }),
  }),
  'document-responses': z.strictObject({
    ...base,
    ...mustSend,
    payload: z.strictObject({
      attachment: z.strictObject({ clinicalType: z.enum(CLINICAL_TYPES), mimeType: text, sizeBytes: bytes }),
      documentMigration: z.strictObject({ successful: z.boolean(), reason: optionalText }),
    }),
  }),
  'ready-to-integrate-statuses': z.strictObject({ ...base, ...maySend }),
  'ehr-degrades': z.strictObject({
    reportingSystemSupplier: text,
    payload: z.strictObject({ degrades: z.array(degrade) }),
  }),
  'ehr-integrations': z.strictObject({
    ...base,
    ...mustSend,
    payload: z.strictObject({ integration: z.strictObject({ outcome: z.enum(INTEGRATION_OUTCOMES) }) }),
  }),
  errors: z.strictObject({
    ...base,
    ...maySend,
    payload: z.strictObject({
      error: z.strictObject({
        /** The GP2GP response code where the error is a negative acknowledgement. */
        errorCode: text,
        errorDescription: text,
        failurePoint: z.enum(FAILURE_POINTS),
        otherFailurePoint: optionalText,
      }),
    }),
  }),
} as const satisfies Readonly<Record<EventPath, z.ZodType>>;

/** The body of a request to one path: `MiBody<'ehr-responses'>`. */
export type MiBody<Path extends EventPath> = z.infer<(typeof EVENT_SCHEMAS)[Path]>;
/** Any event with the path it goes to. */
export type MiEvent = { readonly [Path in EventPath]: { readonly path: Path; readonly body: MiBody<Path> } }[EventPath];
/** Any event that belongs to a transfer: all but degrades. */
export type TransferEvent = Exclude<MiEvent, { readonly path: 'ehr-degrades' }>;

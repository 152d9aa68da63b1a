import { transaction } from '../database/connect.ts';
import { freshDatabase, type TestDatabase } from '../database/testing.ts';
import { checkEvent } from '../mi/check.ts';
import type { TransferEvent } from '../mi/events.ts';
import type { EventPath } from '../mi/terms.ts';
import type { ClassifiedTransfer } from './classify/transfer.ts';
import { ensureMonths, monthOfEvent, type StoredEvent, storedEvent, writeEvents } from './store/events.ts';
import { openPlatform, PLATFORM_MIGRATIONS, type PlatformDb } from './store/open.ts';
import { type TransferWindow, transfersWithin } from './store/transfers.ts';

export type TestPlatform = { readonly db: PlatformDb; readonly url: string; close(): Promise<void> };

export async function testPlatform(): Promise<TestPlatform> {
  const database: TestDatabase = await freshDatabase(PLATFORM_MIGRATIONS, 'platform');
  const db = await openPlatform(database.url, 4);
  return {
    db,
    url: database.url,
    close: async () => {
      await db.destroy();
      await database.close();
    },
  };
}

export { foldWritten } from './store/fold.ts';

export const REQUESTING = 'Z81001';
export const SENDING = 'Z82002';

/** Payloads of ordinary events. */
const PAYLOADS: Readonly<Partial<Record<EventPath, unknown>>> = {
  registrations: {
    registration: { type: 'NEW_GP_REGISTRATION', returningPatient: false, multifactorAuthenticationPresent: true },
    demographicTraceStatus: { matched: true, multifactorAuthenticationPresent: true },
    gpLinks: { gpLinksComplete: true },
  },
  'transfer-compatibility-statuses': { transferCompatibilityStatus: { internalTransfer: false, transferCompatible: true } },
  'ehr-responses': { ehr: { ehrStructuredSizeBytes: 412_880 } },
  'document-responses': {
    attachment: { clinicalType: 'SCANNED_DOCUMENT', mimeType: 'application/pdf', sizeBytes: 1000 },
    documentMigration: { successful: true },
  },
  'ehr-integrations': { integration: { outcome: 'INTEGRATED' } },
  errors: { error: { errorCode: '30', errorDescription: 'Large message general failure', failurePoint: 'EHR_RESPONSE' } },
};

/** The body of an event as a supplier would send it. */
export function body(path: EventPath, at: string, over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const bySender = path === 'ehr-responses';
  const payload = PAYLOADS[path];
  return {
    conversationId: '7C0E2B8A-51D4-4E7F-9B61-0A4D6C1E9F20',
    registrationEventDateTime: at,
    reportingSystemSupplier: bySender ? 'YGA' : 'YGJ',
    reportingPracticeOdsCode: bySender ? SENDING : REQUESTING,
    requestingPracticeOdsCode: REQUESTING,
    sendingPracticeOdsCode: SENDING,
    ...(payload !== undefined && { payload }),
    ...over,
  };
}

export function stored(path: EventPath, at: string, over: Readonly<Record<string, unknown>> = {}): StoredEvent {
  const checked = checkEvent(path, body(path, at, over), 'compatible', 0);
  if ('fault' in checked) throw new Error(checked.fault.errors.join('\n'));
  return storedEvent(checked.event as TransferEvent);
}

export async function write(db: PlatformDb, events: readonly StoredEvent[]): Promise<void> {
  await ensureMonths(db, new Set(events.map(monthOfEvent)));
  await writeEvents(
    db,
    events.map((event) => ({ ...event, submitter: null })),
  );
}

/** All transfers of a window, at the cut-off of the figures unless said otherwise. */
export async function transfersOf(
  db: PlatformDb,
  { cutoffDays = 14, ...window }: Partial<TransferWindow> & Pick<TransferWindow, 'start' | 'end'>,
) {
  const found: ClassifiedTransfer[] = [];
  await transaction(db, async (trx) => {
    for await (const transfer of transfersWithin(trx, { ...window, cutoffDays })) found.push(transfer);
  });
  return found;
}

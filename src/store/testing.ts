import { conversationId, instant, messageId, ods, type TransferId, transferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type { Packed } from '../base/wire.ts';
import type { Db } from '../database/connect.ts';
import { freshDatabase } from '../database/testing.ts';
import type { Received, Requesting } from '../transfer/types.ts';
import type { Accepted } from './inbox.ts';
import { MIGRATIONS, openStore, SCHEMA } from './open.ts';
import type { Tables } from './tables.ts';
import { insertTransfer } from './transfers.ts';

/** A migrated database of its own for one test file. */
export async function testStore(): Promise<{ readonly db: Db<Tables>; readonly url: string; close(): Promise<void> }> {
  const database = await freshDatabase(MIGRATIONS, SCHEMA);
  const db = openStore(database.url, { connections: 20 });
  return {
    db,
    url: database.url,
    async close() {
      await db.destroy();
      await database.close();
    },
  };
}

export const OWN = ods('Z81001');
export const OTHER = ods('Z82002');

let counter = 0;
/** Ids in the shape of the wire's, counted. */
export function testId(): string {
  counter++;
  return `${counter.toString(16).toUpperCase().padStart(8, '0')}-0000-4000-8000-${process.pid.toString(16).toUpperCase().padStart(12, '0')}`;
}

/** A requesting transfer that was just registered, stored. */
export async function storedTransfer(db: Db<Tables>, practice = OWN): Promise<TransferId> {
  const transfer: Requesting = {
    id: transferId(testId()),
    version: 0,
    conversationId: conversationId(testId()),
    practice,
    nhsNumber: '9990000018' as NhsNumber,
    startedAt: instant(new Date()),
    role: 'requesting',
    previousPractice: OTHER,
    state: 'checking',
  };
  const registration = {
    type: 'newRegistration',
    permanent: true,
    returning: false,
    authenticated: true,
    traceMatched: true,
    gpLinksComplete: true,
  } as const;
  await insertTransfer(db, transfer, { began: 'registration', registrationId: testId(), registration });
  return transfer.id;
}

export function packedMessage(text = 'the exact bytes'): Packed {
  const data = new TextEncoder().encode(text);
  return {
    messageId: messageId(testId()),
    soapAction: 'urn:nhs:names:services:gp2gp/MCCI_IN010000UK13',
    contentType: 'text/xml',
    contentLength: data.byteLength,
    body: [{ in: 'row', data, encode: 'none' }],
    retries: 3,
    everySeconds: 60,
    persistSeconds: 3600,
  };
}

export function acceptedMessage(change: Partial<Accepted> = {}): Accepted {
  const id = messageId(testId());
  const message: Received = {
    messageId: id,
    aliases: [],
    conversationId: conversationId(testId()),
    at: instant(new Date()),
    addressed: { fromPartyKey: 'Z82002-0000001', toPartyKey: 'Z81001-0000001', fromAsid: '200000000002', toAsid: '200000000001' },
    interaction: 'acknowledgement',
    of: messageId(testId()),
    answer: { accepted: true },
  };
  return {
    fromPartyKey: 'Z82002-0000001',
    messageId: id,
    practice: OWN,
    conversationId: message.conversationId,
    action: 'MCCI_IN010000UK13',
    digest: 'digest-1',
    bytes: 1000,
    receivedAt: instant(new Date()),
    message: { message },
    ...change,
  };
}

/** What is asked of a database that was restored from a backup. */
import { sql } from 'kysely';
import type { ConversationId, Instant, Ods, TransferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type { Transfer } from '../transfer/types.ts';
import type { Store } from './tables.ts';
import { readTransfer } from './transfers.ts';

/** A transfer by which people and systems outside know it. */
export type NamedTransfer = {
  readonly practice: Ods;
  readonly id: TransferId;
  readonly role: Transfer['role'];
  readonly conversationId: ConversationId;
  readonly registrationId: string | null;
  readonly nhsNumber: NhsNumber;
  readonly otherPractice: Ods | null;
  readonly state: Transfer['state'];
  readonly outcome: string | null;
};

const NAMED = sql`practice, id, role, conversation_id as "conversationId", registration_id as "registrationId", nhs_number as "nhsNumber",
  other_practice as "otherPractice", state, outcome`;

/** Every transfer that has not ended, with what its decisions know. */
export async function runningEverywhere(store: Store): Promise<{ readonly named: NamedTransfer; readonly transfer: Transfer }[]> {
  const { rows } =
    await sql<NamedTransfer>`select ${NAMED} from transfers where state <> 'ended' order by practice, started_at, id`.execute(store);
  const found = [];
  for (const named of rows) {
    const transfer = await readTransfer(store, named.practice, named.id);
    if (transfer) found.push({ named, transfer });
  }
  return found;
}

/** Every transfer that something happened to after a moment. */
export async function changedSince(store: Store, at: Instant): Promise<NamedTransfer[]> {
  const { rows } =
    await sql<NamedTransfer>`select ${NAMED} from transfers where changed_at > ${at} order by practice, started_at, id`.execute(store);
  return rows;
}

/** Which of some transfers are known. */
export async function knownOf(store: Store, ids: readonly TransferId[]): Promise<ReadonlySet<TransferId>> {
  const { rows } = await sql<{ id: TransferId }>`select id from transfers where id = any(${[...ids]}::text[])`.execute(store);
  return new Set(rows.map(({ id }) => id));
}

/** The addresses that `gatherReferenced` and `addReferenced` have gathered in this transaction. */
export async function referencedAddresses(store: Store): Promise<string[]> {
  const { rows } = await sql<{ sha256: string }>`select sha256 from referenced order by sha256`.execute(store);
  return rows.map(({ sha256 }) => sha256);
}

/** Who points at some objects. */
export async function ownersOf(store: Store, sha256: string): Promise<{ readonly practice: Ods; readonly transfer: TransferId | null }[]> {
  const pattern = `%${sha256}%`;
  const { rows } = await sql<{ practice: Ods; transfer: TransferId | null }>`
    select practice, id as transfer from transfers where body::text like ${pattern}
    union select practice, transfer from parts where content::text like ${pattern}
    union select practice, transfer from outgoing_parts where content::text like ${pattern}
    union select practice, transfer from inbox where message::text like ${pattern}
    union select practice, transfer from outbox where body::text like ${pattern}`.execute(store);
  return rows;
}

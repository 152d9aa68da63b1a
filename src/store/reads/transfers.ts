import { sql } from 'kysely';
import type { ConversationId, Instant, Ods, TransferId } from '../../base/ids.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import type { Transfer } from '../../transfer/types.ts';
import type { Store } from '../tables.ts';

export type TransferLine = {
  readonly id: TransferId;
  readonly role: Transfer['role'];
  readonly conversationId: ConversationId;
  readonly nhsNumber: NhsNumber;
  readonly otherPractice: Ods | null;
  readonly state: Transfer['state'];
  readonly outcome: string | null;
  readonly startedAt: Instant;
  readonly changedAt: Instant;
  readonly endedAt: Instant | null;
};
export type TransferFilter = {
  readonly role?: Transfer['role'];
  readonly state?: Transfer['state'];
  readonly nhsNumber?: NhsNumber;
  readonly registrationId?: string;
  /** The last line of the page before. */
  readonly after?: { readonly startedAt: Instant; readonly id: TransferId };
};

/** A page of a practice's transfers, newest first. */
export async function listTransfers(store: Store, practice: Ods, filter: TransferFilter, limit: number): Promise<TransferLine[]> {
  let query = lines(store, practice);
  if (filter.role) query = query.where('role', '=', filter.role);
  if (filter.state) query = query.where('state', '=', filter.state);
  if (filter.nhsNumber) query = query.where('nhs_number', '=', filter.nhsNumber);
  if (filter.registrationId) query = query.where('registration_id', '=', filter.registrationId);
  if (filter.after) query = query.where(sql<boolean>`(started_at, id) < (${filter.after.startedAt}, ${filter.after.id})`);
  return query.orderBy('started_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** Requesting transfers of a practice that began before and have not ended, the oldest first. */
export async function unfinishedRequests(store: Store, practice: Ods, startedBefore: Instant, limit: number): Promise<TransferLine[]> {
  return lines(store, practice)
    .where('role', '=', 'requesting')
    .where('state', 'in', ['checking', 'waitingForExtract', 'collecting', 'converting', 'waitingForDecision', 'filing'])
    .where('started_at', '<=', startedBefore)
    .orderBy('started_at')
    .orderBy('id')
    .limit(limit)
    .execute();
}

export async function readLine(store: Store, practice: Ods, id: TransferId): Promise<TransferLine | null> {
  return (await lines(store, practice).where('id', '=', id).executeTakeFirst()) ?? null;
}

function lines(store: Store, practice: Ods) {
  return store
    .selectFrom('transfers')
    .select([
      'id',
      'role',
      'conversation_id as conversationId',
      'nhs_number as nhsNumber',
      'other_practice as otherPractice',
      'state',
      'outcome',
      'started_at as startedAt',
      'changed_at as changedAt',
      'ended_at as endedAt',
    ])
    .where('practice', '=', practice);
}

/** How many transfers of the whole node are in which state; for metrics and progress. */
export async function countTransfers(
  store: Store,
): Promise<{ practice: Ods; role: Transfer['role']; state: Transfer['state']; outcome: string | null; count: number }[]> {
  return store
    .selectFrom('transfers')
    .select((by) => ['practice', 'role', 'state', 'outcome', by.fn.countAll<number>().as('count')])
    .groupBy(['practice', 'role', 'state', 'outcome'])
    .execute();
}

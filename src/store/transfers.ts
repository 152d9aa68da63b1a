import type { Selectable } from 'kysely';
import type { ConversationId, Ods, TransferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import { fixed, part, together } from '../database/fixed.ts';
import type { Transfer } from '../transfer/types.ts';
import { writeStored } from './stored-json.ts';
import type { Origin, Store, Tables } from './tables.ts';

/** What a transfer is made of again. */
export type TransferRow = Pick<
  Selectable<Tables['transfers']>,
  'practice' | 'id' | 'role' | 'conversation_id' | 'nhs_number' | 'version' | 'state' | 'body' | 'started_at'
>;

/** A transfer, and how it began. */
export type Subject = { readonly transfer: Transfer; readonly origin: Origin };
export type SubjectRow = TransferRow & Pick<Selectable<Tables['transfers']>, 'origin'>;

/**
 * Adds a transfer, or does nothing where its conversation exists in that role, or its registration was handed in before. Gives
 * the transfer that is there now.
 */
export async function insertTransfer(store: Store, transfer: Transfer, origin: Origin): Promise<{ id: TransferId; added: boolean }> {
  const registrationId = origin.began === 'registration' ? origin.registrationId : null;
  const other = origin.began === 'request' ? origin.requester : otherPractice(transfer);
  const { rows } = await fixed<{ id: TransferId }>`
    insert into transfers (practice, id, role, conversation_id, nhs_number, other_practice, registration_id, origin, version, state, body, started_at)
    values (${transfer.practice}, ${transfer.id}, ${transfer.role}, ${transfer.conversationId}, ${transfer.nhsNumber}, ${other},
      ${registrationId}, ${writeStored(origin)}::jsonb, ${transfer.version}, ${transfer.state}, ${bodyOf(transfer)}::jsonb, ${transfer.startedAt})
    on conflict do nothing
    returning id`.execute(store);
  if (rows[0]) return { id: rows[0].id, added: true };
  const existing = await store
    .selectFrom('transfers')
    .select('id')
    .where('practice', '=', transfer.practice)
    .where((where) =>
      where.or([
        where.and([where('role', '=', transfer.role), where('conversation_id', '=', transfer.conversationId)]),
        where('registration_id', '=', registrationId),
      ]),
    )
    .executeTakeFirstOrThrow();
  return { id: existing.id, added: false };
}

export async function readTransfer(store: Store, practice: Ods, id: TransferId): Promise<Transfer | null> {
  const { rows } = await fixed<TransferRow>`
    select practice, id, role, conversation_id, nhs_number, version, state, body, started_at
    from transfers where practice = ${practice} and id = ${id}`.execute(store);
  return rows[0] ? fromRow(rows[0]) : null;
}

export async function readSubject(store: Store, practice: Ods, id: TransferId): Promise<Subject | null> {
  const { rows } = await fixed<SubjectRow>`
    select practice, id, role, conversation_id, nhs_number, version, state, body, started_at, origin
    from transfers where practice = ${practice} and id = ${id}`.execute(store);
  return rows[0] ? subjectOf(rows[0]) : null;
}

/** What of a transfer changes, as its row has it. */
export function columnsOf(transfer: Transfer) {
  return {
    body: bodyOf(transfer),
    outcome: transfer.state === 'ended' ? transfer.outcome.kind : null,
    endedAt: transfer.state === 'ended' ? transfer.at : null,
    otherPractice: otherPractice(transfer),
  };
}

export async function findConversation(
  store: Store,
  practice: Ods,
  role: Transfer['role'],
  conversation: ConversationId,
): Promise<TransferId | null> {
  const { rows } = await fixed<{ id: TransferId }>`
    select id from transfers where practice = ${practice} and role = ${role} and conversation_id = ${conversation}`.execute(store);
  return rows[0]?.id ?? null;
}

/** Transfers of a patient that still run in a role, towards one other practice where it is named. */
export async function runningTransfers(
  store: Store,
  practice: Ods,
  role: Transfer['role'],
  nhsNumber: NhsNumber,
  otherPractice?: Ods,
): Promise<TransferId[]> {
  const { rows } = await together<{ id: TransferId }>([
    part`
    select id from transfers where practice = ${practice} and role = ${role} and nhs_number = ${nhsNumber} and state <> 'ended'`,
    ...(otherPractice === undefined ? [] : [part` and other_practice = ${otherPractice}`]),
    part` order by started_at, id`,
  ]).execute(store);
  return rows.map(({ id }) => id);
}

function otherPractice(transfer: Transfer): Ods | null {
  if ('peer' in transfer && transfer.peer) return transfer.peer.ods;
  return transfer.role === 'requesting' ? transfer.previousPractice : null;
}

function bodyOf(transfer: Transfer): string {
  const {
    id: _id,
    version: _version,
    conversationId: _conversation,
    practice: _practice,
    nhsNumber: _number,
    startedAt: _at,
    ...rest
  } = transfer;
  const { role: _role, state: _state, ...body } = rest;
  return writeStored(body);
}

export function subjectOf(row: SubjectRow): Subject {
  return { transfer: fromRow(row), origin: row.origin };
}

/** The columns and the body of a row are what was taken apart to be written. */
export function fromRow(row: TransferRow): Transfer {
  return {
    ...row.body,
    id: row.id,
    version: row.version,
    conversationId: row.conversation_id,
    practice: row.practice,
    nhsNumber: row.nhs_number,
    startedAt: row.started_at,
    role: row.role,
    state: row.state,
  } as Transfer;
}

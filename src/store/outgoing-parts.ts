/** A sending transfer's ledger: messages whose ids the core announces, kept until the continue asks for them. */
import { sql } from 'kysely';
import type { MessageId, Ods, TransferId } from '../base/ids.ts';
import type { Answer, OutgoingPart } from '../transfer/types.ts';
import { writeStored } from './stored-json.ts';
import type { Store } from './tables.ts';

export async function reserveParts(store: Store, practice: Ods, transfer: TransferId, parts: readonly OutgoingPart[]): Promise<void> {
  const rows = parts.map(({ kind, content, messageId, under, order, ...announced }) => ({
    message_id: messageId,
    under,
    number: order,
    kind,
    announced,
    content,
  }));
  await sql`
    insert into outgoing_parts (practice, transfer, message_id, under, number, kind, announced, content)
    select ${practice}, ${transfer}, message_id, under, number, kind, announced, content
    from jsonb_to_recordset(${writeStored(rows)}::jsonb)
      as part(message_id text, under text, number integer, kind text, announced jsonb, content jsonb)`.execute(store);
}

/** In the order in which they leave. */
export async function reservedParts(store: Store, practice: Ods, transfer: TransferId): Promise<OutgoingPart[]> {
  const rows = await store
    .selectFrom('outgoing_parts')
    .select(['message_id', 'under', 'number', 'kind', 'announced', 'content'])
    .where('practice', '=', practice)
    .where('transfer', '=', transfer)
    .orderBy('number')
    .execute();
  return rows.map((row) => ({
    ...row.announced,
    kind: row.kind,
    content: row.content,
    messageId: row.message_id,
    under: row.under,
    order: row.number,
  }));
}

export async function forgetReserved(store: Store, practice: Ods, transfer: TransferId): Promise<void> {
  await store.deleteFrom('outgoing_parts').where('practice', '=', practice).where('transfer', '=', transfer).execute();
}

/** What the other practice said of one part; the first answer stays. */
export async function answerPart(store: Store, practice: Ods, transfer: TransferId, messageId: MessageId, answer: Answer): Promise<void> {
  await sql`
    update outgoing_parts set answer = coalesce(answer, ${answer.accepted ? 'AA' : (answer.code ?? answer.raw.slice(0, 40))})
    where practice = ${practice} and transfer = ${transfer} and message_id = ${messageId}`.execute(store);
}

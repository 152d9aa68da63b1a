import { sql } from 'kysely';
import type { MessageId, Ods, TransferId } from '../base/ids.ts';
import { fixed } from '../database/fixed.ts';
import type { Interaction } from '../transfer/types.ts';
import { writeStored } from './stored-json.ts';
import type { Store } from './tables.ts';

/** `id` is one by which `message` may be named. */
export type SentMessage = { readonly id: string; readonly message: MessageId; readonly interaction: Interaction };

/** Notes every id by which an answer may name messages of ours: message ids, HL7 ids, the extract's id. */
export async function rememberSent(store: Store, practice: Ods, transfer: TransferId, messages: readonly SentMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await sql`
    insert into sent_messages (practice, id, transfer, interaction, message_id)
    select ${practice}, upper(id), ${transfer}, interaction, message
    from jsonb_to_recordset(${writeStored(messages)}::jsonb) as message(id text, interaction text, message text)
    on conflict do nothing`.execute(store);
}

/** Whose message one of ours was, what, and by which id its transfer knows it. That never changes. */
export type Sent = { readonly transfer: TransferId; readonly interaction: Interaction; readonly message: MessageId };

/** By any of its ids, in capital letters; null where no message of this practice has it. */
export async function findSent(store: Store, practice: Ods, id: MessageId): Promise<Sent | null> {
  const { rows } = await fixed<Sent>`
    select transfer, interaction, message_id as message from sent_messages where practice = ${practice} and id = ${id}`.execute(store);
  return rows[0] ?? null;
}

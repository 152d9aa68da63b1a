/** A requesting transfer's ledger: what was announced, and what came. Messages come in any order, an index after its pieces too. */
import type { Selectable } from 'kysely';
import type { Content } from '../base/content.ts';
import type { MessageId, Ods, TransferId } from '../base/ids.ts';
import { fixed } from '../database/fixed.ts';
import type { LedgerPart } from '../transfer/parts.ts';
import type { Announced, PartFacts, Reference } from '../transfer/types.ts';
import { storable, writeStored } from './stored-json.ts';
import type { Store, Tables } from './tables.ts';

/** Notes what a core or an index announces. What came before its announcement keeps its content; the first announcement counts. */
export async function expectParts(
  store: Store,
  practice: Ods,
  transfer: TransferId,
  under: MessageId,
  references: readonly Reference[],
): Promise<void> {
  const rows = references.map((reference, number) => {
    const { at: _at, ...said } = reference;
    const { part, messageId: _id, ...announced } = { part: null, messageId: null, ...said };
    return { key: keyOf(under, reference, number), number, announced, content: part?.content ?? null };
  });
  await fixed`
    insert into parts (practice, transfer, key, under, number, announced, content, came_at)
    select ${practice}, ${transfer}, key, ${under}, number, announced, content, case when content is not null then now() end
    from jsonb_to_recordset(${writeStored(rows)}::jsonb) as part(key text, number integer, announced jsonb, content jsonb)
    on conflict (practice, transfer, key) do update set under = excluded.under, number = excluded.number, announced = excluded.announced
    where parts.under is null`.execute(store);
}

/** Content ids repeat in every message, so an attachment inside a message gets a key of its own. */
function keyOf(under: MessageId, reference: Reference, number: number): string {
  return reference.at === 'message' ? storable(reference.messageId) : `${under}#${number}`;
}

/** An index came: its content is that of the messages it announces. */
export async function indexCame(
  store: Store,
  practice: Ods,
  transfer: TransferId,
  messageId: MessageId,
  announced: Announced,
): Promise<void> {
  await fixed`
    insert into parts (practice, transfer, key, announced, is_index, came_at)
    values (${practice}, ${transfer}, ${messageId}, ${writeStored(announced)}::jsonb, true, now())
    on conflict (practice, transfer, key) do update set is_index = true, came_at = coalesce(parts.came_at, now())`.execute(store);
}

/** A piece came. The first content stays. */
export async function keepPart(
  store: Store,
  practice: Ods,
  transfer: TransferId,
  messageId: MessageId,
  content: Content,
  announced: Announced,
): Promise<void> {
  await fixed`
    insert into parts (practice, transfer, key, announced, content, came_at)
    values (${practice}, ${transfer}, ${messageId}, ${writeStored(announced)}::jsonb, ${writeStored(content)}::jsonb, now())
    on conflict (practice, transfer, key) do update
    set content = coalesce(parts.content, excluded.content), came_at = coalesce(parts.came_at, now())`.execute(store);
}

/** Forgets an earlier delivery that failed. */
export async function forgetParts(store: Store, practice: Ods, transfer: TransferId): Promise<void> {
  await fixed`delete from parts where practice = ${practice} and transfer = ${transfer}`.execute(store);
}

/**
 * What the ledger says of an arriving core, index or piece, with the messages it announces itself. Read under the transfer's lock.
 * `as`: a core that begins `afresh` forgets the ledger, so nothing in it counts; an index that nobody announced makes nothing wait.
 */
export async function partFacts(
  store: Store,
  practice: Ods,
  transfer: TransferId,
  messageId: MessageId,
  announces: readonly Reference[],
  as: 'core' | 'afresh' | 'part',
): Promise<PartFacts> {
  const children = [...new Set(announces.flatMap((reference) => (reference.at === 'message' ? [storable(reference.messageId)] : [])))];
  if (as === 'afresh') return { expected: false, seen: false, outstandingAfter: children.length, messages: children.length };
  // Whoever leads up to no core but to an index that nobody announced is a stray: nothing waits for what it names.
  const { rows } = await fixed<{ expected: boolean; counts: boolean; seen: boolean; waiting: number; known: number; others: number }>`
    with recursive above(key, under) as (
      select key, under from parts where practice = ${practice} and transfer = ${transfer} and key = ${messageId}
      union
      select parts.key, parts.under from parts join above on parts.key = above.under
      where parts.practice = ${practice} and parts.transfer = ${transfer}
    ), counting(yes) as (
      select ${as === 'core'} or (exists (select from above) and not exists (select from above where under is null))
    ), stray(key) as (
      select key from parts where practice = ${practice} and transfer = ${transfer} and is_index and under is null
        and not (key = any(${children}::text[]) and (select yes from counting))
      union
      select child.key from parts child join stray on child.under = stray.key where child.practice = ${practice} and child.transfer = ${transfer}
    )
    select exists (select from parts where practice = ${practice} and transfer = ${transfer} and key = ${messageId} and under is not null) as expected,
      (select yes from counting) as counts,
      exists (select from parts where practice = ${practice} and transfer = ${transfer} and key = ${messageId} and came_at is not null) as seen,
      (select count(*) from parts where practice = ${practice} and transfer = ${transfer} and came_at is null and key <> ${messageId}
        and key not in (select key from stray)) as waiting,
      (select count(*) from parts where practice = ${practice} and transfer = ${transfer} and key = any(${children}::text[])) as known,
      (select count(*) from parts where practice = ${practice} and transfer = ${transfer} and under is not null and strpos(key, '#') = 0
        and key <> all(${children}::text[]) and ${announces.length} > 0 and key not in (select key from stray)) as others`.execute(store);
  const { expected = false, counts = false, seen = false, waiting = 0, known = 0, others = 0 } = rows[0] ?? {};
  return {
    expected,
    seen,
    outstandingAfter: waiting + (counts ? children.length - known : 0),
    messages: others + (counts ? children.length : 0),
  };
}

/** The transfer that waits for a message of this id. */
export async function findExpected(store: Store, practice: Ods, messageId: MessageId): Promise<TransferId | null> {
  const { rows } = await fixed<{ transfer: TransferId }>`
    select transfer from parts where practice = ${practice} and key = ${messageId} and under is not null limit 1`.execute(store);
  return rows[0]?.transfer ?? null;
}

/** The whole ledger, for joining the attachments. */
export async function readLedger(store: Store, practice: Ods, transfer: TransferId): Promise<LedgerPart[]> {
  const { rows } = await fixed<Pick<Selectable<Tables['parts']>, 'key' | 'under' | 'number' | 'announced' | 'content' | 'is_index'>>`
    select key, under, number, announced, content, is_index from parts
    where practice = ${practice} and transfer = ${transfer} order by number`.execute(store);
  return rows.map((row) => ({
    key: row.key,
    under: row.under,
    order: row.number,
    announced: row.announced,
    content: row.content,
    index: row.is_index,
  }));
}

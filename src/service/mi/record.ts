/** Notes the national events that a history entry means, in the transaction that writes the entry. */
import { createHash } from 'node:crypto';
import type { Instant, Ods } from '../../base/ids.ts';
import { eventBody } from '../../mi/body.ts';
import { eventIdSeed } from '../../mi/check.ts';
import type { TransferEvent } from '../../mi/events.ts';
import { type Occurrence, occurrencesOf } from '../../mi/from-history.ts';
import { untold } from '../../mi/note.ts';
import { type MiOwner, miSoFar, type NewMiEvent, noteMiEvents, queueMiList } from '../../store/mi-events.ts';
import type { Practice } from '../../store/practices.ts';
import type { Store } from '../../store/tables.ts';
import type { Measured, Transfer } from '../../transfer/types.ts';

/** Whether a practice's events are told at all. */
export function reports(practice: Practice): boolean {
  return practice.mi?.events ?? true;
}

/** Gives whether anything was queued. */
export type RecordMi = (store: Store, transfer: Transfer, entry: { readonly at: Instant; readonly measured: Measured }) => Promise<boolean>;

export function createRecordMi(owner: string): RecordMi {
  return async (store, transfer, entry) => {
    const otherPractice = otherPracticeOf(transfer);
    const occurrences = occurrencesOf({ role: transfer.role, otherPractice }, entry);
    if (occurrences.length === 0) return false;
    return noteOccurrences(store, transfer, otherPractice, occurrences, owner);
  };
}

/** Notes what was not noted before, each at a moment of its own. The caller's transaction holds the transfer. */
export async function noteOccurrences(
  store: Store,
  transfer: Transfer,
  otherPractice: Ods | null,
  occurrences: readonly Occurrence[],
  owner: string,
): Promise<boolean> {
  const { practice, id, role, conversationId } = transfer;
  const whose: MiOwner = { practice, transfer: id, role, conversationId };
  const { known, last } = await miSoFar(
    store,
    id,
    occurrences.map(({ key }) => key),
  );
  const { events, lists } = untold(role, occurrences, { known, last });
  for (const { list, at } of lists) {
    if (list.of !== 'placeholders') await queueMiList(store, whose, { of: list.of, object: list.object, at }, owner);
  }
  const noted = events.map(({ path, key, at, payload, list }): NewMiEvent => {
    const body = eventBody(path, { role, conversationId, practice, otherPractice, supplier: '' }, at, payload);
    return { path, key, at, payload, list: list?.object ?? null, eventId: eventIdOf({ path, body } as TransferEvent) };
  });
  if (noted.length > 0) await noteMiEvents(store, whose, otherPractice, noted, owner);
  return lists.length + noted.length > 0;
}

/** The id that the national service gives: MD5 of conversation, type and time, with the bits of a UUID of version 3. */
export function eventIdOf(event: TransferEvent): string {
  const bytes = createHash('md5').update(eventIdSeed(event), 'utf8').digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x30, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function otherPracticeOf(transfer: Transfer): Ods | null {
  if ('peer' in transfer && transfer.peer) return transfer.peer.ods;
  return transfer.role === 'requesting' ? transfer.previousPractice : null;
}

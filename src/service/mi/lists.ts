/** Lists of a conversion become events: an event for each document, degrades in posts of a hundred. */

import type { ObjectRef } from '../../base/content.ts';
import { wholeObject } from '../../base/content.ts';
import { type Db, transaction } from '../../database/connect.ts';
import type { Occurrence } from '../../mi/from-history.ts';
import { type degradesOf, documentResponse, placeholdersOf } from '../../mi/lists.ts';
import { contentBytes } from '../../objects/content.ts';
import type { Objects } from '../../objects/objects.ts';
import { isPlaceholder } from '../../record/document/terms.ts';
import { noteDegrades } from '../../store/mi-events.ts';
import { complete, type MiList, type Work } from '../../store/outbox.ts';
import { lockForPost } from '../../store/posting.ts';
import { readStored } from '../../store/stored-json.ts';
import type { Tables } from '../../store/tables.ts';
import type { ReceivedDocumentEntry } from '../conversions/tasks.ts';
import { noteOccurrences } from './record.ts';

type Options = { readonly db: Db<Tables>; readonly objects: Objects; readonly owner: string };

const LIST_BYTES = 64 * 1024 * 1024;
/** A row stays below 16 kB. */
const DEGRADES_IN_A_POST = 100;

/** Notes the events of a list, once: its queue's row ends in the same transaction. */
export async function expandList({ db, objects, owner }: Options, work: Work, list: MiList): Promise<void> {
  const occurrences = list.of === 'documents' ? await documentsIn(objects, list) : [];
  const degrades = list.of === 'degrades' ? await degradesIn(objects, list.object) : [];
  await transaction(db, async (store) => {
    // As everywhere: the transfer first, then what caused it.
    const locked = await lockForPost(store, work.practice, work.transfer, '', { queue: 'outbox', claim: work.claim });
    if (!locked?.held) return;
    if (locked) {
      const { transfer } = locked;
      const other = 'peer' in transfer && transfer.peer ? transfer.peer.ods : null;
      if (occurrences.length > 0) await noteOccurrences(store, transfer, other, occurrences, owner);
      if (degrades.length > 0) await noteDegrades(store, work.practice, work.transfer, dayOf(list.at), degrades, owner);
    }
    await complete(store, work.claim);
  });
}

async function documentsIn(objects: Objects, { object, at }: MiList): Promise<Occurrence[]> {
  const entries = (await readList(objects, object)) as readonly ReceivedDocumentEntry[];
  return entries.map((entry) => ({ path: 'document-responses', at, ...documentResponse(entry, isPlaceholder(entry.name)) }));
}

async function degradesIn(objects: Objects, list: ObjectRef) {
  const degrades = (await readList(objects, list)) as ReturnType<typeof degradesOf>;
  const posts: { degrades: typeof degrades }[] = [];
  for (let at = 0; at < degrades.length; at += DEGRADES_IN_A_POST) posts.push({ degrades: degrades.slice(at, at + DEGRADES_IN_A_POST) });
  return posts;
}

/** What a core's event says of documents that were not sent, read when it is posted. */
export async function withPlaceholders(objects: Objects, payload: Readonly<Record<string, unknown>> | null, list: ObjectRef) {
  const placeholders = placeholdersOf((await readList(objects, list)) as Parameters<typeof placeholdersOf>[0]);
  const ehr = payload?.['ehr'];
  return placeholders.length > 0 && typeof ehr === 'object' ? { ...payload, ehr: { ...ehr, placeholders } } : payload;
}

async function readList(objects: Objects, object: ObjectRef): Promise<unknown> {
  return readStored(new TextDecoder().decode(await contentBytes(objects, wholeObject(object), LIST_BYTES)));
}

function dayOf(at: MiList['at']): MiList['at'] {
  return `${at.slice(0, 10)}T00:00:00.000Z` as MiList['at'];
}

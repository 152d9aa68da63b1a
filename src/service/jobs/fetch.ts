import { wholeObject } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import { documentId } from '../../base/ids.ts';
import type { GpConnect } from '../../gp-system/connect.ts';
import type { AbsentDocument } from '../../mi/lists.ts';
import { putAsContent } from '../../objects/content.ts';
import type { Objects } from '../../objects/objects.ts';
import { fateOfAbsent, fateOfPresent } from '../../record/document/fate.ts';
import { placeholderText } from '../../record/document/terms.ts';
import type { Practice } from '../../store/practices.ts';
import { writeStored } from '../../store/stored-json.ts';
import type { Sending } from '../../transfer/types.ts';
import type { Gate } from '../../web/gate.ts';
import type { Conversions } from '../conversions/conversions.ts';
import type { FetchedDocument, ListedDocument } from '../conversions/tasks.ts';
import type { RunJob } from '../work.ts';

export type FetchOptions = {
  readonly objects: Objects;
  readonly conversions: Conversions;
  readonly gpConnect: (practice: Practice) => GpConnect;
  readonly newId: () => string;
  /** Through which each document is fetched. */
  readonly gate: Gate;
};

/** Documents of one record that are fetched at the same time. */
const AT_ONCE = 4;
/** Attempts at the whole record before a document that the system does not give is replaced by a placeholder. */
const PATIENCE = 5;

const FILE_REASONS = { notFound: 'FILE_NOT_FOUND', deleted: 'FILE_DELETED', locked: 'FILE_LOCKED' } as const;

/** Fetches the record from the practice's system, then each document it names. The fate of every document is known before conversion. */
export function fetchJob({ objects, conversions, gpConnect, newId, gate }: FetchOptions): RunJob {
  return async ({ transfer, practice, attempts }) => {
    if (transfer.role !== 'sending' || transfer.state !== 'fetching') return { outcome: 'moot' };
    const system = gpConnect(practice);
    const ask = { requester: transfer.peer.ods, traceId: newId() };
    const record = await system.fetchRecord({ ...ask, nhsNumber: transfer.nhsNumber });
    if (!record.fetched) {
      // 20 and 99 are its system's or our own trouble, which may pass; the others are an answer.
      if ((record.code === '20' || record.code === '99') && attempts < PATIENCE) throw new Fault('record.unavailable', record.fault);
      return { outcome: 'done', result: { job: 'fetch', answer: { fetched: false, code: record.code } } };
    }
    let listed: ListedDocument[];
    try {
      listed = await conversions.run({ do: 'listDocuments', bundle: record.bundle }, record.bundle.bytes);
    } catch (error) {
      // The record itself cannot be read; asking for it again gives the same one.
      if (!(error instanceof Fault && /^(json|bundle)\./.test(error.code))) throw error;
      return { outcome: 'done', result: { job: 'fetch', answer: { fetched: false, code: '10' } } };
    }
    const fetched = await inTurns(listed, AT_ONCE, async (document) => {
      if ('absent' in document) return absent(document, document.absent, document.as, transfer);
      const binary = await gate(() => system.fetchBinary({ ...ask, url: document.url }));
      if (!binary.fetched) {
        if (binary.trouble && attempts < PATIENCE) throw new Fault('document.unavailable', `${document.reference}: ${binary.missing}`);
        const reason = binary.file ? FILE_REASONS[binary.file] : 'UNABLE_TO_DETERMINE_PROBLEM';
        return absent(document, binary.missing, { by: 'SENDER', reason, contentType: document.contentType }, transfer);
      }
      const id = documentId(newId());
      const fate = fateOfPresent(document.reference, id, document.contentType, binary.object.bytes);
      return { fate, documentId: id, content: wholeObject(binary.object) };
    });
    const documents = await objects.put(Buffer.from(writeStored(fetched)));
    return { outcome: 'done', result: { job: 'fetch', answer: { fetched: true, bundle: record.bundle, documents } } };
  };

  async function absent(document: ListedDocument, why: string, as: AbsentDocument, transfer: Sending): Promise<FetchedDocument> {
    const id = documentId(newId());
    const { practice, conversationId } = transfer;
    const text = placeholderText({ original: document.name, sendingPractice: practice, conversationId });
    const content = await putAsContent(objects, Buffer.from(text));
    return { fate: fateOfAbsent(document.reference, id, why), documentId: id, content, absent: as };
  }
}

/** All of them, in order, so many at the same time; the first fault ends it. */
async function inTurns<Item, Result>(items: readonly Item[], atOnce: number, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const turn = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at];
      if (item !== undefined) results[at] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, turn));
  return results;
}

import { type Instant, instant } from '../../base/ids.ts';
import type { Objects } from '../../objects/objects.ts';
import type { Document, OwnPractice, Peer, Sending } from '../../transfer/types.ts';
import type { Conversions } from '../conversions/conversions.ts';
import type { FetchedDocument, ToHl7Task } from '../conversions/tasks.ts';
import { readDocuments } from '../conversions/to-hl7.ts';
import type { RunJob } from '../work.ts';

export type ToHl7JobOptions = { readonly objects: Objects; readonly conversions: Conversions; readonly now: () => Date };

/** Writes the fetched record as an extract message; the message id that stands in it is fixed here. */
export function toHl7Job({ objects, conversions, now }: ToHl7JobOptions): RunJob {
  return async ({ transfer, practice }) => {
    if (transfer.role !== 'sending' || transfer.state !== 'converting') return { outcome: 'moot' };
    const { bundle, documents } = transfer;
    const task = toHl7Task(transfer, practice, instant(now()));
    const written = await conversions.run({ do: 'toHl7', ...task }, bundle.bytes);
    if (!written.converted) {
      return { outcome: 'done', result: { job: 'toHl7', answer: { converted: false, code: '10', fault: written.fault } } };
    }
    const sent = documentsToSend(await readDocuments(objects, documents));
    return { outcome: 'done', result: { job: 'toHl7', answer: { ...written, version: task.version, documents: sent } } };
  };
}

/** What is asked of the conversion of a fetched record. */
export function toHl7Task(transfer: Extract<Sending, { state: 'converting' }>, own: OwnPractice, now: Instant): ToHl7Task {
  const { bundle, documents, peer, nhsNumber, requestId } = transfer;
  return {
    bundle,
    documents,
    nhsNumber,
    requestId,
    requester: peer.ods,
    own: own.ods,
    fromAsid: own.asid,
    toAsid: peer.asid,
    version: versionFor(own, peer),
    now,
    messageLimit: own.messageLimit,
  };
}

/** What was fetched, as it travels with the record. */
export function documentsToSend(fetched: readonly FetchedDocument[]): Document[] {
  return fetched.map(({ fate, documentId, content }) => ({
    documentId,
    filename: fate.filename,
    contentType: fate.contentType,
    compressed: false,
    skeleton: false,
    content,
  }));
}

/** UK07 carries redactions: where the practice leaves it open, it goes to whoever takes it. */
function versionFor({ redactions }: OwnPractice, { takesRedactions }: Peer): 'UK06' | 'UK07' {
  return redactions === 'on' || (redactions === 'auto' && takesRedactions) ? 'UK07' : 'UK06';
}

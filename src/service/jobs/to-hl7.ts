import { instant } from '../../base/ids.ts';
import type { Objects } from '../../objects/objects.ts';
import type { OwnPractice, Peer } from '../../transfer/types.ts';
import type { Conversions } from '../conversions/conversions.ts';
import { readDocuments } from '../conversions/to-hl7.ts';
import type { RunJob } from '../work.ts';

export type ToHl7JobOptions = { readonly objects: Objects; readonly conversions: Conversions; readonly now: () => Date };

/** Writes the fetched record as an extract message; the message id that stands in it is fixed here. */
export function toHl7Job({ objects, conversions, now }: ToHl7JobOptions): RunJob {
  return async ({ transfer, practice }) => {
    if (transfer.role !== 'sending' || transfer.state !== 'converting') return { outcome: 'moot' };
    const { bundle, documents, peer } = transfer;
    const version = versionFor(practice, peer);
    const written = await conversions.run(
      {
        do: 'toHl7',
        bundle,
        documents,
        nhsNumber: transfer.nhsNumber,
        requestId: transfer.requestId,
        requester: peer.ods,
        own: practice.ods,
        fromAsid: practice.asid,
        toAsid: peer.asid,
        version,
        now: instant(now()),
        messageLimit: practice.messageLimit,
      },
      bundle.bytes,
    );
    if (!written.converted) {
      return { outcome: 'done', result: { job: 'toHl7', answer: { converted: false, code: '10', fault: written.fault } } };
    }
    const sent = (await readDocuments(objects, documents)).map(({ fate, documentId, content }) => ({
      documentId,
      filename: fate.filename,
      contentType: fate.contentType,
      compressed: false,
      skeleton: false,
      content,
    }));
    return { outcome: 'done', result: { job: 'toHl7', answer: { ...written, version, documents: sent } } };
  };
}

/** UK07 carries redactions: where the practice leaves it open, it goes to whoever takes it. */
function versionFor({ redactions }: OwnPractice, { takesRedactions }: Peer): 'UK06' | 'UK07' {
  return redactions === 'on' || (redactions === 'auto' && takesRedactions) ? 'UK07' : 'UK06';
}

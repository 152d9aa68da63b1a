import { never } from '../base/errors.ts';
import type { Ods, TransferId } from '../base/ids.ts';
import type { Objects } from '../objects/objects.ts';
import { type SentDocument, type SentEnd, type ToPrint, toPrint } from '../practice/to-print.ts';
import type { Store } from '../store/tables.ts';
import { readTransfer } from '../store/transfers.ts';
import type { SendingOutcome } from '../transfer/types.ts';
import { readDocuments } from './conversions/to-hl7.ts';

export type PrintList = ToPrint & { readonly to: Ods | null; readonly nhsNumber: string };

/** What of a record that a practice sent goes on paper; null where there is no such transfer, or it was not sent by this practice. */
export async function printList(
  { db, objects }: { readonly db: Store; readonly objects: Objects },
  practice: Ods,
  id: TransferId,
): Promise<PrintList | 'open' | 'erased' | null> {
  const transfer = await readTransfer(db, practice, id);
  if (transfer?.role !== 'sending') return null;
  if (transfer.state !== 'ended') return 'open';
  const { offer, outcome, peer, nhsNumber } = transfer;
  const list = offer?.documents;
  // Refused before it was fetched, a record has no list; afterwards it has one until its content is erased.
  if (!list && outcome.kind !== 'refusedByUs' && outcome.kind !== 'superseded') return 'erased';
  const documents = list ? (await readDocuments(objects, list)).map(({ fate }) => documentOf(fate)) : [];
  return { ...toPrint(endOf(outcome), documents), to: peer?.ods ?? null, nhsNumber };
}

function documentOf(fate: Awaited<ReturnType<typeof readDocuments>>[number]['fate']): SentDocument {
  return { name: fate.filename, contentType: fate.contentType, notSent: fate.present ? null : fate.why };
}

function endOf(outcome: SendingOutcome): SentEnd {
  switch (outcome.kind) {
    case 'acknowledged':
      return { kind: 'filed', answer: outcome.answer };
    case 'refusedByUs':
    case 'refusedByRequester':
      return { kind: 'refused', code: outcome.code };
    case 'undeliverable':
    case 'unanswered':
    case 'superseded':
      return { kind: outcome.kind };
    default:
      return never(outcome);
  }
}

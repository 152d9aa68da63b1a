import type { MessageId } from '../base/ids.ts';
import { partFacts, readLedger } from '../store/parts.ts';
import { findSent, type Sent } from '../store/sent-messages.ts';
import type { Store } from '../store/tables.ts';
import { recordMissing } from '../transfer/parts.ts';
import { beginsAfresh } from '../transfer/requesting-arrivals.ts';
import type { Event, Facts, Interaction, PartFacts, Transfer } from '../transfer/types.ts';

/**
 * The few facts that a decision about this event needs, read under the transfer's lock. `named`: the message of ours that it names, where that
 * is known already.
 */
export async function factsFor(
  store: Store,
  transfer: Transfer,
  event: Event,
  given: Pick<Facts, 'now' | 'newId' | 'own'>,
  named: Sent | null,
): Promise<Facts> {
  const [part, refersTo] =
    event.kind === 'arrived' ? [await partOf(store, transfer, event), await referent(store, transfer, event, named)] : [null, null];
  const timeOut = event.kind === 'due' && event.timer === 'partsLate' && transfer.role === 'requesting' && transfer.state === 'collecting';
  const missing = timeOut && recordMissing(transfer.core.messageId, await readLedger(store, transfer.practice, transfer.id));
  return { ...given, part, refersTo, recordMissing: missing };
}

type Arrived = Extract<Event, { kind: 'arrived' }>;

async function partOf(store: Store, transfer: Transfer, { message }: Arrived): Promise<PartFacts | null> {
  const { practice, id } = transfer;
  switch (message.interaction) {
    case 'extract':
      return partFacts(store, practice, id, message.messageId, message.references, beginsAfresh(transfer) ? 'afresh' : 'core');
    case 'index':
      return partFacts(store, practice, id, message.messageId, message.children, 'part');
    case 'piece':
      return partFacts(store, practice, id, message.messageId, [], 'part');
    default:
      return null;
  }
}

/** What the message of ours was to which this one refers; null where it is none of this transfer's. */
async function referent(store: Store, transfer: Transfer, { message }: Arrived, named: Sent | null): Promise<Interaction | null> {
  const of: MessageId | null = 'of' in message ? message.of : null;
  if (of === null) return null;
  const sent = named ?? (await findSent(store, transfer.practice, of));
  return sent?.transfer === transfer.id ? sent.interaction : null;
}

import { never } from '../base/errors.ts';
import type { ConversationId, Instant, MessageId, Ods, TransferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import { decideRequesting } from './requesting.ts';
import { decideSending } from './sending.ts';
import type { Decide, Event, Message, Sending, Transfer } from './types.ts';

/** What follows from an event, whichever role the practice has in the transfer. */
export const decide: Decide<Transfer> = (transfer, event, facts) => {
  switch (transfer.role) {
    case 'requesting':
      return decideRequesting(transfer, event, facts);
    case 'sending':
      return decideSending(transfer, event, facts);
    default:
      return never(transfer);
  }
};

/** The event that a message cannot be sent at all: decided about in the transaction that intended it. */
export function unsendable({ messageId, interaction }: Message, fault: string, at: Instant): Event {
  return { id: `notSent:${messageId}`, at, by: { kind: 'system' }, kind: 'notSent', messageId, interaction, fault };
}

/** The transfer that a request begins, before it is decided about. */
export function begunBy(
  request: {
    readonly messageId: MessageId;
    readonly conversationId: ConversationId;
    readonly nhsNumber: NhsNumber;
    readonly requestId: string;
  },
  { id, practice, now }: { readonly id: TransferId; readonly practice: Ods; readonly now: Instant },
): Sending {
  const { messageId, conversationId, nhsNumber, requestId } = request;
  const common = { id, version: 0, conversationId, practice, nhsNumber, startedAt: now } as const;
  return { ...common, role: 'sending', request: messageId, requestId, state: 'checking', peer: null };
}

/** The event that a newer request of the same practice for the same patient has begun. */
export function supersededBy(successor: TransferId, at: Instant): Event {
  return { id: `superseded:${successor}`, at, by: { kind: 'peer' }, kind: 'superseded', successor };
}

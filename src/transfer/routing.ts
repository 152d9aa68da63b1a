import type { ConversationId, MessageId } from '../base/ids.ts';
import type { Peer, Received, Transfer } from './types.ts';

/** How to find the transfer that a message belongs to; tried in order, the first hit is the owner. */
export type LookUp =
  /** A message of ours that this one refers to, by any of its ids. */
  | { readonly by: 'sentMessage'; readonly id: MessageId }
  /** A part that some core or index announced; some senders put a wrong conversation id on an index. */
  | { readonly by: 'expectedPart'; readonly id: MessageId }
  | { readonly by: 'conversation'; readonly role: Transfer['role']; readonly id: ConversationId };

export type Route = {
  readonly lookUps: readonly LookUp[];
  /** What happens where no transfer is found: a request begins one; anything else waits for its conversation to appear. */
  readonly unfound: 'begin' | 'park';
};

/** Service and action have been looked at before; this is GP2GP only. */
export function route(message: Received): Route {
  const inConversation = (role: Transfer['role']): LookUp => ({ by: 'conversation', role, id: message.conversationId });
  switch (message.interaction) {
    case 'request':
      return { lookUps: [inConversation('sending')], unfound: 'begin' };
    case 'extract':
      return { lookUps: [inConversation('requesting')], unfound: 'park' };
    case 'continue':
      return {
        lookUps: [...(message.of ? [{ by: 'sentMessage', id: message.of } as const] : []), inConversation('sending')],
        unfound: 'park',
      };
    case 'index':
    case 'piece':
      return { lookUps: [{ by: 'expectedPart', id: message.messageId }, inConversation('requesting')], unfound: 'park' };
    case 'acknowledgement':
    case 'undelivered':
      return { lookUps: [{ by: 'sentMessage', id: message.of }], unfound: 'park' };
    case 'unreadable':
      return {
        lookUps: [inConversation('requesting'), inConversation('sending')],
        unfound: 'park',
      };
  }
}

/**
 * Whether a message comes from another than the practice that a transfer is with: a conversation id is no secret and gives no right. The
 * party key is what Spine vouches for; several practices may share one, so the ASID has to be the same where it is named. Spine speaks
 * of our messages in its own name.
 */
export function isForeign({ interaction, addressed }: Received, peer: Peer): boolean {
  if (interaction === 'undelivered') return false;
  if (addressed.fromPartyKey.toUpperCase() !== peer.partyKey.toUpperCase()) return true;
  return addressed.fromAsid !== null && addressed.fromAsid !== peer.asid;
}

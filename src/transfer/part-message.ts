import { Fault } from '../base/errors.ts';
import type { ConversationId, Instant, Ods } from '../base/ids.ts';
import type { Announced, Message, OutgoingPart } from './types.ts';

export type PartEnvelope = {
  readonly conversationId: ConversationId;
  readonly now: Instant;
  readonly from: Ods;
  readonly to: Ods;
  readonly newId: () => string;
};

/** The message of one line of a sender's ledger: a piece with its content, or an index that names the pieces under it. */
export function partMessage(
  part: OutgoingPart,
  all: readonly OutgoingPart[],
  { conversationId, now, from, to, newId }: PartEnvelope,
): Message {
  const envelope = { messageId: part.messageId, aliases: [], conversationId, at: now, from, to, announced: announcedOf(part) };
  if (part.content) {
    const contentType = part.contentType ?? 'application/octet-stream';
    return { ...envelope, interaction: 'piece', part: { contentId: newId(), contentType, content: part.content } };
  }
  const [first, ...others] = all
    .filter((each) => each.under === part.messageId)
    .map((each) => ({ ...announcedOf(each), at: 'message' as const, messageId: each.messageId }));
  if (!first) throw new Fault('transfer.index', `the index ${part.messageId} has no pieces`);
  return { ...envelope, interaction: 'index', children: [first, ...others] };
}

function announcedOf(part: OutgoingPart): Announced {
  const { kind: _kind, content: _content, messageId: _id, under: _under, order: _order, ...announced } = part;
  return announced;
}

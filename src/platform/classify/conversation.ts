import { DAY, type Micros } from '../micros.ts';
import { ACKNOWLEDGEMENT, COMMON, isCore, REQUEST, type SpineMessage } from './message.ts';

/** A message with the acknowledgements that refer to it, in order of time. */
export type Acknowledged = { readonly message: SpineMessage; readonly acknowledgements: readonly SpineMessage[] };
/** One conversation with every message in its part. */
export type Conversation = {
  readonly id: string;
  readonly request: Acknowledged;
  readonly cores: readonly Acknowledged[];
  /** Common messages from the requester, and from the sender. */
  readonly continues: readonly Acknowledged[];
  readonly fragments: readonly Acknowledged[];
  /** All messages within the cut-off, acknowledgements included, in order of time. */
  readonly messages: readonly SpineMessage[];
};

/** What was seen on the way and changed no outcome; the names are those of the existing pipeline's log. */
export type Note = {
  readonly code:
    | 'MISSING_MESSAGE_FOR_ACKNOWLEDGEMENT'
    | 'UNKNOWN_MESSAGE_PURPOSE'
    | 'NEGATIVE_SLA_DETECTED'
    | 'UNKNOWN_ODS_CODE_FOR_CONVERSATION';
  readonly conversationId: string;
  readonly detail: string;
};
export type Notes = (note: Note) => void;

/** Rows by conversation, each in order of time; rows of the same time keep theirs. */
export function byConversation(rows: Iterable<SpineMessage>): Map<string, SpineMessage[]> {
  const groups = new Map<string, SpineMessage[]>();
  for (const row of rows) {
    const group = groups.get(row.conversationId);
    if (group) group.push(row);
    else groups.set(row.conversationId, [row]);
  }
  for (const group of groups.values()) group.sort((a, b) => a.at - b.at);
  return groups;
}

/**
 * One conversation from its rows in order of time. Messages later than `cutoffDays` after the first are dropped; 0 drops none. `null`
 * where the first is no request: it began before what was read, or its request was lost.
 */
export function assemble(rows: readonly SpineMessage[], cutoffDays: number, note: Notes): Conversation | null {
  const [first] = rows;
  if (first?.interaction !== REQUEST) return null;
  const messages = cutoffDays > 0 ? rows.filter(({ at }) => at - first.at <= cutoffDays * DAY) : rows;
  const [request, ...others] = paired(messages, note);
  if (!request) return null;
  const { from: requester, to: sender } = request.message;
  const cores: Acknowledged[] = [];
  const continues: Acknowledged[] = [];
  const fragments: Acknowledged[] = [];
  for (const other of others) {
    const { message } = other;
    if (isCore(message)) cores.push(other);
    else if (message.interaction === COMMON && message.from === requester) continues.push(other);
    else if (message.interaction === COMMON && message.from === sender) fragments.push(other);
    else note({ code: 'UNKNOWN_MESSAGE_PURPOSE', conversationId: first.conversationId, detail: message.guid });
  }
  return { id: first.conversationId, request, cores, continues, fragments, messages };
}

/**
 * Messages with their acknowledgements, in one pass: an acknowledgement that comes before its message is lost, and a message that uses a
 * guid again takes the earlier one's place and loses what was attached to it.
 */
function paired(rows: readonly SpineMessage[], note: Notes): Acknowledged[] {
  const byGuid = new Map<string, { message: SpineMessage; acknowledgements: SpineMessage[] }>();
  for (const message of rows) {
    if (message.interaction !== ACKNOWLEDGEMENT) {
      byGuid.set(message.guid, { message, acknowledgements: [] });
      continue;
    }
    const answered = byGuid.get(message.ref ?? '');
    if (answered) answered.acknowledgements.push(message);
    else note({ code: 'MISSING_MESSAGE_FOR_ACKNOWLEDGEMENT', conversationId: message.conversationId, detail: message.guid });
  }
  return [...byGuid.values()];
}

/** Whether a conversation belongs to a day: it was requested at or after its start and before its end. */
export function requestedWithin(conversation: Conversation, start: Micros, end: Micros): boolean {
  const { at } = conversation.request.message;
  return at >= start && at < end;
}

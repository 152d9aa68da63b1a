/** How a supplier's system writes what a decision intends: the habits of the vendor profiles, and some that are merely allowed. */

import { wholeObject } from '../../base/content.ts';
import type { ConversationId, MessageId } from '../../base/ids.ts';
import type { Message, OwnPractice, Peer, Reference } from '../../transfer/types.ts';
import type { Chance } from '../patients/chance.ts';
import { PROFILE_NAMES, PROFILES } from '../vendors/profiles.ts';

export type Habits = {
  readonly title: string;
  readonly requestAck: 'beforeExtract' | 'afterAll' | 'never';
  readonly acknowledgesParts: boolean;
  readonly firstPieceInline: boolean;
  /** HL7 and ebXML ids of an extract differ. */
  readonly crossedIds: boolean;
  /** Acknowledgements name the HL7 id. */
  readonly namesHl7Id: boolean;
  /** A refusal carries no code. */
  readonly noCode: boolean;
  /** A document of one message goes behind an index all the same. */
  readonly lonelyIndex: boolean;
  /** The last pieces stand behind an index of their own. */
  readonly nestedIndex: boolean;
  /** An index bears its own id for a conversation. */
  readonly strayConversation: boolean;
  /** Parts leave with the core, before anybody said continue. */
  readonly eager: boolean;
  readonly continueNames: 'core' | 'nothing' | 'other';
  /** Each message is posted twice. */
  readonly twice: boolean;
};

export const NO_HABITS: Habits = {
  title: 'ours',
  requestAck: 'beforeExtract',
  acknowledgesParts: true,
  firstPieceInline: false,
  crossedIds: false,
  namesHl7Id: false,
  noCode: false,
  lonelyIndex: false,
  nestedIndex: false,
  strayConversation: false,
  eager: false,
  continueNames: 'core',
  twice: false,
};

/** Habits of a supplier's profile, with one odd one more. */
export function someHabits(chance: Chance): Habits {
  const name = chance.pick(PROFILE_NAMES);
  const { requestAck, acknowledgesParts, firstPieceInline, extractIds, ackNames } = PROFILES[name];
  const odd: readonly Partial<Habits>[] = [
    {},
    { noCode: true },
    { lonelyIndex: true },
    { nestedIndex: true },
    { lonelyIndex: true, strayConversation: true },
    { eager: true },
    { eager: true, nestedIndex: true },
    { continueNames: 'nothing' },
    { continueNames: 'other' },
    { twice: true },
  ];
  const habits = { requestAck, acknowledgesParts, firstPieceInline, crossedIds: extractIds === 'crossed', namesHl7Id: ackNames === 'hl7' };
  return { ...NO_HABITS, title: name, ...habits, ...chance.pick(odd) };
}

/** Whether a message is written at all. */
export function isWritten(habits: Habits, message: Message, refersTo: string): boolean {
  if (message.interaction !== 'acknowledgement' || !message.answer.accepted) return true;
  if (refersTo === 'request') return habits.requestAck !== 'never';
  return habits.acknowledgesParts || (refersTo !== 'index' && refersTo !== 'piece');
}

/** As it stands on the wire. */
export function written(habits: Habits, message: Message, hl7IdOf: (id: MessageId) => MessageId): Message {
  if (message.interaction === 'acknowledgement') {
    const { answer } = message;
    return {
      ...message,
      of: habits.namesHl7Id ? hl7IdOf(message.of) : message.of,
      answer: habits.noCode && !answer.accepted && answer.code !== '12' ? { ...answer, code: null, raw: 'AE' } : answer,
    };
  }
  if (message.interaction === 'continue' && habits.continueNames !== 'core')
    return { ...message, of: habits.continueNames === 'nothing' ? null : (`${message.messageId}-INNER` as MessageId) };
  if (message.interaction === 'index' && habits.strayConversation)
    return { ...message, conversationId: message.messageId as string as ConversationId };
  return message;
}

type Part = Extract<Message, { interaction: 'index' | 'piece' }>;

/** The messages of a ledger in the order and shape that a system has the habit of; `silent` are those that rode in another. */
export function regrouped(
  habits: Habits,
  messages: readonly Part[],
  newId: () => string,
): { readonly messages: readonly Part[]; readonly silent: ReadonlySet<MessageId> } {
  const silent = new Set<MessageId>();
  const pieces = new Map(messages.flatMap((message) => (message.interaction === 'piece' ? [[message.messageId, message] as const] : [])));
  const grouped = messages.flatMap((message): Part[] => {
    if (message.interaction === 'piece') {
      const isWhole = !messages.some(
        (other) =>
          other.interaction === 'index' && other.children.some((child) => child.at === 'message' && child.messageId === message.messageId),
      );
      if (!isWhole || !habits.lonelyIndex) return [message];
      const moved = { ...message, messageId: newId() as MessageId };
      const { part: _part, interaction: _piece, ...envelope } = message;
      return [{ ...envelope, interaction: 'index', children: [referTo(moved)] }, moved];
    }
    const [first, ...rest] = message.children;
    let children: [Reference, ...Reference[]] = [first, ...rest];
    const extra: Part[] = [];
    const second = rest.length > 1 ? rest.slice(-2) : [];
    const [one, two] = second;
    if (habits.nestedIndex && one && two) {
      const inner = newId() as MessageId;
      const { children: _children, ...envelope } = message;
      extra.push({ ...envelope, messageId: inner, children: [one, two] });
      children = [first, ...rest.slice(0, -2), { ...one, at: 'message', messageId: inner }];
    }
    const [lead, ...others] = children;
    const piece = lead.at === 'message' ? pieces.get(lead.messageId) : undefined;
    if (habits.firstPieceInline && piece?.interaction === 'piece') {
      silent.add(piece.messageId);
      children = [{ ...lead, at: 'here', part: piece.part }, ...others];
    }
    return [{ ...message, children }, ...extra];
  });
  return { messages: grouped, silent };
}

function referTo(piece: Part): Reference {
  return { ...piece.announced, at: 'message', messageId: piece.messageId };
}

/** Who a message says that it is from and to. */
export function addressedFrom(own: OwnPractice, peer: Peer) {
  return { fromPartyKey: own.partyKey, toPartyKey: peer.partyKey, fromAsid: own.asid, toAsid: peer.asid };
}

/** Content of so many bytes that is nothing but its name. */
export const named = (name: string, bytes: number) => wholeObject({ sha256: name, bytes });

import { randomBytes } from 'node:crypto';
import { ROW_BYTES } from '../base/content.ts';
import { Fault, never } from '../base/errors.ts';
import type { Instant } from '../base/ids.ts';
import type { Packed, WirePiece } from '../base/wire.ts';
import type { Objects } from '../objects/objects.ts';
import { pack } from '../spine/pack.ts';
import { type Due, strike } from '../store/outbox.ts';
import { answerPart, forgetReserved, reservedParts, reserveParts } from '../store/outgoing-parts.ts';
import { expectParts, forgetParts, indexCame, keepPart } from '../store/parts.ts';
import type { Writing } from '../store/posting.ts';
import type { SentMessage } from '../store/sent-messages.ts';
import type { Store } from '../store/tables.ts';
import { closeTask, raiseTask } from '../store/tasks.ts';
import { partMessage } from '../transfer/part-message.ts';
import type { Decision, Effect, Event, Message, OwnPractice, Peer, Timer, Transfer } from '../transfer/types.ts';

/** A message that a decision intends and that cannot be packed: no agreement with the other practice, or too large. */
export type Unsendable = { readonly message: Message; readonly fault: Fault };
/** What is left to be written, with the transfer itself. */
export type Applied = Pick<Writing, 'sent' | 'wakes' | 'rests' | 'closedTasks'> & {
  readonly notSent: readonly Unsendable[];
  readonly due: readonly Due[];
};
export type ApplyEffects = (
  store: Store,
  before: Transfer,
  decision: Decision<Transfer>,
  event: Event,
  own: OwnPractice,
  now: Instant,
) => Promise<Applied>;

/** Makes the exact bytes of a message for the way that it goes: straight to Spine, or through an existing message adaptor. */
export type Packer = (message: Message, parties: { readonly own: OwnPractice; readonly peer: Peer }) => Packed;

/** Carries out what a decision asks for, in the decision's own transaction. Messages get their exact bytes here. */
export function createEffects({
  objects,
  newId,
  packer = packForSpine,
}: {
  readonly objects: Pick<Objects, 'put'>;
  readonly newId: () => string;
  readonly packer?: Packer;
}): ApplyEffects {
  return async (store, before, decision, event, own, now) => {
    const { practice, id } = before;
    const peer = peerOf(decision.transfer) ?? peerOf(before);
    const due: Due[] = [];
    const sent: SentMessage[] = [];
    const notSent: Unsendable[] = [];
    const rests = new Set<Timer>();
    const wakes = new Map<Timer, Instant>();
    const closedTasks: string[] = [];

    const raises = decision.effects.some((effect) => effect.do === 'raise');

    const send = async (message: Message, tellWhenSent: boolean): Promise<void> => {
      const { messageId, aliases, interaction } = message;
      try {
        const packed = await spill(packFor(packer, message, own, peer), objects);
        due.push({ kind: 'message', interaction, packed, tellWhenSent });
        sent.push(...[messageId, ...aliases].map((each) => ({ id: each, message: messageId, interaction })));
      } catch (error) {
        if (!(error instanceof Fault && error.code.startsWith('pack.'))) throw error;
        notSent.push({ message, fault: error });
      }
    };
    const apply = async (effect: Effect): Promise<unknown> => {
      switch (effect.do) {
        case 'send':
          return send(effect.message, effect.tellWhenSent);
        case 'reserve':
          sent.push(...effect.parts.map((part) => ({ id: part.messageId, message: part.messageId, interaction: part.kind })));
          return reserveParts(store, practice, id, effect.parts);
        case 'sendParts': {
          const parts = await reservedParts(store, practice, id);
          const parties = { conversationId: before.conversationId, from: own.ods, to: peer?.ods ?? own.ods };
          for (const part of parts) await send(partMessage(part, parts, { ...parties, now, newId }), true);
          return;
        }
        case 'stopSending':
          return strike(store, practice, id);
        case 'expect': {
          const index = event.kind === 'arrived' && event.message.interaction === 'index' ? event.message : null;
          if (index?.messageId === effect.under) await indexCame(store, practice, id, index.messageId, index.announced);
          return expectParts(store, practice, id, effect.under, effect.references);
        }
        case 'keepPart':
          return keepPart(store, practice, id, effect.messageId, effect.part.content, effect.announced);
        case 'forgetParts':
          return before.role === 'requesting' ? forgetParts(store, practice, id) : forgetReserved(store, practice, id);
        case 'partAnswered':
          return answerPart(store, practice, id, effect.messageId, effect.answer);
        case 'run':
          return due.push({ kind: 'job', job: effect.job });
        case 'wake':
          return wakes.set(effect.timer, effect.at);
        case 'rest':
          return rests.add(effect.timer);
        case 'raise':
          return raiseTask(store, practice, id, effect.task, effect.due);
        case 'close':
          // One that is raised by the same decision is closed in its turn.
          return raises ? closeTask(store, practice, id, effect.task) : closedTasks.push(effect.task);
        case 'notify':
          return due.push({ kind: 'notice', state: decision.transfer.state });
        default:
          return never(effect);
      }
    };
    for (const effect of decision.effects) await apply(effect);
    return {
      notSent,
      due,
      sent,
      closedTasks,
      wakes: [...wakes].map(([timer, at]) => ({ timer, at })),
      // A timer may be put to rest and set anew.
      rests: [...rests].filter((timer) => !wakes.has(timer)),
    };
  };
}

function peerOf(transfer: Transfer): Peer | null {
  return 'peer' in transfer ? transfer.peer : null;
}

function packFor(packer: Packer, message: Message, own: OwnPractice, peer: Peer | null): Packed {
  if (!peer) throw new Fault('pack.noPeer', 'it is not known to which practice the message goes');
  return packer(message, { own, peer });
}

function packForSpine(message: Message, { own, peer }: { readonly own: OwnPractice; readonly peer: Peer }): Packed {
  const boundary = `--=_${randomBytes(18).toString('hex')}`;
  return pack(message, { own, peer, boundary, timeToLive: true });
}

/** An envelope that names a thousand documents does not fit into a row. What a rollback leaves behind is an object nobody points at. */
async function spill(packed: Packed, objects: Pick<Objects, 'put'>): Promise<Packed> {
  const place = async (piece: WirePiece): Promise<WirePiece> => {
    if (piece.in !== 'row' || piece.data.byteLength <= ROW_BYTES) return piece;
    const object = await objects.put(piece.data);
    return { in: 'store', object, from: 0, to: object.bytes, encode: piece.encode };
  };
  const [first, ...others] = packed.body;
  return { ...packed, body: [await place(first), ...(await Promise.all(others.map(place)))] };
}

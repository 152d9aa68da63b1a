import { Fault, reasonOf } from '../../base/errors.ts';
import { instant } from '../../base/ids.ts';
import { type EbxmlMessage, EnvelopeFault, GP2GP_SERVICE } from '../../ebxml/envelope.ts';
import { MimeFault } from '../../ebxml/mime-header.ts';
import type { Objects } from '../../objects/objects.ts';
import type { Received } from '../../transfer/types.ts';
import { ACTIONS, type EndpointAlert, type EndpointOptions, inboundOf } from '../endpoint.ts';
import { partsToKeep, type ReceivedParts } from '../receive-parts.ts';
import { unpack, unreadable } from '../unpack.ts';
import type { Message } from './amqp.ts';
import type { Settled } from './consume.ts';
import type { Publisher } from './publish.ts';
import { bodyText, readQueueMessage } from './queue-message.ts';

export type TakeOptions = {
  readonly objects: Objects;
  /** Durable when it resolves. */
  readonly accept: EndpointOptions['accept'];
  readonly ownsPartyKey: EndpointOptions['ownsPartyKey'];
  /** Whether a message belongs to a conversation of ours, or begins one. */
  readonly isMine: (message: Received) => Promise<boolean>;
  /** The queue of whoever else lives on these messages; `null`: what is not ours is kept, and waits for its conversation. */
  readonly forward: Publisher | null;
  /** For what nobody can use: an operator looks there. */
  readonly dead: Publisher;
  readonly now: () => Date;
  readonly alert: (alert: EndpointAlert) => void;
};

const HOPS = 'x-gp2gp-hops';
/** A message that goes round from node to node is one that nobody knows. */
const MOST_HOPS = 3;

/**
 * Takes messages that the existing adaptor has put on its queue. It never tells duplicates: the inbox does. `accept` only when the message
 * is durable here, or the broker has taken it over for another queue; trouble of ours is thrown, and the message comes again.
 */
export function createTake(options: TakeOptions): (message: Message, redeliveries: number) => Promise<Settled> {
  const { objects, now, alert } = options;

  async function bury(message: Message, reason: string, redeliveries: number): Promise<Settled> {
    alert({ code: 'queue.dead', text: `a message of the queue was put aside: ${reason}` });
    const properties = { ...message.application_properties, 'x-gp2gp-reason': reason.slice(0, 500), 'x-gp2gp-attempts': redeliveries + 1 };
    await options.dead.publish({ ...message, durable: true, application_properties: properties });
    return 'accept';
  }

  /** Republished unchanged but for the count of hops. */
  async function elsewhere(message: Message, reason: string, redeliveries: number): Promise<Settled> {
    const hops = Number(message.application_properties?.[HOPS] ?? 0);
    if (!options.forward) return await bury(message, reason, redeliveries);
    if (!(hops < MOST_HOPS)) return await bury(message, `it was passed on ${hops} times, and nobody knows it`, redeliveries);
    await options.forward.publish({
      ...message,
      durable: true,
      application_properties: { ...message.application_properties, [HOPS]: hops + 1 },
    });
    return 'accept';
  }

  return async (message, redeliveries) => {
    const text = bodyText(message.body);
    if (text === null) return await bury(message, 'its body is neither text nor bytes', redeliveries);
    let parts: ReceivedParts;
    try {
      parts = await readQueueMessage(text, objects);
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.code.startsWith('objects.')) throw thrown;
      return await bury(message, `${thrown.code}: ${thrown.message}`, redeliveries);
    }
    const { envelope } = parts;
    if (envelope.service !== GP2GP_SERVICE || !ACTIONS.has(envelope.action))
      return await elsewhere(message, `the interaction ${envelope.service}/${envelope.action} is none of GP2GP`, redeliveries);
    if (!(await options.ownsPartyKey(envelope.toPartyKey)))
      return await elsewhere(message, `no practice here has the party key ${envelope.toPartyKey}`, redeliveries);
    const receivedAt = instant(now());
    const { received, refused } = await understood(parts, envelope, receivedAt, objects);
    if (options.forward && !(await options.isMine(received)))
      return await elsewhere(message, `nobody here knows the conversation ${envelope.conversationId}`, redeliveries);
    const { fate } = await options.accept(inboundOf(envelope, received, parts.digest, receivedAt, text.length, refused));
    if (fate === 'altered')
      alert({
        code: 'endpoint.altered',
        text: 'a message id came again with other content; the first is kept',
        fromPartyKey: envelope.fromPartyKey,
        messageId: envelope.messageId,
        conversationId: envelope.conversationId,
      });
    return 'accept';
  };
}

/** What cannot be read is kept too, so that its transfer hears of it; nobody is there to be told at once. */
async function understood(parts: ReceivedParts, envelope: EbxmlMessage, receivedAt: ReturnType<typeof instant>, objects: Objects) {
  try {
    return { received: await unpack(parts, receivedAt, objects), refused: null };
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code.startsWith('objects.')) throw thrown;
    const code = thrown instanceof MimeFault ? 'MimeProblem' : thrown instanceof EnvelopeFault ? thrown.errorCode : 'OtherXml';
    return {
      received: unreadable(envelope, receivedAt, thrown.message, await partsToKeep(parts, objects)),
      refused: { code, description: reasonOf(thrown) } as const,
    };
  }
}

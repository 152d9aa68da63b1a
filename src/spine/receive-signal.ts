import { createHash } from 'node:crypto';
import { conversationId, instant, messageId } from '../base/ids.ts';
import type { Acknowledgement } from '../ebxml/acknowledgement.ts';
import { type Ebxml, EnvelopeFault, readEnvelope } from '../ebxml/envelope.ts';
import type { MessageError } from '../ebxml/message-error.ts';
import { Problem } from '../web/problem.ts';
import type { EndpointOptions, Inbound } from './endpoint.ts';
import type { InboundBody } from './inbound-body.ts';

const SIGNAL_BYTES = 1024 * 1024;

/** The Acknowledgment or MessageError that a bare `text/xml` post is to be, addressed to one of ours; anything else is a `Problem`. */
export async function readSignal(body: InboundBody, options: EndpointOptions): Promise<Acknowledgement | MessageError> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) {
    pieces.push(Uint8Array.from(piece));
    if (body.bytes > SIGNAL_BYTES) throw new Problem(413, 'endpoint.tooLarge', `a signal may have at most ${SIGNAL_BYTES} bytes`);
  }
  const signal = envelopeIn(Buffer.concat(pieces));
  if (!signal || signal.kind === 'message' || signal.kind === 'fault') {
    options.alert({ code: 'endpoint.noSignal', text: 'a text/xml post is neither an Acknowledgment nor a MessageError' });
    throw new Problem(400, 'endpoint.noSignal', 'text/xml is for ebXML signals; messages come as multipart/related');
  }
  if (!(await options.ownsPartyKey(signal.toPartyKey))) {
    options.alert({ code: 'endpoint.refused', text: 'a signal for a party key that is not ours', fromPartyKey: signal.fromPartyKey });
    throw new Problem(400, 'endpoint.otherParty', 'the signal is for another party');
  }
  return signal;
}

/** A final MessageError as a message for the inbox: the transfer has to hear that its message never arrived. */
export function undelivered(signal: MessageError, body: InboundBody, options: EndpointOptions): Inbound {
  const fault = signal.errors.map(({ code, description }) => `${code} ${description}`.trim()).join('; ') || 'an error without a code';
  options.alert({
    code: 'endpoint.undelivered',
    text: `Spine gave up a message of ours (${signal.of}): ${fault}`,
    fromPartyKey: signal.fromPartyKey,
    messageId: signal.messageId,
    conversationId: signal.conversationId,
  });
  const receivedAt = instant(options.now());
  return {
    fromPartyKey: signal.fromPartyKey,
    toPartyKey: signal.toPartyKey,
    messageId: messageId(signal.messageId),
    conversationId: conversationId(signal.conversationId),
    action: signal.action,
    digest: createHash('sha256').update(`${signal.of.toUpperCase()} ${fault}`).digest('hex'),
    receivedAt,
    message: {
      messageId: messageId(signal.messageId),
      aliases: [],
      conversationId: conversationId(signal.conversationId),
      at: signal.timestamp ?? receivedAt,
      addressed: { fromPartyKey: signal.fromPartyKey, toPartyKey: signal.toPartyKey, fromAsid: null, toAsid: null },
      interaction: 'undelivered',
      of: messageId(signal.of),
      fault,
    },
    wire: body.bytes,
    refused: null,
  };
}

function envelopeIn(bytes: Uint8Array): Ebxml | null {
  try {
    return readEnvelope(bytes);
  } catch (thrown) {
    if (thrown instanceof EnvelopeFault) return null;
    throw thrown;
  }
}

import { createHash } from 'node:crypto';
import { conversationId, instant, messageId } from '../base/ids.ts';
import { EnvelopeFault, readEnvelope } from '../ebxml/envelope.ts';
import { Problem } from '../web/problem.ts';
import type { EndpointOptions, Inbound } from './endpoint.ts';
import type { InboundBody } from './inbound-body.ts';

const SIGNAL_BYTES = 1024 * 1024;

/**
 * A bare `text/xml` post: an Acknowledgment or a MessageError about a message of ours. An acknowledgement says nothing that the answer to
 * our own post did not (`null`); a final error becomes a message `undelivered`. Never answered by a signal, or two systems could go on
 * for ever: what is neither is a `Problem`.
 */
export async function receiveSignal(body: InboundBody, options: EndpointOptions): Promise<Inbound | null> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) {
    pieces.push(piece);
    if (body.bytes > SIGNAL_BYTES) throw new Problem(413, 'endpoint.tooLarge', `a signal may have at most ${SIGNAL_BYTES} bytes`);
  }
  const bytes = Buffer.concat(pieces);
  const signal = readSignal(bytes);
  if (!signal || signal.kind === 'message' || signal.kind === 'fault') {
    options.alert({ code: 'endpoint.noSignal', text: 'a text/xml post is neither an Acknowledgment nor a MessageError' });
    throw new Problem(400, 'endpoint.noSignal', 'text/xml is for ebXML signals; messages come as multipart/related');
  }
  if (!(await options.ownsPartyKey(signal.toPartyKey))) {
    options.alert({ code: 'endpoint.refused', text: 'a signal for a party key that is not ours', fromPartyKey: signal.fromPartyKey });
    throw new Problem(400, 'endpoint.otherParty', 'the signal is for another party');
  }
  if (signal.kind === 'acknowledgement' || !signal.final) return null;
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
    digest: createHash('sha256').update(bytes).digest('hex'),
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
  };
}

function readSignal(bytes: Uint8Array) {
  try {
    return readEnvelope(bytes);
  } catch (thrown) {
    if (thrown instanceof EnvelopeFault) return null;
    throw thrown;
  }
}

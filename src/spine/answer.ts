/** Answers to a message: the same message gets the same bytes, whichever node it reaches and however often it comes. */
import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { Instant } from '../base/ids.ts';
import { type SignalOf, writeAcknowledgement } from '../ebxml/acknowledgement.ts';
import type { EbxmlMessage } from '../ebxml/envelope.ts';
import { type EbxmlErrorCode, writeMessageError } from '../ebxml/message-error.ts';
import { writeSoapFault } from '../ebxml/soap-fault.ts';

/** Why a message is refused for good. */
export type Refused = { readonly code: EbxmlErrorCode; readonly description: string };
export type AnswerOptions = {
  /** HTTP status of an acknowledgement; Spine takes both. */
  readonly status?: 200 | 202;
  /** Whether a message that asks for no acknowledgement gets one all the same, as the existing message adaptor does. */
  readonly always?: boolean;
};

const XML = 'text/xml; charset=UTF-8';

/** We have the message. `at` is when it came first. */
export function answerAcknowledged(
  reply: FastifyReply,
  envelope: EbxmlMessage,
  at: Instant,
  { status = 200, always = true }: AnswerOptions = {},
): FastifyReply {
  if (envelope.ackRequested === null && !envelope.syncReply && !always) return reply.code(status).send();
  return reply
    .code(status)
    .header('content-type', XML)
    .send(writeAcknowledgement(signalOf(envelope, 'Acknowledgment', at)));
}

/** The message can never be accepted. HTTP 200: another status would make Spine send it again. */
export function answerRefused(reply: FastifyReply, envelope: EbxmlMessage, refused: Refused, at: Instant): FastifyReply {
  return reply
    .code(200)
    .header('content-type', XML)
    .send(writeMessageError(signalOf(envelope, 'MessageError', at), [refused]));
}

/** What has no readable envelope gets a fault of Spine's own kind that no repetition mends: 101 wrong SOAPAction, 201 not well formed. */
export function answerFault(reply: FastifyReply, code: '101' | '201', location: string, description: string): FastifyReply {
  const error = { codeContext: 'urn:nhs:names:error:tms', code, severity: 'Error', location, description };
  return reply
    .code(500)
    .header('content-type', XML)
    .send(writeSoapFault([error]));
}

/** The signal's id follows from what it answers. */
function signalOf(received: EbxmlMessage, action: string, at: Instant): SignalOf {
  const hex = createHash('sha256')
    .update(`${action} ${received.fromPartyKey} ${received.messageId.toUpperCase()}`)
    .digest('hex')
    .toUpperCase();
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return { received, messageId: id, at };
}

import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Fault, reasonOf } from '../base/errors.ts';
import { conversationId, type Instant, instant, type MessageId, messageId } from '../base/ids.ts';
import { type SignalOf, writeAcknowledgement } from '../ebxml/acknowledgement.ts';
import { type EbxmlMessage, EnvelopeFault, GP2GP_SERVICE } from '../ebxml/envelope.ts';
import { type EbxmlErrorCode, writeMessageError } from '../ebxml/message-error.ts';
import { MimeFault, readContentType } from '../ebxml/mime-header.ts';
import { writeSoapFault } from '../ebxml/soap-fault.ts';
import type { Objects } from '../objects/objects.ts';
import type { Received } from '../transfer/types.ts';
import type { HttpClient } from '../web/client.ts';
import { Problem } from '../web/problem.ts';
import { BodyTooLarge, BrokenBody, InboundBody } from './inbound-body.ts';
import { type PassedOn, passOn } from './pass-on.ts';
import { type ReceivedParts, receiveParts } from './receive-parts.ts';
import { receiveSignal } from './receive-signal.ts';
import { unpack, unreadable } from './unpack.ts';

/** A message as it is handed to the inbox. (`fromPartyKey`, `messageId`) tells duplicates, `digest` whether they are alike. */
export type Inbound = {
  readonly fromPartyKey: string;
  readonly toPartyKey: string;
  readonly messageId: MessageId;
  readonly conversationId: string;
  readonly action: string;
  readonly digest: string;
  readonly receivedAt: Instant;
  readonly message: Received;
  /** Bytes of the request's body. */
  readonly wire: number;
};
/** What an operator should see. No patient data, no payload text. */
export type EndpointAlert = {
  readonly code: string;
  readonly text: string;
  readonly fromPartyKey?: string;
  readonly messageId?: string;
  readonly conversationId?: string;
};
export type EndpointOptions = {
  readonly objects: Objects;
  /** Durable when it resolves. `receivedAt` is that of the first time, so that a duplicate is acknowledged by the same bytes. */
  readonly accept: (inbound: Inbound) => Promise<{ readonly fate: 'new' | 'duplicate' | 'altered'; readonly receivedAt: Instant }>;
  readonly ownsPartyKey: (partyKey: string) => boolean | Promise<boolean>;
  readonly now: () => Date;
  /** Where messages of other services go, unopened; `null`: they are refused. */
  readonly forward: { readonly url: string; readonly client: HttpClient } | null;
  readonly alert: (alert: EndpointAlert) => void;
  readonly bodyBytes?: number;
  /** Bodies that are read at the same time; more are asked to come again. */
  readonly bodiesAtOnce?: number;
};

/** Suppliers' messages reach 5,037,864 characters and an envelope; the published 5,000,000 is not kept by all. */
const BODY_BYTES = 8 * 1024 * 1024;
const BODIES = 64;

/**
 * The inbound listener as routes of `server`: any path takes Spine's messages and signals. A message is answered after `accept` has
 * made it durable; trouble that may pass is a 503 without an ebXML body, so that it is sent again; what can never be accepted is a
 * MessageError.
 */
export async function messageEndpoint(server: FastifyInstance, options: EndpointOptions): Promise<void> {
  const limit = options.bodyBytes ?? BODY_BYTES;
  let bodies = 0;
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // fastify does not count a body that is handed on as a stream: `InboundBody` does.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.post('*', { bodyLimit: limit }, async (request, reply) => {
      if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit, options, reply);
      if (bodies >= (options.bodiesAtOnce ?? BODIES)) {
        reply.header('retry-after', '5');
        throw new Problem(503, 'endpoint.busy', 'too many messages at once');
      }
      bodies++;
      try {
        return await receive(request, reply, new InboundBody(request.raw, limit), options);
      } catch (thrown) {
        throw asProblem(thrown, limit, options, reply);
      } finally {
        bodies--;
      }
    });
  });
}

function tooLarge(limit: number, options: EndpointOptions, reply: FastifyReply): Problem {
  options.alert({ code: 'endpoint.tooLarge', text: `a message of more than ${limit} bytes was refused` });
  reply.header('connection', 'close');
  return new Problem(413, 'endpoint.tooLarge', `a message may have at most ${limit} bytes`);
}

/** What is not the message's fault must not look like an answer to it. */
function asProblem(thrown: unknown, limit: number, options: EndpointOptions, reply: FastifyReply): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof BodyTooLarge) return tooLarge(limit, options, reply);
  if (thrown instanceof BrokenBody) return new Problem(400, thrown.code, 'the message ended early');
  options.alert({ code: 'endpoint.trouble', text: `a message could not be accepted for now: ${reasonOf(thrown)}` });
  reply.header('retry-after', '30');
  return new Problem(503, 'endpoint.trouble', 'the message cannot be accepted at the moment; send it again', { cause: thrown });
}

async function receive(request: FastifyRequest, reply: FastifyReply, body: InboundBody, options: EndpointOptions): Promise<FastifyReply> {
  const contentType = request.headers['content-type'] ?? '';
  const { type } = readContentType(contentType);
  if (type === 'text/xml' || type === 'application/xml') {
    const inbound = await receiveSignal(body, options);
    if (inbound) await options.accept(inbound);
    // Signals are never acknowledged.
    return reply.code(200).send();
  }
  // Set as soon as the envelope is read, long before the rest of the message.
  const known: { envelope: EbxmlMessage | null } = { envelope: null };
  let parts: ReceivedParts;
  try {
    parts = await receiveParts(
      body,
      contentType,
      options.objects,
      async (read) => {
        known.envelope = read;
        await admit(read, request, body, options);
        body.settle();
      },
      ({ code, message: text }) => options.alert({ ...(known.envelope && namesOf(known.envelope)), code, text }),
    );
  } catch (thrown) {
    if (thrown instanceof Elsewhere) return answerElsewhere(reply, thrown.answer);
    if (thrown instanceof Refusal) return refuse(reply, thrown.envelope, thrown.errorCode, thrown.message, options);
    if (!(thrown instanceof MimeFault || thrown instanceof EnvelopeFault)) throw thrown;
    return await refuseUnreadable(reply, known.envelope, thrown, body, options);
  }
  const receivedAt = instant(options.now());
  let message: Received;
  try {
    message = await unpack(parts, receivedAt, options.objects);
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code.startsWith('objects.')) throw thrown;
    return await refuseUnreadable(reply, parts.envelope, thrown, body, options, parts.digest);
  }
  const inbound = inboundOf(parts.envelope, message, parts.digest, receivedAt, body.bytes);
  const { fate, receivedAt: first } = await options.accept(inbound);
  const named = namesOf(parts.envelope);
  if (fate === 'altered')
    options.alert({ ...named, code: 'endpoint.altered', text: 'a message id came again with other content; the first is kept' });
  const { timeToLive } = parts.envelope;
  if (fate === 'new' && timeToLive !== null && timeToLive < receivedAt)
    options.alert({ ...named, code: 'endpoint.late', text: 'a message came after its time to live; it was accepted' });
  return reply
    .code(200)
    .header('content-type', XML)
    .send(writeAcknowledgement(signalOf(parts.envelope, 'Acknowledgment', first)));
}

const XML = 'text/xml; charset=UTF-8';

/** Thrown to stop the reading of a message that is not accepted. */
class Refusal extends Fault {
  readonly envelope: EbxmlMessage;
  readonly errorCode: EbxmlErrorCode;
  constructor(envelope: EbxmlMessage, errorCode: EbxmlErrorCode, message: string) {
    super('endpoint.refused', message);
    this.envelope = envelope;
    this.errorCode = errorCode;
  }
}
/** Thrown to stop the reading of a message that another system has answered. */
class Elsewhere extends Fault {
  readonly answer: PassedOn;
  constructor(answer: PassedOn) {
    super('endpoint.elsewhere', 'the message was passed on');
    this.answer = answer;
  }
}

const ACTIONS: ReadonlySet<string> = new Set([
  'RCMR_IN010000UK05',
  'RCMR_IN030000UK06',
  'RCMR_IN030000UK07',
  'COPC_IN000001UK01',
  'MCCI_IN010000UK13',
]);

/** What the envelope alone decides: whether it is for us, and of our service. */
async function admit(envelope: EbxmlMessage, request: FastifyRequest, body: InboundBody, options: EndpointOptions): Promise<void> {
  if (!(await options.ownsPartyKey(envelope.toPartyKey)))
    throw new Refusal(envelope, 'ValueNotRecognized', '501314:Invalid To Party Type attribute');
  if (envelope.service !== GP2GP_SERVICE) {
    if (!options.forward) throw new Refusal(envelope, 'NotSupported', 'the service of the message is not offered here');
    throw new Elsewhere(await passOn(request, body, options.forward));
  }
  if (!ACTIONS.has(envelope.action)) throw new Refusal(envelope, 'NotSupported', 'the interaction of the message is not known here');
}

function answerElsewhere(reply: FastifyReply, answer: PassedOn): FastifyReply {
  if (answer.contentType !== null) reply.header('content-type', answer.contentType);
  return reply.code(answer.status).send(answer.body);
}

function refuse(
  reply: FastifyReply,
  envelope: EbxmlMessage,
  code: EbxmlErrorCode,
  description: string,
  options: EndpointOptions,
): FastifyReply {
  options.alert({ ...namesOf(envelope), code: 'endpoint.refused', text: `${envelope.action} was refused: ${description}` });
  const signal = signalOf(envelope, 'MessageError', instant(options.now()));
  return reply
    .code(200)
    .header('content-type', XML)
    .send(writeMessageError(signal, [{ code, description }]));
}

/** A message that no repetition makes readable. Its transfer is told where the envelope says which; then the sender is. */
async function refuseUnreadable(
  reply: FastifyReply,
  envelope: EbxmlMessage | null,
  fault: Fault,
  body: InboundBody,
  options: EndpointOptions,
  digest?: string,
): Promise<FastifyReply> {
  // To its end: a sender that is still writing does not read the answer, and one that broke off gets none.
  for await (const _rest of body);
  if (!envelope) {
    options.alert({ code: fault.code, text: `a message without a readable envelope was refused: ${fault.message}` });
    const description = 'message not well formed';
    const error = { codeContext: 'urn:nhs:names:error:tms', code: '201', severity: 'Error', location: fault.message, description };
    return reply
      .code(500)
      .header('content-type', XML)
      .send(writeSoapFault([error]));
  }
  const receivedAt = instant(options.now());
  const message = unreadable(envelope, receivedAt, fault.message);
  const { messageId: id } = message;
  await options.accept(inboundOf(envelope, message, digest ?? sha256(`unreadable ${id}`), receivedAt, body.bytes));
  return refuse(reply, envelope, fault instanceof MimeFault ? 'MimeProblem' : 'OtherXml', fault.message, options);
}

function inboundOf(envelope: EbxmlMessage, message: Received, digest: string, receivedAt: Instant, wire: number): Inbound {
  return {
    fromPartyKey: envelope.fromPartyKey,
    toPartyKey: envelope.toPartyKey,
    messageId: messageId(envelope.messageId),
    conversationId: conversationId(envelope.conversationId),
    action: envelope.action,
    digest,
    receivedAt,
    message,
    wire,
  };
}

function namesOf({ fromPartyKey, messageId: id, conversationId: conversation }: EbxmlMessage) {
  return { fromPartyKey, messageId: id, conversationId: conversation };
}

/** The signal's id follows from what it answers: a repeated message gets the same answer from whichever node it reaches. */
function signalOf(received: EbxmlMessage, action: string, at: Instant): SignalOf {
  const hex = sha256(`${action} ${received.fromPartyKey} ${received.messageId.toUpperCase()}`).toUpperCase();
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return { received, messageId: id, at };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

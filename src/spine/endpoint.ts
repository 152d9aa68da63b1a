import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Fault, reasonOf } from '../base/errors.ts';
import { conversationId, type Instant, instant, type MessageId, messageId } from '../base/ids.ts';
import { type EbxmlMessage, EnvelopeFault, GP2GP_SERVICE } from '../ebxml/envelope.ts';
import { MimeFault, readContentType } from '../ebxml/mime-header.ts';
import type { Objects } from '../objects/objects.ts';
import type { Received } from '../transfer/types.ts';
import type { HttpClient } from '../web/client.ts';
import type { Gate } from '../web/gate.ts';
import { Problem } from '../web/problem.ts';
import { type AnswerOptions, answerAcknowledged, answerFault, answerRefused, type Refused } from './answer.ts';
import { BodyTooLarge, BrokenBody, InboundBody } from './inbound-body.ts';
import { type PassedOn, passOn } from './pass-on.ts';
import { partsToKeep, type ReceivedParts, receiveParts } from './receive-parts.ts';
import { readSignal, undelivered } from './receive-signal.ts';
import { isForeign, soapActionOf } from './soap-action.ts';
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
  /** Set where the message is kept only so that its transfer and an operator hear of it: what its sender is told. */
  readonly refused: Refused | null;
};
/** What became of a message: of a repeated one, when it came first and what was answered then. */
export type Accepted = {
  readonly fate: 'new' | 'duplicate' | 'altered';
  readonly receivedAt: Instant;
  readonly refused: Refused | null;
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
  /** Durable when it resolves. */
  readonly accept: (inbound: Inbound) => Promise<Accepted>;
  readonly ownsPartyKey: (partyKey: string) => boolean | Promise<boolean>;
  readonly now: () => Date;
  /** Whether a message of this id is one that a practice of this party key has sent. */
  readonly isOurs: (partyKey: string, id: MessageId) => Promise<boolean>;
  /** An acknowledgement that came by itself, not as the answer to our post. */
  readonly acknowledged: (partyKey: string, id: MessageId) => Promise<void>;
  /** Party keys whose messages go on to a queue as they are, and the keeping of one for it: durable when it resolves. */
  readonly relay?: {
    readonly owns: (partyKey: string) => boolean;
    readonly keep: (parts: ReceivedParts, receivedAt: Instant) => Promise<Accepted>;
  };
  /** Where messages of other services go, unopened; `null`: they are refused. */
  readonly forward: { readonly url: string; readonly client: HttpClient } | null;
  readonly alert: (alert: EndpointAlert) => void;
  readonly answers?: AnswerOptions;
  readonly bodyBytes?: number;
  /** Messages in hand at the same time; more are asked to come again. */
  readonly bodiesAtOnce?: number;
  /** Through which each body is read. */
  readonly gate?: Gate;
};

/** Suppliers' messages reach 5,037,864 characters and an envelope; the published 5,000,000 is not kept by all. */
const BODY_BYTES = 8 * 1024 * 1024;
const BODIES = 64;
/** Of a body that is refused for its size, so many times the limit go by before the answer; a larger one is cut off. */
const GO_BY = 4;
const GO_BY_MS = 3_000;

/**
 * The inbound listener as routes of `server`: any path takes Spine's messages and signals. A message is answered after `accept` has
 * made it durable; trouble that may pass is a 503 without an ebXML body, so that it is sent again; what can never be accepted is a
 * MessageError.
 */
export async function messageEndpoint(server: FastifyInstance, options: EndpointOptions): Promise<void> {
  const limit = options.bodyBytes ?? BODY_BYTES;
  const gate: Gate = options.gate ?? ((work) => work());
  let bodies = 0;
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // fastify does not count a body that is handed on as a stream: `InboundBody` does.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.post('*', { bodyLimit: limit }, async (request, reply) => {
      if (bodies >= (options.bodiesAtOnce ?? BODIES)) {
        reply.header('retry-after', '5');
        throw new Problem(503, 'endpoint.busy', 'too many messages at once');
      }
      bodies++;
      const body = new InboundBody(request.raw, limit);
      try {
        if (Number(request.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge(limit);
        return await gate(() => receive(request, reply, body, options));
      } catch (thrown) {
        if (thrown instanceof BodyTooLarge) await body.letGo(limit * GO_BY, GO_BY_MS);
        throw asProblem(thrown, limit, options, reply);
      } finally {
        body.close();
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
  const soapAction = soapActionOf(request);
  if (!soapAction) {
    await drain(body);
    options.alert({ code: 'endpoint.noAction', text: 'a message without a SOAPAction was refused' });
    return answerFault(reply, '101', 'SOAPAction', 'service or interaction not supported: there is no SOAPAction');
  }
  const contentType = request.headers['content-type'] ?? '';
  const { type } = readContentType(contentType);
  if (type === 'text/xml' || type === 'application/xml') return await receiveSignal(request, reply, body, options);
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
        if (soapAction.service !== read.service || soapAction.action !== read.action)
          options.alert({ ...namesOf(read), code: 'endpoint.action', text: `the SOAPAction of ${read.action} names another interaction` });
      },
      ({ code, message: text }) => options.alert({ ...(known.envelope && namesOf(known.envelope)), code, text }),
    );
  } catch (thrown) {
    if (thrown instanceof Elsewhere) return answerElsewhere(reply, thrown.answer);
    if (thrown instanceof Refusal) return await refuseUnkept(reply, thrown, body, options);
    if (!(thrown instanceof MimeFault || thrown instanceof EnvelopeFault)) throw thrown;
    return await refuseUnreadable(reply, known.envelope, thrown, body, options);
  }
  const receivedAt = instant(options.now());
  if (options.relay?.owns(parts.envelope.toPartyKey))
    return answer(reply, parts.envelope, await options.relay.keep(parts, receivedAt), receivedAt, options);
  let message: Received;
  try {
    message = await unpack(parts, receivedAt, options.objects);
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code.startsWith('objects.')) throw thrown;
    return await refuseUnreadable(reply, parts.envelope, thrown, body, options, parts);
  }
  return await accept(reply, parts.envelope, inboundOf(parts.envelope, message, parts.digest, receivedAt, body.bytes, null), options);
}

/** Keeps a message and gives the answer that belongs to it: of a repeated id always that of the first time. */
async function accept(reply: FastifyReply, envelope: EbxmlMessage, inbound: Inbound, options: EndpointOptions): Promise<FastifyReply> {
  return answer(reply, envelope, await options.accept(inbound), inbound.receivedAt, options);
}

/** The answer that belongs to what became of a message. */
function answer(
  reply: FastifyReply,
  envelope: EbxmlMessage,
  { fate, receivedAt, refused }: Accepted,
  now: Instant,
  options: EndpointOptions,
): FastifyReply {
  const named = namesOf(envelope);
  if (fate === 'altered')
    options.alert({ ...named, code: 'endpoint.altered', text: 'a message id came again with other content; the first is kept' });
  if (refused) {
    options.alert({ ...named, code: 'endpoint.refused', text: `${envelope.action} was refused: ${refused.description}` });
    return answerRefused(reply, envelope, refused, receivedAt);
  }
  const { timeToLive } = envelope;
  if (fate === 'new' && timeToLive !== null && timeToLive < now)
    options.alert({ ...named, code: 'endpoint.late', text: 'a message came after its time to live; it was accepted' });
  return answerAcknowledged(reply, envelope, receivedAt, options.answers);
}

/** A bare `text/xml` post is a signal about a message of ours. Signals are never answered by signals, or two systems could go on for ever. */
async function receiveSignal(
  request: FastifyRequest,
  reply: FastifyReply,
  body: InboundBody,
  options: EndpointOptions,
): Promise<FastifyReply> {
  const { forward } = options;
  const soapAction = soapActionOf(request);
  if (forward && soapAction && isForeign(soapAction)) return answerElsewhere(reply, await passOn(request, body, forward));
  const signal = await readSignal(body, options);
  const of = messageId(signal.of);
  const ours = await options.isOurs(signal.toPartyKey, of);
  // Another system sends other services' messages under the same party key.
  if (!ours && forward) return answerElsewhere(reply, await passOn(request, body, forward));
  if (signal.kind === 'error' && signal.final) await options.accept(undelivered(signal, body, options));
  else if (ours) await options.acknowledged(signal.toPartyKey, of);
  return reply.code(200).send();
}

/** Thrown to stop the reading of a message that is not accepted. */
class Refusal extends Fault {
  readonly envelope: EbxmlMessage;
  readonly refused: Refused;
  constructor(envelope: EbxmlMessage, code: Refused['code'], description: string) {
    super('endpoint.refused', description);
    this.envelope = envelope;
    this.refused = { code, description };
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

export const ACTIONS: ReadonlySet<string> = new Set([
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

/** Not for us, or of no interaction that we know: nothing is kept of it. */
async function refuseUnkept(
  reply: FastifyReply,
  { envelope, refused }: Refusal,
  body: InboundBody,
  options: EndpointOptions,
): Promise<FastifyReply> {
  await drain(body);
  options.alert({ ...namesOf(envelope), code: 'endpoint.refused', text: `${envelope.action} was refused: ${refused.description}` });
  return answerRefused(reply, envelope, refused, instant(options.now()));
}

/** A message that no repetition makes readable. Its transfer is told where the envelope says which; then the sender is. */
async function refuseUnreadable(
  reply: FastifyReply,
  envelope: EbxmlMessage | null,
  fault: Fault,
  body: InboundBody,
  options: EndpointOptions,
  parts?: ReceivedParts,
): Promise<FastifyReply> {
  await drain(body);
  if (!envelope) {
    options.alert({ code: fault.code, text: `a message without a readable envelope was refused: ${fault.message}` });
    return answerFault(reply, '201', fault.message, 'message not well formed');
  }
  const receivedAt = instant(options.now());
  const message = unreadable(envelope, receivedAt, fault.message, parts && (await partsToKeep(parts, options.objects)));
  const refused = { code: fault instanceof MimeFault ? 'MimeProblem' : 'OtherXml', description: fault.message } as const;
  const kept = inboundOf(envelope, message, parts?.digest ?? sha256(`unreadable ${message.messageId}`), receivedAt, body.bytes, refused);
  return await accept(reply, envelope, kept, options);
}

/** To its end: a sender that is still writing does not read the answer, and one that broke off gets none. */
async function drain(body: InboundBody): Promise<void> {
  body.settle();
  for await (const _rest of body);
}

export function inboundOf(
  envelope: EbxmlMessage,
  message: Received,
  digest: string,
  receivedAt: Instant,
  wire: number,
  refused: Refused | null,
): Inbound {
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
    refused,
  };
}

function namesOf({ fromPartyKey, messageId: id, conversationId: conversation }: EbxmlMessage) {
  return { fromPartyKey, messageId: id, conversationId: conversation };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

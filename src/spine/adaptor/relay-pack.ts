import { createHash, randomBytes } from 'node:crypto';
import { Fault } from '../../base/errors.ts';
import type { ConversationId, Instant, MessageId, Ods } from '../../base/ids.ts';
import { type Packed, type WirePiece, wireLength } from '../../base/wire.ts';
import { GP2GP_SERVICE, writeEnvelope } from '../../ebxml/envelope.ts';
import { multipartType, ROOT_CONTENT_ID } from '../../ebxml/multipart-write.ts';
import type { Objects } from '../../objects/objects.ts';
import type { Contract } from '../../transfer/types.ts';
import { Body, DOMAIN, HTTP_HEAD_BYTES } from '../pack.ts';

/** A message as a client of the adaptor's interface posts it. */
export type RelayRequest = {
  readonly interaction: string;
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly ods: Ods;
  readonly payload: string;
  readonly attachments: readonly {
    readonly contentType: string;
    readonly isBase64: boolean;
    readonly description: string;
    readonly payload: string;
    /** Written as an XML id as it stands. */
    readonly documentId: string | null;
  }[];
  readonly external: readonly { readonly messageId: string; readonly description: string; readonly documentId: string | null }[];
};

/** The exact bytes for Spine; what is large goes to the store first. Throws `Fault` `pack.tooLarge`. */
export async function packRelayed(
  request: RelayRequest,
  options: {
    readonly fromPartyKey: string;
    readonly toPartyKey: string;
    readonly contract: Contract;
    readonly at: Instant;
    readonly objects: Objects;
    readonly limit: number;
  },
): Promise<Packed> {
  const { contract, objects } = options;
  const boundary = `--=_${randomBytes(18).toString('hex')}`;
  const payloadId = request.messageId + DOMAIN;
  // Drawn from the message, so that its envelope is the same however often it is made.
  const ids = request.attachments.map((_, at) => uuidOf(`${request.messageId} ${at}`) + DOMAIN);
  const envelope = writeEnvelope({
    kind: 'message',
    fromPartyKey: options.fromPartyKey,
    toPartyKey: options.toPartyKey,
    cpaId: contract.cpaId,
    conversationId: request.conversationId,
    service: GP2GP_SERVICE,
    action: request.interaction,
    messageId: request.messageId,
    timestamp: options.at,
    refToMessageId: null,
    timeToLive: null,
    duplicateElimination: contract.duplicateElimination,
    ackRequested: contract.ackRequested ? contract.actor : null,
    syncReply: contract.syncReply,
    references: [
      { href: `cid:${payloadId}`, id: null, description: 'HL7 payload', payload: true },
      ...request.attachments.map(({ description, documentId }, at) => ({
        href: `cid:${ids[at]}`,
        id: documentId,
        description,
        payload: false,
      })),
      ...request.external.map(({ messageId, description, documentId }) => ({
        href: `mid:${messageId}`,
        id: documentId,
        description,
        payload: false,
      })),
    ],
  });
  const stored = async (text: string): Promise<WirePiece> => {
    const object = await objects.put(Buffer.from(text, 'utf8'));
    return { in: 'store', object, from: 0, to: object.bytes, encode: 'none' };
  };
  const body = new Body(boundary);
  body.part({ contentId: ROOT_CONTENT_ID, contentType: 'text/xml; charset=UTF-8', encoding: '8bit' }, [await stored(envelope)]);
  body.part({ contentId: payloadId, contentType: 'application/xml; charset=UTF-8', encoding: '8bit' }, [await stored(request.payload)]);
  for (const [at, { contentType, isBase64, payload }] of request.attachments.entries())
    body.part({ contentId: ids[at] ?? '', contentType, encoding: isBase64 ? 'base64' : '8bit' }, [await stored(payload)]);
  const pieces = body.end();
  const contentLength = wireLength(pieces);
  if (contentLength + HTTP_HEAD_BYTES > options.limit)
    throw new Fault('pack.tooLarge', `Request to send to Spine is too large. MaxRequestSize=${options.limit} RequestSize=${contentLength}`);
  return {
    messageId: request.messageId,
    soapAction: `${GP2GP_SERVICE}/${request.interaction}`,
    contentType: multipartType(boundary),
    ...(contract.address !== undefined && { url: contract.address }),
    contentLength,
    body: pieces,
    retries: contract.retries,
    everySeconds: contract.retryIntervalSeconds,
    persistSeconds: contract.persistSeconds,
  };
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex').toUpperCase();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

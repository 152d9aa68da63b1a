import type { Content, NonEmpty } from '../base/content.ts';
import { storedLength } from '../base/content.ts';
import { Fault } from '../base/errors.ts';
import { type Instant, instant } from '../base/ids.ts';
import { type Packed, type WirePiece, wireLength } from '../base/wire.ts';
import { base64Length } from '../ebxml/base64.ts';
import { writeDescription } from '../ebxml/description.ts';
import { GP2GP_SERVICE, type ManifestReference, writeEnvelope } from '../ebxml/envelope.ts';
import { multipartEnd, multipartType, PART_TAIL, type PartHead, partHead, ROOT_CONTENT_ID } from '../ebxml/multipart-write.ts';
import type { Announced, Contract, Message, OwnPractice, Part, Peer, Reference } from '../transfer/types.ts';
import { actionOf, payloadOf } from './payload.ts';

export type PackOptions = {
  readonly own: OwnPractice;
  readonly peer: Peer;
  /** Drawn at random for this message; up to 70 characters. `=_` in it cannot stand in base64 text. */
  readonly boundary: string;
  /** Whether the envelope says after which time nobody waits for the message any more. */
  readonly timeToLive: boolean;
};

/** Spine External Interface Specification part 2, 2.5.4.2: ebXML and HL7 included. */
const MIME_PARTS = 100;
/** Request line and headers, generously. */
export const HTTP_HEAD_BYTES = 512;
export const DOMAIN = '@spine.nhs.uk';

/**
 * The exact bytes of a message to another practice: envelope and wrapper as text, documents as slices of the store. Same input, same
 * bytes. Throws `Fault`: `pack.noContract` where SDS had no agreement for the interaction, `pack.tooLarge`, `pack.tooManyParts`,
 * `pack.boundary`.
 */
export function pack(message: Message, options: PackOptions): Packed & { readonly contentLength: number } {
  const contract = contractOf(message, options.peer);
  const action = actionOf(message);
  const attachments = attachmentsOf(message);
  if (attachments.length + 2 > MIME_PARTS)
    throw new Fault('pack.tooManyParts', `${attachments.length + 2} parts in one message; Spine takes ${MIME_PARTS}`);

  const payloadId = message.messageId + DOMAIN;
  const body = new Body(options.boundary);
  body.part({ contentId: ROOT_CONTENT_ID, contentType: 'text/xml; charset=UTF-8', encoding: '8bit' }, [
    inRow(envelopeOf(message, action, contract, payloadId, options)),
  ]);
  body.part({ contentId: payloadId, contentType: 'application/xml; charset=UTF-8', encoding: '8bit' }, payloadPieces(message, options));
  for (const { part, announced } of attachments)
    body.part(
      {
        contentId: qualified(part.contentId),
        contentType: labelOf(announced.contentType ?? part.contentType, announced),
        encoding: 'base64',
      },
      // What could not be decoded when it came is base64 text already.
      slices(part.content, part.content.stored === 'base64' ? 'none' : 'base64'),
    );
  const pieces = body.end();

  const contentLength = wireLength(pieces);
  const { messageLimit } = options.own;
  if (contentLength + HTTP_HEAD_BYTES > messageLimit)
    throw new Fault('pack.tooLarge', `${action} ${message.messageId} has ${contentLength} bytes; one message may have ${messageLimit}`);
  return {
    messageId: message.messageId,
    soapAction: `${GP2GP_SERVICE}/${action}`,
    contentType: multipartType(options.boundary),
    ...(contract.address !== undefined && { url: contract.address }),
    contentLength,
    body: pieces,
    retries: contract.retries,
    everySeconds: contract.retryIntervalSeconds,
    persistSeconds: contract.persistSeconds,
  };
}

export function contractOf(message: Message, peer: Peer): Contract {
  const { contracts } = peer;
  const contract = {
    request: contracts.request,
    extract: contracts.extract,
    continue: contracts.part,
    index: contracts.part,
    piece: contracts.part,
    acknowledgement: contracts.acknowledgement,
  }[message.interaction];
  if (contract) return contract;
  throw new Fault('pack.noContract', `${peer.ods} has no agreement in SDS to receive the interaction "${message.interaction}"`, {
    remedy: 'the practice is not registered for it; the record has to go another way',
  });
}

function envelopeOf(message: Message, action: string, contract: Contract, payloadId: string, options: PackOptions): string {
  const { own, peer, timeToLive } = options;
  return writeEnvelope({
    kind: 'message',
    fromPartyKey: own.partyKey,
    toPartyKey: peer.partyKey,
    cpaId: contract.cpaId,
    conversationId: message.conversationId,
    service: GP2GP_SERVICE,
    action,
    messageId: message.messageId,
    timestamp: message.at,
    refToMessageId: null,
    timeToLive: timeToLive ? later(message.at, contract.persistSeconds) : null,
    duplicateElimination: contract.duplicateElimination,
    ackRequested: contract.ackRequested ? contract.actor : null,
    syncReply: contract.syncReply,
    references: [{ href: `cid:${payloadId}`, id: null, description: 'HL7 payload', payload: true }, ...referencesOf(message)],
  });
}

function later(time: Instant, seconds: number): Instant {
  return instant(new Date(Date.parse(time) + seconds * 1000));
}

function payloadPieces(message: Message, options: PackOptions): WirePiece[] {
  if (message.interaction !== 'extract') return [inRow(payloadOf(message, options.own, options.peer))];
  if (message.hl7.stored !== 'bytes' || message.hl7.gzip)
    throw new Fault('pack.payload', 'the payload of an extract must be XML, neither compressed nor base64');
  return slices(message.hl7, 'none');
}

export type Attachment = { readonly part: Part; readonly announced: Announced };

export function attachmentsOf(message: Message): Attachment[] {
  switch (message.interaction) {
    case 'extract':
      return message.references.flatMap(attachmentAt);
    case 'index':
      return message.children.flatMap(attachmentAt);
    case 'piece':
      return [message];
    default:
      return [];
  }
}

function attachmentAt(reference: Reference): Attachment[] {
  return reference.at === 'here' ? [{ part: reference.part, announced: reference }] : [];
}

/** The manifest behind the payload's line: what rides in this message first, then what comes in others, each in the given order. */
export function referencesOf(message: Message): ManifestReference[] {
  const lines = attachmentsOf(message).map(({ part, announced }) =>
    reference(`cid:${qualified(part.contentId)}`, announced, part.contentType, announced.length ?? lengthOf(part.content)),
  );
  const elsewhere = message.interaction === 'extract' ? message.references : message.interaction === 'index' ? message.children : [];
  for (const one of elsewhere) if (one.at === 'message') lines.push(reference(`mid:${one.messageId}`, one, OCTETS, one.length));
  return lines;
}

function reference(href: string, announced: Announced, contentType: string, length: number | undefined): ManifestReference {
  return {
    href,
    // An XML id may not begin with a digit.
    id: announced.documentId ? `_${announced.documentId}` : null,
    description: writeDescription({
      filename: announced.filename ?? announced.documentId ?? 'attachment',
      contentType: announced.contentType ?? contentType,
      compressed: announced.compressed,
      large: announced.large ?? false,
      ...(length !== undefined && { length }),
      skeleton: announced.skeleton,
    }),
    payload: false,
  };
}

function lengthOf(content: Content): number {
  const bytes = storedLength(content);
  return content.stored === 'base64' ? bytes : base64Length(bytes);
}

const OCTETS = 'application/octet-stream';
/** What Spine takes as the type of a part; any other type is only said in the description. */
export const SPINE_TYPES = [
  'text/plain',
  'text/html',
  'application/pdf',
  'text/xml',
  'application/xml',
  'text/rtf',
  'audio/basic',
  'audio/mpeg',
  'image/png',
  'image/gif',
  'image/jpeg',
  'image/tiff',
  'video/mpeg',
  'application/msword',
  OCTETS,
] as const;
const LABELS: ReadonlySet<string> = new Set(SPINE_TYPES);

export function labelOf(contentType: string, { compressed }: Announced): string {
  const bare = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return LABELS.has(bare) && !compressed ? bare : OCTETS;
}

function qualified(contentId: string): string {
  return contentId.includes('@') ? contentId : contentId + DOMAIN;
}

function inRow(text: string): WirePiece {
  return { in: 'row', data: Buffer.from(text, 'utf8'), encode: 'none' };
}

function slices(content: Content, encode: WirePiece['encode']): WirePiece[] {
  return content.pieces.map((piece) => ({ ...piece, encode }));
}

/** Text between slices becomes one piece. */
export class Body {
  #boundary: string;
  #done: WirePiece[] = [];
  #texts: Uint8Array[] = [];

  constructor(boundary: string) {
    this.#boundary = boundary;
  }

  part(head: PartHead, content: readonly WirePiece[]): void {
    this.#texts.push(Buffer.from(partHead(this.#boundary, head), 'latin1'));
    for (const piece of content) {
      if (piece.in === 'store' || piece.encode === 'base64') {
        this.#flush();
        this.#done.push(piece);
        continue;
      }
      if (Buffer.from(piece.data).includes(`--${this.#boundary}`))
        throw new Fault('pack.boundary', 'the boundary stands in the text of a part', { remedy: 'draw another boundary' });
      this.#texts.push(piece.data);
    }
    this.#texts.push(Buffer.from(PART_TAIL, 'latin1'));
  }

  end(): NonEmpty<WirePiece> {
    this.#texts.push(Buffer.from(multipartEnd(this.#boundary), 'latin1'));
    this.#flush();
    const [first, ...rest] = this.#done;
    if (!first) throw new Fault('pack.payload', 'a message has no parts');
    return [first, ...rest];
  }

  #flush(): void {
    if (this.#texts.length) this.#done.push({ in: 'row', data: Buffer.concat(this.#texts), encode: 'none' });
    this.#texts = [];
  }
}

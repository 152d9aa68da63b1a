import { createHash } from 'node:crypto';
import { type Content, ROW_BYTES, wholeObject } from '../base/content.ts';
import { Fault } from '../base/errors.ts';
import { createRooms } from '../base/rooms.ts';
import { asBase64Text } from '../ebxml/base64.ts';
import { type EbxmlMessage, EnvelopeFault, readEnvelope } from '../ebxml/envelope.ts';
import { bareContentId, type MimeFault, readContentType } from '../ebxml/mime-header.ts';
import { type MimePart, readMultipart } from '../ebxml/multipart.ts';
import { partByContentId, payloadPart, payloadReference, rootPart, targetOf } from '../ebxml/parts.ts';
import type { Objects } from '../objects/objects.ts';
import type { Part } from '../transfer/types.ts';
import { PIECE_BYTES } from '../web/pieces.ts';
import type { InboundBody } from './inbound-body.ts';

export type ReceivedPart = {
  readonly contentId: string;
  readonly contentType: string;
  /** Its transfer encoding, lower case. */
  readonly encoding: string;
  readonly content: Content;
};
/** A message whose parts are all kept, payload and attachments told apart. */
export type ReceivedParts = {
  readonly envelope: EbxmlMessage;
  /** As it came. */
  readonly envelopeText: string;
  /** The HL7 payload: in memory, or in the store where it is an extract. */
  readonly payload: { readonly small: Uint8Array } | { readonly stored: Content };
  readonly attachments: readonly ReceivedPart[];
  /** The same for the same content, whatever the boundary or the time in the envelope. */
  readonly digest: string;
};

const ENVELOPE_BYTES = 2 * 1024 * 1024;
/** A payload that is no extract: a thousand times what one has. */
const SMALL_BYTES = 1024 * 1024;

/** In which attachments are decoded: for what a piece of a body holds. */
const ROOMS = createRooms(PIECE_BYTES * 0.75 + 3, 8);

type Kept = {
  readonly contentId: string;
  readonly contentType: string;
  readonly encoding: string;
  readonly small?: Uint8Array;
  readonly content?: Content;
};

/**
 * Reads a multipart body while it arrives: the envelope into memory, each attachment and an extract's payload into the store, other
 * payloads into memory. `admit` is asked as soon as the envelope is known; it throws to end the reading.
 */
export async function receiveParts(
  body: InboundBody,
  contentType: string,
  objects: Objects,
  admit: (envelope: EbxmlMessage) => Promise<void>,
  onDefect: (defect: MimeFault) => void,
): Promise<ReceivedParts> {
  const start = readContentType(contentType).parameters.get('start');
  const kept: Kept[] = [];
  let root: Kept | undefined;
  let envelope: EbxmlMessage | undefined;
  let room: ReturnType<typeof ROOMS.take> | undefined;
  for await (const part of readMultipart(body, contentType, { onDefect, limits: { body: Number.POSITIVE_INFINITY } })) {
    const named = { contentId: part.contentId, contentType: part.contentType, encoding: part.encoding };
    if (!envelope && (start === undefined || partByContentId([part], bareContentId(start)))) {
      root = { ...named, small: await inMemory(part.bytes(), ENVELOPE_BYTES, 'the envelope') };
      envelope = await open(root.small ?? new Uint8Array(), admit);
      kept.push(root);
    } else if (envelope && isPayload(envelope, part, kept.length)) {
      if (isExtract(envelope)) kept.push({ ...named, content: wholeObject(await objects.put(part.bytes())) });
      else kept.push({ ...named, small: await inMemory(part.bytes(), SMALL_BYTES, 'the payload') });
    } else {
      room ??= ROOMS.take();
      kept.push({ ...named, content: await keepLeaf(part, objects, room) });
    }
  }
  // Only here: where the reading broke off, a piece may still be on its way to the disk.
  if (room) ROOMS.give(room);
  if (!envelope) {
    // `start` named no part, or one behind others: what came is in the store by now.
    root = rootPart(kept, contentType);
    if (!root) throw new EnvelopeFault('ebxml.missing', 'the message has no parts');
    envelope = await open(await bytesOf(root, objects, ENVELOPE_BYTES, 'the envelope'), admit);
  }
  if (!root) throw new EnvelopeFault('ebxml.missing', 'the message has no envelope');
  const payload = payloadPart(envelope, kept, root);
  if (!payload) throw new EnvelopeFault('ebxml.missing', 'the message has no payload');
  const attachments = kept.filter((part) => part !== root && part !== payload);
  return {
    envelope,
    envelopeText: Buffer.from(await bytesOf(root, objects, ENVELOPE_BYTES, 'the envelope')).toString('utf8'),
    payload:
      isExtract(envelope) && payload.content
        ? { stored: payload.content }
        : { small: await bytesOf(payload, objects, SMALL_BYTES, 'the payload') },
    attachments: attachments.flatMap(({ small: _small, content, ...named }) => (content ? [{ ...named, content }] : [])),
    digest: digestOf(envelope, [payload, ...attachments]),
  };
}

/** Everything that came, for a message that is kept though it cannot be read: envelope, payload, attachments. */
export async function partsToKeep({ envelopeText, payload, attachments }: ReceivedParts, objects: Pick<Objects, 'put'>): Promise<Part[]> {
  const kept = async (bytes: Uint8Array): Promise<Content> =>
    bytes.byteLength <= ROW_BYTES
      ? { pieces: [{ in: 'row', data: bytes }], stored: 'bytes', gzip: false }
      : wholeObject(await objects.put(bytes));
  const xml = { contentType: 'text/xml' } as const;
  return [
    { ...xml, contentId: 'envelope', content: await kept(Buffer.from(envelopeText)) },
    { ...xml, contentId: 'payload', content: 'stored' in payload ? payload.stored : await kept(payload.small) },
    ...attachments.map(({ contentId, contentType, content }) => ({ contentId, contentType, content })),
  ];
}

async function open(bytes: Uint8Array, admit: (envelope: EbxmlMessage) => Promise<void>): Promise<EbxmlMessage> {
  const envelope = readEnvelope(bytes);
  if (envelope.kind !== 'message') throw new EnvelopeFault('ebxml.malformed', 'a signal does not come as a multipart body');
  await admit(envelope);
  return envelope;
}

/** As far as it can be told before the later parts are seen. */
function isPayload(envelope: EbxmlMessage, part: MimePart, index: number): boolean {
  const target = targetOf(payloadReference(envelope) ?? { href: '' });
  return target?.at === 'here' ? partByContentId([part], target.contentId) !== undefined : index === 1;
}

export function isExtract(envelope: EbxmlMessage): boolean {
  return envelope.action === 'RCMR_IN030000UK06' || envelope.action === 'RCMR_IN030000UK07';
}

/** A leaf that does not decode by itself is kept as base64 text: it may have been cut inside a group of four characters. */
async function keepLeaf(part: MimePart, objects: Objects, room: Buffer): Promise<Content> {
  const object = await objects.put(part.leaf(room));
  const undecoded = part.undecoded();
  if (!undecoded) return wholeObject(object);
  return { ...wholeObject(await objects.put(asBase64Text(objects.get(object), undecoded.decoded))), stored: 'base64' };
}

async function inMemory(source: AsyncIterable<Uint8Array>, limit: number, what: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.byteLength;
    if (bytes > limit) throw new EnvelopeFault('ebxml.limit', `${what} has more than ${limit} bytes`);
    pieces.push(Uint8Array.from(piece));
  }
  return Buffer.concat(pieces, bytes);
}

async function bytesOf(part: Kept, objects: Objects, limit: number, what: string): Promise<Uint8Array> {
  if (part.small) return part.small;
  const [piece] = part.content?.pieces ?? [];
  if (piece?.in !== 'store') throw new Fault('endpoint.part', `${what} was not kept`);
  return inMemory(objects.get(piece.object), limit, what);
}

/** The same for the same content, whatever the boundary or the time in the envelope. */
export function digestOf(envelope: EbxmlMessage, parts: readonly Pick<Kept, 'small' | 'content'>[]): string {
  const hash = createHash('sha256').update(`${envelope.conversationId.toUpperCase()} ${envelope.action}\n`);
  for (const { small, content } of parts) {
    const [piece] = content?.pieces ?? [];
    const address =
      piece?.in === 'store'
        ? piece.object.sha256
        : createHash('sha256')
            .update(small ?? '')
            .digest('hex');
    hash.update(`${address}\n`);
  }
  return hash.digest('hex');
}

import { type Content, type NonEmpty, sliceContent, storedLength } from '../base/content.ts';
import type { MessageId } from '../base/ids.ts';
import type { Announced, Document, OutgoingPart, Reference } from './types.ts';

/** Sizes are of bytes on the wire, base64 included. */
export const PACKING = {
  /** At most 100 MIME parts with ebXML and HL7 (Spine External Interface Specification 2.5.4.2). */
  inlineParts: 98,
  /** base64 characters of one piece where the limit has room for more; a multiple of 4, so that each piece decodes by itself. */
  pieceCharacters: 4_500_000,
  /** Envelope without references, MIME heads and wrapper of one message. */
  envelopeBytes: 8_192,
  /** MIME head and manifest reference of one part, long file names included. */
  partBytes: 1_536,
} as const;

export type CorePlan = {
  readonly hl7: Content;
  readonly references: readonly Reference[];
  /** What travels after the continue, in the order of sending. */
  readonly parts: readonly OutgoingPart[];
};

type Payload = {
  readonly hl7: Content;
  readonly large: { readonly compressed: Content; readonly skeleton: Content; readonly documentId: Document['documentId'] & string } | null;
  readonly documents: readonly Document[];
};

/**
 * Decides how a record leaves: which documents ride in the core, which in messages of their own, which in pieces, and whether the
 * core itself goes compressed behind a skeleton. Ids of all later messages are drawn here, before the core leaves.
 * `limit` is the size of one message in bytes.
 */
export function planCore(payload: Payload, core: MessageId, limit: number, newId: () => string): CorePlan {
  const skeleton = payload.large && storedLength(payload.hl7) + PACKING.envelopeBytes > limit ? payload.large : null;
  const hl7 = skeleton ? skeleton.skeleton : payload.hl7;
  const all: readonly Document[] = skeleton ? [skeletonDocument(skeleton), ...payload.documents] : payload.documents;

  let room = limit - PACKING.envelopeBytes - storedLength(hl7);
  const references: Reference[] = [];
  const parts: OutgoingPart[] = [];
  let inline = 0;
  // Every reference costs room in the core, wherever its content travels.
  room -= all.length * PACKING.partBytes;
  for (const document of all) {
    const { content, ...said } = document;
    const length = base64Length(storedLength(content));
    const announced: Announced = { ...said, length };
    if (!announced.skeleton && inline < PACKING.inlineParts && length <= room) {
      inline++;
      room -= length;
      references.push({ ...announced, at: 'here', part: { contentId: newId(), contentType: said.contentType ?? OCTETS, content } });
      continue;
    }
    const messageId = newId().toUpperCase() as MessageId;
    const external = planParts(announced, content, { messageId, core, order: parts.length, step: pieceBytes(limit) }, newId);
    references.push({ ...announced, large: external.length > 1, at: 'message', messageId });
    parts.push(...external);
  }
  return { hl7, references, parts };
}

const OCTETS = 'application/octet-stream';

/** Bytes that one message carries as base64. A practice's limit may be far below the national one. */
function pieceBytes(limit: number): number {
  const characters = Math.min(PACKING.pieceCharacters, limit - PACKING.envelopeBytes - PACKING.partBytes);
  return Math.floor(characters / 4) * 3;
}

type Placed = { readonly messageId: MessageId; readonly core: MessageId; readonly order: number; readonly step: number };

/** One message, or an index and its pieces of `step` bytes. `order` counts over the whole transfer. */
function planParts(
  announced: Announced,
  content: Content,
  { messageId, core, order, step }: Placed,
  newId: () => string,
): NonEmpty<OutgoingPart> {
  const bytes = storedLength(content);
  if (bytes <= step) return [{ ...announced, large: false, kind: 'piece', content, messageId, under: core, order }];
  const pieces: OutgoingPart[] = [];
  for (let from = 0; from < bytes; from += step) {
    const slice = sliceContent(content, from, Math.min(from + step, bytes));
    pieces.push({
      filename: `${messageId}_${pieces.length}.messageattachment`,
      contentType: announced.contentType ?? OCTETS,
      // Said again of each piece, as the suppliers do; only the core's word counts, and a piece is never unzipped.
      compressed: announced.compressed,
      skeleton: false,
      length: base64Length(storedLength(slice)),
      kind: 'piece',
      content: slice,
      messageId: newId().toUpperCase() as MessageId,
      under: messageId,
      order: order + 1 + pieces.length,
    });
  }
  return [{ ...announced, large: true, kind: 'index', content: null, messageId, under: core, order }, ...pieces];
}

function skeletonDocument(large: NonNullable<Payload['large']>): Document {
  return {
    documentId: large.documentId,
    filename: `${large.documentId}.gzip`,
    contentType: 'text/xml',
    compressed: true,
    skeleton: true,
    content: large.compressed,
  };
}

export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

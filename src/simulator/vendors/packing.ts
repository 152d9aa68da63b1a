import { gzipSync } from 'node:zlib';
import { writeDescribed } from './description.ts';
import type { ReferenceToWrite } from './envelope.ts';
import { base64, type PartToWrite } from './mime.ts';
import type { VendorProfile } from './profile.ts';

/** A document of a record that is to be sent. `bytes` as they travel: gzipped already where `compressed` says so. */
export type OutgoingDocument = {
  readonly id: string;
  /** The name it is announced by. */
  readonly name: string;
  /** The name in the cover of its message. */
  readonly coverName: string;
  readonly contentType: string;
  readonly compressed: boolean;
  readonly skeleton: boolean;
  readonly bytes: Uint8Array;
};
/** A message that follows the core: its manifest and parts, but for the payload. */
export type FollowingMessage = {
  readonly messageId: string;
  readonly coverName: string;
  readonly references: readonly ReferenceToWrite[];
  readonly parts: readonly PartToWrite[];
};
export type Packed = {
  readonly references: readonly ReferenceToWrite[];
  readonly parts: readonly PartToWrite[];
  /** After the continue, in this order. */
  readonly following: readonly FollowingMessage[];
};

/** Types that Spine knows in the header of a part (P 4.1). */
const LISTED = new Set(
  'text/plain text/html application/pdf text/xml application/xml text/rtf audio/basic audio/mpeg image/png image/gif image/jpeg image/tiff video/mpeg application/msword application/octet-stream'.split(
    ' ',
  ),
);

/** Decides as the profile does what rides in the core and what follows, whole or in pieces. */
export function pack(profile: VendorProfile, documents: readonly OutgoingDocument[], newId: () => string): Packed {
  const references: ReferenceToWrite[] = [];
  const parts: PartToWrite[] = [];
  const following: FollowingMessage[] = [];
  let room = profile.inlineBytes;
  for (const document of documents) {
    const text = base64(profile, document.bytes);
    const large = text.length > profile.pieceCharacters;
    const described = (described: boolean) => describe(profile, document, document.name, document.contentType, text, described, 'document');
    if (!document.skeleton && text.length <= room && parts.length < 98) {
      room -= text.length;
      const part = contentPart(profile, document.contentType, text, 'core', parts.length, newId);
      parts.push(part);
      const description = profile.inlineDescription === 'name' ? document.name : described(false);
      references.push({ href: `cid:${part.contentId}`, id: `_${document.id}`, description });
      continue;
    }
    const messageId = newId();
    references.push({ href: `mid:${messageId}`, id: `_${document.id}`, description: described(large) });
    following.push(...(large ? inPieces(profile, document, messageId, text, newId) : [whole(profile, document, messageId, text, newId)]));
  }
  return { references, parts, following };
}

function whole(profile: VendorProfile, document: OutgoingDocument, messageId: string, text: string, newId: () => string): FollowingMessage {
  const part = contentPart(profile, document.contentType, text, 'copc', 0, newId);
  const description = {
    keys: describe(profile, document, document.name, document.contentType, text, false, 'document'),
    name: document.name,
    Attachment: 'Attachment',
    documentId: document.id,
  }[profile.attachmentDescription];
  return {
    messageId,
    coverName: document.coverName,
    references: [{ href: `cid:${part.contentId}`, id: null, description }],
    parts: [part],
  };
}

function inPieces(
  profile: VendorProfile,
  document: OutgoingDocument,
  index: string,
  text: string,
  newId: () => string,
): FollowingMessage[] {
  const cuts: string[] = [];
  // Lines stay whole, and so do groups of four characters: each piece decodes by itself.
  const step = profile.base64Line === 0 ? profile.pieceCharacters - (profile.pieceCharacters % 4) : wholeLines(profile);
  for (let from = 0; from < text.length; from += step) cuts.push(text.slice(from, from + step));
  const pieces = cuts.map((piece, n) => {
    const name = nameOfPiece(profile, document.name, index, n);
    const keys = describe(profile, document, name, document.contentType, piece, false, 'piece');
    const description = { keys, name, Attachment: 'Attachment' }[profile.pieceDescription];
    const part = contentPart(profile, document.contentType, piece, 'copc', 0, newId);
    const messageId = newId();
    const referenceId = { none: null, messageId: `_${messageId}`, uuid: `_${newId()}` }[profile.indexReferenceId];
    return { name, keys, description, part, messageId, referenceId };
  });
  const [first, ...others] = pieces;
  const outside = profile.firstPieceInline ? others : pieces;
  const inside =
    profile.firstPieceInline && first
      ? [{ href: `cid:${first.part.contentId}`, id: first.referenceId, description: first.description }]
      : [];
  return [
    {
      messageId: index,
      coverName: profile.indexNames === 'firstPiece' && first ? first.name : document.coverName,
      references: [
        ...inside,
        ...outside.map(({ messageId, referenceId, keys }) => ({ href: `mid:${messageId}`, id: referenceId, description: keys })),
      ],
      parts: profile.firstPieceInline && first ? [first.part] : [],
    },
    ...outside.map(({ messageId, name, description, part }) => ({
      messageId,
      coverName: name,
      references: [{ href: `cid:${part.contentId}`, id: null, description }],
      parts: [part],
    })),
  ];
}

function wholeLines(profile: VendorProfile): number {
  const line = profile.base64Line + 2;
  return Math.max(1, Math.floor(profile.pieceCharacters / line)) * line;
}

function nameOfPiece(profile: VendorProfile, name: string, index: string, n: number): string {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  return filled(profile.pieceName, { index, n: String(n), name, stem, extension });
}

function describe(
  profile: VendorProfile,
  document: OutgoingDocument,
  filename: string,
  contentType: string,
  text: string,
  large: boolean,
  of: 'document' | 'piece',
): string {
  return writeDescribed({
    filename,
    contentType,
    compressed: document.compressed,
    large,
    originalBase64: profile.originalBase64[of],
    length: profile.lengthWithLineEnds ? text.length : text.replace(/\r\n/g, '').length,
    skeleton: document.skeleton,
  });
}

function contentPart(
  profile: VendorProfile,
  contentType: string,
  text: string,
  inside: 'core' | 'copc',
  n: number,
  newId: () => string,
): PartToWrite {
  const contentId = filled(profile.attachmentContentId, { uuid: newId(), n: String(profile.firstAttachment[inside] + n) });
  const label = profile.attachmentContentType === 'listed' && LISTED.has(contentType) ? contentType : 'application/octet-stream';
  return { contentId, contentType: label, encoding: 'base64', bytes: text };
}

/** The record itself as an attachment, its name its id (P 3.6). */
export function skeletonDocument(id: string, message: string): OutgoingDocument {
  const name = `${id}.gzip`;
  return {
    id,
    name,
    coverName: name,
    contentType: 'text/xml',
    compressed: true,
    skeleton: true,
    bytes: gzipSync(`<?xml version="1.0" encoding="UTF-8"?>${message}`),
  };
}

/** A pattern with its places filled; a `$` in a name stays one. */
export function filled(pattern: string, places: Readonly<Record<string, string>>): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, place: string) => places[place] ?? whole);
}

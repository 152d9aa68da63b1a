/** What crossed the hub, read with this product's formats alone and without a node: the messages of one transfer, and their record. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Content } from '../../base/content.ts';
import { documentId, messageId } from '../../base/ids.ts';
import { readDescription } from '../../ebxml/description.ts';
import { openEntity } from '../../ebxml/entity.ts';
import { type EbxmlMessage, readEnvelope } from '../../ebxml/envelope.ts';
import { readMultipart } from '../../ebxml/multipart.ts';
import { attachmentReferences, partByContentId, payloadPart, rootPart, targetOf } from '../../ebxml/parts.ts';
import type { Bundle } from '../../fhir/types.ts';
import { putInPlace } from '../../hl7v3/skeleton.ts';
import { attachmentFinder } from '../../record/document/match.ts';
import { type Attachment, assemble, type LedgerPart } from '../../transfer/parts.ts';
import type { Announced } from '../../transfer/types.ts';
import { readXml } from '../../xml/read.ts';
import { bundleOf } from '../conversion.ts';

export type WireMessage = {
  readonly file: string;
  readonly envelope: EbxmlMessage;
  readonly parts: readonly { readonly contentId: string; readonly bytes: Buffer }[];
  readonly payload: Buffer;
};

/** Every kept request of one conversation that is a message (acknowledgements of Spine's are left out), in the order of the hub. */
export async function messagesOf(folder: string, conversationId: string): Promise<readonly WireMessage[]> {
  const found: WireMessage[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const { contentType, body } = await openEntity(createReadStream(join(folder, file)));
    if (contentType === null || !/^multipart\//i.test(contentType)) throw new Error(`${file}: no multipart message`);
    const parts: WireMessage['parts'][number][] = [];
    for await (const part of readMultipart(body, contentType)) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of part.bytes()) chunks.push(chunk);
      parts.push({ contentId: part.contentId, bytes: Buffer.concat(chunks) });
    }
    const root = rootPart(parts, contentType);
    const envelope = root && readEnvelope(root.bytes);
    if (envelope?.kind !== 'message') throw new Error(`${file}: no ebXML message`);
    const payload = payloadPart(envelope, parts, root);
    if (!payload) throw new Error(`${file}: no HL7 payload`);
    if (envelope.conversationId.toUpperCase() === conversationId.toUpperCase())
      found.push({ file, envelope, parts, payload: payload.bytes });
  }
  return found;
}

export type Rebuilt = {
  readonly bundle: Bundle;
  readonly documents: readonly { readonly name: string; readonly bytes: Buffer }[];
  /** The record came in a part of its own, in place of which the core had a skeleton. */
  readonly skeleton: boolean;
};

/** The record as the messages alone say it. */
export function recordFrom(messages: readonly WireMessage[]): Rebuilt {
  const core = messages.find(({ envelope }) => envelope.action.startsWith('RCMR_IN030000'));
  if (!core) throw new Error('no extract was sent');
  const attachments = assemble(
    messageId(core.envelope.messageId),
    messages.flatMap((message) => announcedBy(message, messages)),
  ).map((attachment) => ({ ...attachment, bytes: bytesOf(attachment) }));
  const skeleton = attachments.find(({ announced }) => announced.skeleton);
  const root = readXml(core.payload);
  const whole = skeleton ? putInPlace(root, readXml(skeleton.bytes), skeleton.announced.documentId ?? '') : root;
  const documents = attachments.filter((one) => one !== skeleton);
  const find = attachmentFinder(documents.map(({ announced, bytes }) => ({ ...announced, bytes })));
  const read = bundleOf(whole, {
    documents: (link) => {
      const found = find(link);
      return found && { filename: found.filename ?? '', url: found.documentId ?? '', bytes: found.bytes.byteLength, missing: null };
    },
  });
  if ('refused' in read) throw new Error(read.text);
  return {
    bundle: read.bundle,
    documents: documents.map(({ announced, bytes }) => ({ name: announced.filename ?? '', bytes })),
    skeleton: skeleton !== undefined,
  };
}

/** The lines of its manifest, with what rides inside the message or in the message that is meant. */
function announcedBy({ envelope, parts }: WireMessage, all: readonly WireMessage[]): LedgerPart[] {
  const id = messageId(envelope.messageId);
  const isPiece = all.some((one) => attachmentReferences(one.envelope).some(({ href }) => href.toUpperCase() === `MID:${id}`));
  const references = attachmentReferences(envelope);
  const index = references.some((reference) => targetOf(reference)?.at === 'message');
  if (isPiece && !index) return [];
  return references.flatMap((reference, order): LedgerPart[] => {
    const target = targetOf(reference);
    const announced: Announced = {
      ...readDescription(reference.description),
      ...(reference.id && { documentId: documentId(reference.id) }),
    };
    if (target?.at === 'here') {
      const part = partByContentId(parts, target.contentId);
      return [{ key: `${id}#${order}`, under: id, order, announced, content: part ? inRow(part.bytes) : null, index: false }];
    }
    if (target?.at !== 'message') return [];
    const meant = all.find((one) => one.envelope.messageId.toUpperCase() === target.messageId);
    const inside = meant && attachmentReferences(meant.envelope);
    const isIndex = inside?.some((one) => targetOf(one)?.at === 'message') ?? false;
    const leaf = isIndex ? undefined : inside?.map(targetOf).find((one) => one?.at === 'here');
    const part = meant && leaf?.at === 'here' ? partByContentId(meant.parts, leaf.contentId) : undefined;
    return [{ key: target.messageId, under: id, order, announced, content: part ? inRow(part.bytes) : null, index: isIndex }];
  });
}

function inRow(data: Buffer): Content {
  return { pieces: [{ in: 'row', data }], stored: 'bytes', gzip: false };
}

function bytesOf({ announced, content, missing }: Attachment): Buffer {
  if (!content) throw new Error(`${announced.filename}: ${missing.join(', ')} did not cross the hub`);
  const bytes = Buffer.concat(content.pieces.map((piece) => (piece.in === 'row' ? piece.data : new Uint8Array())));
  return announced.compressed ? gunzipSync(bytes) : bytes;
}

/**
 * A bundle as text in which every id is a number, by first occurrence, and a document's address only its last part: two conversions
 * of the same messages are then the same text.
 */
export function withoutOwnIds(bundle: Bundle): string {
  const numbers = new Map<string, number>();
  const text = JSON.stringify(bundle, null, 1).replace(/https?:\/\/[^"/]+\/api\/practices\/[^"]*\/documents\//g, '');
  return text.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, (id) => {
    const key = id.toUpperCase();
    const number = numbers.get(key) ?? numbers.size + 1;
    numbers.set(key, number);
    return `#${number}`;
  });
}

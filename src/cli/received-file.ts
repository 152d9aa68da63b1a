import { gunzipSync } from 'node:zlib';
import { Fault, reasonOf } from '../base/errors.ts';
import { documentId } from '../base/ids.ts';
import { type Description, readDescription } from '../ebxml/description.ts';
import { openEntity } from '../ebxml/entity.ts';
import { readEnvelope } from '../ebxml/envelope.ts';
import { readMultipart } from '../ebxml/multipart.ts';
import { attachmentReferences, partByContentId, payloadPart, rootPart, targetOf } from '../ebxml/parts.ts';
import { putInPlace } from '../hl7v3/skeleton.ts';
import { attachmentFinder } from '../record/document/match.ts';
import type { DocumentLink, ReceivedDocument } from '../record/types.ts';
import type { XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/read.ts';

/** The extract in a file, and what is known of its documents. */
export type ReceivedFile = {
  readonly root: XmlElement;
  readonly documents: (link: DocumentLink) => ReceivedDocument | undefined;
};
type Attachment = Description & { readonly documentId: string | null; readonly bytes: Uint8Array | null };

const LARGEST = 256 * 1024 * 1024;
const UNZIPPED = 256 * 1024 * 1024;

/** Reads a MIME message, a payload or an EhrExtract. `name` is for messages. Throws `input.` faults that name the file. */
export async function readReceived(name: string, source: AsyncIterable<Uint8Array>): Promise<ReceivedFile> {
  try {
    const { contentType, body } = await openEntity(source);
    return contentType !== null && /^multipart\//i.test(contentType)
      ? await readMime(contentType, body)
      : { root: extractIn(await whole(body)), documents: () => undefined };
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code.startsWith('input.')) throw thrown;
    if (thrown instanceof Fault) throw new Fault('input.message', `${name} cannot be read: ${reasonOf(thrown)}`, { cause: thrown });
    throw thrown;
  }
}

function extractIn(bytes: Uint8Array): XmlElement {
  const root = readXml(bytes);
  if (!/^(EhrExtract|RCMR_IN030000UK0[67])$/.test(root.name)) throw new Fault('hl7.interaction', `${root.name} is no extract`);
  return root;
}

async function readMime(contentType: string, body: AsyncIterable<Uint8Array>): Promise<ReceivedFile> {
  const parts: { contentId: string; bytes: Uint8Array }[] = [];
  for await (const part of readMultipart(body, contentType, { limits: { body: LARGEST } }))
    parts.push({ contentId: part.contentId, bytes: await whole(part.bytes()) });
  const root = rootPart(parts, contentType);
  if (!root) throw new Fault('mime.parts', 'the message has no parts');
  const envelope = readEnvelope(root.bytes);
  if (envelope.kind !== 'message') throw new Fault('ebxml.kind', `an ebXML ${envelope.kind} carries no extract`);
  const payload = payloadPart(envelope, parts, root);
  if (!payload) throw new Fault('ebxml.payload', 'the message has no HL7 payload');
  const attachments = attachmentReferences(envelope).map((reference): Attachment => {
    const target = targetOf(reference);
    const described = readDescription(reference.description);
    const part = target?.at === 'here' ? partByContentId(parts, target.contentId) : undefined;
    return { ...described, documentId: reference.id && documentId(reference.id), bytes: part ? unzipped(part.bytes, described) : null };
  });
  return { root: withoutSkeleton(extractIn(payload.bytes), attachments), documents: documentsIn(attachments) };
}

/** By the manifest's word; what is no gzip stream although it should be stays as it is. */
function unzipped(bytes: Uint8Array, { compressed, filename }: Description): Uint8Array {
  if (!compressed || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: UNZIPPED });
  } catch (thrown) {
    throw new Fault('mime.gzip', `${filename ?? 'an attachment'} is no whole gzip stream: ${reasonOf(thrown)}`, { cause: thrown });
  }
}

function withoutSkeleton(root: XmlElement, attachments: readonly Attachment[]): XmlElement {
  const skeleton = attachments.find((attachment) => attachment.skeleton);
  if (!skeleton) return root;
  if (!skeleton.bytes) throw new Fault('hl7.skeleton', 'the record itself was sent in another message: this one is only its skeleton');
  return putInPlace(root, readXml(skeleton.bytes), skeleton.documentId ?? '');
}

function documentsIn(attachments: readonly Attachment[]): ReceivedFile['documents'] {
  const find = attachmentFinder(attachments.filter(({ skeleton }) => !skeleton));
  return (link) => {
    const found = find(link);
    if (!found) return { filename: link.filename ?? '', url: '', bytes: null, missing: 'The message announces no such document' };
    const missing = found.bytes ? null : 'The document was sent in another message';
    // Its place is the name in the extract: whoever unpacks the message finds it by that.
    return { filename: found.filename ?? '', url: '', bytes: found.bytes?.byteLength ?? null, missing };
  };
}

async function whole(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes > LARGEST) throw new Fault('input.limit', `more than ${LARGEST} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

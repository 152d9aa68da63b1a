/** What a kept message says, part by part, with everything for which a node would refuse it. */
import { createHash } from 'node:crypto';
import { Fault, reasonOf } from '../base/errors.ts';
import { readDescription } from '../ebxml/description.ts';
import { openEntity } from '../ebxml/entity.ts';
import { type Ebxml, type EbxmlMessage, readEnvelope } from '../ebxml/envelope.ts';
import { type MimePart, readMultipart } from '../ebxml/multipart.ts';
import { attachmentReferences, partByContentId, payloadPart, rootPart, targetOf } from '../ebxml/parts.ts';
import { type Payload, readPayload } from '../hl7v3/read.ts';
import type { XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/read.ts';
import { receiverDoes } from './receiver.ts';

export type Problem = { readonly code: string; readonly message: string };
export type PartSeen = {
  readonly contentId: string;
  readonly contentType: string;
  readonly encoding: string;
  /** With the Content-Transfer-Encoding undone, nothing unzipped. */
  readonly bytes: number;
  readonly sha256: string;
};
/** `faults`: why a node refuses it. `defects`: what is wrong and put up with. */
type Problems = { readonly faults: Problem[]; readonly defects: Problem[] };
export type Looked = { readonly faults: readonly Problem[]; readonly defects: readonly Problem[] } & (
  | {
      readonly kind: 'mime';
      readonly contentType: string;
      readonly parts: readonly PartSeen[];
      readonly envelope: Ebxml | null;
      readonly attachments: readonly AttachmentSeen[];
      readonly payload: PayloadSeen | null;
    }
  | { readonly kind: 'ebxml'; readonly envelope: Ebxml | null; readonly attachments: readonly AttachmentSeen[] }
  | { readonly kind: 'hl7'; readonly payload: PayloadSeen | null }
  | ({ readonly kind: 'json' } & JsonSeen)
  | { readonly kind: 'unknown' }
);
/** `receiver`: what a node would do with it, a sentence each. */
export type Inspection = Looked & { readonly receiver: readonly string[] };
export type PayloadSeen = Payload | { readonly interaction: 'other'; readonly root: string };
/** A manifest reference: where it leads and what it says. */
export type AttachmentSeen = {
  readonly href: string;
  readonly id: string | null;
  /** As written. */
  readonly text: string | null;
  readonly description: ReturnType<typeof readDescription>;
};
type JsonSeen = {
  /** A message as the existing message adaptor hands it on, a FHIR resource, or anything else. */
  readonly holds: 'message' | 'resource' | 'other';
  readonly resourceType?: string;
  readonly envelope?: Ebxml | null;
  readonly attachments?: readonly AttachmentSeen[];
  readonly payload?: PayloadSeen | null;
  readonly parts?: readonly PartSeen[];
};

/** XML that is looked into; a longer part is listed only. */
const LOOK_INTO = 64 * 1024 * 1024;

/** Reads a message of any kind. Never throws for what it holds: that stands in `faults`. */
export async function inspect(source: AsyncIterable<Uint8Array>): Promise<Inspection> {
  const seen = await look(source);
  return { ...seen, receiver: receiverDoes(seen) };
}

async function look(source: AsyncIterable<Uint8Array>): Promise<Looked> {
  const entity = await openEntity(source);
  if (entity.contentType !== null && /^multipart\//i.test(entity.contentType)) return inspectMime(entity.body, entity.contentType);
  const bytes = await collect(entity.body);
  const first = bytes
    .toString('utf8', 0, 256)
    .replace(/^\uFEFF/, '')
    .trimStart()[0];
  if (first === '{' || first === '[') return inspectJson(bytes.toString('utf8'));
  if (first !== '<' && !(bytes[0] === 0xff || bytes[0] === 0xfe))
    return { kind: 'unknown', defects: [], faults: [{ code: 'input.unknown', message: 'neither MIME nor XML nor JSON' }] };
  return inspectXml(bytes);
}

async function inspectMime(body: AsyncIterable<Uint8Array>, contentType: string): Promise<Looked> {
  const seen: Problems = { faults: [], defects: [] };
  const parts: (PartSeen & { readonly xml: Buffer | null })[] = [];
  try {
    for await (const part of readMultipart(body, contentType, {
      lenient: true,
      onDefect: (fault, tolerated) => (tolerated ? seen.defects : seen.faults).push(problem(fault)),
    }))
      parts.push(await seePart(part, seen));
  } catch (thrown) {
    seen.faults.push(problem(thrown));
  }
  const root = rootPart(parts, contentType);
  const envelope = root ? attempt(seen, () => readEnvelope(root.xml ?? new Uint8Array())) : null;
  let payload: PayloadSeen | null = null;
  if (envelope?.kind === 'message') {
    const part = payloadPart(envelope, parts, root);
    if (!part) seen.faults.push({ code: 'ebxml.missing', message: 'the message has no payload' });
    else payload = attempt(seen, () => seePayload(part.xml ?? Buffer.alloc(0)));
    checkReferences(envelope, parts, seen);
    checkAgreement(envelope, payload, seen);
  }
  const attachments = envelope?.kind === 'message' ? seeAttachments(envelope) : [];
  return { kind: 'mime', contentType, parts: parts.map(({ xml: _, ...part }) => part), envelope, attachments, payload, ...seen };
}

async function seePart(part: MimePart, seen: Problems): Promise<PartSeen & { xml: Buffer | null }> {
  const hash = createHash('sha256');
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of part.leaf()) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    // By content, not by label: the payload is what the manifest says, and labels are free.
    if (bytes <= LOOK_INTO && (kept.length > 0 || looksLikeXml(chunk))) kept.push(chunk);
  }
  const undecoded = part.undecoded();
  // A node keeps it as text: it may have to be joined with other pieces first.
  if (undecoded) seen.defects.push(problem(undecoded.fault));
  const { contentId, contentType, encoding } = part;
  const xml = bytes <= LOOK_INTO ? Buffer.concat(kept) : null;
  return { contentId, contentType, encoding, bytes, sha256: hash.digest('hex'), xml };
}

function looksLikeXml(chunk: Uint8Array): boolean {
  return /^(?:\xEF\xBB\xBF|\xFF\xFE|\xFE\xFF)?\s*</.test(Buffer.from(chunk.subarray(0, 64)).toString('latin1'));
}

function seePayload(bytes: Uint8Array | string): PayloadSeen {
  return payloadOf(readXml(bytes));
}

function payloadOf(root: XmlElement): PayloadSeen {
  try {
    return readPayload(root);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'hl7.interaction') return { interaction: 'other', root: root.name };
    throw thrown;
  }
}

function seeAttachments(envelope: EbxmlMessage): AttachmentSeen[] {
  return attachmentReferences(envelope).map(({ href, id, description }) => ({
    href,
    id,
    text: description,
    description: readDescription(description),
  }));
}

function checkReferences(envelope: EbxmlMessage, parts: readonly PartSeen[], seen: Problems): void {
  for (const reference of envelope.references) {
    const target = targetOf(reference);
    if (!target)
      seen.faults.push({
        code: 'ebxml.reference',
        message: `the manifest refers to ${reference.href || 'nothing'}, which is neither cid: nor mid:`,
      });
    else if (target.at === 'here' && !partByContentId(parts, target.contentId))
      seen.faults.push({ code: 'ebxml.reference', message: `the manifest refers to part ${target.contentId}, which is not there` });
  }
}

/** What only shows when envelope and payload are looked at side by side. */
function checkAgreement(envelope: EbxmlMessage, payload: PayloadSeen | null, seen: Problems): void {
  if (!payload) return;
  const root = payload.interaction === 'other' ? payload.root : payload.wrapper.interaction;
  if (root !== envelope.action)
    seen.faults.push({ code: 'hl7.interaction', message: `the action is ${envelope.action}, the payload ${root}` });
  if (payload.interaction === 'other') return;
  const { interactionId, messageId } = payload.wrapper;
  if (interactionId !== root)
    seen.defects.push({ code: 'hl7.interaction', message: `the payload ${root} calls itself ${interactionId ?? 'nothing'}` });
  if (messageId?.toUpperCase() !== envelope.messageId.toUpperCase())
    seen.defects.push({ code: 'hl7.id', message: `the payload's id ${messageId ?? '(none)'} is not the message id ${envelope.messageId}` });
  if (payload.interaction === 'extract' && payload.nhsNumber === null)
    seen.defects.push({ code: 'hl7.missing', message: 'the extract has no NHS number of ten digits' });
}

function inspectXml(bytes: Uint8Array): Looked {
  const seen: Problems = { faults: [], defects: [] };
  const root = attempt(seen, () => readXml(bytes));
  if (root?.name === 'Envelope') {
    const envelope = attempt(seen, () => readEnvelope(bytes));
    return { kind: 'ebxml', envelope, attachments: envelope?.kind === 'message' ? seeAttachments(envelope) : [], ...seen };
  }
  const payload = root && attempt(seen, () => payloadOf(root));
  if (payload?.interaction === 'other')
    seen.faults.push({ code: 'hl7.interaction', message: `${payload.root} is no interaction of GP2GP` });
  return { kind: 'hl7', payload, ...seen };
}

function inspectJson(text: string): Looked {
  const seen: Problems = { faults: [], defects: [] };
  const read = attempt<unknown>(seen, () => JSON.parse(text));
  if (typeof read !== 'object' || read === null) return { kind: 'json', holds: 'other', ...seen };
  const field = (name: string): unknown => Reflect.get(read, name);
  const resourceType = field('resourceType');
  if (typeof resourceType === 'string') return { kind: 'json', holds: 'resource', resourceType, ...seen };
  const ebxml = field('ebXML');
  const hl7 = field('payload');
  if (typeof ebxml !== 'string' && typeof hl7 !== 'string') return { kind: 'json', holds: 'other', ...seen };
  // What is handed to the adaptor for sending has no envelope yet.
  const envelope = typeof ebxml === 'string' ? attempt(seen, () => readEnvelope(ebxml)) : null;
  const payload = attempt(seen, () => seePayload(typeof hl7 === 'string' ? hl7 : ''));
  if (envelope?.kind === 'message') checkAgreement(envelope, payload, seen);
  const listed = field('attachments');
  const parts = (Array.isArray(listed) ? listed : []).map(seeJsonAttachment);
  const attachments = envelope?.kind === 'message' ? seeAttachments(envelope) : [];
  return { kind: 'json', holds: 'message', envelope, attachments, payload, parts, ...seen };
}

function seeJsonAttachment(attachment: unknown): PartSeen {
  const field = (name: string): unknown =>
    typeof attachment === 'object' && attachment !== null ? Reflect.get(attachment, name) : undefined;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const base64 = field('is_base64') === true;
  const bytes = Buffer.from(text(field('payload')), base64 ? 'base64' : 'utf8');
  return {
    contentId: text(field('content_id')),
    contentType: text(field('content_type')),
    encoding: base64 ? 'base64' : '8bit',
    bytes: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function attempt<T>(seen: Problems, read: () => T): T | null {
  try {
    return read();
  } catch (thrown) {
    seen.faults.push(problem(thrown));
    return null;
  }
}

function problem(thrown: unknown): Problem {
  return { code: thrown instanceof Fault ? thrown.code : 'input.unreadable', message: reasonOf(thrown) };
}

import type { Content, NonEmpty } from '../base/content.ts';
import { Fault } from '../base/errors.ts';
import { conversationId, documentId, type Instant, type MessageId, messageId, ods } from '../base/ids.ts';
import { readDescription } from '../ebxml/description.ts';
import { type EbxmlMessage, EnvelopeFault, type ManifestReference } from '../ebxml/envelope.ts';
import { attachmentReferences, partByContentId, targetOf } from '../ebxml/parts.ts';
import type { AcknowledgementRead } from '../hl7v3/acknowledgement.ts';
import { readExtractHead } from '../hl7v3/extract.ts';
import { type Payload, readPayload } from '../hl7v3/read.ts';
import { PayloadFault, type Wrapper } from '../hl7v3/wrapper.ts';
import { responseCode } from '../transfer/codes.ts';
import type { Addressed, Announced, Answer, Body, Envelope, Part, Received, Reference } from '../transfer/types.ts';
import { readXml } from '../xml/read.ts';
import type { ReceivedPart, ReceivedParts } from './receive-parts.ts';
import type { ObjectReader } from './wire-bytes.ts';

/**
 * A received message as the rest of the node knows it: envelope, manifest and payload read together. Of an extract only the head is read.
 * Throws a `Fault` (`ebxml.`, `hl7.`, `xml.`) where envelope and payload do not make a GP2GP message.
 */
export async function unpack(parts: ReceivedParts, receivedAt: Instant, objects: ObjectReader): Promise<Received> {
  const { envelope } = parts;
  if ('stored' in parts.payload) return await extract(parts, parts.payload.stored, receivedAt, objects);
  const payload = readPayload(readXml(parts.payload.small));
  if (payload.wrapper.interaction !== envelope.action)
    throw new PayloadFault('hl7.interaction', `the envelope says ${envelope.action}, the payload is ${payload.wrapper.interaction}`);
  const base = { ...envelopeOf(envelope, receivedAt, payload.wrapper, []), addressed: addressedOf(envelope, payload.wrapper) };
  switch (payload.interaction) {
    case 'request': {
      const { requestId, nhsNumber, from, to } = payload;
      return { ...base, interaction: 'request', requestId, nhsNumber, from, to };
    }
    case 'copc':
      return copc(parts, payload, base);
    case 'acknowledgement':
      return { ...base, ...acknowledged(payload) };
    case 'extract':
      throw new PayloadFault('hl7.interaction', 'an extract under the action of another interaction');
  }
}

/** What is left of a message whose parts or payload cannot be read: its transfer is found by the conversation. */
export function unreadable(
  envelope: EbxmlMessage,
  receivedAt: Instant,
  fault: string,
  parts: readonly Part[] = [],
): Received & { readonly interaction: 'unreadable' } {
  return {
    ...envelopeOf(envelope, receivedAt, null, []),
    addressed: addressedOf(envelope, null),
    interaction: 'unreadable',
    action: envelope.action,
    fault,
    ...(parts.length > 0 && { parts }),
  };
}

type Base = Envelope & { readonly addressed: Addressed };

function envelopeOf(envelope: EbxmlMessage, receivedAt: Instant, wrapper: Wrapper | null, more: readonly string[]): Envelope {
  const id = messageId(envelope.messageId);
  const others = [...(wrapper?.messageId ? [wrapper.messageId] : []), ...more].map((other) => other.trim().toUpperCase());
  return {
    messageId: id,
    aliases: [...new Set(others)].filter((other) => other !== id),
    conversationId: conversationId(envelope.conversationId),
    at: envelope.timestamp ?? receivedAt,
  };
}

function addressedOf({ fromPartyKey, toPartyKey }: EbxmlMessage, wrapper: Wrapper | null): Addressed {
  return { fromPartyKey, toPartyKey, fromAsid: wrapper?.fromAsid ?? null, toAsid: wrapper?.toAsid ?? null };
}

async function extract(parts: ReceivedParts, hl7: Content, receivedAt: Instant, objects: ObjectReader): Promise<Received> {
  const { envelope } = parts;
  const [piece] = hl7.pieces;
  if (piece.in !== 'store') throw new Fault('endpoint.part', 'the payload of an extract is not in the store');
  const head = await readExtractHead(objects.get(piece.object));
  if (!envelope.action.endsWith(head.version))
    throw new PayloadFault('hl7.interaction', `the envelope says ${envelope.action}, the payload is an extract ${head.version}`);
  return {
    ...envelopeOf(envelope, receivedAt, head.wrapper, [head.extractId]),
    addressed: addressedOf(envelope, head.wrapper),
    interaction: 'extract',
    version: head.version,
    extractId: head.extractId,
    nhsNumber: head.nhsNumber,
    hl7,
    references: referencesOf(parts, true),
  };
}

/** Whether content, index or continue: the payload tells a continue, the manifest the other two. */
function copc(parts: ReceivedParts, payload: Payload & { interaction: 'copc' }, base: Base): Received {
  const between = { from: ods(payload.from), to: ods(payload.to) };
  const references = referencesOf(parts, false);
  const [first, ...rest] = references;
  if (!first) {
    if (payload.shape === 'attachment')
      throw new EnvelopeFault('ebxml.missing', 'the message brings neither an attachment nor references to any');
    return { ...base, ...between, interaction: 'continue', of: payload.of === null ? null : messageId(payload.of) };
  }
  if (first.at === 'here' && rest.length === 0) {
    const { at: _at, part, ...said } = first;
    const filename = said.filename ?? payload.filename ?? undefined;
    return { ...base, ...between, interaction: 'piece', part, announced: { ...said, ...(filename && { filename }) } };
  }
  const announced: Announced = { ...(payload.filename && { filename: payload.filename }), compressed: false, skeleton: false };
  const children: NonEmpty<Reference> = [first, ...rest];
  return { ...base, ...between, interaction: 'index', children, announced };
}

type Acknowledged =
  | Extract<Body, { interaction: 'acknowledgement' }>
  | { readonly interaction: 'undelivered'; readonly of: MessageId; readonly fault: string };

/** Spine's own refusal comes in the same clothes as a practice's: it means that our message never arrived. */
function acknowledged({ of, typeCode, issues, code, fromSpine }: AcknowledgementRead): Acknowledged {
  const codes = issues.map((issue) => issue.code).join(' ');
  if (fromSpine) return { interaction: 'undelivered', of: messageId(of), fault: `Spine ${typeCode} ${codes}` };
  if (typeCode === 'AA') return { interaction: 'acknowledgement', of: messageId(of), answer: { accepted: true } };
  if (typeCode !== 'AE' && typeCode !== 'AR')
    throw new PayloadFault('hl7.missing', `the acknowledgement is neither positive nor negative: ${JSON.stringify(typeCode.slice(0, 20))}`);
  const answer: Answer = { accepted: false, code: code === null ? null : responseCode(code), raw: `${typeCode} ${codes}`.trim() };
  return { interaction: 'acknowledgement', of: messageId(of), answer };
}

/**
 * The attachments that ride here and those that come in other messages, in the order of the manifest; then those that it does not
 * name. An attachment of a core is whole, so its compression is known; a piece's belongs to the whole that it is cut from.
 */
function referencesOf({ envelope, attachments }: ReceivedParts, whole: boolean): Reference[] {
  const references: Reference[] = [];
  const named = new Set<ReceivedPart>();
  for (const line of attachmentReferences(envelope)) {
    const target = targetOf(line);
    const announced = announcedBy(line);
    if (target?.at === 'message') references.push({ ...announced, at: 'message', messageId: messageId(target.messageId) });
    else {
      const part = target ? partByContentId(attachments, target.contentId) : undefined;
      if (!part) throw new EnvelopeFault('ebxml.missing', `the manifest names ${line.href.slice(0, 120)}, which is not in the message`);
      named.add(part);
      references.push(here(part, announced, whole));
    }
  }
  for (const part of attachments) if (!named.has(part)) references.push(here(part, { compressed: false, skeleton: false }, whole));
  return references;
}

function here(part: ReceivedPart, announced: Announced, whole: boolean): Reference {
  const content = { ...part.content, gzip: whole && announced.compressed };
  return { ...announced, at: 'here', part: { contentId: part.contentId, contentType: part.contentType, content } };
}

function announcedBy({ id, description }: ManifestReference): Announced {
  const { originalBase64: _ignored, ...said } = readDescription(description);
  return { ...said, ...(id && { documentId: documentId(id) }) };
}

/** The message of the existing adaptor's inbound queue: envelope, payload and attachments as texts of one JSON object. */
import type { Content } from '../../base/content.ts';
import { wholeObject } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import { asBase64Text, decodeBase64, type Undecoded } from '../../ebxml/base64.ts';
import { readDescription } from '../../ebxml/description.ts';
import { type EbxmlMessage, EnvelopeFault, readEnvelope } from '../../ebxml/envelope.ts';
import { attachmentReferences, partByContentId, targetOf } from '../../ebxml/parts.ts';
import { readJson } from '../../fhir/json.ts';
import { list, member, text } from '../../fhir/members.ts';
import type { Objects } from '../../objects/objects.ts';
import { digestOf, isExtract, type ReceivedPart, type ReceivedParts } from '../receive-parts.ts';

/** The body of a queue message as text, in whichever of the forms that consumers are known to meet it. `null` where it is none of them. */
export function bodyText(body: unknown): string | null {
  const plain =
    typeof body === 'string'
      ? body
      : body instanceof Uint8Array
        ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
        : sectionsOf(body);
  if (plain === null) return null;
  const trimmed = plain.trim();
  // Some clients send the whole of it as base64.
  return !trimmed.startsWith('{') && /^[A-Za-z0-9+/\r\n]+={0,2}$/.test(trimmed.slice(-4_096))
    ? Buffer.from(trimmed, 'base64').toString('utf8')
    : plain;
}

/** Data sections, one or several. */
function sectionsOf(body: unknown): string | null {
  const content = member(body, 'content');
  if (content instanceof Uint8Array) return bodyText(content);
  if (!Array.isArray(content) || !content.every((each) => each instanceof Uint8Array)) return null;
  return Buffer.concat(content).toString('utf8');
}

/**
 * Reads a queue message and keeps its attachments, as if its parts had come over the wire. Throws `Fault` `queue.unreadable` where it is
 * no such message, `EnvelopeFault` where its envelope cannot be used.
 */
export async function readQueueMessage(body: string, objects: Objects): Promise<ReceivedParts> {
  let message: unknown;
  try {
    message = readJson(Buffer.from(body, 'utf8'));
  } catch (cause) {
    throw new Fault('queue.unreadable', 'the message of the queue is no JSON', { cause });
  }
  const ebxml = member(message, 'ebXML');
  const payload = member(message, 'payload');
  if (typeof ebxml !== 'string' || typeof payload !== 'string')
    throw new Fault('queue.unreadable', 'the message of the queue has no ebXML or no payload');
  const envelope = readEnvelope(ebxml);
  if (envelope.kind !== 'message') throw new EnvelopeFault('ebxml.malformed', 'a signal does not come by the queue');
  const attachments: ReceivedPart[] = [];
  for (const each of list(message, 'attachments')) {
    const written = member(each, 'payload');
    if (typeof written !== 'string') throw new Fault('queue.unreadable', 'an attachment of the queue message has no payload');
    // One consumer reads the flag as text.
    const base64 = member(each, 'is_base64') === true || member(each, 'is_base64') === 'true';
    attachments.push({
      contentId: text(each, 'content_id') ?? '',
      contentType: text(each, 'content_type') ?? 'application/octet-stream',
      encoding: base64 ? 'base64' : '8bit',
      content: base64 ? await decoded(written, objects) : wholeObject(await objects.put(Buffer.from(written, 'utf8'))),
    });
  }
  const bytes = Buffer.from(payload, 'utf8');
  const kept: ReceivedParts['payload'] = isExtract(envelope) ? { stored: wholeObject(await objects.put(bytes)) } : { small: bytes };
  const payloadPart =
    'small' in kept ? { contentId: '', contentType: '', small: bytes } : { contentId: '', contentType: '', content: kept.stored };
  return { envelope, envelopeText: ebxml, payload: kept, attachments, digest: digestOf(envelope, [payloadPart, ...attachments]) };
}

/** A leaf that does not decode by itself is kept as text: it may have been cut inside a group of four characters. */
async function decoded(written: string, objects: Objects): Promise<Content> {
  let undecoded: Undecoded | null = null;
  const source = decodeBase64(once(Buffer.from(written, 'latin1')), {
    onFault: (where) => {
      undecoded = where;
    },
  });
  const object = await objects.put(source);
  const left = undecoded as Undecoded | null;
  if (!left) return wholeObject(object);
  return { ...wholeObject(await objects.put(asBase64Text(objects.get(object), left.decoded))), stored: 'base64' };
}

/**
 * The queue message of a received one, in pieces, none of them held whole: documents are encoded on their way. Attachments that the
 * manifest does not name go with it too; who reads it decides.
 */
export async function* writeQueueMessage(
  {
    envelope,
    envelopeText,
    payload,
    attachments,
  }: {
    readonly envelope: EbxmlMessage;
    readonly envelopeText: string;
    readonly payload: string;
    readonly attachments: readonly ReceivedPart[];
  },
  read: (content: Content) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const references = attachmentReferences(envelope);
  const here = new Map<ReceivedPart, string>();
  const elsewhere: object[] = [];
  for (const { href, id, description } of references) {
    const target = targetOf({ href });
    const said = tidy(description ?? '');
    if (target?.at === 'message')
      elsewhere.push({
        document_id: id ?? '',
        message_id: href.split(':')[1] ?? '',
        description: said,
        title: readDescription(description).filename ?? '',
      });
    else {
      const part = target && partByContentId(attachments, target.contentId);
      if (part) here.set(part, said);
    }
  }
  yield Buffer.from(`{"ebXML":${JSON.stringify(envelopeText)},"payload":${JSON.stringify(payload)},"attachments":[`, 'utf8');
  for (const [at, part] of attachments.entries()) {
    const about = {
      is_base64: part.encoding === 'base64',
      content_id: part.contentId,
      content_type: part.contentType,
      description: here.get(part) ?? '',
    };
    yield Buffer.from(`${at > 0 ? ',' : ''}{"payload":`, 'utf8');
    if (about.is_base64) {
      yield Buffer.from('"', 'latin1');
      if (part.content.stored === 'base64') yield* read(part.content);
      else yield* encoded(read(part.content));
      yield Buffer.from('"', 'latin1');
    } else yield Buffer.from(JSON.stringify(await textOf(read(part.content))), 'utf8');
    yield Buffer.from(`,${JSON.stringify(about).slice(1)}`, 'utf8');
  }
  yield Buffer.from(`],"external_attachments":${JSON.stringify(elsewhere)}}`, 'utf8');
}

/** Without line ends and tabs, as the adaptor gives it on. */
function tidy(description: string): string {
  return description.replace(/[\r\n\t]/g, '').trim();
}

async function* encoded(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const bytes of source) {
    const joined = rest.byteLength ? Buffer.concat([rest, bytes]) : bytes;
    const whole = joined.byteLength - (joined.byteLength % 3);
    if (whole) yield Buffer.from(Buffer.from(joined.buffer, joined.byteOffset, whole).toString('base64'), 'latin1');
    rest = Uint8Array.from(joined.subarray(whole));
  }
  if (rest.byteLength) yield Buffer.from(Buffer.from(rest).toString('base64'), 'latin1');
}

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The HL7 payload out of whatever a message is kept in. */
import { Fault } from '../base/errors.ts';
import { openEntity } from '../ebxml/entity.ts';
import { readEnvelope } from '../ebxml/envelope.ts';
import { readMultipart } from '../ebxml/multipart.ts';
import { payloadPart, rootPart } from '../ebxml/parts.ts';

type Part = { readonly contentId: string; readonly content: Buffer };

/** The bytes of the payload in a MIME message, in a message of the existing adaptor (JSON), or of the source itself. Throws `Fault`. */
export async function payloadBytes(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const { contentType, body } = await openEntity(source);
  if (contentType !== null && /^multipart\//i.test(contentType)) {
    const parts: Part[] = [];
    for await (const part of readMultipart(body, contentType, { limits: { body: Number.POSITIVE_INFINITY } }))
      parts.push({ contentId: part.contentId, content: await collect(part.bytes()) });
    const root = rootPart(parts, contentType);
    const envelope = readEnvelope(root?.content ?? '');
    const payload = envelope.kind === 'message' ? payloadPart(envelope, parts, root) : undefined;
    if (!payload) throw new Fault('input.payload', 'the message has no HL7 payload');
    return payload.content;
  }
  const bytes = await collect(body);
  if (!/^(?:\xEF\xBB\xBF)?\s*\{/.test(bytes.toString('latin1', 0, 64))) return bytes;
  let read: unknown;
  try {
    read = JSON.parse(bytes.toString('utf8'));
  } catch (thrown) {
    throw new Fault('input.payload', 'the file is neither XML nor MIME nor JSON', { cause: thrown });
  }
  const payload: unknown = typeof read === 'object' && read !== null ? Reflect.get(read, 'payload') : undefined;
  if (typeof payload !== 'string') throw new Fault('input.payload', 'the JSON has no payload');
  return Buffer.from(payload, 'utf8');
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

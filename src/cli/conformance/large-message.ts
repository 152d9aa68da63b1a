import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { Content } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import { documentId, messageId } from '../../base/ids.ts';
import { readDescription } from '../../ebxml/description.ts';
import { readEnvelope } from '../../ebxml/envelope.ts';
import { attachmentReferences, targetOf } from '../../ebxml/parts.ts';
import { readJson } from '../../fhir/json.ts';
import { putInPlace } from '../../hl7v3/skeleton.ts';
import { readWrapper } from '../../hl7v3/wrapper.ts';
import { attachmentFinder } from '../../record/document/match.ts';
import type { Terminology } from '../../record/types.ts';
import { type Attachment, assemble, type LedgerPart } from '../../transfer/parts.ts';
import type { Announced } from '../../transfer/types.ts';
import type { XmlElement } from '../../xml/element.ts';
import { readXml } from '../../xml/read.ts';
import type { Answer, BatchCase } from './case.ts';
import { extractToFhir } from './record.ts';

/** A message as the existing message handler delivers it. */
type Delivered = {
  readonly ebXML?: string;
  readonly payload: string;
  readonly attachments?: readonly { readonly is_base64?: string; readonly description?: string; readonly payload?: string }[];
  readonly external_attachments?: readonly { readonly message_id?: string; readonly document_id?: string; readonly description?: string }[];
};
type Message = { readonly id: string; readonly root: XmlElement; readonly delivered: Delivered };

/** The messages of one transfer, joined and converted: the first is the core. */
export async function largeMessage(asked: BatchCase, terminology: Terminology): Promise<Answer> {
  const { core, attachments } = await joined(asked.messages);
  const skeleton = attachments.find(({ announced }) => announced.skeleton);
  const root = skeleton ? putInPlace(core, readXml(skeleton.bytes ?? new Uint8Array()), skeleton.announced.documentId ?? '') : core;
  const find = attachmentFinder(
    attachments.map(({ announced, bytes }) => ({ documentId: announced.documentId, filename: announced.filename, bytes })),
  );
  return extractToFhir(root, asked, terminology, (link) => {
    const found = find(link);
    if (!found) return undefined;
    const filename = found.filename ?? '';
    return { filename, url: filename, bytes: found.bytes?.byteLength ?? null, missing: found.bytes ? null : 'The document did not come' };
  });
}

export type Joined = {
  readonly core: XmlElement;
  /** `bytes` is null where a piece did not come. */
  readonly attachments: readonly { readonly announced: Announced; readonly bytes: Uint8Array | null }[];
  /** Ids of the messages that were announced, in the order in which they were. */
  readonly announced: readonly string[];
};

/** Reads the messages of one transfer, the core first, and joins what was split. */
export async function joined(files: readonly string[]): Promise<Joined> {
  const messages = await Promise.all(files.map(readMessage));
  const [core] = messages;
  if (!core) throw new Fault('batch.input', 'no messages');
  const parts = messages.flatMap((message) => partsOf(message, messages));
  return {
    core: core.root,
    attachments: assemble(messageId(core.id), parts).map(received),
    announced: parts.filter(({ key }) => !key.includes('#')).map(({ key }) => key),
  };
}

async function readMessage(file: string): Promise<Message> {
  const delivered = readJson(await readFile(file)) as Delivered;
  const root = readXml(delivered.payload);
  return { id: messageId(readWrapper(root).messageId ?? ''), root, delivered };
}

/** The ledger lines that a message announces: what rides inside it first, then what travels by itself. */
function partsOf({ id, delivered }: Message, all: readonly Message[]): LedgerPart[] {
  const under = messageId(id);
  const ids = inlineIds(delivered);
  const inside = (delivered.attachments ?? []).map((attachment, order) => ({
    key: `${id}#${order}`,
    announced: announced(attachment.description, ids[order]),
    content: contentOf(attachment),
    index: false,
  }));
  const outside = (delivered.external_attachments ?? []).map((attachment) => {
    const key = messageId(attachment.message_id ?? '');
    const message = all.find((one) => one.id === key);
    const index = (message?.delivered.external_attachments ?? []).length > 0;
    const leaf = index ? undefined : message?.delivered.attachments?.[0];
    return { key, announced: announced(attachment.description, attachment.document_id), content: leaf ? contentOf(leaf) : null, index };
  });
  // A piece carries its content in its own attachment: that is no further announcement.
  const isPiece = all.some((one) => one.delivered.external_attachments?.some(({ message_id }) => messageId(message_id ?? '') === id));
  const parts = isPiece && outside.length === 0 ? [] : [...inside, ...outside];
  return parts.map((part, order) => ({ ...part, under, order }));
}

function announced(description: string | undefined, id: string | undefined): Announced {
  return { ...readDescription(description ?? null), ...(id && { documentId: documentId(id) }) };
}

/** Document ids of the attachments inside a message, from its manifest; test material has envelopes that cannot be read. */
function inlineIds({ ebXML }: Delivered): (string | undefined)[] {
  let envelope: ReturnType<typeof readEnvelope>;
  try {
    envelope = readEnvelope(ebXML ?? '');
  } catch (thrown) {
    if (thrown instanceof Fault) return [];
    throw thrown;
  }
  if (envelope.kind !== 'message') return [];
  return attachmentReferences(envelope)
    .filter((reference) => targetOf(reference)?.at === 'here')
    .map(({ id }) => id ?? undefined);
}

function contentOf({ payload = '', is_base64 }: { payload?: string; is_base64?: string }): Content {
  const data = Buffer.from(payload, String(is_base64).toLowerCase() === 'true' ? 'base64' : 'utf8');
  return { pieces: [{ in: 'row', data }], stored: 'bytes', gzip: false };
}

/** The bytes of a joined attachment, unzipped by the core's word; content that is mislabelled stays as it is. */
function received({ announced, content }: Attachment): { announced: Announced; bytes: Uint8Array | null } {
  if (!content) return { announced, bytes: null };
  const bytes = Buffer.concat(content.pieces.map((piece) => (piece.in === 'row' ? piece.data : new Uint8Array())));
  const zipped = announced.compressed && bytes[0] === 0x1f && bytes[1] === 0x8b;
  return { announced, bytes: zipped ? gunzipSync(bytes) : bytes };
}

import { open } from 'node:fs/promises';
import { Fault } from '../../base/errors.ts';
import { attr, child, children, textOf, type XmlElement } from '../../xml/element.ts';
import { readXml } from '../../xml/read.ts';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const EB = 'http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd';
export const SIGNAL_SERVICE = 'urn:oasis:names:tc:ebxml-msg:service';

/** What the hub has to know of a message to carry it. Texts as they stand in the envelope, surrounding space gone. */
export type HubEnvelope = {
  readonly from: string;
  readonly to: string;
  readonly cpaId: string;
  readonly conversationId: string;
  readonly service: string;
  readonly action: string;
  readonly messageId: string;
  readonly timestamp: string;
  readonly refToMessageId: string | null;
  readonly duplicateElimination: boolean;
  readonly ackRequested: boolean;
  /** Acknowledgments and errors: never acknowledged themselves. */
  readonly signal: boolean;
  /** Of an Acknowledgment or error: what it is about, and the errors it lists. */
  readonly acknowledges: string | null;
  readonly errors: readonly { readonly code: string; readonly severity: string; readonly text: string }[];
};

/** A message the hub cannot read: answered with a SOAP fault, as Spine does. */
export class EnvelopeFault extends Fault {
  constructor(message: string) {
    super('hub.envelope', message);
    this.name = 'EnvelopeFault';
  }
}

/**
 * The hub's own reader of the envelope: written apart from the product's, and stricter, so that a mistake in what a node
 * writes is refused here instead of being agreed with. Throws `EnvelopeFault`.
 */
export function readHubEnvelope(xml: Uint8Array): HubEnvelope {
  let root: XmlElement;
  try {
    root = readXml(xml);
  } catch (thrown) {
    throw new EnvelopeFault(`the envelope is not well formed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
  if (root.name !== 'Envelope' || root.ns !== SOAP) throw new EnvelopeFault(`no SOAP envelope but ${root.name}`);
  const top = only(root, 'Header', SOAP);
  only(root, 'Body', SOAP);
  const header = only(top, 'MessageHeader', EB);
  if (attr(header, 'version') !== '2.0') throw new EnvelopeFault('MessageHeader without version 2.0');
  const data = only(header, 'MessageData', EB);
  const service = required(header, 'Service');
  const acknowledgment = child(top, 'Acknowledgment');
  const errorList = child(top, 'ErrorList');
  const refToMessageId = textOf(child(data, 'RefToMessageId')).trim() || null;
  return {
    from: required(only(header, 'From', EB), 'PartyId'),
    to: required(only(header, 'To', EB), 'PartyId'),
    cpaId: required(header, 'CPAId'),
    conversationId: required(header, 'ConversationId'),
    service,
    action: required(header, 'Action'),
    messageId: required(data, 'MessageId'),
    timestamp: required(data, 'Timestamp'),
    refToMessageId,
    duplicateElimination: child(header, 'DuplicateElimination') !== undefined,
    ackRequested: child(top, 'AckRequested') !== undefined,
    signal: service === SIGNAL_SERVICE,
    acknowledges: acknowledgment ? required(acknowledgment, 'RefToMessageId') : null,
    errors: children(errorList, 'Error').map((error) => ({
      code: attr(error, 'errorCode') ?? '',
      severity: attr(error, 'severity') ?? 'Error',
      text: textOf(child(error, 'Description')).trim(),
    })),
  };
}

function only(parent: XmlElement, name: string, ns: string): XmlElement {
  const found = children(parent, name).filter((element) => element.ns === ns);
  const [first] = found;
  if (!first || found.length > 1) throw new EnvelopeFault(`${parent.name} has ${found.length} ${name} where one is required`);
  return first;
}

function required(parent: XmlElement, name: string): string {
  const text = textOf(only(parent, name, EB)).trim();
  if (!text) throw new EnvelopeFault(`${parent.name}/${name} is empty`);
  return text;
}

/** The boundary of a multipart content type, and the content id of its root part. */
export function multipartParameters(contentType: string): { readonly boundary: string; readonly start: string | null } | null {
  if (!/^\s*multipart\/related\s*(;|$)/i.test(contentType)) return null;
  const found = new Map<string, string>();
  for (const match of contentType.matchAll(/;\s*([A-Za-z0-9-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g)) {
    found.set((match[1] ?? '').toLowerCase(), match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
  }
  const boundary = found.get('boundary');
  return boundary ? { boundary, start: found.get('start') ?? null } : null;
}

const ENVELOPE_LIMIT = 2 * 1024 * 1024;

/**
 * The bytes of the first part of a multipart body, which is `bytes` of a file from a byte on. `start` is as much of it as is in memory
 * already. Throws `EnvelopeFault`.
 */
export async function firstPart(
  { path, from, bytes }: { readonly path: string; readonly from: number; readonly bytes: number },
  boundary: string,
  start: Buffer,
): Promise<Buffer> {
  const delimiter = Buffer.from(`--${boundary}`);
  const there = betweenBoundaries(start, delimiter);
  if (there) return there;
  const file = await open(path, 'r');
  try {
    let head = start;
    while (head.byteLength <= ENVELOPE_LIMIT) {
      const most = Math.min(262_144, bytes - head.byteLength);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(262_144), 0, most, from + head.byteLength);
      if (bytesRead === 0) throw new EnvelopeFault('the first part has no end');
      head = Buffer.concat([head, buffer.subarray(0, bytesRead)]);
      const part = betweenBoundaries(head, delimiter);
      if (part) return part;
    }
    throw new EnvelopeFault(`no second boundary within ${ENVELOPE_LIMIT} bytes`);
  } finally {
    await file.close();
  }
}

function betweenBoundaries(head: Buffer, delimiter: Buffer): Buffer | null {
  const first = atLineStart(head, delimiter, 0);
  if (first < 0) return null;
  const second = atLineStart(head, delimiter, first + delimiter.byteLength);
  if (second < 0) return null;
  const part = head.subarray(head.indexOf('\n', first) + 1, second);
  const crlf = part.indexOf('\r\n\r\n');
  const lf = part.indexOf('\n\n');
  const blank = crlf >= 0 && (lf < 0 || crlf < lf) ? crlf + 4 : lf + 2;
  if (crlf < 0 && lf < 0) throw new EnvelopeFault('the first part has no empty line after its headers');
  return part.subarray(blank);
}

/** A delimiter counts only where a line begins. */
function atLineStart(text: Buffer, delimiter: Buffer, from: number): number {
  for (let at = text.indexOf(delimiter, from); at >= 0; at = text.indexOf(delimiter, at + 1)) {
    if (at === 0 || text[at - 1] === 0x0a) return at;
  }
  return -1;
}

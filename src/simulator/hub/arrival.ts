import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Fault } from '../../base/errors.ts';
import { readAt, syncFile, withFile, writeAll } from '../../objects/file.ts';
import { gather } from '../rooms.ts';
import { EnvelopeFault, firstPart, type HubEnvelope, multipartParameters, readHubEnvelope } from './envelope.ts';
import { OVER } from './spool.ts';

const PARTS = 100;
/** In which the envelope mostly is. */
const START_BYTES = 65_536;
const HOP_BY_HOP = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);

/** A request that Spine would not take: HTTP status and TMS code of the SOAP fault. */
export class Refusal extends Fault {
  readonly status: number;
  override readonly code: string;
  constructor(status: number, code: string, message: string) {
    super('hub.refused', message);
    this.status = status;
    this.code = code;
  }
}

/** `at`: where in the file the body begins; `start`: its first bytes, in which the envelope mostly is. */
export type KeptBody = { readonly bytes: number; readonly sha256: string; readonly at: number; readonly start: Buffer };

/** Streams a request into a file of the spool behind its `Content-Type` line, and onto the disk. */
export async function keepBody(request: IncomingMessage, path: string, contentType: string, most: number): Promise<KeptBody> {
  const head = Buffer.from(`Content-Type: ${contentType}\r\n\r\n`, 'latin1');
  const parameters = multipartParameters(contentType);
  const count = parameters ? countOf(Buffer.from(`\n--${parameters.boundary}`)) : null;
  const hash = createHash('sha256');
  let bytes = 0;
  let start = Buffer.alloc(0);
  await withFile(path, OVER, async (file) => {
    let behind = head.byteLength;
    await gather(request, head, async (piece) => {
      const body = piece.subarray(behind);
      behind = 0;
      if (bytes === 0) start = Buffer.from(body.subarray(0, START_BYTES));
      bytes += body.byteLength;
      if (bytes > most) throw new Refusal(413, '300', `a request of more than ${most} bytes`);
      hash.update(body);
      count?.feed(body);
      await writeAll(file, piece);
    });
    await syncFile(file);
  });
  // Each part has one delimiter, the last boundary closes; the first delimiter may stand at the very start.
  if (count && count.total() > PARTS + 1) throw new Refusal(500, '300', `more than ${PARTS} MIME parts`);
  return { bytes, sha256: hash.digest('hex'), at: head.byteLength, start };
}

/** Counts a text in a stream, also where it lies across two pieces. */
function countOf(needle: Buffer): { feed(piece: Buffer): void; total(): number } {
  const across = needle.byteLength - 1;
  let tail = Buffer.alloc(0);
  let total = 0;
  const within = (text: Buffer): void => {
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.byteLength)) total++;
  };
  return {
    feed: (piece) => {
      // Shorter than the text on either side of the seam: what is found here is found nowhere else.
      within(Buffer.concat([tail, piece.subarray(0, across)]));
      within(piece);
      tail = Buffer.concat([tail, piece.subarray(-across)]).subarray(-across);
    },
    total: () => total,
  };
}

export async function readArrival(path: string, body: KeptBody, contentType: string): Promise<HubEnvelope> {
  const parameters = multipartParameters(contentType);
  if (parameters) return readHubEnvelope(await firstPart({ path, from: body.at, bytes: body.bytes }, parameters.boundary, body.start));
  if (!/^\s*text\/xml\b/i.test(contentType)) throw new EnvelopeFault(`Content-Type ${JSON.stringify(contentType)} is not carried here`);
  return await withFile(path, 'r', async (file) => {
    const xml = Buffer.alloc(body.bytes);
    await readAt(file, xml, body.at);
    const envelope = readHubEnvelope(xml);
    if (!envelope.signal) throw new EnvelopeFault(`${envelope.action} is not multipart`);
    return envelope;
  });
}

export function checkAction(soapAction: string | undefined, envelope: HubEnvelope): void {
  if (soapAction === undefined) throw new Refusal(500, '101', 'no SOAPAction');
  const said = soapAction.trim().replace(/^"(.*)"$/, '$1');
  const expected = `${envelope.service}/${envelope.action}`;
  if (said !== expected) throw new Refusal(500, '101', `SOAPAction ${said} does not agree with ${expected}`);
}

export function headersOf(request: IncomingMessage): (readonly [string, string])[] {
  const list: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) list.push([name, request.rawHeaders[i + 1] ?? '']);
  }
  return list;
}

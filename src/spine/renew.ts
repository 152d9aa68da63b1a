import { type Instant, instant, type MessageId, messageId } from '../base/ids.ts';
import { type Packed, type WirePiece, wireLength } from '../base/wire.ts';
import { writeTimestamp } from '../ebxml/soap.ts';
import { type ObjectReader, wireBytes } from './wire-bytes.ts';

/** Within which the envelope and the beginning of the payload stand, and an envelope that was too large for its row. */
const ENVELOPE_BYTES = 2 * 1024 * 1024;
/** A payload begins with its wrapper, and that with its id. */
const WRAPPER_BYTES = 4096;

/**
 * A message made anew, its time to live being over: written and living from now on, under a new id; the rest are the same slices.
 * `keepId`: the id was promised in another message (a part's is), and only the times change. Objects are only read.
 */
export async function renewPacked(
  packed: Packed,
  {
    now,
    newId,
    keepId,
    objects,
  }: { readonly now: Date; readonly newId: () => string; readonly keepId: boolean; readonly objects: ObjectReader },
): Promise<Packed> {
  const id = keepId ? packed.messageId : messageId(newId());
  const [first, ...others] = packed.body;
  const texts = {
    from: packed.messageId,
    to: id,
    at: instant(now),
    until: instant(new Date(now.getTime() + packed.persistSeconds * 1000)),
  };
  const begun: WirePiece = { in: 'row', data: Buffer.from(renewed(await textOf(first, objects), texts), 'utf8'), encode: 'none' };
  const rest: WirePiece[] = [];
  let open = id !== packed.messageId;
  for (const piece of others) {
    // The payload of an extract begins its own slice, which holds the id once more.
    if (open && piece.in === 'store' && piece.encode !== 'base64') rest.push(...(await renewedSlice(piece, texts, objects)));
    else rest.push(piece);
    open = false;
  }
  const body = [begun, ...rest] as const;
  const headers =
    packed.headers &&
    Object.fromEntries(Object.entries(packed.headers).map(([name, value]) => [name, value.replaceAll(packed.messageId, id)]));
  return {
    ...packed,
    messageId: id,
    body,
    ...(headers && { headers }),
    contentLength: packed.contentLength === null ? null : wireLength(body),
  };
}

type Texts = { readonly from: MessageId; readonly to: MessageId; readonly at: Instant; readonly until: Instant };

/** Envelope and what of the payload stands beside it. Nothing but the message itself is called by its id there. */
function renewed(text: string, { from, to, at, until }: Texts): string {
  return text
    .replace(/(<eb:Timestamp>)[^<]*(<\/eb:Timestamp>)/, `$1${writeTimestamp(at)}$2`)
    .replace(/(<eb:TimeToLive>)[^<]*(<\/eb:TimeToLive>)/, `$1${writeTimestamp(until)}$2`)
    .replaceAll(from, to);
}

async function renewedSlice(piece: WirePiece & { in: 'store' }, { from, to }: Texts, objects: ObjectReader): Promise<WirePiece[]> {
  const end = Math.min(piece.to, piece.from + WRAPPER_BYTES);
  const head = Buffer.from(await textOf({ ...piece, to: end, encode: 'none' }, objects, 'latin1'), 'latin1');
  const at = head.indexOf(from);
  if (at < 0) return [piece];
  const data = Buffer.concat([head.subarray(0, at), Buffer.from(to), head.subarray(at + from.length)]);
  return [{ in: 'row', data, encode: piece.encode }, ...(end < piece.to ? [{ ...piece, from: end }] : [])];
}

async function textOf(piece: WirePiece, objects: ObjectReader, encoding: 'utf8' | 'latin1' = 'utf8'): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const each of wireBytes([piece], objects)) {
    pieces.push(each);
    bytes += each.byteLength;
    if (bytes > ENVELOPE_BYTES) break;
  }
  return Buffer.concat(pieces).toString(encoding);
}

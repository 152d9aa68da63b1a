import type { ObjectRef } from '../base/content.ts';
import { Fault, reasonOf } from '../base/errors.ts';
import type { WireBody, WirePiece } from '../base/wire.ts';

/** What sending needs of the object store. */
export type ObjectReader = { get(object: ObjectRef, from?: number, to?: number): AsyncIterable<Uint8Array> };

/**
 * The bytes of a packed body, read from the store and encoded on the way; no piece is ever held whole. Throws `Fault`
 * `spine.bodyUnreadable` where the store does not give what the row promises.
 */
export async function* wireBytes(body: WireBody, objects: ObjectReader): AsyncGenerator<Uint8Array> {
  // Up to two bytes that do not fill a group of three yet.
  let rest: Uint8Array = new Uint8Array();
  const text = jsonText();
  for (const piece of body) {
    if (piece.encode !== 'base64' && rest.byteLength) {
      yield base64(rest);
      rest = new Uint8Array();
    }
    if (piece.encode !== 'json') {
      const last = text.end();
      if (last.byteLength) yield last;
    }
    if (piece.encode === 'json') {
      for await (const bytes of piece.in === 'row' ? [piece.data] : stored(piece, objects)) yield text.write(bytes);
      continue;
    }
    if (piece.encode === 'none') {
      yield* piece.in === 'row' ? [piece.data] : stored(piece, objects);
      continue;
    }
    for await (const bytes of piece.in === 'row' ? [piece.data] : stored(piece, objects)) {
      const joined = rest.byteLength ? Buffer.concat([rest, bytes]) : bytes;
      const whole = joined.byteLength - (joined.byteLength % 3);
      if (whole) yield base64(joined.subarray(0, whole));
      // Copied: the store may use its buffer again.
      rest = Uint8Array.from(joined.subarray(whole));
    }
  }
  if (rest.byteLength) yield base64(rest);
  const last = text.end();
  if (last.byteLength) yield last;
}

/** Text in pieces as it stands in a JSON text: a character cut in two by the pieces is one all the same. */
function jsonText(): { write(bytes: Uint8Array): Uint8Array; end(): Uint8Array } {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const escaped = (text: string): Uint8Array => Buffer.from(JSON.stringify(text).slice(1, -1), 'utf8');
  return { write: (bytes) => escaped(decoder.decode(bytes, { stream: true })), end: () => escaped(decoder.decode()) };
}

function base64(bytes: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'), 'latin1');
}

async function* stored(piece: WirePiece & { in: 'store' }, objects: ObjectReader): AsyncGenerator<Uint8Array> {
  const { object, from, to } = piece;
  let bytes = 0;
  try {
    for await (const chunk of objects.get(object, from, to)) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  } catch (thrown) {
    throw unreadable(object, reasonOf(thrown), thrown);
  }
  if (bytes !== to - from) throw unreadable(object, `${bytes} bytes instead of ${to - from}`, null);
}

function unreadable(object: ObjectRef, why: string, cause: unknown): Fault {
  return new Fault('spine.bodyUnreadable', `object ${object.sha256} cannot be sent: ${why}`, {
    remedy: 'check the object store (`gp2gp store verify`); restore the object from a backup, then resend',
    cause,
  });
}

import type { ObjectRef } from '../base/content.ts';
import { Fault, reasonOf } from '../base/errors.ts';
import type { WireBody, WirePiece } from '../base/wire.ts';

/** What sending needs of the object store. */
export type ObjectReader = { get(object: ObjectRef, from?: number, to?: number, into?: Uint8Array): AsyncIterable<Uint8Array> };

/** Read at once, and of that encoded at once: a multiple of three whose text is small enough to be collected quickly. */
const READ_BYTES = 196_608;
const ENCODE_BYTES = 49_152;
/** The text of what is read at once. */
export const TEXT_BYTES = (READ_BYTES / 3) * 4;
/** Less than this is given in a buffer of its own. */
export const ROOM_FROM_BYTES = 65_536;

/**
 * The bytes of a packed body, read from the store and encoded on the way; no piece is ever held whole. Throws `Fault`
 * `spine.bodyUnreadable` where the store does not give what the row promises. `rooms`, of `TEXT_BYTES` each: pieces of base64 of
 * `ROOM_FROM_BYTES` and more are written into them in turns, so that each is good until as many others have been asked for.
 */
export async function* wireBytes(body: WireBody, objects: ObjectReader, rooms: readonly Buffer[] = []): AsyncGenerator<Uint8Array> {
  // Up to two bytes that do not fill a group of three yet.
  let rest: Uint8Array = new Uint8Array();
  const text = jsonText();
  let room: Uint8Array | undefined;
  let turn = 0;
  const base64 = (bytes: Uint8Array): Buffer => {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = Math.ceil(source.byteLength / 3) * 4;
    const room = length < ROOM_FROM_BYTES ? undefined : rooms[turn++ % rooms.length];
    const target = room?.subarray(0, length) ?? Buffer.allocUnsafe(length);
    let at = 0;
    for (let from = 0; from < source.byteLength; from += ENCODE_BYTES)
      at += target.write(source.toString('base64', from, Math.min(source.byteLength, from + ENCODE_BYTES)), at, 'latin1');
    return target;
  };
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
    room ??= Buffer.allocUnsafeSlow(Math.min(READ_BYTES, roomFor(body)));
    for await (const bytes of piece.in === 'row' ? [piece.data] : stored(piece, objects, room)) {
      const joined = rest.byteLength ? Buffer.concat([rest, bytes]) : bytes;
      const whole = joined.byteLength - (joined.byteLength % 3);
      if (whole) yield base64(joined.subarray(0, whole));
      // Copied: the room is read into again.
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

/** What the largest piece that is encoded needs. */
function roomFor(body: WireBody): number {
  return Math.max(1, ...body.map((piece) => (piece.in === 'store' && piece.encode === 'base64' ? piece.to - piece.from : 0)));
}

async function* stored(piece: WirePiece & { in: 'store' }, objects: ObjectReader, room?: Uint8Array): AsyncGenerator<Uint8Array> {
  const { object, from, to } = piece;
  let bytes = 0;
  try {
    for await (const chunk of objects.get(object, from, to, room)) {
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

/** Base64 that arrives in pieces of any size, decoded strictly and without holding more than one piece. */
import { MimeFault } from './mime-header.ts';

const BLANKS = /[ \t\r\n]+/g;
const FOREIGN = /[^A-Za-z0-9+/=_-]+/g;
/** Padding, and the two digits of the URL alphabet: groups cannot go on behind them. */
const STOPS = /[=_-]/;

/** Where decoding ended: the first `decoded` bytes of the stream are decoded (a multiple of three), what follows is base64 text. */
export type Undecoded = { readonly decoded: number; readonly fault: MimeFault };

/**
 * Decodes base64. White space and, as RFC 2045 asks, characters outside the alphabet are passed over; `onForeign` is told of the
 * first of the latter. Text behind the padding, an incomplete last group, and the two digits of the URL alphabet, which would be lost
 * by passing over, end the decoding with a `mime.base64` fault, which is thrown. Where `onFault` is given it is called instead, and
 * the stream goes on with the text that was left, without white space: decoded groups encode to the very text they came from, so
 * nothing is lost. `room`: for whoever has done with a piece when it asks for the next; pieces for which it is large enough are decoded
 * into it, each time anew.
 */
export async function* decodeBase64(
  source: AsyncIterable<Uint8Array>,
  {
    onFault,
    onForeign,
    room,
  }: { readonly onFault?: (where: Undecoded) => void; readonly onForeign?: () => void; readonly room?: Buffer } = {},
): AsyncGenerator<Uint8Array, void, void> {
  // The characters of the group that is not complete, and its padding.
  let group = '';
  let pads = 0;
  let decoded = 0;
  let broken = false;
  let foreign = false;
  const giveUp = (why: string): void => {
    const fault = new MimeFault('mime.base64', `base64 ${why}, after ${decoded} decoded bytes`);
    if (!onFault) throw fault;
    broken = true;
    onFault({ decoded, fault });
  };

  for await (const bytes of source) {
    let chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!broken && pads === 0) {
      // Most documents come in one piece, with padding at its end: that alone is looked at character by character.
      const digits = beforePadding(chunk);
      const run = cleanRun(group, chunk.subarray(0, digits), room);
      if (run) {
        if (run.bytes.byteLength) yield run.bytes;
        decoded += run.bytes.byteLength;
        group = run.rest;
        chunk = chunk.subarray(digits);
        if (chunk.byteLength === 0) continue;
      }
    }
    const written = chunk.toString('latin1');
    let text = written.replace(BLANKS, '');
    const bare = text.replace(FOREIGN, '');
    if (bare.length < text.length && !foreign) onForeign?.();
    foreign ||= bare.length < text.length;
    text = bare;
    if (!broken && pads === 0) {
      text = group + text;
      const stop = text.search(STOPS);
      const digits = stop < 0 ? text.length : stop;
      const whole = digits - (digits % 4);
      if (whole) yield Buffer.from(text.slice(0, whole), 'base64');
      decoded += (whole / 4) * 3;
      group = text.slice(whole, digits);
      text = text.slice(digits);
    }
    let from = 0;
    while (text[from] === '=' && group.length >= 2 && group.length + pads < 4 && !broken) {
      pads++;
      from++;
    }
    if (from === text.length) continue;
    if (!broken) {
      giveUp(pads ? 'goes on behind its padding' : 'holds padding out of place, or digits of the URL alphabet');
      if (group) yield Buffer.from(group + '='.repeat(pads), 'latin1');
    }
    yield Buffer.from(text.slice(from), 'latin1');
  }
  if (broken || group === '') return;
  const last = group + '='.repeat(pads);
  if (last.length === 4) {
    yield Buffer.from(last, 'base64');
    return;
  }
  giveUp('ends inside a group of four characters');
  yield Buffer.from(last, 'latin1');
}

const PAD = 0x3d;
const DASH = 0x2d;
const LOW_LINE = 0x5f;
const DIGITS = /^[A-Za-z0-9+/]*$/;

/** Text that is decoded at once, a multiple of four: short enough for the engine to collect it quickly. */
const STEP = 65_536;

/** How much of a text stands before the padding at its end. */
function beforePadding(chunk: Buffer): number {
  let end = chunk.byteLength;
  while (end > 0 && chunk.byteLength - end < 2 && chunk[end - 1] === PAD) end--;
  return end;
}

/**
 * Text that is nothing but base64 digits, behind the beginning of a group, decoded without a look at each of them: whatever else stood in
 * it, the runtime's decoder would have passed over, and given fewer bytes; but for the two digits of the URL alphabet. `null` where there
 * is anything else.
 */
function cleanRun(group: string, chunk: Buffer, room: Buffer | undefined): { readonly bytes: Buffer; readonly rest: string } | null {
  const { byteLength } = chunk;
  // Completes the group; what follows is decoded where it stands.
  const first = group === '' ? 0 : Math.min(4 - group.length, byteLength);
  const end = first + ((byteLength - first) & ~3);
  const begun = group + chunk.toString('latin1', 0, first);
  const rest = (begun.length === 4 ? '' : begun) + chunk.toString('latin1', end, byteLength);
  if (rest.length >= 4 || !DIGITS.test(rest) || chunk.includes(DASH) || chunk.includes(LOW_LINE)) return null;
  const groups = (begun.length === 4 ? 1 : 0) + (end - first) / 4;
  const bytes = room && room.byteLength >= groups * 3 ? room.subarray(0, groups * 3) : Buffer.allocUnsafe(groups * 3);
  let at = begun.length === 4 ? bytes.write(begun, 0, 'base64') : 0;
  for (let from = first; from < end; from += STEP)
    at += bytes.write(chunk.toString('latin1', from, Math.min(end, from + STEP)), at, 'base64');
  return at === bytes.byteLength ? { bytes, rest } : null;
}

/**
 * A leaf that did not decode, as base64 text throughout: the first `decoded` bytes are encoded again, the rest stands. Endless many: a
 * leaf that did decode, as the text it came as.
 * `stream` is what `decodeBase64` gave, stored or not.
 */
export async function* asBase64Text(stream: AsyncIterable<Uint8Array>, decoded: number): AsyncGenerator<Uint8Array, void, void> {
  let left = decoded;
  let carry: Uint8Array = new Uint8Array();
  for await (const bytes of stream) {
    const head = bytes.subarray(0, Math.min(left, bytes.byteLength));
    left -= head.byteLength;
    const all = carry.byteLength ? Buffer.concat([carry, head]) : head;
    const whole = all.byteLength - (all.byteLength % 3);
    // Copied: a source may use the room of a piece again.
    carry = Uint8Array.from(all.subarray(whole));
    if (whole) yield Buffer.from(Buffer.from(all.buffer, all.byteOffset, whole).toString('base64'), 'latin1');
    if (head.byteLength < bytes.byteLength) yield bytes.subarray(head.byteLength);
  }
  // Only where all of it is encoded: what did not decode goes on behind whole groups.
  if (carry.byteLength) yield Buffer.from(Buffer.from(carry).toString('base64'), 'latin1');
}

/** The length of the base64 text, without line ends, of so many bytes. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

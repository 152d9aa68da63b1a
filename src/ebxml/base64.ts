/** Base64 that arrives in pieces of any size, decoded strictly and without holding more than one piece. */
import { MimeFault } from './mime-header.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BLANK = 64;
const PAD = 65;
const FOREIGN = 66;
const OTHER_ALPHABET = 67;
const VALUES = new Uint8Array(256).fill(FOREIGN);
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;
for (const blank of ' \t\r\n') VALUES[blank.charCodeAt(0)] = BLANK;
VALUES['='.charCodeAt(0)] = PAD;
for (const digit of '-_') VALUES[digit.charCodeAt(0)] = OTHER_ALPHABET;

/** Where decoding ended: the first `decoded` bytes of the stream are decoded (a multiple of three), what follows is base64 text. */
export type Undecoded = { readonly decoded: number; readonly fault: MimeFault };

/**
 * Decodes base64. White space and, as RFC 2045 asks, characters outside the alphabet are passed over; `onForeign` is told of the
 * first of the latter. Text behind the padding, an incomplete last group, and the two digits of the URL alphabet, which would be lost
 * by passing over, end the decoding with a `mime.base64` fault, which is thrown. Where `onFault` is given it is called instead, and
 * the stream goes on with the text that was left, without white space: decoded groups encode to the very text they came from, so
 * nothing is lost.
 */
export async function* decodeBase64(
  source: AsyncIterable<Uint8Array>,
  onFault?: (where: Undecoded) => void,
  onForeign?: () => void,
): AsyncGenerator<Uint8Array, void, void> {
  let word = 0;
  let count = 0;
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
    const out = new Uint8Array(Math.floor((bytes.byteLength + 3) / 4) * 3);
    let filled = 0;
    let from = 0;
    for (; from < bytes.byteLength && !broken; from++) {
      const value = VALUES[bytes[from] ?? 0] ?? FOREIGN;
      if (value < 64 && pads === 0) {
        word = (word << 6) | value;
        if (++count < 4) continue;
        out[filled++] = word >> 16;
        out[filled++] = word >> 8;
        out[filled++] = word;
        word = 0;
        count = 0;
      } else if (value === BLANK) continue;
      else if (value === FOREIGN) {
        if (!foreign) onForeign?.();
        foreign = true;
      } else if (value === PAD && count >= 2 && count + pads < 4) pads++;
      else break;
    }
    decoded += filled;
    if (filled) yield out.subarray(0, filled);
    if (from === bytes.byteLength) continue;
    if (!broken) {
      giveUp(pads ? 'goes on behind its padding' : 'holds padding out of place, or digits of the URL alphabet');
      if (count) yield textOf(word, count, pads);
    }
    yield withoutForeign(bytes.subarray(from));
  }
  if (broken || count === 0) return;
  if (count + pads === 4) {
    yield Buffer.from(textOf(word, count, pads).toString('latin1'), 'base64');
    return;
  }
  giveUp('ends inside a group of four characters');
  yield textOf(word, count, pads);
}

/** The characters of a group that is not complete, or that padding ended. */
function textOf(word: number, count: number, pads: number): Buffer {
  let text = '';
  for (let shift = (count - 1) * 6; shift >= 0; shift -= 6) text += ALPHABET[(word >> shift) & 63];
  return Buffer.from(text + '='.repeat(pads), 'latin1');
}

function withoutForeign(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte) => VALUES[byte] !== BLANK && VALUES[byte] !== FOREIGN);
}

/**
 * A leaf that did not decode, as base64 text throughout: the first `decoded` bytes are encoded again, the rest stands.
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
    carry = all.subarray(whole);
    if (whole) yield Buffer.from(Buffer.from(all.buffer, all.byteOffset, whole).toString('base64'), 'latin1');
    if (head.byteLength < bytes.byteLength) yield bytes.subarray(head.byteLength);
  }
}

/** The length of the base64 text, without line ends, of so many bytes. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

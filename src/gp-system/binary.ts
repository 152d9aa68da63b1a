import { Fault } from '../base/errors.ts';
import { decodeBase64 } from '../ebxml/base64.ts';

/** What stands around the content of a `Binary`, known once all of it has been read. */
export type BinaryFrame = { readonly contentType: string | null; readonly hasContent: boolean };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Everything of a Binary but its content, and the nesting of it. */
const FRAME_BYTES = 256 * 1024;
const DEPTH = 32;

/**
 * Reads a FHIR `Binary` in JSON while it arrives: `bytes` yields what its `content` decodes to, in bounded memory whatever its size;
 * `frame()` is there after the end. Throws `Fault` `binary.unreadable` for what is no whole Binary, `mime.base64` for a content that is
 * none. `room`: see `decodeBase64`.
 */
export function readBinary(
  source: AsyncIterable<Uint8Array>,
  room?: Buffer,
): { readonly bytes: AsyncIterable<Uint8Array>; frame(): BinaryFrame } {
  const reader = new BinaryReader();
  return { bytes: decodeBase64(reader.content(source), room ? { room } : {}), frame: () => reader.frame() };
}

/** Follows the JSON as far as it must to know which text is the content: nesting, names of the outermost object, escapes. */
class BinaryReader {
  #depth = 0;
  #ended = false;
  /** Of the outermost object: a name is expected, or the value of the name last read. */
  #name: string | null = null;
  #string: number[] | null = null;
  #escape: string | null = null;
  #inContent = false;
  #hasContent = false;
  #frameBytes = 0;
  #values = new Map<string, string>();

  /** The base64 text of the content, as it stands between its quotes. */
  async *content(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) yield* this.#chunk(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (!this.#ended) throw unreadable('it ends early');
    if (this.#values.get('resourceType') !== 'Binary') throw unreadable(`it is a ${this.#values.get('resourceType') ?? 'nameless thing'}`);
  }

  frame(): BinaryFrame {
    return { contentType: this.#values.get('contentType')?.trim() || null, hasContent: this.#hasContent };
  }

  /** What of a chunk belongs to the content, in one piece: some writers escape each slash, one character in sixty-four. */
  #chunk(chunk: Buffer): Uint8Array[] {
    const runs: Uint8Array[] = [];
    let quote = -1;
    let at = 0;
    while (at < chunk.byteLength) {
      if (!this.#inContent || this.#escape !== null) {
        const text = this.#byte(chunk[at] ?? 0);
        if (text) runs.push(text);
        at++;
        continue;
      }
      if (quote < at) quote = indexOrEnd(chunk, QUOTE, at, chunk.byteLength);
      const end = indexOrEnd(chunk, BACKSLASH, at, quote);
      if (end > at) runs.push(chunk.subarray(at, end));
      if (end === chunk.byteLength) break;
      if (end === quote) this.#inContent = false;
      else this.#escape = '\\';
      at = end + 1;
    }
    return runs.length > 1 ? [Buffer.concat(runs)] : runs;
  }

  /** One byte outside the runs of the content; an escape inside it gives the character it stands for. */
  #byte(byte: number): Uint8Array | null {
    if (!this.#inContent && ++this.#frameBytes > FRAME_BYTES) throw unreadable(`more than ${FRAME_BYTES} bytes around the content`);
    if (this.#escape !== null) {
      this.#escape += String.fromCharCode(byte);
      if (this.#escape.length < (this.#escape[1] === 'u' ? 6 : 2)) return null;
      const text = unescaped(this.#escape);
      this.#escape = null;
      if (this.#inContent) return Buffer.from(text, 'utf8');
      this.#string?.push(...Buffer.from(text, 'utf8'));
      return null;
    }
    if (this.#string) {
      if (byte === BACKSLASH) this.#escape = '\\';
      else if (byte === QUOTE) this.#stringEnded(Buffer.from(this.#string).toString('utf8'));
      else this.#string.push(byte);
      return null;
    }
    this.#structure(String.fromCharCode(byte));
    return null;
  }

  #structure(character: string): void {
    if (/\s/.test(character) || character === '\ufeff') return;
    if (this.#ended) throw unreadable('something follows it');
    if (this.#depth === 0 && character !== '{') {
      // A byte order mark, byte by byte.
      if ('\u00ef\u00bb\u00bf'.includes(character)) return;
      throw unreadable('it is no JSON object');
    }
    switch (character) {
      case '{':
      case '[':
        if (++this.#depth > DEPTH) throw unreadable('it is nested too deep');
        return;
      case '}':
      case ']':
        if (--this.#depth === 0) this.#ended = true;
        return;
      case ',':
        if (this.#depth === 1) this.#name = null;
        return;
      case '"':
        if (this.#depth === 1 && this.#name === 'content') {
          if (this.#hasContent) throw unreadable('it has two contents');
          this.#hasContent = true;
          this.#inContent = true;
        } else this.#string = [];
        return;
    }
  }

  #stringEnded(text: string): void {
    this.#string = null;
    if (this.#depth !== 1) return;
    if (this.#name === null) this.#name = text;
    else this.#values.set(this.#name, text);
  }
}

function indexOrEnd(chunk: Buffer, byte: number, from: number, end: number): number {
  const found = chunk.subarray(from, end).indexOf(byte);
  return found < 0 ? end : from + found;
}

function unescaped(sequence: string): string {
  if (sequence === '\\/') return '/';
  try {
    return String(JSON.parse(`"${sequence}"`));
  } catch {
    throw unreadable('it has an escape that JSON does not know');
  }
}

function unreadable(why: string): Fault {
  return new Fault('binary.unreadable', `the Binary cannot be read: ${why}`);
}

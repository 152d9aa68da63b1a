import { isAscii } from 'node:buffer';
import { XmlFault } from './limits.ts';

const ENCODINGS: ReadonlyMap<string, string> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['utf-16', 'utf-16le'],
  ['utf-16le', 'utf-16le'],
  ['utf-16be', 'utf-16be'],
  ['iso-8859-1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
]);
/** Bytes in which a declaration is looked for before anything is decoded. */
const HEAD = 256;

/** Decodes a document by its byte-order mark or its declaration. A document type declaration in the head is refused at once. */
export class XmlDecoder {
  #decoder: InstanceType<typeof TextDecoder> | null = null;
  #head: Uint8Array = new Uint8Array();
  /** True where the decoder may hold the first bytes of a character. */
  #halfway = false;

  /** What can be told of the text so far. Throws `XmlFault` where bytes are none of the encoding; `line` is where the text has come to. */
  decode(bytes: Uint8Array, last: boolean, line: () => number): string {
    if (this.#decoder) return this.#decode(this.#decoder, bytes, last, line);
    this.#head = this.#head.byteLength ? Buffer.concat([this.#head, bytes]) : bytes;
    if (this.#head.byteLength < HEAD && !last) return '';
    const head = this.#head;
    this.#head = new Uint8Array();
    const { encoding, skip } = encodingOf(head);
    const label = ENCODINGS.get(encoding.toLowerCase());
    if (!label) throw new XmlFault('xml.encoding', `encoding ${JSON.stringify(encoding)} is not accepted`, 1);
    this.#decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
    return this.#decode(this.#decoder, head.subarray(skip), last, line);
  }

  #decode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array, last: boolean, line: () => number): string {
    // Most pieces are nothing but ASCII, and made so they take half the room and are gone through faster.
    if (decoder.encoding === 'utf-8' && !this.#halfway && isAscii(bytes))
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    this.#halfway = (bytes.at(-1) ?? 0) >= 0x80;
    try {
      return decoder.decode(bytes, { stream: !last });
    } catch {
      throw new XmlFault('xml.encoding', `bytes that are no ${decoder.encoding}`, line());
    }
  }
}

/** By byte-order mark first, then by the declaration (XML 1.0 appendix F); a DTD is refused before the parser sees it. */
function encodingOf(start: Uint8Array): { encoding: string; skip: number } {
  if (start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf) return { encoding: 'utf-8', skip: 3 };
  if (start[0] === 0xff && start[1] === 0xfe) return { encoding: 'utf-16le', skip: 2 };
  if (start[0] === 0xfe && start[1] === 0xff) return { encoding: 'utf-16be', skip: 2 };
  const head = Buffer.from(start.buffer, start.byteOffset, Math.min(start.byteLength, 4096)).toString('latin1');
  if (/<!DOCTYPE/i.test(head)) throw new XmlFault('xml.doctype', 'a document type declaration is not accepted', 1);
  const declared = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1];
  // A declaration in eight-bit characters cannot be true about UTF-16.
  return { encoding: declared && !/^utf-?16/i.test(declared) ? declared : 'utf-8', skip: 0 };
}

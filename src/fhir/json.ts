import { isUtf8 } from 'node:buffer';
import { Fault } from '../base/errors.ts';
import { Decimal, type FhirNumber, fhirNumber } from './decimal.ts';

export { Decimal, type FhirNumber, fhirNumber, numberText } from './decimal.ts';

export type JsonLimits = { readonly depth: number };
const DEPTH = 64;

/** A text that is not JSON; `offset` counts characters from 0. */
export class JsonFault extends Fault {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super('json.malformed', `${message} at character ${offset + 1}`);
    this.name = 'JsonFault';
    this.offset = offset;
  }
}

/**
 * Reads JSON. Objects inherit nothing, so that a key `__proto__` is a key like any other; a repeated key keeps its last
 * value, as with `JSON.parse`. Nothing that is given back holds on to the source. Throws `JsonFault`.
 */
export function readJson(source: string | Uint8Array, limits: JsonLimits = { depth: DEPTH }): unknown {
  if (typeof source === 'string') {
    if (!source.isWellFormed()) throw new JsonFault('half a character', 0);
    return new Reader(Buffer.from(source), limits.depth).document();
  }
  if (!isUtf8(source)) throw new JsonFault('bytes that are no UTF-8', 0);
  return new Reader(source, limits.depth).document();
}

/** Writes a value as JSON, numbers by their characters. `undefined` members are left out. */
export function writeJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

/**
 * An object that inherits nothing, like one of `Object.create(null)`, but laid out like any other: several times faster to fill and to
 * read, and half the size.
 */
class Members {
  [name: string]: unknown;
  static {
    Reflect.deleteProperty(Members.prototype, 'constructor');
    Object.setPrototypeOf(Members.prototype, null);
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/;

/** A record says the same few thousand things over and over: names of members, codes, references. Each is made into a text once. */
const MOST_REMEMBERED = 8192;
/** Longer texts are seldom the same as another. */
const SHORT = 100;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Reads bytes, not characters: finding the end of a text takes a fraction of the time, and no copy of the whole is made. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  readonly #from: number;
  readonly #depth: number;
  #at: number;
  /** Texts by their hash; one that has the same takes the place of the one before. And where in the source they stand. */
  readonly #known: string[];
  readonly #knownAt: Uint32Array;

  constructor(bytes: Uint8Array, depth: number) {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    this.#at = this.#from;
    this.#depth = depth;
    // A power of two, so that the last bits of a hash are a place in it; small for a small source.
    const remembered = Math.min(MOST_REMEMBERED, 2 ** Math.floor(Math.log2(bytes.length / 32 + 32)));
    this.#known = new Array<string>(remembered).fill('');
    this.#knownAt = new Uint32Array(remembered);
  }

  document(): unknown {
    const value = this.#value(0);
    this.#next();
    if (this.#at < this.#bytes.length) throw this.#fault('text after the end of the document', this.#at);
    return value;
  }

  #value(depth: number): unknown {
    if (depth > this.#depth) throw this.#fault(`more than ${this.#depth} levels deep`, this.#at);
    switch (this.#next()) {
      case OPEN_OBJECT:
        return this.#object(depth);
      case OPEN_LIST:
        return this.#array(depth);
      case QUOTE:
        return this.#string();
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): unknown {
    const object = new Members();
    this.#at++;
    if (this.#next() === CLOSE_OBJECT) {
      this.#at++;
      return object;
    }
    for (;;) {
      if (this.#next() !== QUOTE) throw this.#fault('expected a member name', this.#at);
      const key = this.#string();
      if (this.#next() !== COLON) throw this.#fault('expected ":"', this.#at);
      this.#at++;
      object[key] = this.#value(depth + 1);
      const code = this.#next();
      if (code !== COMMA && code !== CLOSE_OBJECT) throw this.#fault('expected "," or "}"', this.#at);
      this.#at++;
      if (code === CLOSE_OBJECT) return object;
    }
  }

  #array(depth: number): unknown[] {
    const list: unknown[] = [];
    this.#at++;
    if (this.#next() === CLOSE_LIST) {
      this.#at++;
      return list;
    }
    for (;;) {
      list.push(this.#value(depth + 1));
      const code = this.#next();
      if (code !== COMMA && code !== CLOSE_LIST) throw this.#fault('expected "," or "]"', this.#at);
      this.#at++;
      if (code === CLOSE_LIST) return list;
    }
  }

  /** Most texts are short, and their own characters. */
  #string(): string {
    const bytes = this.#bytes;
    const from = this.#at + 1;
    const most = Math.min(from + SHORT, bytes.length);
    let hash = 0;
    for (let at = from; at < most; at++) {
      const code = bytes[at] as number;
      if (code === QUOTE) {
        this.#at = at + 1;
        return this.#remembered(from, at, hash);
      }
      if (code < SPACE || code === BACKSLASH || code > 0x7f) break;
      hash = (Math.imul(hash, 31) + code) | 0;
    }
    return this.#anyString(from);
  }

  #remembered(from: number, to: number, hash: number): string {
    const bytes = this.#bytes;
    const slot = (hash ^ (hash >>> 13)) & (this.#known.length - 1);
    const known = this.#known[slot] as string;
    if (known.length === to - from) {
      let before = this.#knownAt[slot] as number;
      let at = from;
      while (at < to && bytes[before] === bytes[at]) {
        before++;
        at++;
      }
      if (at === to) return known;
    }
    const text = this.#buffer.toString('latin1', from, to);
    this.#known[slot] = text;
    this.#knownAt[slot] = from;
    return text;
  }

  #anyString(from: number): string {
    const bytes = this.#bytes;
    let at = from;
    for (;;) {
      at = bytes.indexOf(QUOTE, at);
      if (at < 0) throw this.#fault('a text that does not end', from - 1);
      let escapes = 0;
      while (bytes[at - 1 - escapes] === BACKSLASH) escapes++;
      if (escapes % 2 === 0) break;
      at++;
    }
    this.#at = at + 1;
    const raw = this.#buffer.toString('utf8', from, at);
    if (!/[\\\u0000-\u001f]/.test(raw)) return raw;
    try {
      return JSON.parse(`"${raw}"`) as string;
    } catch {
      throw this.#fault('a text with a character or escape that JSON does not allow', from - 1);
    }
  }

  #number(): FhirNumber {
    const bytes = this.#bytes;
    const from = this.#at;
    const digits = bytes[from] === MINUS ? from + 1 : from;
    let at = digits;
    let value = 0;
    while (isDigit(bytes[at])) {
      value = value * 10 + (bytes[at] as number) - ZERO;
      at++;
    }
    if (at > digits && at - digits < 15 && bytes[digits] !== ZERO && !isInNumber(bytes[at])) {
      this.#at = at;
      return digits > from ? -value : value;
    }
    while (isInNumber(bytes[at])) at++;
    const text = NUMBER.exec(this.#buffer.toString('latin1', from, at))?.[0];
    if (text === undefined) throw this.#unexpected();
    this.#at += text.length;
    return fhirNumber(text) ?? new Decimal(text);
  }

  #word<T>(word: string, value: T): T {
    if (this.#buffer.toString('latin1', this.#at, this.#at + word.length) !== word) throw this.#unexpected();
    this.#at += word.length;
    return value;
  }

  /** The next byte that is no white space, where the reader now stands. */
  #next(): number | undefined {
    const bytes = this.#bytes;
    for (;;) {
      const code = bytes[this.#at];
      if (code !== SPACE && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at++;
    }
  }

  #unexpected(): JsonFault {
    if (this.#at >= this.#bytes.length) return this.#fault('unexpected end', this.#at);
    const [character] = this.#buffer.toString('utf8', this.#at, this.#at + 4);
    return this.#fault(`unexpected ${JSON.stringify(character)}`, this.#at);
  }

  #fault(message: string, at: number): JsonFault {
    return new JsonFault(message, this.#buffer.toString('utf8', this.#from, at).length);
  }
}

const isDigit = (code: number | undefined) => code !== undefined && code >= ZERO && code <= NINE;
/** A digit, `+`, `-`, `.`, `E` or `e`. */
const isInNumber = (code: number | undefined) =>
  isDigit(code) || code === 0x2b || code === MINUS || code === 0x2e || code === 0x45 || code === 0x65;

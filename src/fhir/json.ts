import { Fault } from '../base/errors.ts';

declare global {
  interface JSON {
    /** ECMAScript 2026; in Node since 21. Throws where the text is no JSON of a single value. */
    rawJSON(text: string): unknown;
  }
}

/**
 * JSON in which numbers keep their characters. `JSON.parse` turns 8.800 into 8.8, and a clinician reads the digits
 * as the precision of the measurement; identifiers beyond 2^53 it changes altogether.
 */
export class Decimal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  /** `JSON.stringify` takes over the characters as they stand. */
  toJSON(): unknown {
    return JSON.rawJSON(this.text);
  }
}

/** A number of a FHIR resource: a plain number where that prints as it was written, else its characters. */
export type FhirNumber = number | Decimal;

/** The digits of a number as they were written. */
export function numberText(value: FhirNumber): string {
  return value instanceof Decimal ? value.text : String(value);
}

/** A number from its characters (`8.800`), as `readJson` would give it. `null` where they are no JSON number. */
export function fhirNumber(text: string): FhirNumber | null {
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return null;
  const value = Number(text);
  return String(value) === text ? value : new Decimal(text);
}

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
 * value, as with `JSON.parse`. Throws `JsonFault`.
 */
export function readJson(source: string | Uint8Array, limits: JsonLimits = { depth: DEPTH }): unknown {
  let text: string;
  try {
    text = typeof source === 'string' ? source : new TextDecoder('utf-8', { fatal: true }).decode(source);
  } catch {
    throw new JsonFault('bytes that are no UTF-8', 0);
  }
  return new Reader(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, limits.depth).document();
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

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;

class Reader {
  #text: string;
  #at = 0;
  #depth: number;

  constructor(text: string, depth: number) {
    this.#text = text;
    this.#depth = depth;
  }

  document(): unknown {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw new JsonFault('text after the end of the document', this.#at);
    return value;
  }

  #value(depth: number): unknown {
    if (depth > this.#depth) throw new JsonFault(`more than ${this.#depth} levels deep`, this.#at);
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): unknown {
    const object = new Members();
    this.#at++;
    this.#space();
    if (this.#take('}')) return object;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') throw new JsonFault('expected a member name', this.#at);
      const key = this.#string();
      this.#space();
      if (!this.#take(':')) throw new JsonFault('expected ":"', this.#at);
      object[key] = this.#value(depth + 1);
      this.#space();
      if (this.#take('}')) return object;
      if (!this.#take(',')) throw new JsonFault('expected "," or "}"', this.#at);
    }
  }

  #array(depth: number): unknown[] {
    const list: unknown[] = [];
    this.#at++;
    this.#space();
    if (this.#take(']')) return list;
    for (;;) {
      list.push(this.#value(depth + 1));
      this.#space();
      if (this.#take(']')) return list;
      if (!this.#take(',')) throw new JsonFault('expected "," or "]"', this.#at);
    }
  }

  #string(): string {
    const from = this.#at;
    let at = from + 1;
    const text = this.#text;
    for (;;) {
      at = text.indexOf('"', at);
      if (at < 0) throw new JsonFault('a text that does not end', from);
      let escapes = 0;
      while (text[at - 1 - escapes] === '\\') escapes++;
      if (escapes % 2 === 0) break;
      at++;
    }
    this.#at = at + 1;
    const raw = text.slice(from + 1, at);
    if (!/[\\\u0000-\u001f]/.test(raw)) return raw;
    try {
      return JSON.parse(text.slice(from, at + 1)) as string;
    } catch {
      throw new JsonFault('a text with a character or escape that JSON does not allow', from);
    }
  }

  #number(): FhirNumber {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (!match)
      throw new JsonFault(this.#at < this.#text.length ? `unexpected ${JSON.stringify(this.#text[this.#at])}` : 'unexpected end', this.#at);
    this.#at += match[0].length;
    if (match[1] === undefined && match[2] === undefined && match[0].length < 16 && match[0] !== '-0') return Number(match[0]);
    return fhirNumber(match[0]) ?? new Decimal(match[0]);
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw new JsonFault(`unexpected ${JSON.stringify(this.#text[this.#at])}`, this.#at);
    this.#at += word.length;
    return value;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }
}

import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import { Fault } from '../base/errors.ts';
import type { XmlElement, XmlNode } from './element.ts';

/** Caps on one document. Depth is a control of processor time: the parser's cost grows with it. */
export type XmlLimits = {
  readonly depth: number;
  readonly attributes: number;
  readonly name: number;
  readonly attributeValue: number;
  /** Characters between two events: inside an unterminated attribute or name the parser reports nothing. */
  readonly run: number;
  readonly elements: number;
  readonly bytes: number;
};

export const XML_LIMITS: XmlLimits = {
  depth: 200,
  attributes: 64,
  name: 256,
  attributeValue: 65_536,
  run: 8 * 1024 * 1024,
  elements: 5_000_000,
  bytes: 256 * 1024 * 1024,
};

/** A document that is not well formed, or that breaks a limit. */
export class XmlFault extends Fault {
  readonly line: number;
  constructor(code: 'xml.malformed' | 'xml.doctype' | 'xml.encoding' | 'xml.limit', message: string, line: number) {
    super(code, `line ${line}: ${message}`);
    this.name = 'XmlFault';
    this.line = line;
  }
}

export type ReadOptions = {
  readonly limits?: Partial<XmlLimits>;
  /** Called when an element is complete; `drop` leaves it out of its parent, so that its memory can go. Depth of the root is 0. */
  readonly onElement?: (element: XmlElement, depth: number) => 'keep' | 'drop';
  /** Called at an opening tag; `true` ends the reading there: everything after is not looked at, well formed or not. */
  readonly until?: (name: string, depth: number) => boolean;
};

type Open = { name: string; ns: string; prefix: string; attributes: string[]; children: XmlNode[]; line: number };

const PREFIX_OF: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2001/XMLSchema-instance', 'xsi:'],
  ['http://www.w3.org/1999/xlink', 'xlink:'],
  ['http://www.w3.org/XML/1998/namespace', 'xml:'],
]);
const XMLNS = 'http://www.w3.org/2000/xmlns/';
const STEP = 65_536;

/** Reads one document piece by piece; `end` gives the root. Namespaces are resolved, DTDs refused, limits kept. */
export class XmlReader {
  #parser = new SaxesParser({ xmlns: true, position: true });
  #limits: XmlLimits;
  #options: ReadOptions;
  #open: Open[] = [];
  #root: XmlElement | null = null;
  #names = new Map<string, string>();
  #decoder: InstanceType<typeof TextDecoder> | null = null;
  #start: Uint8Array = new Uint8Array();
  #bytes = 0;
  #elements = 0;
  #sinceEvent = 0;
  /** True once `until` said so: nothing more need be fed. */
  done = false;

  constructor(options: ReadOptions = {}) {
    this.#limits = { ...XML_LIMITS, ...options.limits };
    this.#options = options;
    this.#parser.on('error', (error) => this.#fail('xml.malformed', error.message.replace(/^[\d:]+\s*/, '')));
    this.#parser.on('doctype', () => this.#fail('xml.doctype', 'a document type declaration is not accepted'));
    this.#parser.on('opentag', (tag) => this.#opened(tag as SaxesTagNS));
    this.#parser.on('closetag', () => this.#closed());
    this.#parser.on('text', (text) => this.#text(text));
    this.#parser.on('cdata', (text) => this.#text(text));
  }

  write(bytes: Uint8Array): void {
    if (this.done) return;
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#limits.bytes) this.#fail('xml.limit', `more than ${this.#limits.bytes} bytes`);
    if (!this.#decoder) {
      this.#start = this.#start.byteLength ? Buffer.concat([this.#start, bytes]) : bytes;
      if (this.#start.byteLength < 256) return;
      this.#begin();
      return;
    }
    this.#decode(bytes, false);
  }

  writeText(text: string): void {
    this.#decoder ??= new TextDecoder();
    this.#feed(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  }

  /** The root element. Throws `XmlFault` where the document is not complete. */
  end(): XmlElement {
    if (!this.done) {
      if (!this.#decoder) this.#begin();
      this.#decode(new Uint8Array(), true);
      if (!this.done) this.#parser.close();
    }
    while (this.done && this.#open.length) this.#closed();
    if (!this.#root) this.#fail('xml.malformed', 'no element');
    return this.#root as XmlElement;
  }

  #begin(): void {
    const { encoding, skip } = encodingOf(this.#start);
    const label = ENCODINGS.get(encoding.toLowerCase());
    if (!label) this.#fail('xml.encoding', `encoding ${JSON.stringify(encoding)} is not accepted`);
    this.#decoder = new TextDecoder(label, { fatal: true });
    this.#decode(this.#start.subarray(skip), false);
    this.#start = new Uint8Array();
  }

  #decode(bytes: Uint8Array, last: boolean): void {
    let text = '';
    try {
      text = this.#decoder?.decode(bytes, { stream: !last }) ?? '';
    } catch {
      this.#fail('xml.encoding', `bytes that are no ${this.#decoder?.encoding}`);
    }
    this.#feed(text);
  }

  #feed(text: string): void {
    for (let from = 0; from < text.length && !this.done; from += STEP) {
      const step = text.length <= STEP ? text : text.slice(from, from + STEP);
      this.#sinceEvent += step.length;
      try {
        this.#parser.write(step);
      } catch (thrown) {
        if (thrown !== STOP) throw thrown;
      }
      if (this.#sinceEvent > this.#limits.run) this.#fail('xml.limit', `more than ${this.#limits.run} characters in one piece`);
    }
  }

  #opened(tag: SaxesTagNS): void {
    if (this.done) return;
    this.#sinceEvent = 0;
    const depth = this.#open.length;
    if (this.#options.until?.(tag.local, depth)) {
      this.done = true;
      throw STOP;
    }
    if (depth >= this.#limits.depth) this.#fail('xml.limit', `more than ${this.#limits.depth} elements deep`);
    if (++this.#elements > this.#limits.elements) this.#fail('xml.limit', `more than ${this.#limits.elements} elements`);
    if (tag.name.length > this.#limits.name) this.#fail('xml.limit', `a name longer than ${this.#limits.name}`);
    this.#open.push({
      name: this.#intern(tag.local),
      ns: this.#intern(tag.uri),
      prefix: '',
      attributes: this.#attributes(tag.attributes),
      children: [],
      line: this.#parser.line,
    });
  }

  #attributes(read: Record<string, SaxesAttributeNS>): string[] {
    const list: string[] = [];
    let count = 0;
    for (const key in read) {
      const attribute = read[key];
      if (!attribute) continue;
      if (++count > this.#limits.attributes) this.#fail('xml.limit', `more than ${this.#limits.attributes} attributes`);
      if (attribute.value.length > this.#limits.attributeValue)
        this.#fail('xml.limit', `an attribute longer than ${this.#limits.attributeValue}`);
      if (attribute.uri === XMLNS || attribute.prefix === 'xmlns' || attribute.name === 'xmlns') continue;
      list.push(this.#intern((PREFIX_OF.get(attribute.uri) ?? '') + attribute.local), attribute.value);
    }
    return list;
  }

  #closed(): void {
    this.#sinceEvent = 0;
    const element = this.#open.pop();
    if (!element) return;
    // White space between elements is layout; white space that is all there is may be data.
    if (element.children.length > 1 && element.children.some((node) => typeof node !== 'string')) {
      element.children = element.children.filter((node) => typeof node !== 'string' || /[^ \t\r\n]/.test(node));
    }
    const parent = this.#open.at(-1);
    const fate = this.#options.onElement?.(element, this.#open.length) ?? 'keep';
    if (!parent) this.#root = element;
    else if (fate === 'keep') parent.children.push(element);
  }

  #text(text: string): void {
    this.#sinceEvent = 0;
    const parent = this.#open.at(-1);
    if (!parent || this.done) return;
    const last = parent.children.at(-1);
    if (typeof last === 'string') parent.children[parent.children.length - 1] = last + text;
    else parent.children.push(text);
  }

  #intern(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    this.#names.set(name, name);
    return name;
  }

  #fail(code: XmlFault['code'] & ConstructorParameters<typeof XmlFault>[0], message: string): never {
    throw new XmlFault(code, message, this.#parser.line);
  }
}

const STOP = Symbol('the reader was told to stop');

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

/** Reads a whole document. Throws `XmlFault`. */
export function readXml(source: Uint8Array | string, options: ReadOptions = {}): XmlElement {
  const reader = new XmlReader(options);
  if (typeof source === 'string') reader.writeText(source);
  else for (let from = 0; from < source.byteLength && !reader.done; from += STEP) reader.write(source.subarray(from, from + STEP));
  return reader.end();
}

/** Reads a document from a stream of bytes; the stream is left where `until` ended the reading. Throws `XmlFault`. */
export async function readXmlFrom(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<XmlElement> {
  const reader = new XmlReader(options);
  for await (const bytes of source) {
    reader.write(bytes);
    if (reader.done) break;
  }
  return reader.end();
}

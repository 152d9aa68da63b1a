/**
 * XML 1.0 and 1.1 with namespaces: text in pieces in, events out. It works on long strings with the engine's own searches instead of
 * taking character by character through states; what is not complete waits until more has come. No DTD, no entities but the five.
 */
import { FORBIDDEN_1_0, FORBIDDEN_1_1, isAllSpace, isReferable, isSpace, nameEnd } from './characters.ts';
import { XmlFault, type XmlFaultCode, type XmlLimits } from './limits.ts';
import { Namespaces } from './namespaces.ts';
import { Next, Strings } from './strings.ts';

export type XmlEvents = {
  /** `true` ends the reading before this element: everything after is not looked at. `name` is the local name. */
  before(name: string, depth: number): boolean;
  /** The first `count` of `attributes` are name, value, name, value …, good during the call only. `line` is that of the tag's end. */
  open(name: string, ns: string, attributes: readonly string[], count: number, line: number): void;
  close(): void;
  /** Characters inside the root; what stands together may come in several calls. */
  text(text: string): void;
};

const BANG = 0x21;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const SLASH = 0x2f;
const LESS = 0x3c;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const QUESTION = 0x3f;

export class XmlTokeniser {
  readonly #events: XmlEvents;
  readonly #limits: XmlLimits;
  readonly #strings = new Strings();
  readonly #namespaces = new Namespaces((message) => this.#fail('xml.malformed', message));
  /** What has come and is not used up, from `#at`. */
  #text = '';
  #at = 0;
  /** Pieces that wait for more: what is long and incomplete is not looked at anew for each of them. */
  #waiting: string[] = [];
  #waitingLength = 0;
  #enough = 0;
  /** The beginning, while it may be an XML declaration; null once that is settled. */
  #beginning: string | null = '';
  #version11 = false;
  /** A carriage return, or the first half of a pair, at the end of a piece. */
  #carried = '';
  /** Lines up to `#countedTo`. */
  #line = 1;
  #countedTo = 0;
  readonly #less = new Next('<');
  readonly #lineEnd = new Next('\n');
  readonly #break = new Next('\n');
  readonly #tab = new Next('\t');
  readonly #ampersand = new Next('&');
  readonly #sectionEnd = new Next(']]>');
  /** Names as they were written, of the elements that are open. */
  readonly #open: string[] = [];
  #rootSeen = false;
  #elements = 0;
  readonly #attributes: string[] = [];
  /** True once `before` said so: nothing more is looked at. */
  stopped = false;

  constructor(events: XmlEvents, limits: XmlLimits) {
    this.#events = events;
    this.#limits = limits;
  }

  /** The line that has been read up to. */
  get line(): number {
    return this.#lineAt(this.#at);
  }

  write(piece: string): void {
    if (this.stopped || piece === '') return;
    this.#waiting.push(piece);
    this.#waitingLength += piece.length;
    if (this.#waitingLength >= this.#enough) this.#take(false);
  }

  end(): void {
    if (!this.stopped) this.#take(true);
    if (this.stopped) return;
    if (this.#open.length > 0) this.#fail('xml.malformed', `<${this.#open.at(-1)}> is not closed`);
    if (!this.#rootSeen) this.#fail('xml.malformed', 'no element');
    if (!isAllSpace(this.#text.slice(this.#at))) this.#fail('xml.malformed', 'unexpected end');
  }

  #take(last: boolean): void {
    let piece = this.#waiting.length === 1 ? (this.#waiting[0] ?? '') : this.#waiting.join('');
    this.#waiting = [];
    this.#waitingLength = 0;
    if (this.#beginning !== null) {
      const begun = this.#begin(this.#beginning + piece, last);
      if (begun === null) return;
      piece = begun;
    }
    const { clean, spoilt } = this.#cleaned(piece, last);
    this.#append(clean);
    this.#run();
    if (this.stopped) return;
    if (spoilt) this.#fail('xml.malformed', 'a character that XML does not allow', this.#text.length);
    const left = this.#text.length - this.#at;
    if (left > this.#limits.run) this.#fail('xml.limit', `more than ${this.#limits.run} characters in one piece`);
    this.#enough = Math.min(left, this.#limits.run);
  }

  /** Takes off byte-order mark and declaration. Gives what follows, or null while more must come to tell. */
  #begin(text: string, last: boolean): string | null {
    const from = text.charCodeAt(0) === 0xfeff ? 1 : 0;
    const known = text.length - from >= 6 || last;
    const mayDeclare = known ? /^<\?xml[ \t\r\n?]/.test(text.slice(from, from + 6)) : '<?xml'.startsWith(text.slice(from, from + 5));
    const end = mayDeclare && known ? text.indexOf('?>', from) : -1;
    if (mayDeclare && end < 0) {
      if (last || text.length > this.#limits.run) this.#fail('xml.malformed', 'the XML declaration does not end');
      this.#beginning = text;
      this.#enough = text.length;
      return null;
    }
    this.#beginning = null;
    if (!mayDeclare) return text.slice(from);
    const declaration = DECLARATION.exec(text.slice(from, end + 2));
    if (!declaration) this.#fail('xml.malformed', 'an XML declaration that is none');
    this.#version11 = declaration?.[1]?.slice(1, -1) !== '1.0';
    this.#line += declaration?.[0].match(/\r\n?|\n/g)?.length ?? 0;
    return text.slice(end + 2);
  }

  /** Line ends as line feeds. `spoilt`: after `clean` comes a character that may not be. */
  #cleaned(piece: string, last: boolean): { clean: string; spoilt: boolean } {
    let clean = this.#carried + piece;
    this.#carried = '';
    const end = clean.charCodeAt(clean.length - 1);
    if (!last && (end === 0x0d || (end >= 0xd800 && end <= 0xdbff))) {
      this.#carried = clean.slice(-1);
      clean = clean.slice(0, -1);
    }
    if (this.#version11) clean = clean.replace(/\r[\n\x85]?|[\x85\u2028]/g, '\n');
    else if (clean.includes('\r')) clean = clean.replace(/\r\n?/g, '\n');
    const forbidden = (this.#version11 ? FORBIDDEN_1_1 : FORBIDDEN_1_0).exec(clean)?.index ?? clean.length;
    const lone = clean.isWellFormed() ? clean.length : loneSurrogate(clean);
    const good = Math.min(forbidden, lone);
    return good < clean.length ? { clean: clean.slice(0, good), spoilt: true } : { clean, spoilt: false };
  }

  #append(clean: string): void {
    this.#lineAt(this.#at);
    const rest = this.#text.slice(this.#at);
    // Joined: a string that was added to is looked into more slowly than one that was made whole.
    this.#text = rest === '' ? clean : [rest, clean].join('');
    this.#countedTo = Math.max(0, this.#countedTo - this.#at);
    this.#at = 0;
    for (const next of [this.#less, this.#lineEnd, this.#break, this.#tab, this.#ampersand, this.#sectionEnd]) next.forget();
  }

  /** Everything that is complete. */
  #run(): void {
    const { length } = this.#text;
    while (this.#at < length && !this.stopped) {
      const from = this.#at;
      const complete = this.#text.charCodeAt(from) === LESS ? this.#markup(from) : this.#characters(from);
      if (!complete) return;
      if (this.#at - from > this.#limits.run) this.#fail('xml.limit', `more than ${this.#limits.run} characters in one piece`);
    }
  }

  #characters(from: number): boolean {
    const to = this.#less.from(this.#text, from);
    if (to > this.#text.length) return false;
    if (this.#open.length === 0) {
      if (!isAllSpace(this.#text.slice(from, to))) this.#fail('xml.malformed', 'text outside the root element');
    } else {
      if (this.#sectionEnd.from(this.#text, from) < to) this.#fail('xml.malformed', ']]> in text');
      const raw = this.#strings.slice(this.#text, from, to);
      this.#events.text(this.#ampersand.from(this.#text, from) < to ? this.#decoded(raw) : raw);
    }
    this.#at = to;
    return true;
  }

  #markup(from: number): boolean {
    switch (this.#text.charCodeAt(from + 1)) {
      case SLASH:
        return this.#closingTag(from);
      case BANG:
        return this.#declared(from);
      case QUESTION:
        return this.#instruction(from);
      default:
        return this.#openingTag(from);
    }
  }

  #openingTag(from: number): boolean {
    const text = this.#text;
    const { length } = text;
    let at = nameEnd(text, from + 1);
    if (at - from > this.#limits.name + 1) this.#fail('xml.limit', `a name longer than ${this.#limits.name}`);
    if (at >= length) return false;
    if (at === from + 1) this.#fail('xml.malformed', 'a name is expected after <');
    const name = this.#strings.slice(text, from + 1, at);
    let count = 0;
    for (;;) {
      const gap = at;
      while (at < length && isSpace(text.charCodeAt(at))) at++;
      if (at >= length) return false;
      const code = text.charCodeAt(at);
      if (code === GREATER) break;
      if (code === SLASH) {
        if (at + 1 >= length) return false;
        if (text.charCodeAt(at + 1) !== GREATER) this.#fail('xml.malformed', '/ in a tag without > after it');
        break;
      }
      if (at === gap) this.#fail('xml.malformed', 'white space is expected between attributes');
      if (count >= 2 * this.#limits.attributes) this.#fail('xml.limit', `more than ${this.#limits.attributes} attributes`);
      at = this.#attribute(at, count);
      if (at < 0) return false;
      count += 2;
    }
    const empty = text.charCodeAt(at) === SLASH;
    this.#opened(name, count, at);
    if (this.stopped) return true;
    this.#at = at + (empty ? 2 : 1);
    if (empty) this.#closed();
    return true;
  }

  /** Reads one attribute into `#attributes` at `count`. Gives the place after it, or -1 where it is not complete. */
  #attribute(from: number, count: number): number {
    const text = this.#text;
    const { length } = text;
    const attributes = this.#attributes;
    let at = nameEnd(text, from);
    if (at - from > this.#limits.name) this.#fail('xml.limit', `a name longer than ${this.#limits.name}`);
    if (at >= length) return -1;
    if (at === from) this.#fail('xml.malformed', 'the name of an attribute is expected');
    const name = this.#strings.slice(text, from, at);
    while (at < length && isSpace(text.charCodeAt(at))) at++;
    if (at >= length) return -1;
    if (text.charCodeAt(at) !== EQUALS) this.#fail('xml.malformed', `attribute ${name} without value`);
    at++;
    while (at < length && isSpace(text.charCodeAt(at))) at++;
    if (at >= length) return -1;
    const quote = text.charCodeAt(at);
    if (quote !== QUOTE && quote !== APOSTROPHE) this.#fail('xml.malformed', `the value of attribute ${name} without quotes`);
    at++;
    const to = text.indexOf(quote === QUOTE ? '"' : "'", at);
    if (to < 0) return -1;
    for (let i = 0; i < count; i += 2) if (attributes[i] === name) this.#fail('xml.malformed', `attribute ${name} twice`);
    attributes[count] = name;
    attributes[count + 1] = this.#value(at, to, name);
    return to + 1;
  }

  #value(from: number, to: number, name: string): string {
    const text = this.#text;
    let value = this.#strings.slice(text, from, to);
    if (this.#less.from(text, from) < to) this.#fail('xml.malformed', `< in the value of attribute ${name}`);
    if (this.#break.from(text, from) < to || this.#tab.from(text, from) < to) value = value.replace(/[\t\n]/g, ' ');
    if (this.#ampersand.from(text, from) < to) value = this.#decoded(value);
    const { attributeValue } = this.#limits;
    if (value.length > attributeValue) this.#fail('xml.limit', `an attribute longer than ${attributeValue}`);
    return value;
  }

  #opened(name: string, count: number, end: number): void {
    const depth = this.#open.length;
    if (depth === 0 && this.#rootSeen) this.#fail('xml.malformed', 'a second root element');
    const { local, ns, count: kept } = this.#namespaces.open(name, this.#attributes, count, this.#version11);
    if (this.#events.before(local, depth)) {
      this.stopped = true;
      return;
    }
    const { depth: deepest, elements } = this.#limits;
    if (depth >= deepest) this.#fail('xml.limit', `more than ${deepest} elements deep`);
    if (++this.#elements > elements) this.#fail('xml.limit', `more than ${elements} elements`);
    this.#rootSeen = true;
    this.#open.push(name);
    this.#events.open(local, ns, this.#attributes, kept, this.#lineAt(end));
  }

  #closingTag(from: number): boolean {
    const text = this.#text;
    const name = this.#open.at(-1);
    if (name === undefined) return this.#fail('xml.malformed', 'a closing tag without an opening one');
    let at = from + 2;
    if (text.startsWith(name, at)) at += name.length;
    else if (at + name.length > text.length && name.startsWith(text.slice(at))) return false;
    else this.#fail('xml.malformed', `<${name}> is not closed before the next closing tag`);
    while (at < text.length && isSpace(text.charCodeAt(at))) at++;
    if (at >= text.length) return false;
    if (text.charCodeAt(at) !== GREATER) this.#fail('xml.malformed', `<${name}> is not closed before the next closing tag`);
    this.#at = at + 1;
    this.#closed();
    return true;
  }

  #closed(): void {
    this.#open.pop();
    this.#namespaces.close();
    this.#events.close();
  }

  /** `<!`: a comment, a section of characters, or a document type declaration, which is refused. */
  #declared(from: number): boolean {
    const text = this.#text;
    if (text.startsWith('<!--', from)) {
      const end = text.indexOf('--', from + 4);
      if (end < 0 || end + 2 >= text.length) return false;
      if (text.charCodeAt(end + 2) !== GREATER) this.#fail('xml.malformed', '-- in a comment');
      this.#at = end + 3;
      return true;
    }
    if (text.startsWith('<![CDATA[', from)) {
      if (this.#open.length === 0) this.#fail('xml.malformed', 'text outside the root element');
      const end = text.indexOf(']]>', from + 9);
      if (end < 0) return false;
      if (end > from + 9) this.#events.text(text.slice(from + 9, end));
      this.#at = end + 3;
      return true;
    }
    if (text.startsWith('<!DOCTYPE', from)) this.#fail('xml.doctype', 'a document type declaration is not accepted');
    const begun = text.slice(from, from + 9);
    if (from + 9 > text.length && ['<!--', '<![CDATA[', '<!DOCTYPE'].some((known) => known.startsWith(begun))) return false;
    return this.#fail('xml.malformed', '<! and nothing that may follow it');
  }

  #instruction(from: number): boolean {
    const text = this.#text;
    const at = nameEnd(text, from + 2);
    if (at >= text.length) return false;
    const target = text.slice(from + 2, at);
    const after = text.charCodeAt(at);
    if (target === '' || target.includes(':') || target.toLowerCase() === 'xml' || !(isSpace(after) || after === QUESTION))
      this.#fail('xml.malformed', 'a processing instruction that is none');
    const end = text.indexOf('?>', at);
    if (end < 0) return false;
    this.#at = end + 2;
    return true;
  }

  #decoded(raw: string): string {
    if (raw.lastIndexOf('&') > raw.lastIndexOf(';')) this.#fail('xml.malformed', '& without an entity');
    return raw.replace(/&([^;]*);/g, (_all, name: string) => this.#entity(name));
  }

  #entity(name: string): string {
    const known = ENTITIES.get(name);
    if (known !== undefined) return known;
    const hex = /^#x([0-9a-fA-F]+)$/.exec(name)?.[1];
    const decimal = /^#([0-9]+)$/.exec(name)?.[1];
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(decimal ?? '', 10);
    if (!isReferable(code, this.#version11)) this.#fail('xml.malformed', 'an entity that XML does not know');
    return String.fromCodePoint(code);
  }

  #lineAt(position: number): number {
    for (let next = this.#lineEnd.from(this.#text, this.#countedTo); next < position; ) {
      this.#line++;
      this.#countedTo = next + 1;
      next = this.#lineEnd.from(this.#text, this.#countedTo);
    }
    return this.#line;
  }

  #fail(code: XmlFaultCode, message: string, at: number = this.#at): never {
    throw new XmlFault(code, message, this.#lineAt(at));
  }
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

const S = '[ \\t\\r\\n]';
const quoted = (what: string) => `${S}*=${S}*("${what}"|'${what}')`;
const DECLARATION = new RegExp(
  `^<\\?xml${S}+version${quoted('1\\.[0-9]+')}(?:${S}+encoding${quoted('[A-Za-z][A-Za-z0-9._-]*')})?(?:${S}+standalone${quoted('(?:yes|no)')})?${S}*\\?>$`,
);

function loneSurrogate(text: string): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at) ?? 0;
    if (code > 0xffff) at++;
    else if (code >= 0xd800 && code <= 0xdfff) return at;
  }
  return text.length;
}

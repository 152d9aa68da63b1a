/** multipart/related over bytes: nothing is decoded as text but header lines, no part is ever held whole. */
import { decodeBase64, type Undecoded } from './base64.ts';
import { bareContentId, MimeFault, readContentType, readField } from './mime-header.ts';

export type MimeLimits = {
  readonly body: number;
  readonly parts: number;
  readonly headerBlock: number;
  readonly headerLines: number;
  readonly boundary: number;
  /** Preamble and epilogue together. */
  readonly outside: number;
};

export const MIME_LIMITS: MimeLimits = {
  body: 8 * 1024 * 1024,
  parts: 110,
  headerBlock: 8 * 1024,
  headerLines: 32,
  boundary: 70,
  outside: 64 * 1024,
};

export type MimeOptions = {
  readonly limits?: Partial<MimeLimits>;
  /**
   * Told of what a reader puts up with: a missing closing boundary behind XML, headers that do not end, a repeated header, foreign
   * characters in base64; and, where it is lenient, of faults too, with `tolerated` false.
   */
  readonly onDefect?: (defect: MimeFault, tolerated: boolean) => void;
  /** Reports every fault to `onDefect` and reads on where that is possible: for looking at a message that is refused. */
  readonly lenient?: boolean;
};

export type MimePart = {
  /** By name in lower case; of a repeated header the first. */
  readonly headers: ReadonlyMap<string, string>;
  /** Without angle brackets; '' where there is none. Unique only inside its own message: never a key. */
  readonly contentId: string;
  /** Media type in lower case, without parameters; `text/plain` where none is given. A label: the manifest says what the content is. */
  readonly contentType: string;
  readonly charset: string | null;
  /** Content-Transfer-Encoding in lower case; `8bit` where none is given. */
  readonly encoding: string;
  /** The content with its transfer encoding undone. Throws `mime.base64` where it does not decode. Content may be read once. */
  bytes(): AsyncIterable<Uint8Array>;
  /**
   * As `bytes`, but what does not decode is kept: after the end `undecoded()` says where decoding stopped, and the rest of the
   * stream is base64 text (see `asBase64Text`). For leaves of an attachment that was cut inside a group of four characters. `room`: see
   * `decodeBase64`.
   */
  leaf(room?: Buffer): AsyncIterable<Uint8Array>;
  undecoded(): Undecoded | null;
  /** The content as it came. */
  raw(): AsyncIterable<Uint8Array>;
};

/**
 * Yields the parts in order; a part's content has to be read before the next part is asked for, else it is skipped.
 * A source may use the room of a piece again when it is asked for the next; then the same is true of the pieces of a content.
 * A body that ends early is a `mime.truncated` fault, never a short attachment: only behind XML, whose end shows by itself, is
 * a missing closing boundary put up with. Throws `MimeFault`.
 */
export async function* readMultipart(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  contentType: string,
  options: MimeOptions = {},
): AsyncGenerator<MimePart, void, void> {
  const { type, parameters } = readContentType(contentType);
  const boundary = parameters.get('boundary') ?? '';
  if (!boundary) throw new MimeFault('mime.boundary', 'the Content-Type names no boundary');
  const scanner = new Scanner(source, boundary, options);
  try {
    if (type !== 'multipart/related') scanner.fault('mime.type', `the body is ${JSON.stringify(type.slice(0, 80))}, not multipart/related`);
    if (boundary.length > scanner.limits.boundary)
      scanner.fault('mime.limit', `a boundary of more than ${scanner.limits.boundary} characters`);
    await scanner.skip('outside');
    if (scanner.state === 'ended') throw new MimeFault('mime.boundary', 'the boundary that the Content-Type names is not in the body');
    let parts = 0;
    const named = new Set<string>();
    while (scanner.state === 'part') {
      if (++parts > scanner.limits.parts) scanner.fault('mime.limit', `more than ${scanner.limits.parts} parts`);
      const part = partOf(await scanner.headers(), scanner, parts);
      if (part.contentId !== '' && named.has(part.contentId))
        scanner.fault('mime.ambiguous', `part ${parts} has the content id of an earlier part`);
      named.add(part.contentId);
      yield part;
      await scanner.skip('part');
    }
    if (scanner.state === 'closed') await scanner.skipEpilogue();
  } finally {
    await scanner.close();
  }
}

function partOf(headers: ReadonlyMap<string, string>, scanner: Scanner, number: number): MimePart {
  const { type, parameters } = readContentType(headers.get('content-type') ?? 'text/plain');
  const encoding = (headers.get('content-transfer-encoding') ?? '8bit').trim().toLowerCase();
  scanner.endMayLack = encoding !== 'base64' && (type === 'text/xml' || type === 'application/xml');
  let undecoded: Undecoded | null = null;
  const decoded = (onFault?: (where: Undecoded) => void, room?: Buffer): AsyncIterable<Uint8Array> => {
    if (encoding === 'base64')
      return decodeBase64(scanner.content(number), {
        ...(onFault && { onFault }),
        onForeign: () =>
          scanner.defect('mime.base64', `part ${number} holds characters outside the base64 alphabet, which are passed over`),
        ...(room && { room }),
      });
    if (encoding !== '8bit' && encoding !== '7bit' && encoding !== 'binary')
      scanner.fault(
        'mime.encoding',
        `Content-Transfer-Encoding ${JSON.stringify(encoding.slice(0, 40))} is not one of 7bit, 8bit, binary, base64`,
      );
    return scanner.content(number);
  };
  return {
    headers,
    contentId: bareContentId(headers.get('content-id') ?? ''),
    contentType: type,
    charset: parameters.get('charset') ?? null,
    encoding,
    bytes: () => decoded(),
    leaf: (room) =>
      decoded((where) => {
        undecoded = where;
      }, room),
    undecoded: () => undecoded,
    raw: () => scanner.content(number),
  };
}

/** Headers that say how a part is to be read. */
const STRUCTURAL: ReadonlySet<string> = new Set(['content-type', 'content-id', 'content-transfer-encoding']);
const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;
/** White space between a boundary and its line end; more is no boundary line. */
const PADDING = 256;
/** Even a lenient reader does not take a whole body for header lines. */
const HEADER_BLOCK_AT_ALL = 1024 * 1024;

/** An indented tag with attributes, or a declaration: content behind headers that no empty line ended, not a folded `<content@id>`. */
const XML_BEGINS = /^[ \t]+<\??[A-Za-z_][^>\s]*\s/;

type State = 'part' | 'closed' | 'ended';

/** Cuts the stream at boundary lines. The buffer always begins with the line feed before what is read next. */
class Scanner {
  readonly limits: MimeLimits;
  state: State = 'ended';
  endMayLack = false;
  #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #options: MimeOptions;
  #needle: Buffer;
  // As if a line had ended before the first byte: a boundary on the first line is found like any other.
  #buffer: Buffer = Buffer.from('\n');
  #exhausted = false;
  #taken = 0;
  #outside = 0;
  #partRead = 0;
  #partInProgress = false;
  #number = 0;

  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, boundary: string, options: MimeOptions) {
    this.limits = { ...MIME_LIMITS, ...options.limits };
    this.#options = options;
    this.#needle = Buffer.from(`\n--${boundary}`, 'latin1');
    this.#source = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  fault(code: ConstructorParameters<typeof MimeFault>[0], message: string): void {
    const fault = new MimeFault(code, message);
    if (!this.#options.lenient) throw fault;
    this.#options.onDefect?.(fault, false);
  }

  defect(code: ConstructorParameters<typeof MimeFault>[0], message: string): void {
    this.#options.onDefect?.(new MimeFault(code, message), true);
  }

  async close(): Promise<void> {
    if (!this.#exhausted) await this.#source.return?.();
    this.#exhausted = true;
  }

  /** The content of the part numbered `number`, which must be the current one and not begun. */
  content(number: number): AsyncGenerator<Buffer, void, void> {
    if (number !== this.#number || this.#partInProgress)
      throw new MimeFault('mime.consumed', `the content of part ${number} was read before, or skipped`);
    this.#partInProgress = true;
    return this.#untilBoundary();
  }

  /** Reads on to the next boundary line and drops what stands before it. */
  async skip(where: 'part' | 'outside'): Promise<void> {
    if (where === 'part' && this.#partRead === this.#number) return;
    for await (const bytes of this.#untilBoundary()) if (where === 'outside') this.#countOutside(bytes.byteLength);
  }

  async skipEpilogue(): Promise<void> {
    this.#countOutside(this.#buffer.byteLength);
    this.#buffer = Buffer.alloc(0);
    while (await this.#fill()) {
      this.#countOutside(this.#buffer.byteLength);
      this.#buffer = Buffer.alloc(0);
    }
  }

  #countOutside(bytes: number): void {
    const before = this.#outside;
    this.#outside += bytes;
    if (before <= this.limits.outside && this.#outside > this.limits.outside)
      this.fault('mime.limit', `more than ${this.limits.outside} bytes before the first and behind the last part`);
  }

  /** The header fields of the part that begins here; afterwards the buffer begins with the line feed before its content. */
  async headers(): Promise<ReadonlyMap<string, string>> {
    this.#number++;
    this.#partInProgress = false;
    const fields = new Map<string, string>();
    const add = (line: string): boolean => {
      const field = readField(line);
      if (!field) return false;
      const first = fields.get(field.name);
      if (first === undefined) fields.set(field.name, field.value);
      // Two answers to what a part is, how it is encoded or what it is called: two readers would see two messages.
      else if (STRUCTURAL.has(field.name) && first !== field.value)
        this.fault('mime.ambiguous', `part ${this.#number} has two different headers ${field.name}`);
      else this.defect('mime.header', `part ${this.#number} repeats the header ${field.name}`);
      return true;
    };
    let line = '';
    let lines = 0;
    let bytes = 0;
    for (;;) {
      const next = await this.#line();
      if (next === null) {
        if (line) add(line);
        this.fault('mime.truncated', `the body ends in the headers of part ${this.#number}`);
        return fields;
      }
      bytes += next.bytes;
      if (bytes > this.limits.headerBlock && bytes - next.bytes <= this.limits.headerBlock)
        this.fault('mime.limit', `part ${this.#number} has more than ${this.limits.headerBlock} bytes of headers`);
      if (bytes > HEADER_BLOCK_AT_ALL) throw new MimeFault('mime.limit', `part ${this.#number} has more than 1 MiB of headers`);
      if (++lines === this.limits.headerLines + 2)
        this.fault('mime.limit', `part ${this.#number} has more than ${this.limits.headerLines} header lines`);
      if (/^[ \t]/.test(next.text) && line && !XML_BEGINS.test(next.text)) {
        line += ` ${next.text.trim()}`;
        this.#consume(next.bytes);
        continue;
      }
      if (line) add(line);
      line = '';
      if (next.text === '') {
        // The line feed of the empty line stays: a boundary may follow at once.
        this.#consume(next.bytes);
        return fields;
      }
      if (next.boundary || !readField(next.text)) {
        this.defect('mime.header', `the headers of part ${this.#number} do not end with an empty line`);
        return fields;
      }
      line = next.text;
      this.#consume(next.bytes);
    }
  }

  /** The line behind the leading line feed, left in the buffer. */
  async #line(): Promise<{ text: string; bytes: number; boundary: boolean } | null> {
    let end = this.#buffer.indexOf(LF, 1);
    while (end < 0) {
      if (this.#buffer.byteLength > HEADER_BLOCK_AT_ALL) throw new MimeFault('mime.limit', 'a header line of more than 1 MiB');
      if (this.#buffer.byteLength > this.limits.headerBlock + 2 && !this.#options.lenient)
        this.fault('mime.limit', `part ${this.#number} has more than ${this.limits.headerBlock} bytes of headers`);
      const from = this.#buffer.byteLength;
      if (!(await this.#fill())) return null;
      end = this.#buffer.indexOf(LF, Math.max(1, from));
    }
    const boundary = this.#buffer.subarray(0, this.#needle.byteLength).equals(this.#needle);
    return { text: this.#buffer.toString('latin1', 1, this.#buffer[end - 1] === CR ? end - 1 : end), bytes: end, boundary };
  }

  #consume(bytes: number): void {
    this.#buffer = this.#buffer.subarray(bytes);
  }

  /** Yields what stands before the next boundary line, and sets `state` by that line. */
  async *#untilBoundary(): AsyncGenerator<Buffer, void, void> {
    const needle = this.#needle;
    // The first byte is the line feed that belongs to what was before.
    let start = 1;
    let search = 0;
    for (;;) {
      const found = this.#buffer.indexOf(needle, search);
      if (found >= 0) {
        const line = this.#lineAt(found + needle.byteLength);
        if (line === 'unknown' && (await this.#fill())) continue;
        if (line === 'none') {
          search = found + 1;
          continue;
        }
        if (line !== 'unknown') {
          const end = this.#buffer[found - 1] === CR ? found - 1 : found;
          if (end > start) yield this.#buffer.subarray(start, end);
          this.#consume(line.next);
          this.state = line.state;
          this.#partRead = this.#number;
          return;
        }
      }
      const safe = found >= 0 ? 0 : this.#withoutBeginning();
      if (safe > start) {
        yield this.#buffer.subarray(start, safe);
        this.#consume(safe);
        start = 0;
        search = 0;
      }
      if (found < 0 && (await this.#fill())) continue;
      // A boundary that the end cuts off is none of the content; what it would have begun or ended is missing.
      const end = found < 0 ? this.#buffer.byteLength : this.#buffer[found - 1] === CR ? found - 1 : found;
      if (end > start) yield this.#buffer.subarray(start, end);
      this.#consume(this.#buffer.byteLength);
      this.state = 'ended';
      this.#partRead = this.#number;
      if (this.#number === 0) return;
      if (this.endMayLack && found < 0) this.defect('mime.unclosed', 'the closing boundary is missing');
      else this.fault('mime.truncated', `the body ends inside part ${this.#number}, without a closing boundary`);
      return;
    }
  }

  /** How much of the buffer stands before what may be the beginning of a boundary line, and the CR before it. Of base64 that is all. */
  #withoutBeginning(): number {
    const buffer = this.#buffer;
    const { byteLength } = buffer;
    const lf = buffer.indexOf(LF, Math.max(0, byteLength - this.#needle.byteLength));
    const end = lf < 0 ? byteLength : lf;
    return end > 0 && buffer[end - 1] === CR ? end - 1 : end;
  }

  /** What a boundary is followed by: `unknown` where more bytes are needed. `next` is where the buffer goes on. */
  #lineAt(at: number): { state: State; next: number } | 'none' | 'unknown' {
    const buffer = this.#buffer;
    if (buffer[at] === DASH) {
      if (at + 1 >= buffer.byteLength) return 'unknown';
      return buffer[at + 1] === DASH ? { state: 'closed', next: at + 2 } : 'none';
    }
    let end = at;
    while (end - at < PADDING && (buffer[end] === 0x20 || buffer[end] === 0x09)) end++;
    if (buffer[end] === CR) end++;
    if (end >= buffer.byteLength) return 'unknown';
    return buffer[end] === LF ? { state: 'part', next: end } : 'none';
  }

  async #fill(): Promise<boolean> {
    // What the source has given is its own again as soon as it is asked for more.
    if (this.#buffer.byteLength > 0) this.#buffer = Buffer.from(this.#buffer);
    while (!this.#exhausted) {
      const { value, done } = await this.#source.next();
      if (done) {
        this.#exhausted = true;
        return false;
      }
      if (value.byteLength === 0) continue;
      const before = this.#taken;
      this.#taken += value.byteLength;
      if (before <= this.limits.body && this.#taken > this.limits.body)
        this.fault('mime.limit', `more than ${this.limits.body} bytes in one message`);
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      this.#buffer = this.#buffer.byteLength ? Buffer.concat([this.#buffer, bytes]) : bytes;
      return true;
    }
    return false;
  }
}

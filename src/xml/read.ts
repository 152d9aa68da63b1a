import { isAllSpace } from './characters.ts';
import type { XmlElement, XmlNode } from './element.ts';
import { XmlDecoder } from './encoding.ts';
import { XML_LIMITS, XmlFault, type XmlLimits } from './limits.ts';
import { listOf, Strings } from './strings.ts';
import { XmlTokeniser } from './tokeniser.ts';

export { XML_LIMITS, XmlFault, type XmlLimits } from './limits.ts';

export type ReadOptions = {
  readonly limits?: Partial<XmlLimits>;
  /** Called when an element is complete; `drop` leaves it out of its parent, so that its memory can go. Depth of the root is 0. */
  readonly onElement?: (element: XmlElement, depth: number) => 'keep' | 'drop';
  /** Called at an opening tag; `true` ends the reading there: everything after is not looked at, well formed or not. */
  readonly until?: (name: string, depth: number) => boolean;
};

/** Characters, or bytes, that are looked at in one go. */
const STEP = 65_536;

/** Reads one document piece by piece; `end` gives the root. Namespaces are resolved, DTDs refused, limits kept. */
export class XmlReader {
  readonly #limits: XmlLimits;
  readonly #tree: Tree;
  readonly #tokeniser: XmlTokeniser;
  readonly #decoder = new XmlDecoder();
  #bytes = 0;

  constructor(options: ReadOptions = {}) {
    this.#limits = { ...XML_LIMITS, ...options.limits };
    this.#tree = new Tree(options);
    this.#tokeniser = new XmlTokeniser(this.#tree, this.#limits);
  }

  /** True once `until` said so: nothing more need be fed. */
  get done(): boolean {
    return this.#tokeniser.stopped;
  }

  write(bytes: Uint8Array): void {
    if (this.done) return;
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#limits.bytes) throw new XmlFault('xml.limit', `more than ${this.#limits.bytes} bytes`, this.#tokeniser.line);
    this.#tokeniser.write(this.#decoder.decode(bytes, false, () => this.#tokeniser.line));
  }

  writeText(text: string): void {
    for (let from = 0; from < text.length && !this.done; from += STEP) this.#tokeniser.write(text.slice(from, from + STEP));
  }

  /** The root element. Throws `XmlFault` where the document is not complete. */
  end(): XmlElement {
    if (!this.done) {
      this.#tokeniser.write(this.#decoder.decode(new Uint8Array(), true, () => this.#tokeniser.line));
      this.#tokeniser.end();
    }
    const root = this.#tree.root();
    if (!root) throw new XmlFault('xml.malformed', 'no element', this.#tokeniser.line);
    return root;
  }
}

type Open = { name: string; ns: string; attributes: readonly string[]; line: number; firstChild: number };

/** Builds the tree from events, in lists that are no longer than what they hold. */
class Tree {
  readonly #options: ReadOptions;
  readonly #strings = new Strings();
  readonly #open: Open[] = [];
  /** The children so far of all open elements, those of an inner one above those of an outer one. */
  readonly #nodes: XmlNode[] = [];
  #top = 0;
  #root: XmlElement | null = null;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  before(name: string, depth: number): boolean {
    return this.#options.until?.(name, depth) ?? false;
  }

  open(name: string, ns: string, attributes: readonly string[], count: number, line: number): void {
    this.#open.push({ name, ns, attributes: this.#strings.list(attributes, count), line, firstChild: this.#top });
  }

  text(text: string): void {
    const { firstChild } = this.#open.at(-1) ?? { firstChild: this.#top };
    const last = this.#top > firstChild ? this.#nodes[this.#top - 1] : undefined;
    if (typeof last === 'string') this.#nodes[this.#top - 1] = last + text;
    else this.#nodes[this.#top++] = text;
  }

  close(): void {
    const opened = this.#open.pop();
    if (!opened) return;
    const { name, ns, attributes, line, firstChild } = opened;
    this.#withoutLayout(firstChild);
    const element: XmlElement = { name, ns, prefix: '', attributes, children: listOf(this.#nodes, firstChild, this.#top), line };
    this.#top = firstChild;
    const fate = this.#options.onElement?.(element, this.#open.length) ?? 'keep';
    if (this.#open.length === 0) this.#root = element;
    else if (fate === 'keep') this.#nodes[this.#top++] = element;
  }

  /** White space between elements is layout; white space that is all there is may be data. */
  #withoutLayout(from: number): void {
    const nodes = this.#nodes;
    const to = this.#top;
    let texts = 0;
    for (let i = from; i < to; i++) if (typeof nodes[i] === 'string') texts++;
    if (texts === 0 || texts === to - from) return;
    let kept = from;
    for (let i = from; i < to; i++) {
      const node = nodes[i];
      if (node !== undefined && !(typeof node === 'string' && isAllSpace(node))) nodes[kept++] = node;
    }
    this.#top = kept;
  }

  /** What there is of the tree once nothing more comes, finished or not. */
  root(): XmlElement | null {
    while (this.#open.length) this.close();
    return this.#root;
  }
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

import type { XmlElement } from './element.ts';

/** Who looks on while XML is written. */
export type Watch = {
  /** Is asked for each element before it is written; what it gives is written instead. May throw. */
  element(element: XmlElement): XmlElement;
  /** So many characters of a text could not be carried and were replaced. */
  replaced(characters: number): void;
};

/** An element as XML text: no declaration, no white space that is not in the tree (SystmOne refuses it between elements). */
export function writeXml(element: XmlElement): string {
  return inOnePiece(written(element, undefined));
}

/** As `writeXml`, with somebody who looks on. */
export function writeWatched(element: XmlElement, watch: Watch): string {
  return inOnePiece(written(element, watch));
}

/**
 * The same text. Until somebody looks into it, a text that was put together is a tree of its pieces, ten times its size and dear to the
 * garbage collector; looking at its first character makes one piece of it.
 */
const inOnePiece = (text: string) => (text.charCodeAt(0) > 0 ? text : '');

function written(element: XmlElement, watch: Watch | undefined): string {
  if (element.name === VERBATIM) return element.children.join('');
  const { attributes, children, name: local, prefix } = watch ? watch.element(element) : element;
  const name = prefix ? `${prefix}:${local}` : local;
  let out = `<${name}${attributesOf(attributes, watch)}`;
  if (children.length === 0) return `${out}/>`;
  out += '>';
  for (const node of children) out += typeof node === 'string' ? escapeText(node, watch) : written(node, watch);
  return `${out}</${name}>`;
}

/** What `writeXml` gave, to stand inside of what is written later: its tree need not be kept until then. */
export function verbatim(xml: string): XmlElement {
  return { name: VERBATIM, ns: '', prefix: '', attributes: [], children: [xml], line: 0 };
}

// No element has this name.
const VERBATIM = '';

/** The opening tag alone, for documents that are written before their end is known. */
export function writeOpenTag(element: XmlElement): string {
  return `<${qualified(element)}${attributesOf(element.attributes, undefined)}>`;
}

export function writeCloseTag(element: XmlElement): string {
  return `</${qualified(element)}>`;
}

function attributesOf(attributes: readonly string[], watch: Watch | undefined): string {
  let out = '';
  for (let at = 0; at < attributes.length; at += 2) out += ` ${attributes[at]}="${escapeAttribute(attributes[at + 1] ?? '', watch)}"`;
  return out;
}

function qualified(element: XmlElement): string {
  return element.prefix ? `${element.prefix}:${element.name}` : element.name;
}

// Tested first: most texts need nothing done. Surrogates are looked at closely only where there are any.
const IN_TEXT = /[&<>\r\uD800-\uDFFF\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;
const IN_ATTRIBUTE = /[&<>"\r\n\t\uD800-\uDFFF\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;
const FORBIDDEN = /[\p{Cs}\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/gu;

/** Text with every character that XML 1.0 cannot carry replaced by U+FFFD. `replaced` counts them, for the report. */
export function carriable(text: string): { text: string; replaced: number } {
  let replaced = 0;
  const clean = text.replace(FORBIDDEN, () => {
    replaced++;
    return '\uFFFD';
  });
  return { text: clean, replaced };
}

function escapeText(text: string, watch: Watch | undefined): string {
  if (!IN_TEXT.test(text)) return text;
  return counted(text, watch).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/\r/g, '&#13;');
}

// Line ends and tabs as references: a parser would turn them into spaces.
function escapeAttribute(text: string, watch: Watch | undefined): string {
  if (!IN_ATTRIBUTE.test(text)) return text;
  return counted(text, watch)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/\r/g, '&#13;')
    .replace(/\n/g, '&#10;')
    .replace(/\t/g, '&#9;');
}

function counted(text: string, watch: Watch | undefined): string {
  const { text: clean, replaced } = carriable(text);
  if (replaced) watch?.replaced(replaced);
  return clean;
}

import type { XmlElement } from './element.ts';

/** An element as XML text: no declaration, no white space that is not in the tree (SystmOne refuses it between elements). */
export function writeXml(element: XmlElement): string {
  const out: string[] = [];
  writeTo(element, out);
  return out.join('');
}

/** The opening tag alone, for documents that are written before their end is known. */
export function writeOpenTag(element: XmlElement): string {
  const out: string[] = [];
  open(element, out);
  out.push('>');
  return out.join('');
}

export function writeCloseTag(element: XmlElement): string {
  return `</${qualified(element)}>`;
}

function writeTo(element: XmlElement, out: string[]): void {
  open(element, out);
  if (element.children.length === 0) {
    out.push('/>');
    return;
  }
  out.push('>');
  for (const node of element.children) {
    if (typeof node === 'string') out.push(escapeText(node));
    else writeTo(node, out);
  }
  out.push('</', qualified(element), '>');
}

function open(element: XmlElement, out: string[]): void {
  out.push('<', qualified(element));
  const { attributes } = element;
  for (let i = 0; i < attributes.length; i += 2) out.push(' ', attributes[i] ?? '', '="', escapeAttribute(attributes[i + 1] ?? ''), '"');
}

function qualified(element: XmlElement): string {
  return element.prefix ? `${element.prefix}:${element.name}` : element.name;
}

// Tested first: most texts need nothing done.
const IN_TEXT = /[&<>\r\p{Cs}\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/u;
const IN_ATTRIBUTE = /[&<>"\r\n\t\p{Cs}\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/u;
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

function escapeText(text: string): string {
  if (!IN_TEXT.test(text)) return text;
  return text.replace(FORBIDDEN, '\uFFFD').replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/\r/g, '&#13;');
}

// Line ends and tabs as references: a parser would turn them into spaces.
function escapeAttribute(text: string): string {
  if (!IN_ATTRIBUTE.test(text)) return text;
  return text
    .replace(FORBIDDEN, '\uFFFD')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/\r/g, '&#13;')
    .replace(/\n/g, '&#10;')
    .replace(/\t/g, '&#9;');
}

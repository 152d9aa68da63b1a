/**
 * Markup as a type of its own: text becomes markup only by being escaped, and a function that asks for `Html` cannot be handed
 * a text by mistake. `html` is the one way to make it by hand.
 */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
  toString(): string {
    return this.markup;
  }
}

export type HtmlValue = string | number | Html | null | undefined | false | readonly HtmlValue[];

/** `` html`<p class="${name}">${text}</p>` ``: every value that is not `Html` is escaped, for text and for quoted attributes alike. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = parts[0] ?? '';
  for (const [at, value] of values.entries()) markup += markupOf(value) + (parts[at + 1] ?? '');
  return new Html(markup);
}

function markupOf(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) return value.markup;
  if (Array.isArray(value)) return value.map((each: HtmlValue) => markupOf(each)).join('');
  return escapeHtml(String(value));
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => ESCAPES[character] ?? character);
}

/** An address for `href`: a path of this site or an https address; `null` for `javascript:`, `data:`, `//host` and whatever else. */
export function safeHref(address: string): string | null {
  // Control characters and white space are dropped by browsers, backslashes become slashes: with them nothing is what it seems.
  if (/[\u0000-\u0020\u007f\\]/.test(address)) return null;
  if (/^\/(?!\/)/.test(address) || /^[?#]/.test(address)) return address;
  return URL.parse(address)?.protocol === 'https:' ? address : null;
}

/** Characters that turn the direction of others or are not shown at all; not the selectors that only colour a symbol. */
const HIDDEN = /(?![\ufe00-\ufe0f])[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\ufff9-\ufffb]/gu;

/** Text from a record as it was written, line for line, with characters that hide or turn text shown by their numbers. */
export function clinicalText(text: string): Html {
  const parts: HtmlValue[] = [];
  let behind = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const code = match[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    parts.push(text.slice(behind, match.index), html`<span class="gp2gp-hidden-character">U+${code}</span>`);
    behind = match.index + match[0].length;
  }
  const shown = html`<div class="gp2gp-clinical-text">${parts}${text.slice(behind)}</div>`;
  // By reference: the design system's macros indent the lines of what they are given, and here white space is text.
  return new Html(shown.markup.replace(/\r\n?|\n/g, '&#10;'));
}

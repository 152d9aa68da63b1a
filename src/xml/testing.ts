/** saxes, a parser of long standing, as the oracle: what it makes of a document, our tokeniser must make of it too. */
import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import { XML_LIMITS, XmlFault } from './limits.ts';
import { XmlTokeniser } from './tokeniser.ts';

/** What was read, up to the end or up to where it was refused. White space outside the root is no event. */
export type Read = { readonly refused: string | null; readonly events: readonly string[] };

class Events {
  readonly #list: string[] = [];
  #text = '';

  open(name: string, ns: string, attributes: readonly string[], line: number): void {
    this.#told();
    this.#list.push(JSON.stringify(['open', name, ns, attributes, line]));
  }
  close(): void {
    this.#told();
    this.#list.push('close');
  }
  text(text: string): void {
    this.#text += text;
  }
  #told(): void {
    if (this.#text !== '') this.#list.push(JSON.stringify(['text', this.#text]));
    this.#text = '';
  }
  list(): readonly string[] {
    this.#told();
    return this.#list;
  }
}

/** By our tokeniser, in pieces of so many characters. */
export function readByUs(document: string, size = document.length || 1): Read {
  const events = new Events();
  const tokeniser = new XmlTokeniser(
    {
      before: () => false,
      open: (name, ns, attributes, count, line) => events.open(name, ns, attributes.slice(0, count), line),
      close: () => events.close(),
      text: (text) => events.text(text),
    },
    XML_LIMITS,
  );
  try {
    for (let from = 0; from < document.length; from += size) tokeniser.write(document.slice(from, from + size));
    tokeniser.end();
  } catch (thrown) {
    if (!(thrown instanceof XmlFault)) throw thrown;
    return { refused: thrown.message, events: events.list() };
  }
  return { refused: null, events: events.list() };
}

const PREFIX_OF: Readonly<Record<string, string>> = {
  'http://www.w3.org/2001/XMLSchema-instance': 'xsi:',
  'http://www.w3.org/1999/xlink': 'xlink:',
  'http://www.w3.org/XML/1998/namespace': 'xml:',
};

export function readByOracle(document: string): Read {
  const events = new Events();
  const parser = new SaxesParser({ xmlns: true, position: true });
  let depth = 0;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Error('a document type declaration');
  });
  parser.on('opentag', (read) => {
    const tag = read as SaxesTagNS;
    const attributes = Object.values(tag.attributes as Record<string, SaxesAttributeNS>).filter(
      ({ name, prefix }) => name !== 'xmlns' && prefix !== 'xmlns',
    );
    depth++;
    events.open(
      tag.local,
      tag.uri,
      attributes.flatMap(({ uri, local, value }) => [(PREFIX_OF[uri] ?? '') + local, value]),
      parser.line,
    );
  });
  parser.on('closetag', () => {
    depth--;
    events.close();
  });
  const text = (characters: string) => depth > 0 && events.text(characters);
  parser.on('text', text);
  parser.on('cdata', text);
  try {
    parser.write(document).close();
  } catch (thrown) {
    return { refused: thrown instanceof Error ? thrown.message : String(thrown), events: events.list() };
  }
  return { refused: null, events: events.list() };
}

/** How our reading differs from the oracle's, in a few words; null where it does not. Both may refuse for reasons of their own. */
export function differenceFromOracle(document: string, size?: number): string | null {
  const oracle = readByOracle(document);
  const us = readByUs(document, size);
  if (oracle.refused !== null && us.refused !== null) return null;
  if (oracle.refused !== null) return `the oracle refuses: ${oracle.refused}`;
  if (us.refused !== null) return `only we refuse: ${us.refused}`;
  for (let at = 0; at < Math.max(us.events.length, oracle.events.length); at++)
    if (us.events[at] !== oracle.events[at]) return `event ${at}: ${us.events[at]} and not ${oracle.events[at]}`;
  return null;
}

/** The key and value text in `eb:Description` of a manifest reference: what an attachment is called and what it is. */

export type Description = {
  readonly filename?: string;
  readonly contentType?: string;
  /** The whole, reassembled content is one gzip stream. */
  readonly compressed: boolean;
  /** The message referred to is an index. Never relied on when reading. */
  readonly large?: boolean;
  /** Written and ignored: senders disagree about what it means. */
  readonly originalBase64?: boolean;
  /** Characters of the base64 form, as the sender counts them: vendors' numbers are often wrong. */
  readonly length?: number;
  /** The attachment is the extract itself, a skeleton having come in its place. */
  readonly skeleton: boolean;
};

const LONGEST = 4096;
const KEYS = ['Filename', 'ContentType', 'Compressed', 'LargeAttachment', 'OriginalBase64', 'Length', 'DomainData'] as const;
type Key = (typeof KEYS)[number];
const KEY_OF: ReadonlyMap<string, Key> = new Map(KEYS.map((key) => [key.toLowerCase(), key]));

/** Texts that name no file: what some systems write for want of a description. */
const NO_NAME = /^(?:attachment|(?:the )?hl7 payload|application acknowledgement|[A-Z]{4}_IN\d{6}UK\d{2})$/i;

/**
 * Reads a description: keys in any order, anywhere in the text, values quoted or not; quoted values may hold blanks, `=` and quotes.
 * A text without any key is a file name (as EMIS writes for small attachments), unless it is one of the stock texts. Never fails:
 * what cannot be read is left out; of a text over 4 KiB only the beginning is a name.
 */
export function readDescription(text: string | null): Description {
  const trimmed = (text ?? '').trim();
  if (trimmed.length > LONGEST) return named(trimmed.slice(0, 255));
  const pairs = readPairs(trimmed);
  if (pairs.size === 0) return named(NO_NAME.test(trimmed) ? '' : trimmed);
  const yes = (key: Key): boolean | undefined => {
    const value = pairs.get(key);
    return value === undefined ? undefined : /^(?:yes|true)$/i.test(value);
  };
  const filename = pairs
    .get('Filename')
    ?.replace(/[\r\n\t]+ */g, ' ')
    .trim();
  const contentType = pairs.get('ContentType');
  const large = yes('LargeAttachment');
  const originalBase64 = yes('OriginalBase64');
  const length = pairs.get('Length') ?? '';
  return {
    ...(filename && { filename }),
    ...(contentType && { contentType }),
    compressed: yes('Compressed') ?? false,
    ...(large !== undefined && { large }),
    ...(originalBase64 !== undefined && { originalBase64 }),
    ...(/^\d{1,15}$/.test(length) && { length: Number(length) }),
    skeleton: /^x-gp2gp-skeleton:yes$/i.test((pairs.get('DomainData') ?? '').replace(/\s/g, '')),
  };
}

function named(filename: string): Description {
  const name = filename.replace(/\s+/g, ' ');
  return { ...(name && { filename: name }), compressed: false, skeleton: false };
}

/** Each key's first value. A key stands at the beginning or behind white space, an `=` follows at once. */
function readPairs(text: string): Map<Key, string> {
  const starts: { key: Key; from: number; value: number }[] = [];
  for (const match of text.matchAll(/(?<![^\s])([A-Za-z0-9]{6,15})=/g)) {
    const key = KEY_OF.get((match[1] ?? '').toLowerCase());
    if (key) starts.push({ key, from: match.index, value: match.index + match[0].length });
  }
  const pairs = new Map<Key, string>();
  let behind = 0;
  for (const [i, { key, from, value }] of starts.entries()) {
    // Inside the quotes of the one before, as in a file called `a Length=1.txt`.
    if (from < behind) continue;
    const quote = /^\\?"/.exec(text.slice(value, value + 2))?.[0];
    let read: string;
    if (quote) {
      const end = closingQuote(text, value + quote.length, quote, starts.slice(i + 1));
      read = text.slice(value + quote.length, end);
      behind = end + quote.length;
    } else {
      read = /^\S*/.exec(text.slice(value))?.[0] ?? '';
      // An unquoted file name with blanks reaches to the next key.
      if (key === 'Filename') read = text.slice(value, starts[i + 1]?.from ?? text.length).trim();
      behind = value + read.length;
    }
    if (!pairs.has(key)) pairs.set(key, read);
  }
  return pairs;
}

/** The quote that ends a value is the first that the end or another key follows: names hold quotes too. */
function closingQuote(text: string, from: number, quote: string, later: readonly { from: number }[]): number {
  let first = -1;
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    if (first < 0) first = at;
    const next = at + quote.length;
    if (text.slice(next).trim() === '') return at;
    if (later.some((key) => key.from > next && text.slice(next, key.from).trim() === '')) return at;
  }
  return first < 0 ? text.length : first;
}

export type DescriptionToWrite = {
  readonly filename: string;
  readonly contentType: string;
  readonly compressed: boolean;
  readonly large: boolean;
  readonly originalBase64?: boolean;
  readonly length?: number;
  readonly skeleton: boolean;
};

/** The description in the order that every system writes. Quotes and line ends in a name, which the grammar cannot carry, are replaced. */
export function writeDescription(of: DescriptionToWrite): string {
  const yes = (value: boolean): string => (value ? 'Yes' : 'No');
  const name = of.filename
    .replace(/"/g, "'")
    .replace(/[\r\n\t]+ */g, ' ')
    .trim();
  return [
    `Filename="${name}"`,
    `ContentType=${of.contentType.replace(/\s/g, '')}`,
    `Compressed=${yes(of.compressed)}`,
    `LargeAttachment=${yes(of.large)}`,
    `OriginalBase64=${yes(of.originalBase64 ?? false)}`,
    ...(of.length === undefined ? [] : [`Length=${of.length}`]),
    ...(of.skeleton ? ['DomainData="X-GP2GP-Skeleton: Yes"'] : []),
  ].join(' ');
}

/** The text in `eb:Description` (section 3.4 of the notes on the protocol), read and written apart from the product's. */

export type Described = {
  readonly filename: string | null;
  readonly contentType: string | null;
  readonly compressed: boolean;
  readonly large: boolean;
  readonly skeleton: boolean;
};

const PAIR = /(?:^|\s)(Filename|ContentType|Compressed|LargeAttachment|OriginalBase64|Length|DomainData)=(?:"([^"]*)"|(\S*))/g;

/** A text without keys is a name, unless it is `Attachment`, which names nothing. */
export function readDescribed(text: string | null): Described {
  const pairs = new Map<string, string>();
  for (const [, key = '', quoted, bare] of (text ?? '').replace(/\s+/g, ' ').matchAll(PAIR)) pairs.set(key, quoted ?? bare ?? '');
  const plain = (text ?? '').trim();
  if (pairs.size === 0)
    return {
      filename: plain === '' || plain === 'Attachment' ? null : plain,
      contentType: null,
      compressed: false,
      large: false,
      skeleton: false,
    };
  return {
    filename: pairs.get('Filename') || null,
    contentType: pairs.get('ContentType') || null,
    compressed: pairs.get('Compressed') === 'Yes',
    large: pairs.get('LargeAttachment') === 'Yes',
    skeleton: /^X-GP2GP-Skeleton:\s*Yes$/i.test(pairs.get('DomainData') ?? ''),
  };
}

export type DescribedToWrite = {
  readonly filename: string;
  readonly contentType: string;
  readonly compressed: boolean;
  readonly large: boolean;
  readonly originalBase64: boolean;
  readonly length: number;
  readonly skeleton: boolean;
};

export function writeDescribed(of: DescribedToWrite): string {
  const yes = (value: boolean) => (value ? 'Yes' : 'No');
  const skeleton = of.skeleton ? ' DomainData="X-GP2GP-Skeleton: Yes"' : '';
  return `Filename="${of.filename}" ContentType=${of.contentType} Compressed=${yes(of.compressed)} LargeAttachment=${yes(of.large)} OriginalBase64=${yes(of.originalBase64)} Length=${of.length}${skeleton}`;
}

/** Header fields of MIME (RFC 2045, 2387) and the two structured ones that matter: Content-Type and Content-ID. */
import { Fault } from '../base/errors.ts';

/** A body that is no MIME, or breaks a limit. `code` begins with `mime.`. */
export class MimeFault extends Fault {
  constructor(
    code:
      | 'mime.type'
      | 'mime.boundary'
      | 'mime.header'
      | 'mime.ambiguous'
      | 'mime.encoding'
      | 'mime.truncated'
      | 'mime.unclosed'
      | 'mime.limit'
      | 'mime.base64'
      | 'mime.consumed'
      | 'mime.unsafe',
    message: string,
    options: { remedy?: string } = {},
  ) {
    super(code, message, options);
    this.name = 'MimeFault';
  }
}

export type ContentType = {
  /** Lower case, without parameters. */
  readonly type: string;
  /** Names in lower case; values as written, without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
};

/** Reads `type/subtype; name=value; name="value"`, in any order and case, with or without quotes. Never fails. */
export function readContentType(value: string): ContentType {
  const parameters = new Map<string, string>();
  const end = value.indexOf(';');
  const type = (end < 0 ? value : value.slice(0, end)).trim().toLowerCase();
  let at = end < 0 ? value.length : end + 1;
  while (at < value.length) {
    const equals = value.indexOf('=', at);
    if (equals < 0) break;
    const name = value.slice(at, equals).replace(/[;\s]/g, '').toLowerCase();
    at = equals + 1;
    while (value[at] === ' ' || value[at] === '\t') at++;
    let text = '';
    if (value[at] === '"') {
      for (at++; at < value.length && value[at] !== '"'; at++) {
        if (value[at] === '\\') at++;
        text += value[at] ?? '';
      }
      at++;
    } else {
      const stop = value.indexOf(';', at);
      text = value.slice(at, stop < 0 ? value.length : stop).trim();
      at = stop < 0 ? value.length : stop;
    }
    if (name && !parameters.has(name)) parameters.set(name, text);
    const next = value.indexOf(';', at);
    if (next < 0) break;
    at = next + 1;
  }
  return { type, parameters };
}

/** A content id without white space and angle brackets: `<a@b>`, `a@b` and ` <a@b> ` are the same. */
export function bareContentId(value: string): string {
  return value.trim().replace(/^<\s*/, '').replace(/\s*>$/, '');
}

const FIELD = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*:[ \t]*(.*)$/;

/** One unfolded line as name (lower case) and value; `null` where it is no header field. */
export function readField(line: string): { name: string; value: string } | null {
  const match = FIELD.exec(line);
  return match ? { name: (match[1] ?? '').toLowerCase(), value: (match[2] ?? '').trim() } : null;
}

/**
 * A header value that may be written: printable ASCII on one line. Throws `mime.unsafe`, because a line end in a value
 * would let whoever chose it write headers or parts of their own.
 */
export function safeHeaderValue(value: string): string {
  if (!/^[\x20-\x7e\t]*$/.test(value))
    throw new MimeFault('mime.unsafe', 'a header value holds a line end, a control character or a character outside ASCII', {
      remedy: 'make content ids and content types from ASCII letters, digits and punctuation only',
    });
  return value;
}

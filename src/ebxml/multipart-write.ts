/**
 * multipart/related as text around contents that are never brought together here:
 * `partHead` content `PART_TAIL` `partHead` content `PART_TAIL` … `multipartEnd`. All of it is ASCII: lengths are byte lengths.
 */
import { MimeFault, safeHeaderValue } from './mime-header.ts';

export const ROOT_CONTENT_ID = 'ebXMLHeader@spine.nhs.uk';

/** The Content-Type of the whole, `start` being the content id of the ebXML part. */
export function multipartType(boundary: string, start = ROOT_CONTENT_ID): string {
  return safeHeaderValue(`multipart/related; boundary="${checked(boundary)}"; type="text/xml"; start="<${start}>"`);
}

export type PartHead = {
  /** Without angle brackets. */
  readonly contentId: string;
  readonly contentType: string;
  readonly encoding: '8bit' | '7bit' | 'base64' | 'binary';
};

/** Boundary line and headers of a part, up to its first byte. Throws `mime.unsafe` for a value that would break out of its line. */
export function partHead(boundary: string, { contentId, contentType, encoding }: PartHead): string {
  const fields = [`Content-Id: <${contentId}>`, `Content-Type: ${contentType}`, `Content-Transfer-Encoding: ${encoding}`];
  return `--${checked(boundary)}\r\n${fields.map(safeHeaderValue).join('\r\n')}\r\n\r\n`;
}

/** Stands behind the content of every part; it is not part of the content. */
export const PART_TAIL = '\r\n';

export function multipartEnd(boundary: string): string {
  return `--${checked(boundary)}--\r\n`;
}

/** RFC 2046: up to 70 characters of this set, no blank at the end. Here no blank at all, and no quote, so that quoting is simple. */
function checked(boundary: string): string {
  if (!/^[0-9A-Za-z'()+_,\-./:=?]{1,70}$/.test(boundary))
    throw new MimeFault('mime.unsafe', 'the boundary has a character that RFC 2046 does not allow, or more than 70 of them');
  return boundary;
}

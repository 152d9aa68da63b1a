import { Fault } from '../../base/errors.ts';
import { multipartParameters } from '../hub/envelope.ts';
import type { VendorProfile } from './profile.ts';

/** A part as it is to be written. `bytes` are those of the content; binary content goes as base64. */
export type PartToWrite = {
  readonly contentId: string;
  readonly contentType: string;
  readonly encoding: '8bit' | 'base64' | null;
  readonly bytes: Uint8Array | string;
};
export type Mime = { readonly contentType: string; readonly body: Buffer };

/** A message as a profile writes it: its header line and its body. `newId` gives the part of the boundary that changes. */
export function writeMime(profile: VendorProfile, parts: readonly PartToWrite[], newId: () => string): Mime {
  const boundary = profile.boundary.replace('{uuid}', newId());
  const eol = profile.lineEnd;
  const pieces: (string | Uint8Array)[] = [];
  for (const { contentId, contentType, encoding, bytes } of parts) {
    const head = [
      `--${boundary}`,
      `${profile.contentIdHeader}: <${contentId}>`,
      `Content-Type: ${contentType}`,
      ...(encoding === null ? [] : [`Content-Transfer-Encoding: ${encoding}`]),
    ];
    pieces.push(head.join(eol) + eol + eol, bytes, eol);
  }
  pieces.push(`--${boundary}--${eol}`);
  const start = profile.quotedParameters ? `"<${profile.rootContentId}>"` : profile.rootContentId;
  const type = profile.quotedParameters ? '"text/xml"' : 'text/xml';
  return {
    contentType: `multipart/related; boundary="${boundary}"; type=${type}; start=${start}`,
    body: Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece))),
  };
}

/** Base64 of content in lines of the profile's length, the last one without an end. */
export function base64(profile: Pick<VendorProfile, 'base64Line'>, bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64');
  if (profile.base64Line === 0) return text;
  return (text.match(new RegExp(`.{1,${profile.base64Line}}`, 'g')) ?? []).map((line) => `${line}\r\n`).join('');
}

export type PartRead = {
  readonly contentId: string;
  readonly contentType: string;
  /** With its transfer encoding undone. */
  readonly bytes: Buffer;
};

/** Reads a message, all of it in memory: what a practice's system is sent is small. Throws a `Fault` `vendor.mime`. */
export function readMime(contentType: string, body: Buffer): PartRead[] {
  const parameters = multipartParameters(contentType);
  if (!parameters) throw new Fault('vendor.mime', `${contentType || 'no content type'} is not multipart/related`);
  const delimiter = `--${parameters.boundary}`;
  const starts: { from: number; to: number; last: boolean }[] = [];
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + delimiter.length)) {
    // A delimiter stands at the beginning of a line and has its line for itself.
    if (at > 0 && body[at - 1] !== 0x0a) continue;
    const lineEnd = body.indexOf('\n', at);
    const rest = body.toString('latin1', at + delimiter.length, lineEnd < 0 ? body.length : lineEnd).trim();
    if (rest !== '' && rest !== '--') continue;
    starts.push({ from: at, to: lineEnd < 0 ? body.length : lineEnd + 1, last: rest === '--' });
  }
  const parts: PartRead[] = [];
  for (const [i, start] of starts.entries()) {
    if (start.last) break;
    const next = starts[i + 1];
    if (!next) throw new Fault('vendor.mime', 'the message has no closing boundary');
    let end = next.from - 1;
    if (body[end - 1] === 0x0d) end--;
    parts.push(readPart(body.subarray(start.to, Math.max(start.to, end))));
  }
  if (parts.length === 0) throw new Fault('vendor.mime', 'the message has no parts');
  return parts;
}

function readPart(part: Buffer): PartRead {
  const crlf = part.indexOf('\r\n\r\n');
  const lf = part.indexOf('\n\n');
  const [end, skip] = crlf >= 0 && (lf < 0 || crlf < lf) ? [crlf, 4] : [lf, 2];
  if (end < 0) throw new Fault('vendor.mime', 'a part has no empty line behind its headers');
  const headers = new Map<string, string>();
  for (const line of part
    .toString('latin1', 0, end)
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const content = part.subarray(end + skip);
  const encoded = headers.get('content-transfer-encoding')?.toLowerCase() === 'base64';
  return {
    contentId: (headers.get('content-id') ?? '').replace(/^<|>$/g, ''),
    contentType: headers.get('content-type') ?? '',
    bytes: encoded ? Buffer.from(content.toString('latin1'), 'base64') : content,
  };
}

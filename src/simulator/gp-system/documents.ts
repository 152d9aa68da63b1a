import { createCipheriv, createHash } from 'node:crypto';

/** A document that exists only as a description: the same description always gives the same bytes. */
export type MadeDocument = { readonly id: string; readonly contentType: string; readonly bytes: number };

/**
 * The bytes of a made document, in pieces of at most 64 kB: the beginning and the end of a real file of its media type,
 * between them noise that does not compress (text types: sentences, which do).
 */
export function* documentBytes(document: MadeDocument): Generator<Buffer> {
  const { head, tail, text } = frameOf(document.contentType, document.id);
  const room = document.bytes - head.byteLength - tail.byteLength;
  if (room < 0) {
    yield Buffer.concat([head, tail]).subarray(0, document.bytes);
    return;
  }
  yield head;
  yield* text ? sentences(document.id, room) : noise(document.id, room);
  if (tail.byteLength) yield tail;
}

/** SHA-256 of a made document, lower-case hexadecimal, without holding it. */
export function documentSha256(document: MadeDocument): string {
  const hash = createHash('sha256');
  for (const chunk of documentBytes(document)) hash.update(chunk);
  return hash.digest('hex');
}

const PIECE = 65_536;
const NOTHING = Buffer.alloc(PIECE);

function* noise(id: string, length: number): Generator<Buffer> {
  const key = createHash('sha256').update(id).digest();
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16, 32));
  for (let left = length; left > 0; left -= PIECE) yield stream.update(NOTHING.subarray(0, Math.min(left, PIECE)));
}

const WORDS =
  'the patient was seen in clinic today and remains well on current treatment we have arranged follow up in six months blood pressure was stable please continue as before many thanks for referring this pleasant person whose symptoms have improved since the last visit examination was normal no further action is required';

function* sentences(id: string, length: number): Generator<Buffer> {
  const words = WORDS.split(' ');
  const choice = createHash('sha256').update(id).digest();
  let block = `Reference ${id}\n`;
  for (let i = 0; block.length < PIECE; i++) block += `${words[((choice[i % 32] ?? 0) + i) % words.length]}${i % 14 === 13 ? '.\n' : ' '}`;
  const bytes = Buffer.from(block.slice(0, PIECE), 'latin1');
  for (let left = length; left > 0; left -= PIECE) yield bytes.subarray(0, Math.min(left, PIECE));
}

type Frame = { readonly head: Buffer; readonly tail: Buffer; readonly text: boolean };

function frameOf(contentType: string, id: string): Frame {
  const frame = (head: Buffer | string, tail: Buffer | string = '', text = false): Frame => ({
    head: typeof head === 'string' ? Buffer.from(head, 'latin1') : head,
    tail: typeof tail === 'string' ? Buffer.from(tail, 'latin1') : tail,
    text,
  });
  switch (contentType.split(';')[0]?.trim().toLowerCase()) {
    case 'application/pdf':
      return frame(
        '%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>\nendobj\n4 0 obj\n<< >>\nstream\n',
        '\nendstream\nendobj\ntrailer\n<< /Root 1 0 R /Size 5 >>\nstartxref\n0\n%%EOF\n',
      );
    case 'image/png':
      return frame(
        Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de', 'hex'),
        Buffer.from('0000000049454e44ae426082', 'hex'),
      );
    case 'image/tiff':
      return frame(Buffer.from('49492a0008000000', 'hex'));
    case 'image/jpeg':
      return frame(Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), Buffer.from('ffd9', 'hex'));
    case 'image/gif':
      return frame('GIF89a\x01\x00\x01\x00\x00\x00\x00', ';');
    case 'application/msword':
      return frame(Buffer.from('d0cf11e0a1b11ae1', 'hex'));
    case 'text/rtf':
    case 'application/rtf':
      return frame(`{\\rtf1\\ansi\\deff0 Letter ${id}\\par\n`, '}', true);
    case 'text/html':
      return frame(
        `<!DOCTYPE html>\n<html lang="en"><head><title>Letter ${id}</title></head><body><pre>\n`,
        '</pre></body></html>\n',
        true,
      );
    case 'text/xml':
    case 'application/xml':
      return frame(`<?xml version="1.0" encoding="UTF-8"?>\n<letter id="${id}">\n`, '</letter>\n', true);
    case 'text/plain':
      return frame(`Letter ${id}\n`, '', true);
    default:
      return frame('');
  }
}

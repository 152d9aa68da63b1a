import type { FileHandle } from 'node:fs/promises';
import { Fault } from '../../base/errors.ts';

export type TarEntry = {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly bytes: number;
  /** Where its bytes begin. */
  readonly at: number;
};

const BLOCK = 512;

/** What a tar file holds, in its order (ustar, as PostgreSQL writes it). A file that breaks off is a `Fault`. */
export async function* listTar(file: FileHandle): AsyncGenerator<TarEntry, void, void> {
  const header = Buffer.alloc(BLOCK);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(header, 0, BLOCK, at);
    if (bytesRead < BLOCK) throw new Fault('backup.tar', `the archive breaks off at byte ${at}`);
    if (header.every((byte) => byte === 0)) return;
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    if (sum !== octal(header, 148, 8)) throw new Fault('backup.tar', `the archive is damaged at byte ${at}`);
    const [name, prefix] = [text(header, 0, 100), text(header, 345, 155)];
    const bytes = octal(header, 124, 12);
    const type = String.fromCharCode(header[156] ?? 0);
    const kind = type === '5' ? 'folder' : type === '2' ? 'link' : 'file';
    yield { path: (prefix ? `${prefix}/${name}` : name).replace(/\/$/, ''), kind, bytes, at: at + BLOCK };
    at += BLOCK + Math.ceil(bytes / BLOCK) * BLOCK;
  }
}

function text(header: Buffer, from: number, length: number): string {
  const field = header.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? length : end).toString('utf8');
}

/** Octal digits; numbers beyond them are written in binary with the first bit set. */
function octal(header: Buffer, from: number, length: number): number {
  const field = header.subarray(from, from + length);
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(field.readBigUInt64BE(length - 8));
  return Number.parseInt(text(header, from, length).trim() || '0', 8);
}

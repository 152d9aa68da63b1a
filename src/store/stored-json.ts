/**
 * JSON as the database keeps it. PostgreSQL refuses NUL and lone surrogates in text, so a hostile file name must not keep a message
 * from being stored; bytes are kept as text where they are text, so that a person can read a row.
 */
const TEXT = '$text';
const BYTES = '$bytes';

/** A value for a `jsonb` column. */
export function writeStored(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key: string, given: unknown): unknown {
    // A Buffer has turned itself into a list of numbers before it gets here.
    const member = this[key];
    if (member instanceof Uint8Array) return fromBytes(member);
    return typeof given === 'string' ? storable(given) : given;
  });
}

/** What `writeStored` wrote. */
export function readStored(text: string): unknown {
  return text.includes(`"${TEXT}"`) || text.includes(`"${BYTES}"`) ? JSON.parse(text, revive) : JSON.parse(text);
}

/** Text that PostgreSQL accepts: NUL and lone surrogates become the replacement character. */
export function storable(text: string): string {
  const clean = text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
  return clean.isWellFormed() ? clean : clean.toWellFormed();
}

function fromBytes(bytes: Uint8Array): Record<string, string> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes('\0')) return { [TEXT]: text };
  } catch {
    // Not text: base64 below.
  }
  return { [BYTES]: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') };
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (TEXT in value && typeof value[TEXT] === 'string') return new TextEncoder().encode(value[TEXT]);
  if (BYTES in value && typeof value[BYTES] === 'string') return new Uint8Array(Buffer.from(value[BYTES], 'base64'));
  return value;
}

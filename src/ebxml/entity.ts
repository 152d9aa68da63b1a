/** A message kept as a file: a MIME entity with its headers, a captured HTTP request, or a body that begins with its boundary. */
import { readField } from './mime-header.ts';

export type Entity = {
  /** `null` where the source does not begin like a MIME entity: then `body` is all of it. */
  readonly contentType: string | null;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: AsyncIterable<Uint8Array>;
};

/** Headers of a kept message; a request line before them is passed over. */
const HEAD = 64 * 1024;

/**
 * Finds the Content-Type of a message and where its body begins. A source that begins with `--boundary` is a multipart/related body of that
 * boundary, its first part being the root.
 */
export async function openEntity(source: AsyncIterable<Uint8Array>): Promise<Entity> {
  const iterator = source[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  let ended = false;
  while (!ended && start.byteLength < HEAD && endOfHead(start) < 0) {
    const { value, done } = await iterator.next();
    if (done) ended = true;
    else start = Buffer.concat([start, value]);
  }
  const boundary = boundaryAtStart(start);
  if (boundary !== null) {
    const quoted = boundary.replace(/["\\]/g, '\\$&');
    return { contentType: `multipart/related; boundary="${quoted}"`, headers: new Map(), body: joined(start, iterator) };
  }
  const end = endOfHead(start);
  const headers = end < 0 ? null : readHead(start.toString('latin1', 0, end));
  const contentType = headers?.get('content-type') ?? null;
  if (!headers || contentType === null) return { contentType: null, headers: new Map(), body: joined(start, iterator) };
  return { contentType, headers, body: joined(start.subarray(end), iterator) };
}

/** The boundary that a body without headers begins with; `null` where it begins with anything else. */
export function boundaryAtStart(start: Uint8Array): string | null {
  const text = Buffer.from(start.buffer, start.byteOffset, Math.min(start.byteLength, 4096)).toString('latin1');
  return /^\s*--([^\r\n]*[^\s-][^\r\n]*?)[ \t]*\r?\n/.exec(text)?.[1] ?? null;
}

/** Behind the empty line that ends the headers; -1 where there is none yet. */
function endOfHead(start: Buffer): number {
  const lf = start.indexOf('\n\n', 0, 'latin1');
  const crlf = start.indexOf('\r\n\r\n', 0, 'latin1');
  if (crlf >= 0 && (lf < 0 || crlf < lf)) return crlf + 4;
  return lf < 0 ? -1 : lf + 2;
}

/** `null` where a line is neither header nor, in first place, request line. */
function readHead(text: string): Map<string, string> | null {
  const fields = new Map<string, string>();
  const lines = text
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .filter(Boolean);
  for (const [i, line] of lines.entries()) {
    if (i === 0 && /^[A-Z]+ \S+ HTTP\/\d/.test(line)) continue;
    const field = readField(line);
    if (!field) return null;
    if (!fields.has(field.name)) fields.set(field.name, field.value);
  }
  return fields;
}

async function* joined(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    if (start.byteLength) yield start;
    for (;;) {
      const { value, done } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}

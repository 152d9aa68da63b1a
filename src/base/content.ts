/** Content is never carried, only pointed at: a list of slices of stored objects. Splitting, joining and re-sending make new lists. */
export type NonEmpty<T> = readonly [T, ...T[]];

/** A stored object: its address is the lower-case hexadecimal SHA-256 of its bytes. */
export type ObjectRef = { readonly sha256: string; readonly bytes: number };

/** In a row: at most `ROW_BYTES` bytes. In the store: bytes `from` (inclusive) to `to` (exclusive) of an object. */
export type Piece = (
  | { readonly in: 'row'; readonly data: Uint8Array }
  | { readonly in: 'store'; readonly object: ObjectRef; readonly from: number; readonly to: number }
) & {
  /** In content stored as base64: a leaf that had been decoded, though it was cut inside a group; its text is to be joined, not its bytes. */
  readonly as?: 'base64';
};

export type Content = {
  readonly pieces: NonEmpty<Piece>;
  /** `base64` only where a leaf did not decode by itself and has to be joined with its neighbours first. */
  readonly stored: 'bytes' | 'base64';
  /** One gzip stream over all pieces; a piece is never unzipped alone. */
  readonly gzip: boolean;
};

export const ROW_BYTES = 16_384;

/** The bytes of a content as stored: before base64 and gzip are undone. */
export function storedLength(content: Content): number {
  let sum = 0;
  for (const piece of content.pieces) sum += pieceLength(piece);
  return sum;
}

export function pieceLength(piece: Piece): number {
  return piece.in === 'row' ? piece.data.byteLength : piece.to - piece.from;
}

/** One whole stored object, as content. */
export function wholeObject(object: ObjectRef, gzip = false): Content {
  return { pieces: [{ in: 'store', object, from: 0, to: object.bytes }], stored: 'bytes', gzip };
}

/** The slice of a content from byte `from` to byte `to` of its stored form; no byte is copied. */
export function sliceContent(content: Content, from: number, to: number): Content {
  const pieces: Piece[] = [];
  let at = 0;
  for (const piece of content.pieces) {
    const length = pieceLength(piece);
    const first = Math.max(from, at) - at;
    const last = Math.min(to, at + length) - at;
    if (last > first) {
      pieces.push(
        piece.in === 'row'
          ? { ...piece, data: piece.data.subarray(first, last) }
          : { ...piece, from: piece.from + first, to: piece.from + last },
      );
    }
    at += length;
  }
  const [head, ...rest] = pieces;
  if (!head) return { ...content, pieces: [{ in: 'row', data: new Uint8Array() }] };
  return { ...content, pieces: [head, ...rest] };
}

/** Contents joined in order. All must be stored alike; the gzip flag is that of the whole, given by who announced it. */
export function joinContents(parts: NonEmpty<Content>, gzip: boolean): Content {
  const [first, ...others] = parts.flatMap((part) => part.pieces);
  return { pieces: first ? [first, ...others] : parts[0].pieces, stored: parts[0].stored, gzip };
}

import type { NonEmpty, ObjectRef } from './content.ts';
import type { MessageId } from './ids.ts';

/**
 * A run of bytes of an outgoing message. Neighbours with `encode: 'base64'` are one text: groups of three bytes run on across their
 * borders, and only the last of them is padded.
 */
export type WirePiece =
  | { readonly in: 'row'; readonly data: Uint8Array; readonly encode: WireEncoding }
  | { readonly in: 'store'; readonly object: ObjectRef; readonly from: number; readonly to: number; readonly encode: WireEncoding };
/** `json`: UTF-8 text as it stands between the quotes of a JSON text; neighbours may share a character. */
export type WireEncoding = 'none' | 'base64' | 'json';
/** The exact body of a message: the same list gives the same bytes each time it is sent. */
export type WireBody = NonEmpty<WirePiece>;

/** A message as it will leave, fixed by the transaction that decided to send it; kept in its outbox row. */
export type Packed = {
  readonly messageId: MessageId;
  readonly soapAction: string;
  readonly contentType: string;
  /** Where SDS says that it is posted; a configured address stands above it. */
  readonly url?: string;
  /** Further headers, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of the body as sent; `null` where they show only when it is read. */
  readonly contentLength: number | null;
  readonly body: WireBody;
  /** The receiver's contract: repetitions after the first attempt, seconds between two, seconds after which nobody waits any more. */
  readonly retries: number;
  readonly everySeconds: number;
  readonly persistSeconds: number;
};

/** Bytes of a body as sent, base64 counted. A `json` piece cannot be counted before it is read. */
export function wireLength(body: readonly WirePiece[]): number {
  let sum = 0;
  let run = 0;
  for (const piece of body) {
    const bytes = piece.in === 'row' ? piece.data.byteLength : piece.to - piece.from;
    if (piece.encode === 'base64') {
      run += bytes;
      continue;
    }
    sum += Math.ceil(run / 3) * 4 + bytes;
    run = 0;
  }
  return sum + Math.ceil(run / 3) * 4;
}

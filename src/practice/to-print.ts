/** How a transfer that a practice sent has ended, as far as paper is concerned. `code`: that of the refusal; null where none was named. */
export type SentEnd =
  | { readonly kind: 'filed'; readonly answer: 'AA' | '15' | '26' }
  | { readonly kind: 'refused'; readonly code: string | null }
  | { readonly kind: 'unanswered' }
  | { readonly kind: 'undeliverable' }
  /** A newer request took its place. */
  | { readonly kind: 'superseded' };
/** A document of the record; `notSent`: why a placeholder went in its place. */
export type SentDocument = { readonly name: string; readonly contentType: string; readonly notSent: string | null };
export type ToPrint = {
  /** `record`: everything, the documents that are listed among it; `documents`: those alone. */
  readonly print: 'nothing' | 'documents' | 'record';
  readonly why: string;
  readonly documents: readonly SentDocument[];
};

/**
 * Refusals after which nothing goes on paper: the patient is not ours, the sender has GP2GP switched off, the core was a duplicate, the
 * record was another patient's or was asked for by a practice that is not the patient's.
 */
const NOT_ON_PAPER: ReadonlySet<string> = new Set(['06', '07', '12', '17', '19', '28']);

/** Whether a refused record goes on paper, unless it is sent again. */
export function refusalNeedsPaper(code: string | null): boolean {
  return code === null || !NOT_ON_PAPER.has(code);
}

/**
 * What the sending practice prints and posts: the whole record where it did not arrive as one, what was left out of it where it did, and
 * nothing to a practice that should not have it.
 */
export function toPrint(end: SentEnd, documents: readonly SentDocument[]): ToPrint {
  const record = (why: string): ToPrint => ({ print: 'record', why, documents });
  const nothing = (why: string): ToPrint => ({ print: 'nothing', why, documents: [] });
  switch (end.kind) {
    case 'filed': {
      if (end.answer === '15') return nothing('The new practice had the record already.');
      if (end.answer === '26') return record('The new practice has the record as one document only.');
      const left = documents.filter(({ notSent }) => notSent !== null);
      return left.length === 0
        ? nothing('The new practice filed the whole record.')
        : { print: 'documents', why: 'The new practice filed the record; these documents did not go with it.', documents: left };
    }
    case 'refused':
      return refusalNeedsPaper(end.code)
        ? record(`The record was not taken over (${end.code ?? 'no code was named'}). Send it again, or print it.`)
        : nothing(`The transfer was refused (${end.code}): the practice that asked is not to have this record on paper.`);
    case 'unanswered':
      return record('The new practice has not answered within eight days.');
    case 'undeliverable':
      return record('The record could not be delivered. Send it again, or print it.');
    case 'superseded':
      return nothing('A newer request took the place of this one.');
  }
}

/**
 * Words beside codes, in both directions: parts joined into one text, labels in front of values, and the envelope in which
 * pathology comments travel.
 */
import { attr, child, children, textOf, type XmlElement } from '../../xml/element.ts';

// ---- sending

/** The parts that say something, joined. */
export function joined(parts: readonly (string | null | undefined | false)[], separator = ' '): string {
  return parts.filter((part) => part).join(separator);
}

/** `Label: words`; '' where there are no words. */
export function labelled(label: string, words: string | null | undefined): string {
  return words ? `${label}: ${words}` : '';
}

/** The kinds of comment that pathology messages distinguish. */
export const PMIP = {
  aggregate: 'AGGREGATE COMMENT SET',
  user: 'USER COMMENT',
  result: 'LABORATORY RESULT COMMENT(E141)',
  specimen: 'LAB SPECIMEN COMMENT(E271)',
} as const;

/** A pathology comment in its envelope; `date` is an HL7 time or `UNK`, its line is left out for null. */
export function pmipComment(type: string, date: string | null, comment: string): string {
  return [`CommentType:${type}`, ...(date === null ? [] : [`CommentDate:${date}`]), '', comment].join('\n');
}

// ---- requesting

// A type that is broken over two lines is not recognised: such a text is kept whole. A date nobody knew is `UNK`, or its line is
// left out before the empty one.
const ENVELOPE = /^CommentType:[A-Za-z0-9() ]+(?:\s+CommentDate:(?:[0-9]+|UNK)\s*\n+|\n\n+)([\s\S]*)$/;

/** A pathology comment without its envelope and without white space at its end; any other text as it is. */
export function withoutEnvelope(text: string): string {
  const comment = ENVELOPE.exec(text)?.[1];
  return comment === undefined ? text : comment.replace(/\s+$/, '');
}

export const isResultComment = (text: string) => text.includes(`CommentType:${PMIP.result}`);
export const isUserComment = (text: string) => text.includes(PMIP.user);

/** One annotation of a statement: its place among the others (`+1` is 1; null where none or nobody knows) and its words. */
export type Annotation = { readonly sequence: number | null; readonly text: string; readonly codeText: string };

/** The annotations (`pertinentInformation`) of a statement, in document order. */
export function annotationsOf(statement: XmlElement): Annotation[] {
  return children(statement, 'pertinentInformation').flatMap((information) => {
    const annotation = child(information, 'pertinentAnnotation');
    if (!annotation) return [];
    const number = Number.parseInt(attr(child(information, 'sequenceNumber'), 'value') ?? '', 10);
    return [
      {
        sequence: Number.isNaN(number) ? null : number,
        text: textOf(child(annotation, 'text')),
        codeText: textOf(child(child(annotation, 'code'), 'originalText')),
      },
    ];
  });
}

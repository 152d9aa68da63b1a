import { h, type XmlElement } from '../../xml/element.ts';
import { pmipComment } from '../shared/comment.ts';
import { narrative } from '../shared/statements.ts';
import type { Uuid } from '../types.ts';

/** A comment of a pathology message: a NarrativeStatement whose text is in the laboratories' envelope. */
export function pmipNarrative(
  statementId: Uuid,
  type: string,
  date: string | null,
  comment: string,
  availability: XmlElement,
  redaction: XmlElement | null = null,
): XmlElement {
  const text = h('text', { mediaType: 'text/x-h7uk-pmip' }, pmipComment(type, date, comment));
  return narrative(statementId, text, availability, redaction);
}

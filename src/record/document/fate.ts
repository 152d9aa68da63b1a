import type { Attachment, DocumentReference } from '../../fhir/types.ts';
import type { DocumentFate, Uuid } from '../types.ts';
import { filenameOf, isSupported, normalisedType, PLACEHOLDER_TYPE, placeholderFilename } from './terms.ts';

export const NOT_RETRIEVED = 'The document could not be retrieved';

/** The attachment of a document that is to be sent, or why a placeholder goes in its place (before anything is fetched). */
export function attachmentOf(document: DocumentReference): { attachment: Attachment } | { absent: string } {
  const attachment = document.content?.[0]?.attachment;
  if (!attachment) return { absent: 'The entry has no attachment' };
  // A title is GP Connect's sign that the file is not there; it says why.
  if (attachment.title) return { absent: attachment.title };
  if (!attachment.contentType) return { absent: 'The type of the document is not known' };
  if (!isSupported(attachment.contentType)) return { absent: `Documents of the type ${attachment.contentType} cannot be sent` };
  if (!attachment.url?.trim()) return { absent: NOT_RETRIEVED };
  return { attachment };
}

/** What stands in the extract for a document that was fetched. */
export function fateOfPresent(reference: string, documentId: Uuid, contentType: string, bytes: number): DocumentFate {
  const type = normalisedType(contentType);
  return { reference, documentId, filename: filenameOf(documentId, type), contentType: type, present: true, bytes };
}

/** What stands in the extract for a document that is not sent, and why. */
export function fateOfAbsent(reference: string, documentId: Uuid, why: string): DocumentFate {
  return { reference, documentId, filename: placeholderFilename(documentId), contentType: PLACEHOLDER_TYPE, present: false, why };
}

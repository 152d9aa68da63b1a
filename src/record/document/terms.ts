/** What a document is called on the wire, and the placeholder that stands in for one that cannot be sent (NPFIT-PC-BLD-0099). */
import { child, children, type XmlElement } from '../../xml/element.ts';
import type { Labels } from '../shared/labels.ts';
import type { Uuid } from '../types.ts';
import { extensionFor } from './content-types.ts';

export { extensionFor, isSupported, normalisedType } from './content-types.ts';

/** The code of every external document we write: its real type stands in the narrative's text. */
export const OTHER_DIGITAL_SIGNAL = { code: '37251000000104', display: 'Other digital signal' } as const;

const STATUS_WORDS: Readonly<Record<string, string>> = { superseded: 'Superseded', 'entered-in-error': 'Entered In Error' };

/** The words for a status; undefined for `current`, which is what a document is. */
export function statusWords(status: string | undefined): string | undefined {
  return status !== undefined && Object.hasOwn(STATUS_WORDS, status) ? STATUS_WORDS[status] : undefined;
}

/** The status behind the words. */
export function statusOf(words: string | undefined): string | undefined {
  return Object.keys(STATUS_WORDS).find((status) => STATUS_WORDS[status] === words);
}

/** Facts that only the narrative's text can carry, in the order in which they are written. */
export const LABELS = {
  status: { label: 'Document Status: ', value: /Superseded|Entered In Error/ },
  type: { label: 'Type: ' },
  authorOrganisation: { label: 'Author Org: ' },
  custodian: { label: 'Custodian Org: ' },
  description: { label: 'Description: ' },
  absent: { label: 'Absent Attachment: ' },
  setting: { label: 'Setting: ' },
} as const satisfies Labels<string>;

/** What stands in a record in place of a document that did not come. The existing adaptors use the same words. */
export const PLACEHOLDER_SENTENCE = 'GP2GP generated placeholder. Original document not available. See notes for details';
export const NOT_A_MIME_TYPE = 'Content type was not a valid MIME type';

export const FILE_URL = 'file://localhost/';
export const PLACEHOLDER_TYPE = 'text/plain';
const ABSENT = 'AbsentAttachment';

/** The file name under which a document is sent: `<id>.pdf`. */
export function filenameOf(documentId: Uuid, contentType: string): string {
  return documentId + extensionFor(contentType);
}

/** The file name of the placeholder for a document that cannot be sent. */
export function placeholderFilename(documentId: Uuid): string {
  return `${ABSENT}${documentId}.txt`;
}

/** Whether a file name is that of a placeholder, made by whichever system. */
export function isPlaceholder(filename: string): boolean {
  return filename.toLowerCase().includes(ABSENT.toLowerCase());
}

/** Reasons that a placeholder may give. The existing adaptors know this one only. */
export const PLACEHOLDER_REASON = { code: '06', text: 'Unable to determine problem' } as const;

/**
 * The content of a placeholder, four lines in UTF-8 without a final line end. `original` is the document's own name or
 * description and may be empty; line ends in it become blanks, so that the four lines stay four.
 */
export function placeholderText(of: {
  original: string;
  sendingPractice: string;
  conversationId: string;
  reason?: { code: string; text: string };
}): string {
  const { code, text } = of.reason ?? PLACEHOLDER_REASON;
  return [
    'The file could not be included with the Electronic Record',
    of.original.replace(/\s*[\r\n]+\s*/g, ' '),
    `${of.sendingPractice}:${of.conversationId}`,
    `Reason:${code}:${text}`,
  ].join('\n');
}

/**
 * The name in a reference of the extract: without `file://localhost/`, percent-encoding undone (EMIS encodes blanks and
 * brackets). A text that is not well encoded is kept as it is.
 */
export function filenameIn(reference: string): string {
  const name = reference.startsWith(FILE_URL) ? reference.slice(FILE_URL.length) : reference;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The external documents that a statement refers to, in order. */
export function externalDocumentsOf(statement: XmlElement): XmlElement[] {
  return children(statement, 'reference').flatMap((reference) => child(reference, 'referredToExternalDocument') ?? []);
}

/** Whether a statement stands for a document. */
export function isDocument(statement: XmlElement): boolean {
  return statement.name === 'NarrativeStatement' && externalDocumentsOf(statement).length > 0;
}

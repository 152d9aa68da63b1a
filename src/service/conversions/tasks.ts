import type { Content, ObjectRef } from '../../base/content.ts';
import type { DocumentId, Instant, MessageId } from '../../base/ids.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import type { ReportSummary } from '../../base/report.ts';
import type { AbsentDocument } from '../../mi/lists.ts';
import type { DocumentFate } from '../../record/types.ts';
import type { Announced } from '../../transfer/types.ts';

/** What a thread is asked to do. Objects are named, never carried. */
export type ConversionTask =
  | { readonly do: 'listDocuments'; readonly bundle: ObjectRef }
  | ({ readonly do: 'toHl7' } & ToHl7Task)
  | ({ readonly do: 'toFhir' } & ToFhirTask);
export type ConversionAnswer = { listDocuments: ListedDocument[]; toHl7: ToHl7Answer; toFhir: ToFhirAnswer };

/** A document that a bundle names, before anything is fetched. */
export type ListedDocument = {
  /** `DocumentReference/…` */
  readonly reference: string;
  /** What a placeholder calls it. */
  readonly name: string;
} & ({ readonly url: string; readonly contentType: string } | { readonly absent: string; readonly as: AbsentDocument });
/** What became of it: the content is the document's, or that of the placeholder in its place. */
export type FetchedDocument = {
  readonly fate: DocumentFate;
  readonly documentId: DocumentId;
  readonly content: Content;
  /** Of a document that is not there. */
  readonly absent?: AbsentDocument;
};

export type ToHl7Task = {
  readonly bundle: ObjectRef;
  /** A list of `FetchedDocument`, itself an object. */
  readonly documents: ObjectRef;
  readonly nhsNumber: NhsNumber;
  readonly requestId: string;
  readonly requester: string;
  readonly own: string;
  readonly fromAsid: string;
  readonly toAsid: string;
  readonly version: 'UK06' | 'UK07';
  readonly now: Instant;
  /** Bytes of one message; beyond, the record is also given compressed, with its skeleton. */
  readonly messageLimit: number;
};
export type ToHl7Answer =
  | {
      readonly converted: true;
      readonly extractId: string;
      readonly messageId: MessageId;
      readonly hl7: Content;
      readonly large: { readonly compressed: Content; readonly skeleton: Content; readonly documentId: DocumentId } | null;
      readonly report: ObjectRef;
      readonly summary: ReportSummary;
    }
  | { readonly converted: false; readonly fault: string };

export type ReceivedAttachment = { readonly announced: Announced; readonly content: Content | null; readonly missing: readonly string[] };
export type ToFhirTask = {
  readonly hl7: Content;
  readonly attachments: readonly ReceivedAttachment[];
  readonly losingPractice: string;
  /** Address below which the practice's system fetches the documents of this transfer. */
  readonly documentsUrl: string;
};
/** One line of the list that the practice's system reads. `content` is null only where nothing came. */
export type ReceivedDocumentEntry = {
  readonly documentId: DocumentId;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
  /** Of the decoded bytes; '' where nothing came. */
  readonly sha256: string;
  /** Why the document is not there; its sender's placeholder may be. */
  readonly missing: string | null;
  /** What the extract calls the kind of the document, in the words of its code. */
  readonly kind?: string;
  readonly content: Content | null;
};
export type ToFhirAnswer =
  | {
      readonly converted: true;
      readonly bundle: ObjectRef;
      readonly report: ObjectRef;
      readonly documents: ObjectRef;
      /** What was degraded, as management information tells it. */
      readonly degrades?: ObjectRef;
      readonly summary: ReportSummary;
      /** Whose record it is, as the extract says. */
      readonly nhsNumber: NhsNumber | null;
      /** Announced, and not here. */
      readonly undelivered: number;
    }
  | { readonly converted: false; readonly code: '21' | '31'; readonly fault: string };

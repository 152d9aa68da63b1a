/** Events made of lists that are too long for a row: placeholders, documents, degrades; read from the objects of the conversion. */
import type { DegradeReason, DegradeType, PlaceholderReason } from './terms.ts';
import { CLINICAL_TYPES, type ClinicalType } from './terms.ts';

/** A document that the sender does not send: who leaves it out, and why. */
export type AbsentDocument = {
  /** This send, or the record as it was. */
  readonly by: 'SENDER' | 'PRE_EXISTING';
  readonly reason: PlaceholderReason;
  readonly contentType: string | null;
};

/** The kind under which every document of ours travels. */
const SENT_AS: ClinicalType = 'OTHER_DIGITAL_SIGNAL';
const UNKNOWN_TYPE = 'application/octet-stream';

/** `payload.ehr.placeholders`, one for each document that is not sent. */
export function placeholdersOf(documents: readonly { readonly absent?: AbsentDocument }[]) {
  return documents.flatMap(({ absent }) =>
    absent
      ? [
          {
            generatedBy: absent.by,
            clinicalType: SENT_AS,
            reason: absent.reason,
            originalMimeType: absent.contentType?.trim() || UNKNOWN_TYPE,
          },
        ]
      : [],
  );
}

export type ReceivedDocument = {
  readonly documentId: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly missing: string | null;
  readonly kind?: string;
  /** `null` where nothing came. */
  readonly content: unknown;
};

/**
 * What became of one document: the payload of its event, and a key by which it is known. One that came late after it had been given up is
 * another event. A placeholder that came whole is a document that came, of the kind that stands for one which is not available.
 */
export function documentResponse({ documentId, contentType, bytes, missing, kind, content }: ReceivedDocument, isPlaceholder: boolean) {
  const successful = content !== null && (missing === null || isPlaceholder);
  return {
    key: `document:${documentId}:${successful ? 'came' : 'missing'}`,
    payload: {
      attachment: {
        clinicalType: isPlaceholder ? 'NOT_AVAILABLE' : clinicalType(kind),
        mimeType: contentType.trim() || UNKNOWN_TYPE,
        sizeBytes: bytes,
      },
      documentMigration: { successful, ...(!successful && { reason: content === null ? '31 Missing LM' : '29 LM reassembly' }) },
    },
  } as const;
}

/** The words of an EhrAttachmentCode ("Original Text document") as the events spell them; anything else is `OTHER`. */
export function clinicalType(kind: string | undefined): ClinicalType {
  const word = (kind ?? '')
    .trim()
    .toUpperCase()
    .replace(/[^A-Z]+/g, '_');
  return CLINICAL_TYPES.find((type) => type === word) ?? 'OTHER';
}

/** An issue of the report of a received record, as far as it is a degrade. */
export type DegradeIssue = {
  readonly code: string;
  readonly degraded?: string;
  readonly at: { readonly kind: string };
  readonly original?: readonly { readonly code?: unknown; readonly system?: unknown }[];
};

const TYPES: Readonly<Record<string, DegradeType>> = {
  record: 'RECORD_ENTRY',
  medication: 'MEDICATION',
  referral: 'REFERRAL',
  request: 'REQUEST',
  plan: 'PLAN',
  drugAllergy: 'DRUG_ALLERGY',
  nonDrugAllergy: 'NON_DRUG_ALLERGY',
};
/** What stands in words for an entry of this element. */
const TYPES_OF_STATEMENTS: Readonly<Record<string, DegradeType>> = {
  MedicationStatement: 'MEDICATION',
  RequestStatement: 'REQUEST',
  PlanStatement: 'PLAN',
};
/** A code is demanded; who has none sends these words, as others do. */
const NO_CODING = { code: 'UNKNOWN', system: 'UNKNOWN' } as const;

/** `payload.degrades`: as many as the report counts. Codes alone: no text of the record leaves the practice by this way. */
export function degradesOf(issues: readonly DegradeIssue[]) {
  return issues.flatMap((issue) => {
    if (issue.code !== 'code.degraded' && issue.code !== 'statement.asText') return [];
    const type = TYPES[issue.degraded ?? ''] ?? TYPES_OF_STATEMENTS[issue.at.kind] ?? 'RECORD_ENTRY';
    const coding = (issue.original ?? []).flatMap(codingOf);
    return [{ type, reason: reasonOf(issue, type, coding.length > 0), coding: coding.length > 0 ? coding : [NO_CODING] }];
  });
}

function reasonOf(issue: DegradeIssue, type: DegradeType, isCoded: boolean): DegradeReason {
  if (issue.code === 'statement.asText') return 'OTHER';
  return type === 'MEDICATION' && !isCoded ? 'DRUG_NAME' : 'CODE';
}

/** Codes are short and have no white space; what does not look like one might be words about somebody. */
function codingOf({ code, system }: { readonly code?: unknown; readonly system?: unknown }) {
  if (typeof code !== 'string' || !/^\S{1,64}$/.test(code)) return [];
  return [{ code, system: typeof system === 'string' && /^\S{1,200}$/.test(system) ? system : NO_CODING.system }];
}

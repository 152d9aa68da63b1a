/** Codes and labels of a plan (diary entry, recall): FHIR ProcedureRequest, HL7 PlanStatement. */
import type { Labels } from '../shared/labels.ts';

/**
 * HL7 has no status for a plan; EMIS and TPP begin its text with one. Active plans are sent without: that is what a plan is.
 * Read in this order, without case.
 */
const STATUS_PREFIXES: readonly (readonly [prefix: string, status: string])[] = [
  ['status: pending', 'active'],
  ['status: seen', 'completed'],
  ['status: cancelled', 'cancelled'],
  ['status: superseded', 'cancelled'],
  ['status: suspended', 'suspended'],
  ['status: draft', 'draft'],
  ['status: entered in error', 'entered-in-error'],
];

/** What a status is called in front of the text, so that readers that know EMIS's words understand it. */
const WORDS: Readonly<Record<string, string>> = {
  completed: 'Seen',
  cancelled: 'Cancelled by clinician',
  suspended: 'Suspended',
  draft: 'Draft',
  'entered-in-error': 'Entered in error',
};

/** The words for a status; undefined for `active` and whatever says nothing. */
export function statusWords(status: string | undefined): string | undefined {
  return status === undefined ? undefined : WORDS[status];
}

/** The status that a text begins with; `unknown` for none. */
export function statusIn(text: string): string {
  const start = text.trimStart().slice(0, 40).toLowerCase();
  return STATUS_PREFIXES.find(([prefix]) => start.startsWith(prefix))?.[1] ?? 'unknown';
}

/** Facts that only the text can carry, in the order in which they are written. */
export const LABELS = {
  status: { label: 'Status: ', value: /Seen|Cancelled by clinician|Suspended|Draft|Entered in error/ },
  intent: { label: 'Intent: ', value: /proposal|order|original-order|reflex-order|filler-order|instance-order|option/ },
  supporting: { label: 'Supporting Information: ' },
  earliest: { label: 'Earliest Recall Date: ', value: /\d{4}(-\d{2}(-\d{2}( \d{2}:\d{2}:\d{2})?)?)?/ },
  organisation: { label: 'Recall Organisation: ' },
  device: { label: 'Recall Device: ' },
  performer: { label: 'Performer: ' },
  bodySite: { label: 'Body Site: ' },
  reasons: { label: 'Reason Codes: ' },
} as const satisfies Labels<string>;

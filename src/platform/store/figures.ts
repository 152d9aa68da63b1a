import type { Counts } from '../metrics/counts.ts';
import { type Month, readMonth } from '../metrics/month.ts';

/** Whose months: the national definitions are UTC's, people live in London's. */
export const CALENDARS = ['UTC', 'Europe/London'] as const;
export const ROLES = ['requesting', 'sending'] as const;
export const LEVELS = ['practice', 'sicbl', 'icb', 'region', 'england'] as const;
export type Role = (typeof ROLES)[number];
export type Level = (typeof LEVELS)[number];

/** Counts beside the national ones; those of transfers, unless they say otherwise. */
export type MoreCounts = {
  /** Registrations that were reported, whatever became of them. */
  readonly registrations: number;
  readonly eligible: number;
  readonly notEligible: number;
  /** Moves inside one system, which need no GP2GP. */
  readonly internal: number;
  readonly requested: number;
  /** The sending practice has sent its record. */
  readonly sent: number;
  /** The whole record is there and offered to staff. */
  readonly ready: number;
  readonly integrated: number;
  readonly filedAsAttachment: number;
  /** By a person; the national definitions call it a technical failure. */
  readonly rejected: number;
  readonly failed: number;
  /** Neither ended nor failed yet. */
  readonly open: number;
  /** Integrated within three and within eight days of the request, each counted once; the national clock starts when the record was sent. */
  readonly within3OfRequest: number;
  readonly within8OfRequest: number;
  readonly withPlaceholders: number;
  /** Attachments, and those of them that did not arrive. */
  readonly documents: number;
  readonly documentsFailed: number;
  /**
   * How far registrations came that were reported, each step part of the one before: a patient was found on PDS, an electronic transfer was
   * possible, a request was sent, the record was here, it was integrated; and why no further.
   */
  readonly traced: number;
  readonly toldCompatible: number;
  readonly toldInternal: number;
  readonly toldIncompatible: number;
  readonly toldRequested: number;
  readonly toldReceived: number;
  readonly toldIntegrated: number;
  readonly toldRejected: number;
  readonly toldFailed: number;
  /** Sent within 20 minutes of the request. */
  readonly sentInTime: number;
  /** Too large for one message; with redactions (`UK07`). Both as the Spine's log says. */
  readonly large: number;
  readonly redactions: number;
};
export type MonthFigures = Month & { readonly counts: Counts; readonly more: MoreCounts };

/** Columns of `platform.months` and the names they have here. */
export const NATIONAL_COLUMNS = {
  within3: 'within3',
  within8: 'within8',
  late: 'late',
  notIntegrated: 'not_integrated',
  technical: 'technical',
  unclassified: 'unclassified',
} as const satisfies Record<keyof Counts, string>;
export const MORE_COLUMNS = {
  registrations: 'registrations',
  eligible: 'eligible',
  notEligible: 'not_eligible',
  internal: 'internal',
  requested: 'requested',
  sent: 'sent',
  ready: 'ready',
  integrated: 'integrated',
  filedAsAttachment: 'filed_as_attachment',
  rejected: 'rejected',
  failed: 'failed',
  open: 'open',
  within3OfRequest: 'within3_of_request',
  within8OfRequest: 'within8_of_request',
  withPlaceholders: 'with_placeholders',
  documents: 'documents',
  documentsFailed: 'documents_failed',
  traced: 'traced',
  toldCompatible: 'told_compatible',
  toldInternal: 'told_internal',
  toldIncompatible: 'told_incompatible',
  toldRequested: 'told_requested',
  toldReceived: 'told_received',
  toldIntegrated: 'told_integrated',
  toldRejected: 'told_rejected',
  toldFailed: 'told_failed',
  sentInTime: 'sent_in_time',
  large: 'large',
  redactions: 'redactions',
} as const satisfies Record<keyof MoreCounts, string>;
export const COUNT_COLUMNS: readonly string[] = [...Object.values(NATIONAL_COLUMNS), ...Object.values(MORE_COLUMNS)];

/** One row of `platform.months` as figures; `month` is `2026-02`. */
export function figuresOf(row: Readonly<Record<string, unknown>>): MonthFigures {
  const pick = <Name extends string>(columns: Readonly<Record<Name, string>>) =>
    Object.fromEntries(Object.entries<string>(columns).map(([name, column]) => [name, Number(row[column] ?? 0)])) as Record<Name, number>;
  const month = readMonth(String(row['month']));
  if (!month) throw new Error(`no month: ${String(row['month'])}`);
  return { ...month, counts: pick(NATIONAL_COLUMNS), more: pick(MORE_COLUMNS) };
}

/** A month in which nothing happened. */
export function noFigures(month: Month): MonthFigures {
  return figuresOf({ month: `${month.year}-${String(month.month).padStart(2, '0')}` });
}

/** A month's figures as they are opened: the national definitions, and the improved measures beside them. */
import { z } from 'zod';
import { percent } from '../metrics/percent.ts';
import { type RequestedTransfers, requestedTransfers } from '../metrics/practices.ts';
import { roundedCount } from '../small-numbers.ts';
import type { MoreCounts } from '../store/figures.ts';
import type { MetricRow } from './model.ts';

const count = (about: string) => z.int().nonnegative().nullable().describe(about);
const share = (about: string) =>
  z
    .number()
    .nullable()
    .describe(
      `${about}, in percent with one decimal; null where there is nothing that it could be a share of, or where counts are rounded`,
    );

/** The names and the meaning of the national files (version 12); the four counts below them are what they are added up from. */
export const NATIONAL = {
  requestedCount: count('Transfers that were requested'),
  receivedCount: count('Requested transfers without the failed ones'),
  receivedPercentOfRequested: share('Received of requested'),
  integratedWithin3DaysCount: count('Integrated within 3 days of the sending of the record'),
  integratedWithin3DaysPercentOfReceived: share('Integrated within 3 days of received'),
  integratedWithin8DaysCount: count('Integrated after 3 and within 8 days; those within 3 days are not among them'),
  integratedWithin8DaysPercentOfReceived: share('Integrated after 3 and within 8 days of received'),
  notIntegratedWithin8DaysTotal: count('Integrated late, or not integrated'),
  notIntegratedWithin8DaysPercentOfReceived: share('Not integrated within 8 days of received'),
  failuresTotalCount: count('Technical and unclassified failures'),
  failuresTotalPercentOfRequested: share('Failures of requested'),
  integratedLateCount: count('Integrated after more than 8 days'),
  transferredNotIntegratedCount: count('Arrived, and not integrated within 14 days'),
  technicalFailureCount: count('Technical failures, rejections and filing as an attachment included'),
  unclassifiedFailureCount: count('Transfers whose messages do not say how they ended'),
} as const satisfies Readonly<Record<keyof RequestedTransfers, z.ZodType>> & Readonly<Record<string, z.ZodType>>;

const MORE = {
  registrations: count('Registrations that were reported'),
  eligible: count('Registrations for which an electronic transfer was possible'),
  notEligible: count('Registrations for which none was possible'),
  internal: count('Moves inside one system, which need no GP2GP'),
  requested: count('Transfers that were requested'),
  sent: count('Records that the sending practice has sent'),
  ready: count('Records that have arrived whole'),
  integrated: count('Integrated, suppressed ones included'),
  filedAsAttachment: count('Filed as an attachment: a success of its own here, a failure to the national definitions'),
  rejected: count('Rejected by staff: apart from technical failures'),
  failed: count('Technical failures alone'),
  open: count('Neither ended nor failed yet'),
  within3OfRequest: count('Integrated within 3 days of the request, not of the sending'),
  within8OfRequest: count('Integrated after 3 and within 8 days of the request'),
  withPlaceholders: count('Records in which placeholders stand for documents'),
  documents: count('Attachments'),
  documentsFailed: count('Attachments that did not arrive'),
  traced: count('Reported registrations whose patient was found on PDS'),
  toldCompatible: count('Reported registrations for which an electronic transfer was possible'),
  toldInternal: count('Reported registrations that were moves inside one system'),
  toldIncompatible: count('Reported registrations for which no electronic transfer was possible'),
  toldRequested: count('Reported registrations for which the record was requested'),
  toldReceived: count('Reported registrations whose record arrived whole'),
  toldIntegrated: count('Reported registrations whose record was integrated'),
  toldRejected: count('Reported registrations whose record was rejected by staff'),
  toldFailed: count('Reported registrations whose transfer failed for technical reasons'),
  sentInTime: count('Records that were sent within 20 minutes of the request'),
  large: count('Records that were too large for one message, by the Spine’s log'),
  redactions: count('Records with redactions (UK07), by the Spine’s log'),
} as const satisfies Readonly<Record<keyof MoreCounts, z.ZodType>>;

export const IMPROVED = {
  ...MORE,
  within3OfRequestPercentOfRequested: share('Integrated within 3 days of the request, of requested'),
  within8OfRequestPercentOfRequested: share('Integrated within 8 days of the request, those within 3 days included, of requested'),
  rejectedPercentOfReady: share('Rejected of those that arrived whole'),
  failedPercentOfRequested: share('Technical failures of requested'),
} as const;

export type National = { readonly [Name in keyof typeof NATIONAL]: number | null };
export type Improved = { readonly [Name in keyof typeof IMPROVED]: number | null };

/** By the national definitions. The nation publishes them of the requesting side: of a practice's sending side they are rounded. */
export function nationalOf({ kind, role, counts }: Pick<MetricRow, 'kind' | 'role' | 'counts'>): National {
  const exact = {
    ...requestedTransfers(counts),
    integratedLateCount: counts.late,
    transferredNotIntegratedCount: counts.notIntegrated,
    technicalFailureCount: counts.technical,
    unclassifiedFailureCount: counts.unclassified,
  };
  return kind === 'practice' && role === 'sending' ? rounded(exact) : exact;
}

/** What is counted beside them: of a single practice rounded. */
export function improvedOf({ kind, more }: Pick<MetricRow, 'kind' | 'more'>): Improved {
  const within8 = more.within3OfRequest + more.within8OfRequest;
  const exact = {
    ...more,
    within3OfRequestPercentOfRequested: percent(more.within3OfRequest, more.requested, 1),
    within8OfRequestPercentOfRequested: percent(within8, more.requested, 1),
    rejectedPercentOfReady: percent(more.rejected, more.ready, 1),
    failedPercentOfRequested: percent(more.failed, more.requested, 1),
  };
  return kind === 'practice' ? rounded(exact) : exact;
}

/** Counts rounded to 5, `null` for 1 to 7; no shares, which would tell what the counts do not. */
function rounded<Name extends string>(exact: Readonly<Record<Name, number | null>>): Record<Name, number | null> {
  const told = Object.entries<number | null>(exact).map(([name, value]) => [
    name,
    value === null || name.includes('Percent') ? null : roundedCount(value),
  ]);
  return Object.fromEntries(told) as Record<Name, number | null>;
}

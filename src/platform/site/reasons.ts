import type { Reason } from './model.ts';

/** What a failure reason means and what may be done, for people who do not know the pipeline's words. */
export const REASONS: Readonly<Record<string, { readonly text: string; readonly means: string }>> = {
  'Request not acknowledged': {
    text: 'Request not acknowledged',
    means: 'The previous practice’s system never confirmed that it had the request: it was offline, or the request was lost.',
  },
  'Core extract not sent': {
    text: 'Record not sent',
    means: 'The previous practice’s system took the request, but the record never left it.',
  },
  'Contains fatal sender error': {
    text: 'Refused by the previous practice’s system',
    means: 'The previous practice’s system answered with an error after which no record follows, such as a patient it does not know.',
  },
  'Final error': {
    text: 'Not accepted by the new practice',
    means:
      'The record arrived and was answered with an error: it could not be filed, or staff rejected it as the wrong patient’s. The national definitions count both here.',
  },
  'COPC(s) not sent': {
    text: 'Documents not sent',
    means: 'The record was too large for one message, and none of its further parts were sent.',
  },
  'COPC(s) not acknowledged': {
    text: 'Documents not acknowledged',
    means: 'The record was too large for one message, and the receipt of at least one of its parts was never confirmed.',
  },
  'Transferred, not integrated, with error': {
    text: 'Transferred with an error, not filed',
    means: 'The record arrived, an error was reported on the way, and it was not filed within 14 days.',
  },
  'Ambiguous COPC messages': {
    text: 'Unclear from the messages',
    means: 'Copies of the record and of its parts crossed, so that the messages do not say whether it was filed.',
  },
};

export type ShownReason = { readonly name: string; readonly transfers: number };
export type ShownReasons =
  | { readonly shown: readonly ShownReason[]; readonly total: number }
  /** So few that saying which they were might point at somebody. */
  | { readonly shown: null; readonly total: number };

/** Fewer than this many transfers are never shown under a reason of their own for a single practice. */
const SMALLEST = 5;
export const OTHER = 'Other reasons';

/**
 * Failures by reason, most frequent first. For one practice, reasons of few transfers are put together, with the next larger one where
 * they would still be few: else the rest could be told by taking the others from the total.
 */
export function failureReasons(reasons: readonly Reason[], of: 'practice' | 'area'): ShownReasons {
  const sums = new Map<string, number>();
  for (const { status, failureReason, transfers } of reasons) {
    if (status !== 'Technical failure' && status !== 'Unclassified failure') continue;
    const name = REASONS[failureReason ?? '']?.text ?? failureReason ?? 'Not known';
    sums.set(name, (sums.get(name) ?? 0) + transfers);
  }
  const all = [...sums]
    .map(([name, transfers]) => ({ name, transfers }))
    .filter(({ transfers }) => transfers > 0)
    .sort((a, b) => b.transfers - a.transfers || (a.name < b.name ? -1 : 1));
  const total = all.reduce((sum, { transfers }) => sum + transfers, 0);
  if (of === 'area' || total === 0) return { shown: all, total };
  if (total < SMALLEST) return { shown: null, total };
  const kept = [...all];
  let others = 0;
  let merged = 0;
  while (kept.length > 0 && ((kept.at(-1)?.transfers ?? 0) < SMALLEST || (others > 0 && others < SMALLEST))) {
    others += kept.pop()?.transfers ?? 0;
    merged++;
  }
  if (kept.length === 0 && merged > 1) return { shown: null, total };
  if (others > 0) kept.push({ name: OTHER, transfers: others });
  return { shown: kept, total };
}

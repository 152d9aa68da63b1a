import type { Counts } from '../metrics/counts.ts';
import { totalOf } from '../metrics/counts.ts';
import { percent } from '../metrics/percent.ts';

/** The national definitions' numbers of one month, by the names that pages, sorting and addresses share. */
export type Measure = 'requested' | 'received' | 'within-3-days' | 'within-8-days' | 'not-within-8-days' | 'failures';
export const MEASURES: readonly Measure[] = ['requested', 'received', 'within-3-days', 'within-8-days', 'not-within-8-days', 'failures'];

type Definition = {
  readonly head: string;
  readonly count: (counts: Counts) => number;
  /** Of what the share is taken; none for a count that stands alone. */
  readonly of: 'requested' | 'received' | null;
};
export const DEFINITIONS: Readonly<Record<Measure, Definition>> = {
  requested: { head: 'Transfers requested', count: totalOf, of: null },
  received: { head: 'Transfers received', count: (counts) => totalOf(counts) - failuresOf(counts), of: 'requested' },
  'within-3-days': { head: 'Integrated within 3 days', count: (counts) => counts.within3, of: 'received' },
  'within-8-days': { head: 'Integrated after 3 and within 8 days', count: (counts) => counts.within8, of: 'received' },
  'not-within-8-days': { head: 'Not integrated within 8 days', count: (counts) => counts.late + counts.notIntegrated, of: 'received' },
  failures: { head: 'Technical failures', count: failuresOf, of: 'requested' },
};

export function failuresOf({ technical, unclassified }: Counts): number {
  return technical + unclassified;
}

export function countOf(measure: Measure, counts: Counts): number {
  return DEFINITIONS[measure].count(counts);
}

/** In percent of what it is a share of, one decimal; `null` where that is nothing, or where the measure is a count. */
export function shareOf(measure: Measure, counts: Counts): number | null {
  const { of } = DEFINITIONS[measure];
  return of === null ? null : percent(countOf(measure, counts), countOf(of, counts), 1);
}

/** Integrated on time: within three days and within eight together, of what was received. Unlike the published column it is one number. */
export function onTimeShare(counts: Counts): number | null {
  return percent(counts.within3 + counts.within8, countOf('received', counts), 1);
}

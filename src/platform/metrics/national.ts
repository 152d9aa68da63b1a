import type { Micros } from '../micros.ts';
import { type Counts, totalOf } from './counts.ts';
import type { Month } from './month.ts';
import { percent } from './percent.ts';
import { generatedOnText } from './practices.ts';

type Share = { readonly transferCount: number; readonly transferPercentage: number | null };
/** The file `nationalMetrics.json` of the existing pipeline. */
export type NationalMetrics = {
  readonly generatedOn: string;
  readonly metrics: readonly NationalMonth[];
};
export type NationalMonth = Month & {
  readonly transferCount: number;
  readonly integratedOnTime: Share;
  readonly paperFallback: Share & {
    readonly processFailure: { readonly integratedLate: Share; readonly transferredNotIntegrated: Share };
    readonly technicalFailure: Share;
    readonly unclassifiedFailure: Share;
  };
};

/** All transfers of a month, those of unknown practices included: not the sum of the practices. Two decimals. */
export function nationalMonth(month: Month, counts: Counts): NationalMonth {
  const total = totalOf(counts);
  const share = (count: number): Share => ({ transferCount: count, transferPercentage: percent(count, total, 2) });
  const onTime = counts.within3 + counts.within8;
  return {
    ...month,
    transferCount: total,
    integratedOnTime: share(onTime),
    paperFallback: {
      ...share(total - onTime),
      processFailure: { integratedLate: share(counts.late), transferredNotIntegrated: share(counts.notIntegrated) },
      technicalFailure: share(counts.technical),
      unclassifiedFailure: share(counts.unclassified),
    },
  };
}

/** The newest month alone, as it is published. */
export function nationalMetrics(month: Month, counts: Counts, generatedOn: Micros): NationalMetrics {
  return { generatedOn: generatedOnText(generatedOn), metrics: [nationalMonth(month, counts)] };
}

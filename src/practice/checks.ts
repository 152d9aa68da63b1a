import type { NhsNumber } from '../base/nhs-number.ts';
import type { ReportSummary } from '../base/report.ts';

/** Why a record that was read without a fault is not filed without a person. */
export type Hold = 'otherPatient' | 'dateOfBirth' | 'name' | 'returningPatient' | 'attachmentsMissing';

export type ArrivedFacts = {
  readonly expected: NhsNumber;
  /** The number in the extract; null where it names none. */
  readonly found: NhsNumber | null;
  /** The practice already holds a record of this patient with clinical content. */
  readonly returning: boolean;
  /** Documents that were announced and did not come; placeholders made by the sender are not among them. */
  readonly undelivered: number;
  readonly summary: ReportSummary;
};

/**
 * What stands in the way of automatic filing. Degrades and the sender's placeholders do not: they become tasks and locks
 * at filing. Another patient's record always does.
 */
export function holdsOf({ expected, found, returning, undelivered }: ArrivedFacts): readonly Hold[] {
  const holds: Hold[] = [];
  if (found !== expected) holds.push('otherPatient');
  if (returning) holds.push('returningPatient');
  if (undelivered > 0) holds.push('attachmentsMissing');
  return holds;
}

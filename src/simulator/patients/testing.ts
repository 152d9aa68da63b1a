/** The synthetic records that proofs about records are counted over. */
import { makePatient } from './patient.ts';

export const FULL_COUNT = 1_000;

/** One in ten is as long as records are; the others are short, so that there can be many. */
export function syntheticRecord(at: number) {
  const ods = 'A12345';
  const size = at % 10 === 9 ? {} : { consultations: 10, documents: 4 };
  const { bundle, nhsNumber } = makePatient({ seed: 3_000 + at, ods, documentBytes: 100, ...size });
  return { bundle, nhsNumber, ods };
}

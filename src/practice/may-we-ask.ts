import type { Ods } from '../base/ids.ts';

/**
 * Why no request is made; the closed list that management information carries. National guidance leaves the wording open,
 * so these are ours; the meaning of each stands in the table of `mayWeAsk`.
 */
export type NoTransferReason =
  | 'NOT_GMS1'
  | 'NO_MATCH'
  | 'PDS_UNAVAILABLE'
  | 'RESTRICTED'
  | 'DECEASED'
  | 'NO_PREVIOUS_GP'
  | 'SAME_PRACTICE'
  | 'PRACTICE_CLOSED'
  | 'NO_ENDPOINT'
  | 'INTERNAL'
  | 'NOT_REGISTERED_HERE'
  | 'ALREADY_ASKED';

/** What PDS said, as far as the rule needs it. */
export type TraceFacts =
  | { readonly found: false }
  | {
      readonly found: true;
      /** S-flag: PDS hides the practice. */
      readonly restricted: boolean;
      readonly deceased: boolean;
      readonly registeredAt: Ods | null;
      /** Holds the previous practice while a patient is registered nowhere. */
      readonly managingOrganisation: Ods | null;
    };
export type AskFacts = {
  readonly own: Ods;
  /** Permanent (GMS1) registration. */
  readonly permanent: boolean;
  readonly trace: TraceFacts;
  /** What the practice's system read from PDS before it registered the patient; the order is not ours to undo. */
  readonly previousPractice: Ods | null;
  /** An earlier request of this practice for the same patient still runs. */
  readonly asked: boolean;
};

export type AskDecision =
  | { readonly ask: true; readonly previousPractice: Ods }
  | { readonly ask: false; readonly reason: NoTransferReason };

/** The compatibility decision up to the directory look-up, first condition that holds wins. */
export function mayWeAsk({ own, permanent, trace, previousPractice, asked }: AskFacts): AskDecision {
  const no = (reason: NoTransferReason): AskDecision => ({ ask: false, reason });
  if (!permanent) return no('NOT_GMS1');
  // Two records of one patient that come at the same time would be filed twice, or one would be taken for a duplicate.
  if (asked) return no('ALREADY_ASKED');
  if (!trace.found) return no('NO_MATCH');
  if (trace.restricted) return no('RESTRICTED');
  if (trace.deceased) return no('DECEASED');
  // The sender will ask PDS who the practice is, and refuse with 19 where it is not we. So we look first.
  if (trace.registeredAt !== own) return no('NOT_REGISTERED_HERE');
  const previous = previousPractice ?? trace.managingOrganisation;
  if (previous === null) return no('NO_PREVIOUS_GP');
  if (previous === own) return no('SAME_PRACTICE');
  return { ask: true, previousPractice: previous };
}

/** The sentence a registration clerk reads for each reason. */
export const NO_TRANSFER_TEXT: Readonly<Record<NoTransferReason, string>> = {
  NOT_GMS1: 'Records are only fetched for permanent registrations.',
  NO_MATCH: 'The patient was not matched on the national index, so no electronic record will come.',
  PDS_UNAVAILABLE: 'The national index is unavailable. The registration is saved; fetching waits.',
  RESTRICTED: 'This person’s details are restricted; electronic transfer is not available.',
  DECEASED: 'The national index says that this person has died. Verify the identity.',
  NO_PREVIOUS_GP: 'There is no earlier English practice on record; nothing to fetch.',
  SAME_PRACTICE: 'The previous practice is this practice.',
  PRACTICE_CLOSED: 'The previous practice has closed; the record comes on paper.',
  NO_ENDPOINT: 'The previous practice cannot send electronically; the record comes on paper.',
  INTERNAL: 'The record is shared inside the same system.',
  NOT_REGISTERED_HERE: 'The national index does not show the patient at this practice yet.',
  ALREADY_ASKED: 'The record of this patient is being fetched already.',
};

import type { RequestingOutcome, SendingOutcome } from '../transfer/types.ts';
import type { TagColour } from '../web/pages.ts';

/** States, outcomes and tasks in the words of a practice; a code alone is never shown. */
export type Words = { readonly text: string; readonly colour: TagColour };

type OutcomeKind = (RequestingOutcome | SendingOutcome)['kind'];

const STATES: Readonly<Record<string, Words>> = {
  checking: { text: 'Being checked', colour: 'blue' },
  waitingForExtract: { text: 'Record asked for', colour: 'blue' },
  collecting: { text: 'Documents arriving', colour: 'blue' },
  converting: { text: 'Being read', colour: 'blue' },
  waitingForDecision: { text: 'Needs a decision', colour: 'yellow' },
  filing: { text: 'Being filed', colour: 'blue' },
  fetching: { text: 'Record being collected', colour: 'blue' },
  sendingCore: { text: 'Record leaving', colour: 'blue' },
  waitingForContinue: { text: 'Waiting for the new practice', colour: 'blue' },
  sendingParts: { text: 'Documents leaving', colour: 'blue' },
  waitingForAnswer: { text: 'Waiting to hear that it was filed', colour: 'blue' },
  ended: { text: 'Ended', colour: 'grey' },
};

const OUTCOMES: Readonly<Record<OutcomeKind, Words>> = {
  integrated: { text: 'Filed', colour: 'green' },
  acknowledged: { text: 'Sent and filed', colour: 'green' },
  notEligible: { text: 'No electronic transfer', colour: 'grey' },
  internal: { text: 'Shared inside the system', colour: 'grey' },
  withdrawn: { text: 'Withdrawn', colour: 'grey' },
  superseded: { text: 'Replaced by a newer request', colour: 'grey' },
  rejected: { text: 'Rejected: wrong patient or record', colour: 'orange' },
  notIntegrated: { text: 'Could not be filed', colour: 'red' },
  refusedBySender: { text: 'Refused by the previous practice', colour: 'red' },
  refusedByRequester: { text: 'Refused by the new practice', colour: 'red' },
  refusedByUs: { text: 'Not sent', colour: 'orange' },
  unusable: { text: 'The record could not be used', colour: 'red' },
  timedOut: { text: 'Nothing came in time', colour: 'red' },
  undeliverable: { text: 'Could not be delivered', colour: 'red' },
  unanswered: { text: 'No answer after 8 days', colour: 'red' },
};

/** How a transfer can end. */
export const OUTCOME_KINDS = Object.keys(OUTCOMES);

/** What a transfer's state, or at the end its outcome, means to somebody at the desk. */
export function stateInWords(state: string, outcome: string | null): Words {
  const known = outcome !== null ? OUTCOMES[outcome as OutcomeKind] : STATES[state];
  return known ?? { text: outcome ?? state, colour: 'grey' };
}

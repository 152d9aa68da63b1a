import { Fault } from '../../base/errors.ts';
import { DAY, type Micros } from '../micros.ts';
import type { Acknowledged, Conversation } from './conversation.ts';
import type { SpineMessage } from './message.ts';

export const STATUSES = {
  INTEGRATED_ON_TIME: 'Integrated on time',
  PROCESS_FAILURE: 'Process failure',
  TECHNICAL_FAILURE: 'Technical failure',
  UNCLASSIFIED_FAILURE: 'Unclassified failure',
} as const;
export const FAILURE_REASONS = {
  INTEGRATED_LATE: 'Integrated late',
  FINAL_ERROR: 'Final error',
  TRANSFERRED_NOT_INTEGRATED: 'Transferred, not integrated',
  REQUEST_NOT_ACKNOWLEDGED: 'Request not acknowledged',
  CORE_EHR_NOT_SENT: 'Core extract not sent',
  FATAL_SENDER_ERROR: 'Contains fatal sender error',
  COPC_NOT_SENT: 'COPC(s) not sent',
  COPC_NOT_ACKNOWLEDGED: 'COPC(s) not acknowledged',
  TRANSFERRED_NOT_INTEGRATED_WITH_ERROR: 'Transferred, not integrated, with error',
  AMBIGUOUS_COPCS: 'Ambiguous COPC messages',
} as const;
export type Status = (typeof STATUSES)[keyof typeof STATUSES];
export type FailureReason = (typeof FAILURE_REASONS)[keyof typeof FAILURE_REASONS];
export type Outcome = { readonly status: Status; readonly failureReason: FailureReason | null };

/** Reads an outcome as it is kept in tables and files; those of the existing pipeline have an empty reason where there is none. Throws a `Fault` `transfer.outcome` where the words are none of the national ones. */
export function readOutcome(status: string, reason: string | null): Outcome {
  const known = Object.values(STATUSES).find((each) => each === status);
  if (!known) throw new Fault('transfer.outcome', `status is none of ${Object.values(STATUSES).join(', ')}: ${JSON.stringify(status)}`);
  if (!reason) return { status: known, failureReason: null };
  const failureReason = Object.values(FAILURE_REASONS).find((each) => each === reason);
  if (!failureReason) throw new Fault('transfer.outcome', `failure reason is not known: ${JSON.stringify(reason)}`);
  return { status: known, failureReason };
}

/** Suppression is a success; a duplicate says nothing of the outcome. */
const SUPPRESSED = 15;
const DUPLICATE = 12;
const FATAL_SENDER_ERRORS: readonly number[] = [6, 7, 10, 14, 23, 24, 30, 99];
/** Counted from the core, not from the request; a transfer of exactly eight days is on time. */
export const ON_TIME: Micros = 8 * DAY;

/** The acknowledgement that decides a conversation, and the core that it answers. */
export type Effective = { readonly core: SpineMessage; readonly acknowledgement: SpineMessage };

/** The first success; else the first acknowledgement that is no duplicate's; in order of cores, then of acknowledgements. */
export function effectiveOf({ cores }: Conversation): Effective | null {
  const all = cores.flatMap(({ message, acknowledgements }) =>
    acknowledgements.map((acknowledgement) => ({ core: message, acknowledgement })),
  );
  return (
    all.find(({ acknowledgement }) => isSuccess(acknowledgement)) ??
    all.find(({ acknowledgement }) => acknowledgement.error !== DUPLICATE) ??
    null
  );
}

export function isSuccess({ error }: SpineMessage): boolean {
  return error === null || error === SUPPRESSED;
}

/** From the core to the acknowledgement that decides; may be negative where clocks disagree. */
export function slaOf(effective: Effective): Micros {
  return effective.acknowledgement.at - effective.core.at;
}

/** The decision table: the first line that holds. What common messages say stands before what the sender's errors say. */
export function outcomeOf(conversation: Conversation): Outcome {
  const { request, cores, continues, fragments } = conversation;
  const effective = effectiveOf(conversation);
  if (effective && isSuccess(effective.acknowledgement))
    return slaOf(effective) <= ON_TIME
      ? { status: STATUSES.INTEGRATED_ON_TIME, failureReason: null }
      : { status: STATUSES.PROCESS_FAILURE, failureReason: FAILURE_REASONS.INTEGRATED_LATE };
  if (effective) return technical('FINAL_ERROR');
  if (continues.length + fragments.length > 0) {
    const duplicated = cores.some(({ acknowledgements }) => acknowledgements.some(({ error }) => error === DUPLICATE));
    const allAcknowledged = fragments.every(({ acknowledgements }) => acknowledgements.length > 0);
    const anError = fragments.some(({ acknowledgements }) => acknowledgements.some(({ error }) => error !== null));
    if (duplicated && cores.some(({ acknowledgements }) => acknowledgements.length === 0)) return unclassified('AMBIGUOUS_COPCS');
    if (anError && allAcknowledged) return unclassified('TRANSFERRED_NOT_INTEGRATED_WITH_ERROR');
    if (fragments.length === 0) return technical('COPC_NOT_SENT');
    return allAcknowledged ? notIntegrated() : technical('COPC_NOT_ACKNOWLEDGED');
  }
  const answers = codesOf([request]);
  if (answers.some((error) => error !== null && FATAL_SENDER_ERRORS.includes(error))) return technical('FATAL_SENDER_ERROR');
  if (answers.length === 0) return technical('REQUEST_NOT_ACKNOWLEDGED');
  if (cores.length === 0) return technical('CORE_EHR_NOT_SENT');
  return answers.some((error) => error !== null) ? unclassified('TRANSFERRED_NOT_INTEGRATED_WITH_ERROR') : notIntegrated();
}

/** Codes of the acknowledgements, in order of messages, then of acknowledgements; `null` is a positive one. */
export function codesOf(messages: readonly Acknowledged[]): (number | null)[] {
  return messages.flatMap(({ acknowledgements }) => acknowledgements.map(({ error }) => error));
}

function technical(reason: keyof typeof FAILURE_REASONS): Outcome {
  return { status: STATUSES.TECHNICAL_FAILURE, failureReason: FAILURE_REASONS[reason] };
}

function unclassified(reason: keyof typeof FAILURE_REASONS): Outcome {
  return { status: STATUSES.UNCLASSIFIED_FAILURE, failureReason: FAILURE_REASONS[reason] };
}

function notIntegrated(): Outcome {
  return { status: STATUSES.PROCESS_FAILURE, failureReason: FAILURE_REASONS.TRANSFERRED_NOT_INTEGRATED };
}

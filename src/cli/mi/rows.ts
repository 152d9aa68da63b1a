/** The rows of the three-way count: what became of a transfer, as each of three witnesses has it. */

import type { PostedEvent } from '../../mi/counts.ts';
import type { IntegrationOutcome } from '../../mi/terms.ts';
import { FAILURE_REASONS, STATUSES } from '../../platform/classify/outcome.ts';
import type { ClassifiedTransfer } from '../../platform/classify/transfer.ts';
import type { Transfer } from '../../transfer/types.ts';

export const ROWS = [
  'integrated within 8 days',
  'integrated later',
  'filed as attachment',
  'rejected by a person',
  'failed to integrate',
  'refused by the sender',
  'no record came',
  'record came, not integrated',
  'nothing was asked for',
] as const;
export type Row = (typeof ROWS)[number];

const DAY = 86_400_000;
const ON_TIME_MS = 8 * DAY;

/** By the national rules, from the hub's log. "Final error" and "Technical failure" are taken apart by their codes. */
export function rowInLog(transfer: ClassifiedTransfer | undefined): Row {
  if (!transfer) return 'nothing was asked for';
  const { status, failureReason, finalErrorCodes, senderErrorCodes } = transfer;
  if (status === STATUSES.INTEGRATED_ON_TIME) return 'integrated within 8 days';
  switch (failureReason) {
    case FAILURE_REASONS.INTEGRATED_LATE:
      return 'integrated later';
    case FAILURE_REASONS.FINAL_ERROR: {
      const code = finalErrorCodes.find((each) => each !== 12);
      if (code === 26) return 'filed as attachment';
      return code === 17 || code === 28 ? 'rejected by a person' : 'failed to integrate';
    }
    case FAILURE_REASONS.FATAL_SENDER_ERROR:
      return 'refused by the sender';
    case FAILURE_REASONS.CORE_EHR_NOT_SENT:
      return senderErrorCodes.some((code) => code !== null) ? 'refused by the sender' : 'no record came';
    case FAILURE_REASONS.REQUEST_NOT_ACKNOWLEDGED:
      return 'no record came';
    default:
      return 'record came, not integrated';
  }
}

/** From the events of one conversation, of both practices, as the national reports read them. */
export function rowInEvents(events: readonly PostedEvent[]): Row {
  const sorted = events.toSorted((a, b) => timeOf(a) - timeOf(b));
  const has = (type: string) => sorted.some(({ eventType }) => eventType === type);
  const integrations = sorted.filter(({ eventType }) => eventType === 'EHR_INTEGRATIONS');
  // A record that was sent again may be integrated after all.
  const integration = integrations.find((event) => SUCCESSES.has(outcomeOf(event))) ?? integrations[0];
  if (integration) {
    switch (outcomeOf(integration)) {
      case 'INTERNAL_TRANSFER':
        return 'nothing was asked for';
      case 'REJECTED':
        return 'rejected by a person';
      case 'FAILED_TO_INTEGRATE':
        return 'failed to integrate';
      case 'FILED_AS_ATTACHMENT':
        return 'filed as attachment';
      default: {
        // The clock starts at the sender's response; without one at what the requester knows.
        const core = sorted.find(({ eventType }) => eventType === 'EHR_RESPONSES' || eventType === 'READY_TO_INTEGRATE_STATUSES');
        return core && timeOf(integration) - timeOf(core) > ON_TIME_MS ? 'integrated later' : 'integrated within 8 days';
      }
    }
  }
  const errors = sorted.filter(({ eventType }) => eventType === 'ERROR').map(({ body }) => (body['payload'] as { error: Failure }).error);
  if (errors.some(({ failurePoint, errorCode }) => failurePoint === 'EHR_REQUESTED' && errorCode !== 'NOT_DELIVERED'))
    return 'refused by the sender';
  if (has('READY_TO_INTEGRATE_STATUSES')) return 'record came, not integrated';
  if (has('EHR_RESPONSES')) return 'record came, not integrated';
  return has('EHR_REQUESTS') ? 'no record came' : 'nothing was asked for';
}

/** As the national reports count them. */
const SUCCESSES: ReadonlySet<IntegrationOutcome> = new Set([
  'INTEGRATED',
  'INTEGRATED_AND_SUPPRESSED',
  'SUPPRESSED_AND_REACTIVATED',
  'FILED_AS_ATTACHMENT',
  'INTERNAL_TRANSFER',
]);

function outcomeOf({ body }: PostedEvent): IntegrationOutcome {
  return (body['payload'] as { integration: { outcome: IntegrationOutcome } }).integration.outcome;
}

type Failure = { readonly errorCode: string; readonly failurePoint: string };

/** From the state in which the requesting node has the transfer. */
export function rowInNode(transfer: Transfer): Row {
  if (transfer.role !== 'requesting') throw new Error('the requesting node is asked');
  switch (transfer.state) {
    case 'checking':
      return 'nothing was asked for';
    case 'waitingForExtract':
      return 'no record came';
    case 'collecting':
    case 'converting':
    case 'waitingForDecision':
    case 'filing':
      return 'record came, not integrated';
    case 'ended': {
      const { outcome, at, core } = transfer;
      switch (outcome.kind) {
        case 'notEligible':
        case 'internal':
          return 'nothing was asked for';
        case 'integrated':
          if (outcome.answer === '26') return 'filed as attachment';
          return core && Date.parse(at) - Date.parse(core.at) > ON_TIME_MS ? 'integrated later' : 'integrated within 8 days';
        case 'rejected':
          return 'rejected by a person';
        case 'notIntegrated':
        case 'unusable':
          return 'failed to integrate';
        case 'refusedBySender':
          return 'refused by the sender';
        case 'timedOut':
          return outcome.waitingFor === 'extract' ? 'no record came' : 'failed to integrate';
        case 'undeliverable':
        case 'withdrawn':
          return core ? 'record came, not integrated' : 'no record came';
      }
    }
  }
}

function timeOf({ body }: PostedEvent): number {
  return Date.parse(String(body['registrationEventDateTime']));
}

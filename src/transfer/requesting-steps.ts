/** What every decision about a requesting transfer is made of: notes, ends, answers. */
import type { MessageId } from '../base/ids.ts';
import type { Answer, Decision, Effect, Facts, Measured, Message, Peer, Requesting, RequestingOutcome, ResponseCode } from './types.ts';

export type In<S extends Requesting['state']> = Extract<Requesting, { state: S }>;
export type Step = Decision<Requesting>;

export const YES: Answer = { accepted: true };

export function no(code: ResponseCode): Answer {
  return { accepted: false, code, raw: code };
}

export function step(transfer: Requesting, effects: readonly Effect[], note: string, measured?: Measured): Step {
  return measured ? { transfer, effects, note, measured } : { transfer, effects, note };
}

export function ignore(transfer: Requesting, note: string): Step {
  return { transfer, effects: [], note };
}

export function end(
  transfer: Requesting,
  outcome: RequestingOutcome,
  facts: Facts,
  effects: readonly Effect[],
  note: string,
  measured?: Measured,
): Step {
  const ended: In<'ended'> = {
    ...commonOf(transfer),
    state: 'ended',
    outcome,
    at: facts.now,
    core: 'core' in transfer ? transfer.core : null,
    peer: 'peer' in transfer ? transfer.peer : null,
    request: 'request' in transfer ? transfer.request : null,
    record: 'record' in transfer ? transfer.record : null,
  };
  const rests: Effect[] = [
    { do: 'rest', timer: 'extractLate' },
    { do: 'rest', timer: 'partsLate' },
    { do: 'rest', timer: 'undecided' },
    { do: 'close', task: 'decide' },
    { do: 'close', task: 'decideSoon' },
    // Whatever ended it: nothing is waited for any more, and a failure raises a task of its own.
    { do: 'close', task: 'recordMayBeLost' },
  ];
  return step(ended, [...rests, ...effects, { do: 'notify' }], note, { ...measured, outcome: outcome.kind });
}

/**
 * The code of a record that a person does not take, by why it came to them: what its own system did not file was not integrated, what
 * did not come whole may be sent again, and all else is another's record or not the right one (17 where the patient returns).
 */
export function rejectionCode(reasons: readonly string[]): '11' | '17' | '28' | '31' {
  if (reasons.includes('otherPatient')) return reasons.includes('returningPatient') ? '17' : '28';
  if (reasons.includes('refusedBySystem') || reasons.includes('filingFailed')) return '11';
  if (reasons.includes('attachmentsMissing')) return '31';
  return reasons.includes('returningPatient') ? '17' : '28';
}

/** Ends with a negative final acknowledgement. */
export function refuse(
  transfer: Extract<Requesting, { peer: Peer }>,
  of: MessageId,
  code: '21' | '29' | '30' | '31' | '99',
  facts: Facts,
  note: string,
): Step {
  return end(
    transfer,
    { kind: 'unusable', code },
    facts,
    [answerTo(transfer, of, no(code), facts), { do: 'raise', task: 'unusable', due: null }],
    note,
    { code },
  );
}

export function commonOf(transfer: Requesting) {
  const { id, version, conversationId, practice, nhsNumber, startedAt, role, previousPractice } = transfer;
  return { id, version, conversationId, practice, nhsNumber, startedAt, role, previousPractice } as const;
}

export function answerTo(transfer: Requesting, of: MessageId, answer: Answer, facts: Facts): Effect {
  const message: Message = { ...newEnvelope(drawId(facts), transfer, facts), interaction: 'acknowledgement', of, answer };
  return { do: 'send', message, tellWhenSent: false };
}

export function newEnvelope(messageId: MessageId, transfer: Requesting, facts: Facts) {
  return { messageId, aliases: [], conversationId: transfer.conversationId, at: facts.now } as const;
}

export function drawId(facts: Facts): MessageId {
  return facts.newId().toUpperCase() as MessageId;
}

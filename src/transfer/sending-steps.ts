/** What every decision about a sending transfer is made of: notes, ends, answers. */
import type { MessageId } from '../base/ids.ts';
import type { Answer, Decision, Effect, Facts, Measured, Message, Peer, ResponseCode, Sending, SendingOutcome } from './types.ts';

export type In<S extends Sending['state']> = Extract<Sending, { state: S }>;
export type Step = Decision<Sending>;

/** After eight days without a final acknowledgement the practice prints the record. Seconds, exactly 8 × 24 h. */
export const ANSWER_SECONDS = 8 * 86_400;

/** Tasks that a transfer without success leaves with a person; a late success takes them back. */
export const FAILURE_TASKS = [
  'unanswered',
  'notSent',
  'notAnswered',
  'undelivered',
  'refusedByRequester',
  'printRecord',
  'answerMayBeLost',
] as const;

export const YES: Answer = { accepted: true };

export function no(code: ResponseCode): Answer {
  return { accepted: false, code, raw: code };
}

export function step(transfer: Sending, effects: readonly Effect[], note: string, measured?: Measured): Step {
  return measured ? { transfer, effects, note, measured } : { transfer, effects, note };
}

export function ignore(transfer: Sending, note: string): Step {
  return { transfer, effects: [], note };
}

export function end(
  transfer: Sending,
  outcome: SendingOutcome,
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
    peer: 'peer' in transfer ? transfer.peer : null,
    offer: 'offer' in transfer ? transfer.offer : null,
  };
  return step(ended, [{ do: 'rest', timer: 'answerLate' }, ...effects, { do: 'notify' }], note, { ...measured, outcome: outcome.kind });
}

/** Refuses the request. Without a peer nobody can be answered: a person has to see it. */
export function refuse(transfer: Sending, peer: Peer | null, code: ResponseCode, facts: Facts, note: string): Step {
  const ended = end(transfer, { kind: 'refusedByUs', code }, facts, [], note, { code });
  const { transfer: after } = ended;
  const answered = peer && after.state === 'ended' ? { ...after, peer } : after;
  const answer: Effect = peer ? answerTo(transfer, transfer.request, no(code), facts) : { do: 'raise', task: 'notAnswered', due: null };
  return {
    ...ended,
    transfer: answered,
    effects: [{ do: 'stopSending' }, ...ended.effects, answer, { do: 'raise', task: 'notSent', due: null }],
  };
}

export function commonOf(transfer: Sending) {
  const { id, version, conversationId, practice, nhsNumber, startedAt, role, request, requestId } = transfer;
  return { id, version, conversationId, practice, nhsNumber, startedAt, role, request, requestId } as const;
}

export function answerTo(transfer: Sending, of: MessageId, answer: Answer, facts: Facts): Effect {
  const message: Message = {
    messageId: facts.newId().toUpperCase() as MessageId,
    aliases: [],
    conversationId: transfer.conversationId,
    at: facts.now,
    interaction: 'acknowledgement',
    of,
    answer,
  };
  return { do: 'send', message, tellWhenSent: false };
}

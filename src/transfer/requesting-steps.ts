/** What every decision about a requesting transfer is made of: notes, ends, answers. */
import type { Instant, MessageId } from '../base/ids.ts';
import type { Answer, Decision, Effect, Facts, Measured, Message, Peer, Requesting, RequestingOutcome, ResponseCode } from './types.ts';

export type In<S extends Requesting['state']> = Extract<Requesting, { state: S }>;
export type Step = Decision<Requesting>;

/** Where SDS names no duration (protocol chapter 6.3). Seconds. */
export const PERSIST = { extract: 15_000, part: 86_400 } as const;

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
  ];
  return step(ended, [...rests, ...effects, { do: 'notify' }], note, { ...measured, outcome: outcome.kind });
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

export function after(now: Instant, seconds: number): Instant {
  return new Date(Date.parse(now) + seconds * 1000).toISOString() as Instant;
}

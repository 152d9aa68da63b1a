/** What a message that comes means to a requesting transfer. */
import { never } from '../base/errors.ts';
import type { MessageId } from '../base/ids.ts';
import { CODES } from './codes.ts';
import {
  answerTo,
  commonOf,
  drawId,
  end,
  type In,
  ignore,
  newEnvelope,
  no,
  refuse,
  rejectionCode,
  type Step,
  step,
  YES,
} from './requesting-steps.ts';
import { isForeign } from './routing.ts';
import { extractLateAt, partsLateAt } from './time-outs.ts';
import type {
  Answer,
  Core,
  Effect,
  Event,
  Facts,
  Measured,
  Message,
  Peer,
  Received,
  Requesting,
  RequestingOutcome,
  Transfer,
} from './types.ts';

export function arrived(transfer: Requesting, message: Received, event: Event, facts: Facts): Step {
  const peer = 'peer' in transfer ? transfer.peer : null;
  if (peer && isForeign(message, peer))
    return step(
      transfer,
      [{ do: 'raise', task: 'foreignMessage', due: null }],
      `A message of kind ${message.interaction} came from another than ${peer.ods}`,
      { fromPartyKey: message.addressed.fromPartyKey },
    );
  switch (message.interaction) {
    case 'extract':
      return extractArrived(transfer, message, facts);
    case 'index':
    case 'piece':
      return partArrived(transfer, message, facts);
    case 'acknowledgement':
      return acknowledged(transfer, message, event, facts);
    case 'undelivered':
      return undelivered(transfer, message.of, message.fault, facts);
    case 'unreadable':
      return unreadable(transfer, message, facts);
    case 'request':
    case 'continue':
      return ignore(transfer, `A ${message.interaction} does not belong to a requesting transfer`);
    default:
      return never(message);
  }
}

// ---- answers

function acknowledged(
  transfer: Requesting,
  message: Extract<Received, { interaction: 'acknowledgement' }>,
  event: Event,
  facts: Facts,
): Step {
  if (facts.refersTo !== 'request') return ignore(transfer, `An acknowledgement of our ${facts.refersTo ?? 'message'}`);
  const { answer } = message;
  switch (transfer.state) {
    case 'waitingForExtract':
      if (answer.accepted && transfer.acknowledged) return ignore(transfer, 'The previous practice accepted the request again');
      return answer.accepted
        ? step(
            { ...transfer, acknowledged: event.at },
            // Also proves that the request left, where the answer to our post was lost.
            [{ do: 'wake', timer: 'extractLate', at: extractLateAt(transfer.peer, facts.now) }, { do: 'notify' }],
            'The previous practice accepted the request',
          )
        : end(
            transfer,
            { kind: 'refusedBySender', code: answer.code },
            facts,
            [{ do: 'raise', task: 'refusedBySender', due: null }],
            refusalText(answer),
            coded(answer),
          );
    case 'collecting':
      return answer.accepted
        ? ignore(transfer, 'The previous practice accepted the request, late')
        : end(
            transfer,
            { kind: 'refusedBySender', code: answer.code },
            facts,
            [{ do: 'raise', task: 'refusedBySender', due: null }],
            `${refusalText(answer)}, after it had sent the core`,
            coded(answer),
          );
    case 'checking':
    case 'converting':
    case 'waitingForDecision':
    case 'filing':
    case 'ended':
      // Everything announced is here: a refusal that comes now takes nothing away from the patient.
      return ignore(
        transfer,
        answer.accepted ? 'The previous practice accepted the request, late' : `${refusalText(answer)}, after the whole record had come`,
      );
    default:
      return never(transfer);
  }
}

function undelivered(transfer: Requesting, of: MessageId, fault: string, facts: Facts): Step {
  if (facts.refersTo === 'request' && transfer.state === 'waitingForExtract') {
    return end(
      transfer,
      { kind: 'undeliverable', fault },
      facts,
      [{ do: 'raise', task: 'undelivered', due: null }],
      `Spine did not deliver the request: ${fault}`,
    );
  }
  return step(transfer, [{ do: 'raise', task: 'undelivered', due: null }], `Spine did not deliver ${of}: ${fault}`);
}

// ---- the core

type ExtractMessage = Extract<Received, { interaction: 'extract' }>;

function extractArrived(transfer: Requesting, message: ExtractMessage, facts: Facts): Step {
  switch (transfer.state) {
    case 'checking':
      return step(transfer, [{ do: 'raise', task: 'unexpectedExtract', due: null }], 'An extract came before anything was asked for');
    case 'waitingForExtract':
      return takeCore(transfer, transfer.peer, transfer.request, message, facts, []);
    case 'collecting':
    case 'converting':
    case 'waitingForDecision':
    case 'filing':
      if (message.messageId === transfer.core.messageId) return ignore(transfer, 'The core came again');
      return step(transfer, [answerTo(transfer, message.messageId, no('12'), facts)], 'A second extract was refused as a duplicate');
    case 'ended':
      return extractAfterEnd(transfer, message, facts);
    default:
      return never(transfer);
  }
}

/** A sender may send again after a failure, in the same conversation; what was filed or refused by a person stays. */
function extractAfterEnd(transfer: In<'ended'>, message: ExtractMessage, facts: Facts): Step {
  const { peer, request, outcome } = transfer;
  // Sent again, it has a new id: this is the one that was answered.
  if (message.messageId === transfer.core?.messageId) return ignore(transfer, 'The core came again after the end');
  switch (outcome.kind) {
    case 'integrated':
      if (!peer) return ignore(transfer, 'An extract came without a request');
      return step(
        transfer,
        [answerTo(transfer, message.messageId, no('12'), facts)],
        'An extract after integration was refused as a duplicate',
      );
    case 'notEligible':
    case 'internal':
      return step(transfer, [{ do: 'raise', task: 'unexpectedExtract', due: null }], 'An extract came that is not wanted');
    case 'withdrawn':
      // What was asked for before is not for this practice any more: its sender must not post it on paper either.
      return step(
        transfer,
        [
          ...(peer ? [answerTo(transfer, message.messageId, no(rejectionCode([])), facts)] : []),
          { do: 'raise', task: 'unexpectedExtract', due: null },
        ],
        'An extract came for a registration that was withdrawn',
      );
    case 'rejected':
    case 'notIntegrated':
    case 'refusedBySender':
    case 'unusable':
    case 'timedOut':
    case 'undeliverable': {
      if (!peer || !request)
        return step(transfer, [{ do: 'raise', task: 'unexpectedExtract', due: null }], 'An extract came without a request');
      return takeCore(transfer, peer, request, message, facts, beginsAfresh(transfer) ? [{ do: 'forgetParts' }] : []);
    }
    default:
      return never(outcome);
  }
}

/**
 * Whether a core that comes now finds nothing of its own in the ledger: there was another before it. Where there was none, and the waiting
 * for it ended, parts of this one may have come first and were acknowledged.
 */
export function beginsAfresh(transfer: Transfer): boolean {
  return transfer.role === 'requesting' && transfer.state === 'ended' && transfer.core !== null;
}

function takeCore(from: Requesting, peer: Peer, request: MessageId, message: ExtractMessage, facts: Facts, first: readonly Effect[]): Step {
  const core = { messageId: message.messageId, at: message.at, version: message.version, hl7: message.hl7 } as const;
  const common = commonOf(from);
  const measured: Measured = { core: message.messageId, version: message.version, attachments: message.references.length };
  const [head, ...tail] = message.references;
  const expect: Effect[] = head ? [{ do: 'expect', under: core.messageId, references: [head, ...tail] }] : [];
  const external = message.references.some((reference) => reference.at === 'message');
  const outstanding = facts.part?.outstandingAfter ?? 0;
  // The sender waits for the continue whenever it kept something back, even if all of that came early.
  const goOn: Effect[] = external ? [continueTo(peer, from, core.messageId, facts)] : [];
  const effects: Effect[] = [...first, ...expect, ...goOn, { do: 'rest', timer: 'extractLate' }, { do: 'notify' }];
  if (outstanding > 0) {
    const wake = partsLate(from, peer, core, facts);
    return step(
      { ...common, state: 'collecting', peer, request, core, outstanding },
      [...effects, wake],
      `The core came; ${outstanding} messages follow`,
      measured,
    );
  }
  return step(
    { ...common, state: 'converting', peer, request, core },
    [...effects, { do: 'run', job: 'toFhir' }],
    'The whole record came',
    measured,
  );
}

/** Each index makes the record of more messages, and so the wait longer. */
function partsLate(transfer: Requesting, peer: Peer, core: Core, facts: Facts): Effect {
  const at = partsLateAt(peer, core, facts.part?.messages ?? 0, { askedAt: transfer.startedAt, now: facts.now });
  return { do: 'wake', timer: 'partsLate', at };
}

// ---- parts

type PartMessage = Extract<Received, { interaction: 'index' | 'piece' }>;

function partArrived(transfer: Requesting, message: PartMessage, facts: Facts): Step {
  switch (transfer.state) {
    case 'collecting': {
      const outstanding = facts.part?.outstandingAfter ?? transfer.outstanding;
      const effects: Effect[] = [...keep(message), answerTo(transfer, message.messageId, YES, facts)];
      const note = `${message.interaction === 'index' ? 'An index' : 'A part'} came; ${outstanding} outstanding`;
      if (outstanding > 0) {
        const longer = message.interaction === 'index' ? [partsLate(transfer, transfer.peer, transfer.core, facts)] : [];
        return step({ ...transfer, outstanding }, [...effects, ...longer], note, { part: message.messageId });
      }
      const { outstanding: _none, state: _was, ...rest } = transfer;
      return step(
        { ...rest, state: 'converting' },
        [...effects, { do: 'rest', timer: 'partsLate' }, { do: 'run', job: 'toFhir' }, { do: 'notify' }],
        'The last part came',
        { part: message.messageId },
      );
    }
    case 'waitingForExtract':
      return step(transfer, [...keep(message), answerTo(transfer, message.messageId, YES, facts)], 'A part came before its core', {
        part: message.messageId,
      });
    case 'waitingForDecision':
      return isLate(facts) && transfer.reasons.includes('attachmentsMissing')
        ? lateWhileUndecided(transfer, message, facts)
        : step(transfer, [answerTo(transfer, message.messageId, YES, facts)], 'A part came that nothing waits for');
    case 'converting':
    case 'filing':
      // Its place in the record is taken by a placeholder already, or about to be.
      return isLate(facts)
        ? step(transfer, [answerTo(transfer, message.messageId, no('25'), facts)], 'A part came after its time-out')
        : step(transfer, [answerTo(transfer, message.messageId, YES, facts)], 'A part came that nothing waits for');
    case 'checking':
      return ignore(transfer, 'A part came before anything was asked for');
    case 'ended': {
      if (!transfer.peer) return ignore(transfer, 'A part came that is not wanted');
      const answer = answerAfterEnd(transfer.outcome);
      return step(transfer, [answerTo(transfer, message.messageId, answer, facts)], 'A part came after the end');
    }
    default:
      return never(transfer);
  }
}

/** Announced, never seen, and yet the record went on: its time was over. */
function isLate({ part }: Facts): boolean {
  return part?.expected === true && !part.seen;
}

/** While a person looks at a record with a gap, what fills the gap is still welcome; with the last of it the record is read anew. */
function lateWhileUndecided(transfer: In<'waitingForDecision'>, message: PartMessage, facts: Facts): Step {
  const outstanding = facts.part?.outstandingAfter ?? 0;
  const effects: Effect[] = [...keep(message), answerTo(transfer, message.messageId, YES, facts)];
  if (outstanding > 0) return step(transfer, effects, `A part came late; ${outstanding} outstanding`, { part: message.messageId });
  const { record: _gap, reasons: _reasons, state: _was, ...rest } = transfer;
  return step(
    { ...rest, state: 'converting' },
    [
      ...effects,
      { do: 'rest', timer: 'undecided' },
      { do: 'close', task: 'decide' },
      { do: 'close', task: 'decideSoon' },
      { do: 'close', task: 'timedOut' },
      { do: 'run', job: 'toFhir' },
      { do: 'notify' },
    ],
    'The last part came late; the record is read again',
    { part: message.messageId },
  );
}

function keep(message: PartMessage): Effect[] {
  return message.interaction === 'index'
    ? [{ do: 'expect', under: message.messageId, references: message.children }]
    : [{ do: 'keepPart', messageId: message.messageId, part: message.part, announced: message.announced }];
}

function answerAfterEnd(outcome: RequestingOutcome): Answer {
  switch (outcome.kind) {
    case 'integrated':
      return YES;
    case 'timedOut':
      return no('25');
    case 'refusedBySender':
      return no('99');
    case 'notEligible':
    case 'internal':
    case 'rejected':
    case 'notIntegrated':
    case 'unusable':
    case 'undeliverable':
    case 'withdrawn':
      return no('30');
    default:
      return never(outcome);
  }
}

function unreadable(transfer: Requesting, message: Extract<Received, { interaction: 'unreadable' }>, facts: Facts): Step {
  const note = `A message (${message.action}) could not be read: ${message.fault}`;
  const isExtract = message.action.startsWith('RCMR_IN03');
  switch (transfer.state) {
    case 'waitingForExtract':
      return isExtract
        ? refuse(transfer, message.messageId, '21', facts, note)
        : step(transfer, partRefused(transfer, message, facts), note);
    case 'collecting':
      // The transfer goes on: the part may be sent again. If it is not, the time-out says so.
      return step(transfer, partRefused(transfer, message, facts), note);
    case 'checking':
    case 'converting':
    case 'waitingForDecision':
    case 'filing':
    case 'ended':
      return step(transfer, [{ do: 'raise', task: 'unreadableMessage', due: null }], note);
    default:
      return never(transfer);
  }
}

function partRefused(transfer: Requesting, message: Extract<Received, { interaction: 'unreadable' }>, facts: Facts): Effect[] {
  const raise: Effect = { do: 'raise', task: 'unreadableMessage', due: null };
  return message.action.startsWith('COPC_') ? [answerTo(transfer, message.messageId, no('30'), facts), raise] : [raise];
}

// ---- words and messages

function refusalText(answer: Answer): string {
  const code = answer.accepted ? null : answer.code;
  return `The previous practice refused (${code ?? 'no code'}${code ? `: ${CODES[code].text}` : ''})`;
}

function coded(answer: Answer): Measured {
  return answer.accepted ? {} : { code: answer.code ?? answer.raw };
}

function continueTo(peer: Peer, transfer: Requesting, of: MessageId, facts: Facts): Effect {
  const message: Message = {
    ...newEnvelope(drawId(facts), transfer, facts),
    interaction: 'continue',
    of,
    from: facts.own.ods,
    to: peer.ods,
  };
  return { do: 'send', message, tellWhenSent: false };
}

import { storedLength } from '../base/content.ts';
import { never } from '../base/errors.ts';
import { isForeign } from './routing.ts';
import type { Decision, Event, JobResult, Measured, Received, Reference, Requesting, Sending, Transfer } from './types.ts';

/**
 * What a history entry must hold, so that management information and reports can be made from the entry alone: sizes, counts, kinds, and
 * what the step meant. Never patient data, never a list that grows with the record; such lists stay in the objects that are named here.
 */
export function measuredOf(before: Transfer, event: Event, decision: Decision<Transfer>): Measured {
  return { ...measuredOfEvent(event), ...milestones(before, event, decision), ...decision.measured };
}

/** What the event alone has to tell. */
export function measuredOfEvent(event: Event): Measured {
  switch (event.kind) {
    case 'arrived':
      return arrived(event.message);
    case 'sent':
    case 'notSent':
      return { interaction: event.interaction, message: event.messageId };
    case 'done':
      return done(event.result);
    case 'failed':
      return { job: event.job, ...faultCode(event.fault) };
    case 'due':
      return { timer: event.timer };
    case 'decided':
      return { decision: event.decision };
    case 'registered':
    case 'superseded':
      return {};
  }
}

function arrived(message: Received): Measured {
  const base = { interaction: message.interaction, message: message.messageId };
  switch (message.interaction) {
    case 'extract':
      return {
        ...base,
        structuredBytes: storedLength(message.hl7),
        attachments: message.references.length,
        outside: outside(message.references),
      };
    case 'index':
      return { ...base, children: message.children.length, outside: outside(message.children) };
    case 'piece':
      return { ...base, bytes: storedLength(message.part.content), contentType: message.announced.contentType ?? message.part.contentType };
    case 'acknowledgement':
      return { ...base, of: message.of, answer: message.answer.accepted ? 'AA' : (message.answer.code ?? message.answer.raw) };
    case 'undelivered':
      return { ...base, of: message.of };
    case 'unreadable':
      return { ...base, action: message.action };
    case 'request':
    case 'continue':
      return base;
  }
}

/** How many messages are still to come for what is announced. */
function outside(references: readonly Reference[]): number {
  return references.filter(({ at }) => at === 'message').length;
}

function done(result: JobResult): Measured {
  const base = { job: result.job };
  switch (result.job) {
    case 'toHl7': {
      const { answer } = result;
      if (!answer.converted) return { ...base, code: answer.code };
      let documentBytes = 0;
      for (const { content } of answer.documents) documentBytes += storedLength(content);
      return {
        ...base,
        structuredBytes: storedLength(answer.hl7),
        documents: answer.documents.length,
        documentBytes,
        report: answer.report.sha256,
      };
    }
    case 'toFhir': {
      const { answer } = result;
      if (!answer.converted) return { ...base, code: answer.code };
      const { bundle, report, documents, degrades } = answer.record;
      return {
        ...base,
        bundleBytes: bundle.bytes,
        report: report.sha256,
        documents: documents.sha256,
        documentsBytes: documents.bytes,
        ...(degrades && { degradeList: degrades.sha256, degradeListBytes: degrades.bytes }),
      };
    }
    case 'fetch':
      return result.answer.fetched ? { ...base, documents: result.answer.documents.sha256 } : { ...base, code: result.answer.code };
    case 'file':
      return { ...base, answer: result.answer };
    case 'mayWeAsk':
    case 'mayTheyAsk':
      return base;
  }
}

/** The code of a fault, which is the first word of its text; the rest may quote what a row must not hold. */
function faultCode(fault: string): Measured {
  const code = /^([a-z][A-Za-z-]*\.[A-Za-z]+):/.exec(fault)?.[1];
  return code ? { fault: code } : {};
}

/**
 * What a step was in the course of a transfer, whichever event showed it:
 * - `left`: `request` or `core`, known to have left; also where an answer to it is the first that is heard.
 * - `ready`: the core whose record is offered from now on.
 * - `answered`, `answeredTo`, `answeredId`, `answeredBy`: the acknowledgement given: `AA` or a code, to a `request`, an `extract` or a
 *   `part`, the id of that and its own.
 * - `refused`, `refusedTo`: the code of a refusal that was heard, of our `request` or a `part`; `taken`: a `part` was acknowledged.
 */
function milestones(before: Transfer, event: Event, decision: Decision<Transfer>): Measured {
  const after = decision.transfer;
  return {
    ...answered(event, decision),
    ...(before.role === 'requesting' && after.role === 'requesting' && requestingStep(before, event, after)),
    ...(before.role === 'sending' && after.role === 'sending' && sendingStep(before, event, decision, after)),
  };
}

function answered(event: Event, { effects, transfer }: Decision<Transfer>): Measured {
  for (const effect of effects) {
    if (effect.do !== 'send' || effect.message.interaction !== 'acknowledgement') continue;
    const { answer, of, messageId } = effect.message;
    const to = transfer.role === 'sending' ? 'request' : isPart(event) ? 'part' : 'extract';
    return { answered: answer.accepted ? 'AA' : (answer.code ?? answer.raw), answeredTo: to, answeredId: of, answeredBy: messageId };
  }
  return {};
}

function isPart(event: Event): boolean {
  if (event.kind !== 'arrived') return false;
  const { message } = event;
  if (message.interaction === 'unreadable') return message.action.startsWith('COPC_');
  return message.interaction === 'index' || message.interaction === 'piece';
}

function requestingStep(before: Requesting, event: Event, after: Requesting): Measured {
  const left: Measured = requestLeft(before, event, after) ? { left: 'request' } : {};
  const heard = refusal(before, event);
  const request = 'request' in before ? before.request : null;
  const refused: Measured = heard !== null && heard.of === request ? { refused: heard.code, refusedTo: 'request' } : {};
  switch (after.state) {
    case 'waitingForDecision':
    case 'filing':
      return before.state === 'converting' ? { ...left, ...refused, ready: after.core.messageId } : { ...left, ...refused };
    case 'ended': {
      const offered = before.state === 'waitingForDecision' || before.state === 'filing';
      const returning: Measured = 'returning' in before && before.returning ? { returning: 'true' } : {};
      return before.state === 'ended'
        ? { ...left, ...refused }
        : { ...left, ...refused, ...(offered && { offered: 'true' }), ...returning };
    }
    case 'checking':
    case 'waitingForExtract':
    case 'collecting':
    case 'converting':
      return { ...left, ...refused };
    default:
      return never(after);
  }
}

/** The answer to our post is one proof that the request left; what the previous practice says of it is another, and may come first. */
function requestLeft(before: Requesting, event: Event, after: Requesting): boolean {
  if (event.kind === 'sent') return event.interaction === 'request';
  if (event.kind !== 'arrived' || before.state !== 'waitingForExtract') return false;
  switch (after.state) {
    case 'waitingForExtract':
      return before.acknowledged === null && after.acknowledged !== null;
    case 'collecting':
    case 'converting':
      return true;
    case 'ended':
      return after.outcome.kind !== 'undeliverable';
    case 'checking':
    case 'waitingForDecision':
    case 'filing':
      return false;
    default:
      return never(after);
  }
}

function sendingStep(before: Sending, event: Event, { effects }: Decision<Transfer>, after: Sending): Measured {
  const offer = 'offer' in before ? before.offer : null;
  const left: Measured =
    offer !== null && coreLeft(before, event, after)
      ? {
          left: 'core',
          core: offer.core,
          parts: offer.parts,
          ...(offer.structuredBytes !== undefined && { structuredBytes: offer.structuredBytes }),
          ...(offer.documents && { documents: offer.documents.sha256, documentsBytes: offer.documents.bytes }),
        }
      : {};
  if (!effects.some((effect) => effect.do === 'partAnswered')) return left;
  const heard = refusal(before, event);
  return heard ? { ...left, refused: heard.code, refusedTo: 'part' } : { ...left, taken: 'part' };
}

/** Likewise: a continue, or an answer to the core, may be heard before the answer to our post. */
function coreLeft(before: Sending, event: Event, after: Sending): boolean {
  const offer = 'offer' in before ? before.offer : null;
  if (event.kind === 'sent') return event.interaction === 'extract' && event.messageId === offer?.core;
  if (event.kind !== 'arrived' || before.state !== 'sendingCore') return false;
  if (after.state === 'sendingParts') return true;
  return after.state === 'ended' && (after.outcome.kind === 'acknowledged' || after.outcome.kind === 'refusedByRequester');
}

/** A negative acknowledgement from the other practice of this transfer. */
function refusal(before: Transfer, event: Event): { readonly code: string; readonly of: string } | null {
  if (event.kind !== 'arrived' || event.message.interaction !== 'acknowledgement' || event.message.answer.accepted) return null;
  const peer = 'peer' in before ? before.peer : null;
  if (!peer || isForeign(event.message, peer)) return null;
  const { answer, of } = event.message;
  return { code: answer.code ?? answer.raw, of };
}

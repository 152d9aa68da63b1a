import { storedLength } from '../base/content.ts';
import { never } from '../base/errors.ts';
import { CODES } from './codes.ts';
import { planCore } from './packing.ts';
import { arrived } from './sending-arrivals.ts';
import { ANSWER_SECONDS, answerTo, commonOf, end, FAILURE_TASKS, type In, ignore, refuse, type Step, step, YES } from './sending-steps.ts';
import { after } from './time-outs.ts';
import type { Effect, Event, Facts, JobResult, Message, Offer, Sending } from './types.ts';

/**
 * What a sending practice does next. Total over state and event. Nobody approves a transfer: it is checked, built and sent. No part
 * leaves before the continue; the first final acknowledgement wins; a late positive one heals the eighth day.
 */
export function decideSending(transfer: Sending, event: Event, facts: Facts): Step {
  switch (event.kind) {
    case 'arrived':
      return arrived(transfer, event.message, facts);
    case 'sent':
      return sent(transfer, event, facts);
    case 'notSent':
      return notSent(transfer, event, facts);
    case 'done':
      return done(transfer, event.result, facts);
    case 'failed':
      return failed(transfer, event, facts);
    case 'due':
      return due(transfer, event, facts);
    case 'decided':
      return decided(transfer, event);
    case 'superseded':
      return transfer.state === 'ended'
        ? ignore(transfer, 'A newer request came')
        : end(
            transfer,
            { kind: 'superseded', by: event.successor },
            facts,
            [{ do: 'stopSending' }],
            'A newer request of the same practice took its place',
          );
    case 'registered':
      return ignore(transfer, 'A registration does not belong to a sending transfer');
    default:
      return never(event);
  }
}

// ---- jobs

function done(transfer: Sending, result: JobResult, facts: Facts): Step {
  switch (result.job) {
    case 'mayTheyAsk':
      return transfer.state === 'checking' ? checked(transfer, result.answer, facts) : ignore(transfer, 'The check was done twice');
    case 'fetch':
      return transfer.state === 'fetching' ? fetched(transfer, result.answer, facts) : ignore(transfer, 'The record was fetched twice');
    case 'toHl7':
      return transfer.state === 'converting'
        ? converted(transfer, result.answer, facts)
        : ignore(transfer, 'The record was converted twice');
    case 'mayWeAsk':
    case 'toFhir':
    case 'file':
      return ignore(transfer, `The job ${result.job} belongs to a requesting transfer`);
    default:
      return never(result);
  }
}

function checked(transfer: In<'checking'>, answer: Extract<JobResult, { job: 'mayTheyAsk' }>['answer'], facts: Facts): Step {
  if (!answer.send) return refuse(transfer, answer.peer, answer.code, facts, `Refused: ${CODES[answer.code].text}`);
  return step(
    { ...commonOf(transfer), state: 'fetching', peer: answer.peer },
    [answerTo(transfer, transfer.request, YES, facts), { do: 'run', job: 'fetch' }, { do: 'notify' }],
    'The request was accepted',
    { peer: answer.peer.ods },
  );
}

function fetched(transfer: In<'fetching'>, answer: Extract<JobResult, { job: 'fetch' }>['answer'], facts: Facts): Step {
  if (!answer.fetched)
    return refuse(transfer, transfer.peer, answer.code, facts, `The practice's system did not give the record: ${CODES[answer.code].text}`);
  return step(
    { ...commonOf(transfer), state: 'converting', peer: transfer.peer, bundle: answer.bundle, documents: answer.documents },
    [{ do: 'run', job: 'toHl7' }],
    'The record and its documents were fetched',
    { bundleBytes: answer.bundle.bytes },
  );
}

function converted(transfer: In<'converting'>, answer: Extract<JobResult, { job: 'toHl7' }>['answer'], facts: Facts): Step {
  if (!answer.converted) return refuse(transfer, transfer.peer, answer.code, facts, `The record could not be written: ${answer.fault}`);
  const plan = planCore(answer, answer.messageId, facts.own.messageLimit, facts.newId);
  const message: Message = {
    messageId: answer.messageId,
    aliases: [answer.extractId],
    conversationId: transfer.conversationId,
    at: facts.now,
    interaction: 'extract',
    version: answer.version,
    extractId: answer.extractId,
    nhsNumber: transfer.nhsNumber,
    hl7: plan.hl7,
    references: plan.references,
  };
  const [first, ...others] = plan.parts;
  const offer: Offer = {
    core: answer.messageId,
    sentAt: null,
    parts: plan.parts.length,
    missingDocuments: answer.summary.missingDocuments,
    report: answer.report,
    structuredBytes: storedLength(answer.hl7),
    documents: transfer.documents,
  };
  const reserve: Effect[] = first ? [{ do: 'reserve', parts: [first, ...others] }] : [];
  return step(
    { ...commonOf(transfer), state: 'sendingCore', peer: transfer.peer, offer },
    [...reserve, { do: 'send', message, tellWhenSent: true }, { do: 'notify' }],
    `The core is queued; ${plan.parts.length} messages wait for the continue`,
    { ...answer.summary, version: answer.version, attachments: plan.references.length, external: plan.parts.length },
  );
}

function failed(transfer: Sending, event: Extract<Event, { kind: 'failed' }>, facts: Facts): Step {
  const note = `The job ${event.job} failed: ${event.fault}`;
  switch (transfer.state) {
    case 'checking':
      return event.job === 'mayTheyAsk' ? refuse(transfer, transfer.peer, '20', facts, note) : ignore(transfer, note);
    case 'fetching':
      return event.job === 'fetch' ? refuse(transfer, transfer.peer, '20', facts, note) : ignore(transfer, note);
    case 'converting':
      return event.job === 'toHl7' ? refuse(transfer, transfer.peer, '10', facts, note) : ignore(transfer, note);
    case 'sendingCore':
    case 'waitingForContinue':
    case 'sendingParts':
    case 'waitingForAnswer':
    case 'ended':
      return ignore(transfer, note);
    default:
      return never(transfer);
  }
}

// ---- leaving

function sent(transfer: Sending, event: Extract<Event, { kind: 'sent' }>, facts: Facts): Step {
  if (event.interaction === 'extract') {
    return transfer.state === 'sendingCore' && event.messageId === transfer.offer.core
      ? coreLeft(transfer, facts)
      : ignore(transfer, 'The core left');
  }
  if (event.interaction !== 'index' && event.interaction !== 'piece') return ignore(transfer, `The ${event.interaction} left`);
  if (transfer.state !== 'sendingParts') return ignore(transfer, 'A part left');
  const unsent = transfer.unsent - 1;
  if (unsent > 0) return step({ ...transfer, unsent }, [], `A part left; ${unsent} to go`);
  const { unsent: _none, state: _was, ...rest } = transfer;
  return step({ ...rest, state: 'waitingForAnswer' }, [{ do: 'notify' }], 'The last part left');
}

function coreLeft(transfer: In<'sendingCore'>, facts: Facts): Step {
  const offer: Offer = { ...transfer.offer, sentAt: facts.now };
  const wake: Effect = { do: 'wake', timer: 'answerLate', at: after(facts.now, ANSWER_SECONDS) };
  const { state: _was, ...rest } = transfer;
  return offer.parts > 0
    ? step({ ...rest, state: 'waitingForContinue', offer }, [wake, { do: 'notify' }], 'The core left')
    : step({ ...rest, state: 'waitingForAnswer', offer }, [wake, { do: 'notify' }], 'The whole record left');
}

/** The continue may overtake our own knowledge that the core left: it proves it. */
function notSent(transfer: Sending, event: Extract<Event, { kind: 'notSent' }>, facts: Facts): Step {
  const note = `The ${event.interaction} could not be sent: ${event.fault}`;
  switch (event.interaction) {
    case 'extract':
      return transfer.state === 'sendingCore' ? refuse(transfer, transfer.peer, '99', facts, note) : ignore(transfer, note);
    case 'index':
    case 'piece':
      return transfer.state === 'sendingParts' ? refuse(transfer, transfer.peer, '30', facts, note) : ignore(transfer, note);
    case 'acknowledgement':
    case 'request':
    case 'continue':
      // A failure to refuse is never answered with another refusal.
      return step(transfer, [{ do: 'raise', task: 'answerNotSent', due: null }], note);
    default:
      return never(event.interaction);
  }
}

// ---- time and people

function due(transfer: Sending, event: Extract<Event, { kind: 'due' }>, facts: Facts): Step {
  if (event.timer !== 'answerLate') return ignore(transfer, `A sending transfer does not wait for ${event.timer}`);
  switch (transfer.state) {
    case 'waitingForContinue':
    case 'sendingParts':
    case 'waitingForAnswer':
      return end(
        transfer,
        { kind: 'unanswered' },
        facts,
        [{ do: 'stopSending' }, { do: 'raise', task: 'unanswered', due: null }],
        'Eight days passed without an answer',
      );
    case 'checking':
    case 'fetching':
    case 'converting':
    case 'sendingCore':
    case 'ended':
      return ignore(transfer, 'No answer is waited for');
    default:
      return never(transfer);
  }
}

/** What a person was asked to look into, and now has. */
const CLOSED: readonly Effect[] = FAILURE_TASKS.map((task) => ({ do: 'close', task }));

function decided(transfer: Sending, event: Extract<Event, { kind: 'decided' }>): Step {
  if (event.decision !== 'resend') return ignore(transfer, `${event.decision} is decided by the practice that asked`);
  if (transfer.state !== 'ended') return ignore(transfer, 'The transfer is still running');
  switch (transfer.outcome.kind) {
    case 'acknowledged':
    case 'superseded':
      return ignore(transfer, `Nothing to send again: ${transfer.outcome.kind}`);
    case 'refusedByUs':
    case 'refusedByRequester':
    case 'undeliverable':
    case 'unanswered':
      // New message ids for everything, the record as it is today, the same conversation. Whether they may have it is asked anew: they
      // may have been refused for that, and the patient may have moved on.
      return step(
        { ...commonOf(transfer), state: 'checking', peer: transfer.peer },
        [{ do: 'forgetParts' }, { do: 'run', job: 'mayTheyAsk' }, ...CLOSED, { do: 'notify' }],
        'The record is sent again',
      );
    default:
      return never(transfer.outcome);
  }
}

import { never } from '../base/errors.ts';
import type { Instant, MessageId } from '../base/ids.ts';
import { CODES, isSuccess } from './codes.ts';
import { planCore } from './packing.ts';
import type {
  Answer,
  Decision,
  Effect,
  Event,
  Facts,
  JobResult,
  Measured,
  Message,
  Offer,
  Peer,
  Received,
  ResponseCode,
  Sending,
  SendingOutcome,
} from './types.ts';

type In<S extends Sending['state']> = Extract<Sending, { state: S }>;
type Step = Decision<Sending>;

/** After eight days without a final acknowledgement the practice prints the record. Seconds, exactly 8 × 24 h. */
const ANSWER_SECONDS = 8 * 86_400;

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

function arrived(transfer: Sending, message: Received, facts: Facts): Step {
  switch (message.interaction) {
    case 'request':
      return requested(transfer, message, facts);
    case 'continue':
      return continued(transfer, facts);
    case 'acknowledgement':
      return acknowledged(transfer, message.of, message.answer, facts);
    case 'undelivered':
      return undelivered(transfer, message.of, message.fault, facts);
    case 'unreadable':
      return step(
        transfer,
        [{ do: 'raise', task: 'unreadableMessage', due: null }],
        `A message (${message.action}) could not be read: ${message.fault}`,
      );
    case 'extract':
    case 'index':
    case 'piece':
      return ignore(transfer, `A message of kind ${message.interaction} does not belong to a sending transfer`);
    default:
      return never(message);
  }
}

// ---- the request

function requested(transfer: Sending, message: Extract<Received, { interaction: 'request' }>, facts: Facts): Step {
  if (transfer.state === 'checking' && transfer.version === 0)
    return step(transfer, [{ do: 'run', job: 'mayTheyAsk' }, { do: 'notify' }], `The record is asked for by ${message.from}`);
  if (message.messageId !== transfer.request) return ignore(transfer, 'A second request in the same conversation');
  // The other side did not see our answer, or asks to be sure: the answer goes again, the record does not.
  switch (transfer.state) {
    case 'checking':
      return ignore(transfer, 'The request came again');
    case 'fetching':
    case 'converting':
    case 'sendingCore':
    case 'waitingForContinue':
    case 'sendingParts':
    case 'waitingForAnswer':
      return step(transfer, [answerTo(transfer, transfer.request, YES, facts)], 'The request came again and was acknowledged again');
    case 'ended':
      return transfer.peer && transfer.outcome.kind === 'refusedByUs'
        ? step(
            transfer,
            [answerTo(transfer, transfer.request, no(transfer.outcome.code), facts)],
            'The request came again and was refused again',
          )
        : ignore(transfer, 'The request came again after the end');
    default:
      return never(transfer);
  }
}

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
      return event.job === 'mayTheyAsk' ? refuse(transfer, null, '20', facts, note) : ignore(transfer, note);
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
function continued(transfer: Sending, facts: Facts): Step {
  switch (transfer.state) {
    case 'sendingCore':
      return transfer.offer.parts > 0
        ? sendParts({ ...transfer, offer: { ...transfer.offer, sentAt: facts.now } }, [
            { do: 'wake', timer: 'answerLate', at: after(facts.now, ANSWER_SECONDS) },
          ])
        : ignore(transfer, 'A continue came though nothing waits for it');
    case 'waitingForContinue':
      return sendParts(transfer, []);
    case 'sendingParts':
    case 'waitingForAnswer':
      return ignore(transfer, 'The continue came again');
    case 'checking':
    case 'fetching':
    case 'converting':
    case 'ended':
      return ignore(transfer, 'A continue came that nothing waits for');
    default:
      return never(transfer);
  }
}

function sendParts(transfer: In<'sendingCore' | 'waitingForContinue'>, first: readonly Effect[]): Step {
  const { state: _was, ...rest } = transfer;
  return step(
    { ...rest, state: 'sendingParts', unsent: transfer.offer.parts },
    [...first, { do: 'sendParts' }, { do: 'notify' }],
    `The continue came; ${transfer.offer.parts} messages are queued`,
  );
}

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

// ---- answers

function acknowledged(transfer: Sending, of: MessageId, answer: Answer, facts: Facts): Step {
  if (facts.refersTo === 'index' || facts.refersTo === 'piece') {
    // The document's fate is recorded; the conversation stays open until the record itself is answered.
    return step(
      transfer,
      [{ do: 'partAnswered', messageId: of, answer }],
      answer.accepted ? 'A part was acknowledged' : `A part was refused (${codeText(answer)})`,
      { part: of },
    );
  }
  if (facts.refersTo !== 'extract') return ignore(transfer, `An acknowledgement of our ${facts.refersTo ?? 'message'}`);
  switch (transfer.state) {
    case 'sendingCore':
    case 'waitingForContinue':
    case 'sendingParts':
    case 'waitingForAnswer':
      return of === transfer.offer.core
        ? finalAnswer(transfer, transfer.offer, answer, facts)
        : ignore(transfer, 'An acknowledgement of an earlier core');
    case 'ended':
      return transfer.outcome.kind === 'unanswered' &&
        transfer.offer &&
        of === transfer.offer.core &&
        (answer.accepted || isSuccess(answer.code))
        ? finalAnswer(transfer, transfer.offer, answer, facts)
        : ignore(transfer, 'An acknowledgement after the end: the first one counts');
    case 'checking':
    case 'fetching':
    case 'converting':
      return ignore(transfer, 'An acknowledgement of an earlier core');
    default:
      return never(transfer);
  }
}

function finalAnswer(transfer: Sending, offer: Offer, answer: Answer, facts: Facts): Step {
  if (!answer.accepted && answer.code === '12') return ignore(transfer, 'The core was called a duplicate: no outcome');
  const done: Effect[] = [{ do: 'stopSending' }, { do: 'close', task: 'unanswered' }];
  if (answer.accepted || isSuccess(answer.code)) {
    const kind = answer.accepted ? 'AA' : isSuccess(answer.code) ? answer.code : 'AA';
    return end(
      transfer,
      { kind: 'acknowledged', answer: kind, missingDocuments: offer.missingDocuments },
      facts,
      done,
      `The new practice filed the record (${kind})`,
      { answer: kind },
    );
  }
  return end(
    transfer,
    { kind: 'refusedByRequester', code: answer.code },
    facts,
    [...done, { do: 'raise', task: 'refusedByRequester', due: null }],
    `The new practice did not take the record (${codeText(answer)})`,
    { code: answer.code ?? answer.raw },
  );
}

function undelivered(transfer: Sending, of: MessageId, fault: string, facts: Facts): Step {
  const note = `Spine did not deliver ${of}: ${fault}`;
  const raise: Effect = { do: 'raise', task: 'undelivered', due: null };
  const lost = facts.refersTo === 'extract' || facts.refersTo === 'index' || facts.refersTo === 'piece';
  switch (transfer.state) {
    case 'sendingCore':
    case 'waitingForContinue':
    case 'sendingParts':
    case 'waitingForAnswer':
      return lost
        ? end(transfer, { kind: 'undeliverable', fault }, facts, [{ do: 'stopSending' }, raise], note)
        : step(transfer, [raise], note);
    case 'checking':
    case 'fetching':
    case 'converting':
    case 'ended':
      return step(transfer, [raise], note);
    default:
      return never(transfer);
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
      // New message ids for everything, the record as it is today, the same conversation.
      return transfer.peer
        ? step(
            { ...commonOf(transfer), state: 'fetching', peer: transfer.peer },
            [{ do: 'forgetParts' }, { do: 'run', job: 'fetch' }, { do: 'notify' }],
            'The record is sent again',
          )
        : ignore(transfer, 'It is not known to whom to send');
    default:
      return never(transfer.outcome);
  }
}

// ---- small parts

const YES: Answer = { accepted: true };

function no(code: ResponseCode): Answer {
  return { accepted: false, code, raw: code };
}

function codeText(answer: Answer): string {
  if (answer.accepted) return 'accepted';
  return answer.code ? `${answer.code}: ${CODES[answer.code].text}` : `no known code: ${answer.raw}`;
}

function step(transfer: Sending, effects: readonly Effect[], note: string, measured?: Measured): Step {
  return measured ? { transfer, effects, note, measured } : { transfer, effects, note };
}

function ignore(transfer: Sending, note: string): Step {
  return { transfer, effects: [], note };
}

function end(
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
function refuse(transfer: Sending, peer: Peer | null, code: ResponseCode, facts: Facts, note: string): Step {
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

function commonOf(transfer: Sending) {
  const { id, version, conversationId, practice, nhsNumber, startedAt, role, request, requestId } = transfer;
  return { id, version, conversationId, practice, nhsNumber, startedAt, role, request, requestId } as const;
}

function answerTo(transfer: Sending, of: MessageId, answer: Answer, facts: Facts): Effect {
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

function after(now: Instant, seconds: number): Instant {
  return new Date(Date.parse(now) + seconds * 1000).toISOString() as Instant;
}

import { never } from '../base/errors.ts';
import type { Instant, MessageId } from '../base/ids.ts';
import { CODES } from './codes.ts';
import type {
  Answer,
  Decision,
  Effect,
  Event,
  Facts,
  JobResult,
  Measured,
  Message,
  Peer,
  Received,
  Requesting,
  RequestingOutcome,
  ResponseCode,
} from './types.ts';

type In<S extends Requesting['state']> = Extract<Requesting, { state: S }>;
type Step = Decision<Requesting>;

/** Where SDS names no duration (protocol chapter 6.3). Seconds. */
const PERSIST = { extract: 15_000, part: 86_400 } as const;
/** When a person is reminded of a record that waits for a decision: the eighth day is the limit, so the third. */
const UNDECIDED_SECONDS = 3 * 86_400;

/**
 * What a requesting practice does next. Total over state and event: whatever does not belong to a state is noted and changes
 * nothing. Late, early and repeated messages are ordinary: the extract may come before, or without, the request's acknowledgement.
 */
export function decideRequesting(transfer: Requesting, event: Event, facts: Facts): Step {
  switch (event.kind) {
    case 'registered':
      return transfer.state === 'checking' && transfer.version === 0
        ? step(transfer, [{ do: 'run', job: 'mayWeAsk' }, { do: 'notify' }], 'Registration received', {
            ...event.registration,
            returning: String(event.registration.returning),
            authenticated: String(event.registration.authenticated),
            permanent: String(event.registration.permanent),
            traceMatched: String(event.registration.traceMatched),
            gpLinksComplete: String(event.registration.gpLinksComplete),
          })
        : ignore(transfer, 'A repeated registration');
    case 'arrived':
      return arrived(transfer, event.message, event, facts);
    case 'sent':
      return sent(transfer, event, facts);
    case 'notSent':
      return notSent(transfer, event, facts);
    case 'done':
      return done(transfer, event.result, event, facts);
    case 'failed':
      return failed(transfer, event, facts);
    case 'due':
      return due(transfer, event, facts);
    case 'decided':
      return decided(transfer, event, facts);
    case 'superseded':
      return ignore(transfer, 'Only a sending transfer can be superseded');
    default:
      return never(event);
  }
}

function arrived(transfer: Requesting, message: Received, event: Event, facts: Facts): Step {
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

// ---- the request

function sent(transfer: Requesting, event: Extract<Event, { kind: 'sent' }>, facts: Facts): Step {
  if (event.interaction !== 'request' || transfer.state !== 'waitingForExtract') return ignore(transfer, `The ${event.interaction} left`);
  const at = after(facts.now, transfer.peer.contracts.extract?.persistSeconds ?? PERSIST.extract);
  return step(transfer, [{ do: 'wake', timer: 'extractLate', at }, { do: 'notify' }], 'Request sent', { request: transfer.request });
}

function notSent(transfer: Requesting, event: Extract<Event, { kind: 'notSent' }>, facts: Facts): Step {
  switch (event.interaction) {
    case 'request':
      return transfer.state === 'waitingForExtract'
        ? end(transfer, { kind: 'undeliverable', fault: event.fault }, facts, [], `The request could not be sent: ${event.fault}`)
        : ignore(transfer, `The request could not be sent: ${event.fault}`);
    case 'continue':
      return transfer.state === 'collecting'
        ? refuse(transfer, transfer.core.messageId, '99', facts, `The continue could not be sent: ${event.fault}`)
        : ignore(transfer, `The continue could not be sent: ${event.fault}`);
    default:
      // The record is safe; the other practice does not know it yet. Somebody has to tell them.
      return step(transfer, [{ do: 'raise', task: 'answerNotSent', due: null }], `An acknowledgement could not be sent: ${event.fault}`);
  }
}

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
      return answer.accepted
        ? step(
            { ...transfer, acknowledged: transfer.acknowledged ?? event.at },
            [{ do: 'notify' }],
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
  switch (outcome.kind) {
    case 'integrated':
      if (!peer || message.messageId === transfer.core?.messageId) return ignore(transfer, 'The core came again');
      return step(
        transfer,
        [answerTo(transfer, message.messageId, no('12'), facts)],
        'An extract after integration was refused as a duplicate',
      );
    case 'notEligible':
    case 'internal':
    case 'withdrawn':
      return step(transfer, [{ do: 'raise', task: 'unexpectedExtract', due: null }], 'An extract came that is not wanted');
    case 'rejected':
    case 'notIntegrated':
    case 'refusedBySender':
    case 'unusable':
    case 'timedOut':
    case 'undeliverable': {
      if (!peer || !request)
        return step(transfer, [{ do: 'raise', task: 'unexpectedExtract', due: null }], 'An extract came without a request');
      return takeCore(transfer, peer, request, message, facts, [{ do: 'forgetParts' }]);
    }
    default:
      return never(outcome);
  }
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
    const seconds =
      (peer.contracts.extract?.persistSeconds ?? PERSIST.extract) + outstanding * (peer.contracts.part?.persistSeconds ?? PERSIST.part);
    return step(
      { ...common, state: 'collecting', peer, request, core, outstanding },
      [...effects, { do: 'wake', timer: 'partsLate', at: after(facts.now, seconds) }],
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

// ---- parts

type PartMessage = Extract<Received, { interaction: 'index' | 'piece' }>;

function partArrived(transfer: Requesting, message: PartMessage, facts: Facts): Step {
  switch (transfer.state) {
    case 'collecting': {
      const outstanding = facts.part?.outstandingAfter ?? transfer.outstanding;
      const effects: Effect[] = [...keep(message), answerTo(transfer, message.messageId, YES, facts)];
      const note = `${message.interaction === 'index' ? 'An index' : 'A part'} came; ${outstanding} outstanding`;
      if (outstanding > 0) return step({ ...transfer, outstanding }, effects, note, { part: message.messageId });
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
    case 'converting':
    case 'waitingForDecision':
    case 'filing':
      return step(transfer, [answerTo(transfer, message.messageId, YES, facts)], 'A part came that nothing waits for');
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

// ---- jobs

function done(transfer: Requesting, result: JobResult, event: Event, facts: Facts): Step {
  switch (result.job) {
    case 'mayWeAsk':
      return transfer.state === 'checking' ? mayAsk(transfer, result.answer, facts) : ignore(transfer, 'The check was done twice');
    case 'toFhir':
      return transfer.state === 'converting' ? converted(transfer, result.answer, facts) : ignore(transfer, 'The record was read twice');
    case 'file':
      return transfer.state === 'filing' ? filed(transfer, result, facts) : ignore(transfer, 'The answer to the offered record came again');
    case 'mayTheyAsk':
    case 'fetch':
    case 'toHl7':
      return ignore(transfer, `The job ${result.job} (${event.id}) belongs to a sending transfer`);
    default:
      return never(result);
  }
}

function mayAsk(transfer: In<'checking'>, answer: Extract<JobResult, { job: 'mayWeAsk' }>['answer'], facts: Facts): Step {
  if (!answer.ask) {
    return end(
      transfer,
      answer.internal ? { kind: 'internal' } : { kind: 'notEligible', reason: answer.reason },
      facts,
      [],
      `No transfer: ${answer.reason}`,
      {
        compatible: 'false',
        reason: answer.reason,
      },
    );
  }
  const { peer } = answer;
  const messageId = drawId(facts);
  const requestId = drawId(facts);
  const message: Message = {
    ...newEnvelope(messageId, transfer, facts),
    interaction: 'request',
    requestId,
    nhsNumber: transfer.nhsNumber,
    from: facts.own.ods,
    to: peer.ods,
  };
  return step(
    {
      ...commonOf(transfer),
      previousPractice: peer.ods,
      state: 'waitingForExtract',
      peer,
      request: messageId,
      requestId,
      acknowledged: null,
    },
    [{ do: 'send', message, tellWhenSent: true }, { do: 'notify' }],
    `The record is asked for from ${peer.ods}`,
    { compatible: 'true', peer: peer.ods },
  );
}

function converted(transfer: In<'converting'>, answer: Extract<JobResult, { job: 'toFhir' }>['answer'], facts: Facts): Step {
  if (!answer.converted) return refuse(transfer, transfer.core.messageId, answer.code, facts, `The record cannot be used: ${answer.fault}`);
  const { record, holds } = answer;
  const { state: _was, ...rest } = transfer;
  const measured: Measured = { ...record.summary };
  if (facts.own.filing === 'automatic' && holds.length === 0) {
    return step(
      { ...rest, state: 'filing', record, by: { kind: 'system' }, as: 'integrate' },
      [{ do: 'run', job: 'file' }, { do: 'notify' }],
      'The record is ready and filed automatically',
      measured,
    );
  }
  return step(
    { ...rest, state: 'waitingForDecision', record, reasons: holds },
    [
      { do: 'raise', task: 'decide', due: after(facts.now, 8 * 86_400) },
      { do: 'wake', timer: 'undecided', at: after(facts.now, UNDECIDED_SECONDS) },
      { do: 'notify' },
    ],
    holds.length ? `The record waits for a person: ${holds.join(', ')}` : 'The record is ready and waits for a person',
    measured,
  );
}

function filed(transfer: In<'filing'>, result: Extract<JobResult, { job: 'file' }>, facts: Facts): Step {
  if (result.answer === 'refused') {
    const { by: _by, as: _as, state: _was, ...rest } = transfer;
    const reason = result.reason ?? 'no reason given';
    return step(
      { ...rest, state: 'waitingForDecision', reasons: ['refusedBySystem'] },
      [
        { do: 'raise', task: 'decide', due: after(facts.now, 8 * 86_400) },
        { do: 'wake', timer: 'undecided', at: after(facts.now, UNDECIDED_SECONDS) },
        { do: 'notify' },
      ],
      `The practice's system did not file the record: ${reason}`,
    );
  }
  const answers = { integrate: 'AA', suppress: '15', fileAsAttachment: '26' } as const;
  const answer = answers[transfer.as];
  const effects: Effect[] = [
    answerTo(transfer, transfer.core.messageId, answer === 'AA' ? YES : no(answer), facts),
    { do: 'rest', timer: 'undecided' },
    { do: 'close', task: 'decide' },
  ];
  return end(transfer, { kind: 'integrated', answer }, facts, effects, 'The record was filed', { answer });
}

function failed(transfer: Requesting, event: Extract<Event, { kind: 'failed' }>, facts: Facts): Step {
  const note = `The job ${event.job} failed: ${event.fault}`;
  switch (transfer.state) {
    case 'checking':
      return event.job === 'mayWeAsk'
        ? end(transfer, { kind: 'notEligible', reason: 'PDS_UNAVAILABLE' }, facts, [{ do: 'raise', task: 'checkFailed', due: null }], note)
        : ignore(transfer, note);
    case 'converting':
      return event.job === 'toFhir' ? refuse(transfer, transfer.core.messageId, '99', facts, note) : ignore(transfer, note);
    case 'filing': {
      if (event.job !== 'file') return ignore(transfer, note);
      const { by: _by, as: _as, state: _was, ...rest } = transfer;
      return step(
        { ...rest, state: 'waitingForDecision', reasons: ['filingFailed'] },
        [{ do: 'raise', task: 'decide', due: null }, { do: 'notify' }],
        note,
      );
    }
    case 'waitingForExtract':
    case 'collecting':
    case 'waitingForDecision':
    case 'ended':
      return ignore(transfer, note);
    default:
      return never(transfer);
  }
}

// ---- time and people

function due(transfer: Requesting, event: Extract<Event, { kind: 'due' }>, facts: Facts): Step {
  switch (event.timer) {
    case 'extractLate':
      return transfer.state === 'waitingForExtract'
        ? end(
            transfer,
            { kind: 'timedOut', waitingFor: 'extract' },
            facts,
            [{ do: 'raise', task: 'timedOut', due: null }],
            'No extract came in time',
          )
        : ignore(transfer, 'The extract is not waited for any more');
    case 'partsLate': {
      if (transfer.state !== 'collecting') return ignore(transfer, 'Parts are not waited for any more');
      const answer = answerTo(transfer, transfer.core.messageId, no('31'), facts);
      return end(
        transfer,
        { kind: 'timedOut', waitingFor: 'parts' },
        facts,
        [answer, { do: 'raise', task: 'timedOut', due: null }],
        `${transfer.outstanding} messages did not come in time`,
        { code: '31' },
      );
    }
    case 'undecided':
      // Waiting for a person never times out; it only becomes louder.
      return transfer.state === 'waitingForDecision'
        ? step(transfer, [{ do: 'raise', task: 'decideSoon', due: after(facts.now, 5 * 86_400) }], 'The record still waits for a person')
        : ignore(transfer, 'The decision was made');
    case 'answerLate':
      return ignore(transfer, 'A requesting transfer waits for no answer');
    default:
      return never(event.timer);
  }
}

function decided(transfer: Requesting, event: Extract<Event, { kind: 'decided' }>, facts: Facts): Step {
  switch (event.decision) {
    case 'integrate':
    case 'suppress':
    case 'fileAsAttachment': {
      if (transfer.state !== 'waitingForDecision') return ignore(transfer, 'There is nothing to decide');
      if (transfer.reasons.includes('otherPatient')) return ignore(transfer, 'This is another patient’s record: it can only be rejected');
      const { reasons: _reasons, state: _was, ...rest } = transfer;
      return step(
        { ...rest, state: 'filing', by: event.by, as: event.decision },
        [{ do: 'run', job: 'file' }, { do: 'rest', timer: 'undecided' }, { do: 'notify' }],
        `A person decided: ${event.decision}`,
      );
    }
    case 'reject': {
      if (transfer.state !== 'waitingForDecision') return ignore(transfer, 'There is nothing to reject');
      const code = transfer.reasons.includes('returningPatient') ? '17' : '28';
      const answer = answerTo(transfer, transfer.core.messageId, no(code), facts);
      return end(
        transfer,
        { kind: 'rejected', code },
        facts,
        [answer, { do: 'rest', timer: 'undecided' }, { do: 'close', task: 'decide' }],
        'A person rejected the record: wrong patient or wrong record',
        { code },
      );
    }
    case 'withdraw':
      if (transfer.state === 'ended') return ignore(transfer, 'The transfer has ended');
      return end(
        transfer,
        { kind: 'withdrawn' },
        facts,
        [
          { do: 'stopSending' },
          { do: 'rest', timer: 'extractLate' },
          { do: 'rest', timer: 'partsLate' },
          { do: 'rest', timer: 'undecided' },
        ],
        'The registration was withdrawn',
      );
    case 'resend':
      return ignore(transfer, 'Only a sender can send again');
    default:
      return never(event.decision);
  }
}

// ---- small parts

const YES: Answer = { accepted: true };

function no(code: ResponseCode): Answer {
  return { accepted: false, code, raw: code };
}

function refusalText(answer: Answer): string {
  const code = answer.accepted ? null : answer.code;
  return `The previous practice refused (${code ?? 'no code'}${code ? `: ${CODES[code].text}` : ''})`;
}

function coded(answer: Answer): Measured {
  return answer.accepted ? {} : { code: answer.code ?? answer.raw };
}

function step(transfer: Requesting, effects: readonly Effect[], note: string, measured?: Measured): Step {
  return measured ? { transfer, effects, note, measured } : { transfer, effects, note };
}

function ignore(transfer: Requesting, note: string): Step {
  return { transfer, effects: [], note };
}

function end(
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
function refuse(
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

function commonOf(transfer: Requesting) {
  const { id, version, conversationId, practice, nhsNumber, startedAt, role, previousPractice } = transfer;
  return { id, version, conversationId, practice, nhsNumber, startedAt, role, previousPractice } as const;
}

function answerTo(transfer: Requesting, of: MessageId, answer: Answer, facts: Facts): Effect {
  const message: Message = { ...newEnvelope(drawId(facts), transfer, facts), interaction: 'acknowledgement', of, answer };
  return { do: 'send', message, tellWhenSent: false };
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

function newEnvelope(messageId: MessageId, transfer: Requesting, facts: Facts) {
  return { messageId, aliases: [], conversationId: transfer.conversationId, at: facts.now } as const;
}

function drawId(facts: Facts): MessageId {
  return facts.newId().toUpperCase() as MessageId;
}

function after(now: Instant, seconds: number): Instant {
  return new Date(Date.parse(now) + seconds * 1000).toISOString() as Instant;
}

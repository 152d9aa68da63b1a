import { never } from '../base/errors.ts';
import { CODES } from './codes.ts';
import { arrived } from './requesting-arrivals.ts';
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
import { after, extractLateAt } from './time-outs.ts';
import type { Effect, Event, Facts, JobResult, Measured, Message, Requesting, RequestingOutcome } from './types.ts';

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

// ---- leaving

function sent(transfer: Requesting, event: Extract<Event, { kind: 'sent' }>, facts: Facts): Step {
  if (event.interaction !== 'request' || transfer.state !== 'waitingForExtract') return ignore(transfer, `The ${event.interaction} left`);
  const at = extractLateAt(transfer.peer, facts.now);
  return step(transfer, [{ do: 'wake', timer: 'extractLate', at }, { do: 'notify' }], 'Request sent', { request: transfer.request });
}

function notSent(transfer: Requesting, event: Extract<Event, { kind: 'notSent' }>, facts: Facts): Step {
  switch (event.interaction) {
    case 'request':
      // An acknowledgement is better evidence than an answer to our post that never came.
      return transfer.state === 'waitingForExtract' && transfer.acknowledged === null
        ? end(
            transfer,
            { kind: 'undeliverable', fault: event.fault },
            facts,
            [{ do: 'raise', task: 'undelivered', due: null }],
            `The request could not be sent: ${event.fault}`,
          )
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
        ...(answer.internal && { internal: 'true' }),
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
    askAgain(facts),
    holds.length ? `The record waits for a person: ${holds.join(', ')}` : 'The record is ready and waits for a person',
    measured,
  );
}

function askAgain(facts: Facts): Effect[] {
  return [
    { do: 'raise', task: 'decide', due: after(facts.now, 8 * 86_400) },
    { do: 'wake', timer: 'undecided', at: after(facts.now, UNDECIDED_SECONDS) },
    { do: 'notify' },
  ];
}

function filed(transfer: In<'filing'>, result: Extract<JobResult, { job: 'file' }>, facts: Facts): Step {
  if (result.answer === 'refused') {
    const { by: _by, as: _as, state: _was, returning, ...rest } = transfer;
    const reason = result.reason ?? 'no reason given';
    return step(
      { ...rest, state: 'waitingForDecision', reasons: ['refusedBySystem', ...(returning ? ['returningPatient'] : [])] },
      askAgain(facts),
      `The practice's system did not file the record: ${reason}`,
    );
  }
  const answers = { integrate: 'AA', suppress: '15', fileAsAttachment: '26' } as const;
  const answer = answers[transfer.as];
  const effects: Effect[] = [answerTo(transfer, transfer.core.messageId, answer === 'AA' ? YES : no(answer), facts)];
  return end(transfer, { kind: 'integrated', answer }, facts, effects, 'The record was filed', { answer });
}

function failed(transfer: Requesting, event: Extract<Event, { kind: 'failed' }>, facts: Facts): Step {
  const note = `The job ${event.job} failed: ${event.fault}`;
  switch (transfer.state) {
    case 'checking':
      return event.job === 'mayWeAsk'
        ? end(
            transfer,
            { kind: 'notEligible', reason: 'PDS_UNAVAILABLE' },
            facts,
            [{ do: 'raise', task: 'checkFailed', due: null }],
            note,
            {
              compatible: 'false',
              reason: 'PDS_UNAVAILABLE',
            },
          )
        : ignore(transfer, note);
    case 'converting':
      return event.job === 'toFhir' ? refuse(transfer, transfer.core.messageId, '99', facts, note) : ignore(transfer, note);
    case 'filing': {
      if (event.job !== 'file') return ignore(transfer, note);
      const { by: _by, as: _as, state: _was, returning, ...rest } = transfer;
      return step(
        { ...rest, state: 'waitingForDecision', reasons: ['filingFailed', ...(returning ? ['returningPatient'] : [])] },
        askAgain(facts),
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
      const late = `${transfer.outstanding} messages did not come in time`;
      // A gap in the documents costs those documents: placeholders stand for them, and a person sees it. Without the record itself there
      // is nothing to file.
      if (!facts.recordMissing) {
        const { outstanding: _gap, state: _was, ...rest } = transfer;
        return step(
          { ...rest, state: 'converting' },
          [{ do: 'raise', task: 'timedOut', due: null }, { do: 'run', job: 'toFhir' }, { do: 'notify' }],
          `${late}; placeholders stand for their documents`,
          { missing: transfer.outstanding },
        );
      }
      const answer = answerTo(transfer, transfer.core.messageId, no('31'), facts);
      return end(
        transfer,
        { kind: 'timedOut', waitingFor: 'parts' },
        facts,
        [answer, { do: 'raise', task: 'timedOut', due: null }],
        `${late}, and with them the record`,
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
      const { reasons, state: _was, ...rest } = transfer;
      const returning = reasons.includes('returningPatient') ? ({ returning: true } as const) : {};
      return step(
        { ...rest, state: 'filing', by: event.by, as: event.decision, ...returning },
        [{ do: 'run', job: 'file' }, { do: 'rest', timer: 'undecided' }, { do: 'notify' }],
        `A person decided: ${event.decision}`,
      );
    }
    case 'reject': {
      if (transfer.state !== 'waitingForDecision') return ignore(transfer, 'There is nothing to reject');
      const code = rejectionCode(transfer.reasons);
      const answer = answerTo(transfer, transfer.core.messageId, no(code), facts);
      return end(transfer, rejected(code), facts, [answer], `A person rejected the record: ${CODES[code].text}`, { code });
    }
    case 'withdraw':
      return withdrawn(transfer, facts);
    case 'resend':
      return ignore(transfer, 'Only a sender can send again');
    default:
      return never(event.decision);
  }
}

function rejected(code: ReturnType<typeof rejectionCode>): RequestingOutcome {
  switch (code) {
    case '11':
      return { kind: 'notIntegrated', code };
    case '31':
      return { kind: 'unusable', code };
    case '17':
    case '28':
      return { kind: 'rejected', code };
    default:
      return never(code);
  }
}

/** The patient is not this practice's any more. A sender whose core is here is told, so that it neither waits nor posts paper. */
function withdrawn(transfer: Requesting, facts: Facts): Step {
  switch (transfer.state) {
    case 'ended':
      return ignore(transfer, 'The transfer has ended');
    case 'filing':
      // The practice's system may have it already. What it says decides what the sender hears.
      return ignore(transfer, 'The record is being filed: first the system has to say what became of it');
    case 'checking':
    case 'waitingForExtract':
      return end(transfer, { kind: 'withdrawn' }, facts, [{ do: 'stopSending' }], 'The registration was withdrawn');
    case 'collecting':
    case 'converting':
    case 'waitingForDecision': {
      const code = rejectionCode('reasons' in transfer ? transfer.reasons.filter((reason) => reason === 'returningPatient') : []);
      const answer = answerTo(transfer, transfer.core.messageId, no(code), facts);
      return end(transfer, { kind: 'withdrawn' }, facts, [{ do: 'stopSending' }, answer], 'The registration was withdrawn', { code });
    }
    default:
      return never(transfer);
  }
}

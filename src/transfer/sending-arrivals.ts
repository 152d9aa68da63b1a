/** What a message that comes means to a sending transfer. */
import { never } from '../base/errors.ts';
import type { MessageId } from '../base/ids.ts';
import { refusalNeedsPaper } from '../practice/to-print.ts';
import { CODES, isSuccess } from './codes.ts';
import { isForeign } from './routing.ts';
import { ANSWER_SECONDS, answerTo, end, FAILURE_TASKS, type In, ignore, no, type Step, step, YES } from './sending-steps.ts';
import { after } from './time-outs.ts';
import type { Answer, Effect, Facts, Offer, Received, Sending } from './types.ts';

export function arrived(transfer: Sending, message: Received, facts: Facts): Step {
  const peer = 'peer' in transfer ? transfer.peer : null;
  if (peer && isForeign(message, peer))
    return step(
      transfer,
      [{ do: 'raise', task: 'foreignMessage', due: null }],
      `A message of kind ${message.interaction} came from another than ${peer.ods}`,
      { fromPartyKey: message.addressed.fromPartyKey },
    );
  switch (message.interaction) {
    case 'request':
      return requested(transfer, message, facts);
    case 'continue':
      return continued(transfer, message.of, facts);
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

function continued(transfer: Sending, of: MessageId | null, facts: Facts): Step {
  // Some name an id of their own making, which is nothing against them; one of ours has to be that of the core.
  if (facts.refersTo !== null && 'offer' in transfer && of !== transfer.offer?.core)
    return ignore(transfer, 'A continue of an earlier core, or of no core');
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
      return of === transfer.offer.core ? finalAnswer(transfer, transfer.offer, answer, facts) : ofEarlier(transfer, answer, facts);
    case 'ended':
      return afterEnd(transfer, answer, facts);
    case 'checking':
    case 'fetching':
    case 'converting':
      return ofEarlier(transfer, answer, facts);
    default:
      return never(transfer);
  }
}

/** The record is being sent again, and now it is heard that the new practice had taken it the first time. */
function ofEarlier(transfer: Sending, answer: Answer, facts: Facts): Step {
  return taken(answer) ? finalAnswer(transfer, null, answer, facts) : ignore(transfer, 'A refusal of an earlier core');
}

/** The first final answer counts. Where there was none, and we had given up or refused, the record that was filed all the same is. */
function afterEnd(transfer: In<'ended'>, answer: Answer, facts: Facts): Step {
  const { outcome } = transfer;
  switch (outcome.kind) {
    case 'unanswered':
    case 'undeliverable':
    case 'refusedByUs':
    case 'superseded':
      return taken(answer) ? finalAnswer(transfer, transfer.offer, answer, facts) : ignore(transfer, 'A refusal after the end');
    case 'acknowledged':
    case 'refusedByRequester': {
      if (taken(answer) === (outcome.kind === 'acknowledged') || isDuplicate(answer))
        return ignore(transfer, 'An acknowledgement after the end: the first one counts');
      // Whether the patient's record is in their system, only they can say.
      return step(
        transfer,
        [{ do: 'raise', task: 'contradiction', due: null }],
        `Another final answer (${codeText(answer)}): the first counts`,
      );
    }
    default:
      return never(outcome);
  }
}

function taken(answer: Answer): boolean {
  return answer.accepted || isSuccess(answer.code);
}

function isDuplicate(answer: Answer): boolean {
  return !answer.accepted && answer.code === '12';
}

/** `offer`: what was answered; null where it was an earlier one, of which the count of missing documents is not kept. */
function finalAnswer(transfer: Sending, offer: Offer | null, answer: Answer, facts: Facts): Step {
  if (isDuplicate(answer)) return ignore(transfer, 'The core was called a duplicate: no outcome');
  const done: Effect[] = [{ do: 'stopSending' }, ...FAILURE_TASKS.map((task): Effect => ({ do: 'close', task }))];
  if (answer.accepted || isSuccess(answer.code)) {
    const kind = answer.accepted ? 'AA' : isSuccess(answer.code) ? answer.code : 'AA';
    // One document in their record instead of a record: they need the paper (and it counts as not integrated nationally).
    const print: Effect[] = kind === '26' ? [{ do: 'raise', task: 'printRecord', due: null }] : [];
    return end(
      transfer,
      { kind: 'acknowledged', answer: kind, missingDocuments: offer?.missingDocuments ?? null },
      facts,
      [...done, ...print],
      `The new practice filed the record (${kind})`,
      { answer: kind },
    );
  }
  // It may be sent again, which takes the task back; if it is not, it goes on paper.
  const print: Effect[] = refusalNeedsPaper(answer.code) ? [{ do: 'raise', task: 'printRecord', due: null }] : [];
  return end(
    transfer,
    { kind: 'refusedByRequester', code: answer.code },
    facts,
    [...done, { do: 'raise', task: 'refusedByRequester', due: null }, ...print],
    `The new practice did not take the record (${codeText(answer)})`,
    { code: answer.code ?? answer.raw },
  );
}

function undelivered(transfer: Sending, of: MessageId, fault: string, facts: Facts): Step {
  const note = `Spine did not deliver ${of}: ${fault}`;
  const raise: Effect = { do: 'raise', task: 'undelivered', due: null };
  const ofThisOffer = facts.refersTo === 'extract' && 'offer' in transfer && of === transfer.offer?.core;
  const lost = ofThisOffer || facts.refersTo === 'index' || facts.refersTo === 'piece';
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

function codeText(answer: Answer): string {
  if (answer.accepted) return 'accepted';
  return answer.code ? `${answer.code}: ${CODES[answer.code].text}` : `no known code: ${answer.raw}`;
}

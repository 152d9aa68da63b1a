/** What a node does with a message that comes to it, in words: for whoever asks why a message was refused, or what follows from it. */
import { never } from '../base/errors.ts';
import { readDescription } from '../ebxml/description.ts';
import { type Ebxml, type EbxmlMessage, GP2GP_SERVICE } from '../ebxml/envelope.ts';
import { attachmentReferences, targetOf } from '../ebxml/parts.ts';
import { CODES, type CodeClass, responseCode } from '../transfer/codes.ts';
import type { Looked, PayloadSeen, Problem } from './inspection.ts';

/** One sentence for each thing it does, in order; none where there is nothing that a node would be sent. */
export function receiverDoes(seen: Looked): string[] {
  if (seen.kind === 'unknown') return ['Nothing: this is no message'];
  if (seen.kind === 'hl7') return seen.payload ? payloadDoes(seen.payload, null) : ['Refuses it: the payload cannot be read'];
  if (seen.kind === 'json' && seen.holds !== 'message') return ['Nothing: this is no message'];
  const envelope = 'envelope' in seen ? (seen.envelope ?? null) : null;
  const payload = 'payload' in seen ? (seen.payload ?? null) : null;
  // What is handed to the adaptor for sending has no envelope yet.
  if (seen.kind === 'json' && !envelope && seen.faults.length === 0) return payload ? payloadDoes(payload, null) : [];
  if (!envelope)
    return ['Answers HTTP 500 with a SOAP fault (201, not well formed), which no repetition mends; keeps nothing, and tells an operator'];
  return envelopeDoes(envelope, payload, seen.kind === 'ebxml' ? [] : seen.faults);
}

function envelopeDoes(envelope: Ebxml, payload: PayloadSeen | null, faults: readonly Problem[]): string[] {
  switch (envelope.kind) {
    case 'acknowledgement':
      return [`Takes its message ${envelope.of} for delivered, and answers nothing`];
    case 'error':
      return envelope.final
        ? [`Takes its message ${envelope.of || '(not named)'} for refused for good: it is not sent again, and the transfer is told`]
        : [`Notes a warning about its message ${envelope.of || '(not named)'}: it counts as delivered`];
    case 'fault':
      return [
        envelope.retriable
          ? 'Sends its message again, by the contract of the recipient: every code is one of passing trouble'
          : 'Does not send its message again: the codes are not all of passing trouble',
      ];
    case 'message':
      return messageDoes(envelope, payload, faults);
    default:
      return never(envelope);
  }
}

function messageDoes(envelope: EbxmlMessage, payload: PayloadSeen | null, faults: readonly Problem[]): string[] {
  const mine = `Looks first whether ${envelope.toPartyKey} is a party key of its own; if not, the answer is a MessageError (501314)`;
  if (envelope.service !== GP2GP_SERVICE)
    return [
      mine,
      `Passes it on unopened to the address for other services, or refuses it where there is none: ${envelope.service} is not GP2GP`,
    ];
  if (payload?.interaction === 'other' && !faults.length)
    return [mine, `Refuses it with a MessageError (NotSupported): ${envelope.action} is no interaction of GP2GP`];
  const [fault] = faults;
  if (fault) {
    const code = fault.code.startsWith('mime.') ? 'MimeProblem' : 'OtherXml';
    return [
      mine,
      `Refuses it with a MessageError (${code}: ${fault.message}) on HTTP 200, so that it is not sent again; the transfer of its conversation is told`,
    ];
  }
  const asked = envelope.ackRequested === null ? 'although none is asked for (alwaysAck)' : 'which it asks for';
  return [
    mine,
    `Keeps it, and then answers with an Acknowledgment, ${asked}; from ${envelope.fromPartyKey} under the same id again it is a duplicate, which is acknowledged and dropped`,
    ...(payload ? payloadDoes(payload, envelope) : []),
  ];
}

function payloadDoes(payload: PayloadSeen, envelope: EbxmlMessage | null): string[] {
  switch (payload.interaction) {
    case 'other':
      return [`Refuses it: ${payload.root} is no interaction of GP2GP`];
    case 'request':
      return [
        `Asks PDS whether ${payload.from} is the patient's practice now and SDS who it is; if not, it refuses with 19, with 06 where the patient is not known`,
        `Acknowledges the request to ${payload.from} (AA), fetches the record of ${payload.to} and sends it`,
      ];
    case 'extract':
      return extractDoes(payload.extractId, payload.nhsNumber, envelope);
    case 'copc':
      if (payload.shape === 'continue')
        return [`Sends everything that the manifest of its record ${payload.of ?? '(not named)'} announced, in messages of their own`];
      return copcDoes(envelope);
    case 'acknowledgement':
      return acknowledgementDoes(payload);
    default:
      return never(payload);
  }
}

function extractDoes(extractId: string, nhsNumber: string | null, envelope: EbxmlMessage | null): string[] {
  const lines = ['Looks for the transfer of its conversation, and waits for one where it finds none; a second record is refused with 12'];
  const attached = envelope ? attachmentReferences(envelope) : [];
  const outside = attached.filter((reference) => targetOf(reference)?.at === 'message').length;
  const inside = attached.length - outside;
  if (inside > 0) lines.push(`Keeps ${inside} attachment${inside === 1 ? '' : 's'} that came with it`);
  if (outside === 0) lines.push(`Reads the record ${extractId} at once: nothing is outstanding, so no continue is sent`);
  else
    lines.push(
      `Sends a continue that names ${envelope?.messageId ?? 'the message'}, and waits for ${outside} message${outside === 1 ? '' : 's'}`,
      'Reads the record when the last has come; what is missing when time is up is answered with 31',
    );
  const skeleton = attached.some(({ description }) => readDescription(description).skeleton);
  if (skeleton) lines.push('Puts the record itself, which comes as an attachment, in the place of this skeleton');
  const patient = nhsNumber === null ? 'It names no patient, so it' : 'Where its patient is not the one that was asked for, it';
  return [...lines, `${patient} is not filed by itself: somebody has to decide; otherwise the last answer is AA once it is filed`];
}

function copcDoes(envelope: EbxmlMessage | null): string[] {
  const references = envelope ? attachmentReferences(envelope) : [];
  const outside = references.filter((reference) => targetOf(reference)?.at === 'message').length;
  const what =
    outside > 0
      ? `Takes it for an index, because its manifest refers to other messages: waits for ${outside} piece${outside === 1 ? '' : 's'}${references.length > outside ? ' after the one inside' : ''}`
      : 'Keeps its content under its message id, whether or not anybody has announced it yet';
  return [what, 'Acknowledges it (AA); when the last announced message is here the record is read'];
}

const CLASSES: Readonly<Record<CodeClass, string>> = {
  success: 'counts as taken, with an issue',
  noOutcome: 'is recorded and changes nothing',
  business: 'ends the transfer: somebody has to look at the registration',
  configuration: 'ends the transfer: the other system cannot take part',
  askAgain: 'ends the transfer; a new request may succeed',
  sendAgain: 'ends the transfer; the sender may send again in the same conversation',
};

function acknowledgementDoes({ of, typeCode, code, fromSpine }: Extract<PayloadSeen, { interaction: 'acknowledgement' }>): string[] {
  if (fromSpine) return [`Takes its message ${of} for undelivered: the refusal (${code ?? 'no code'}) is Spine's own, not a practice's`];
  if (typeCode === 'AA') return [`Notes that the other practice has taken ${of}; if that is the record, the transfer is complete`];
  if (typeCode !== 'AE' && typeCode !== 'AR') return [`Refuses it: ${typeCode || 'no type'} says neither yes nor no`];
  const known = code === null ? null : responseCode(code);
  if (known === null) return [`Takes ${of} for refused, without a reason that GP2GP defines (${code ?? 'no code'})`];
  return [`Takes ${of} for refused with ${known}, "${CODES[known].text}": it ${CLASSES[CODES[known].class]}`];
}

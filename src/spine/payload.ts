import { Fault } from '../base/errors.ts';
import { writeAcknowledgement } from '../hl7v3/acknowledgement.ts';
import { writeAttachmentCover, writeContinue } from '../hl7v3/copc.ts';
import { INTERACTION, type InteractionId } from '../hl7v3/oids.ts';
import { writeRequest } from '../hl7v3/request.ts';
import type { Wrapping } from '../hl7v3/wrapper.ts';
import { CODES } from '../transfer/codes.ts';
import type { Answer, Message, OwnPractice, Peer } from '../transfer/types.ts';
import type { XmlElement } from '../xml/element.ts';
import { writeXml } from '../xml/write.ts';

/** The interaction id that is also the ebXML action. */
export function actionOf(message: Message): InteractionId {
  switch (message.interaction) {
    case 'request':
      return INTERACTION.request;
    case 'extract':
      return message.version === 'UK07' ? INTERACTION.extractUk07 : INTERACTION.extractUk06;
    case 'continue':
    case 'index':
    case 'piece':
      return INTERACTION.copc;
    case 'acknowledgement':
      return INTERACTION.acknowledgement;
  }
}

/** The HL7 payload of everything but an extract, whose payload exists before its message. */
export function payloadOf(message: Exclude<Message, { interaction: 'extract' }>, own: OwnPractice, peer: Peer): string {
  const wrapping: Wrapping = { messageId: message.messageId, createdAt: message.at, fromAsid: own.asid, toAsid: peer.asid };
  return writeXml(payload(message, wrapping));
}

function payload(message: Exclude<Message, { interaction: 'extract' }>, wrapping: Wrapping): XmlElement {
  switch (message.interaction) {
    case 'request':
      return writeRequest(wrapping, message);
    case 'continue':
      if (message.of === null) throw new Fault('pack.payload', 'a continue has to name the extract that it continues');
      return writeContinue(wrapping, { of: message.of, from: message.from, to: message.to });
    case 'index':
    case 'piece':
      return writeAttachmentCover(wrapping, {
        from: message.from,
        to: message.to,
        filename: message.announced.filename ?? message.announced.documentId ?? 'attachment',
      });
    case 'acknowledgement':
      return writeAcknowledgement(wrapping, { of: message.of, ...answered(message.answer) });
  }
}

/** Every refusal is an AE, as the message specification says; some suppliers send AR for the same. */
function answered(answer: Answer): Pick<Parameters<typeof writeAcknowledgement>[1], 'typeCode' | 'issue'> {
  if (answer.accepted) return { typeCode: 'AA', issue: null };
  const code = answer.code ?? '99';
  return { typeCode: 'AE', issue: { code, displayName: CODES[code].text } };
}

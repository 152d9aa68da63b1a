/** What every ebXML envelope has: SOAP around it, the message header, times, and the fault of those that cannot be used. */
import { Fault } from '../base/errors.ts';
import type { Instant } from '../base/ids.ts';
import { at, type Child, child, h, textOf, type XmlElement } from '../xml/element.ts';
import { writeXml } from '../xml/write.ts';

export const SIGNAL_SERVICE = 'urn:oasis:names:tc:ebxml-msg:service';
/** The intermediary acknowledges. */
export const NEXT_MSH = 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH';
/** The end party acknowledges: also what an AckRequested without an actor means. */
export const TO_PARTY_MSH = 'urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH';

const PARTY_TYPE = 'urn:nhs:names:partyType:ocs+serviceInstance';
/** An envelope that cannot be used. `code` begins with `ebxml.`; `errorCode` is the word a MessageError has for it. */
export class EnvelopeFault extends Fault {
  readonly errorCode: 'OtherXml' | 'ValueNotRecognized';
  constructor(code: 'ebxml.malformed' | 'ebxml.missing' | 'ebxml.limit', message: string, cause?: unknown) {
    super(code, message, { cause });
    this.name = 'EnvelopeFault';
    this.errorCode = code === 'ebxml.missing' ? 'ValueNotRecognized' : 'OtherXml';
  }
}

/** What every envelope says. Texts are as written, trimmed: ids keep their case. */
export type Header = {
  readonly fromPartyKey: string;
  readonly toPartyKey: string;
  readonly cpaId: string;
  readonly conversationId: string;
  readonly service: string;
  readonly action: string;
  readonly messageId: string;
  /** `null` where there is none that is a time. */
  readonly timestamp: Instant | null;
  readonly refToMessageId: string | null;
  readonly timeToLive: Instant | null;
};

/** Reads `eb:MessageHeader`: what is missing is '' or null. */
export function readHeader(header: XmlElement): Header {
  const data = child(header, 'MessageData');
  const text = (element: XmlElement | undefined): string => textOf(element).trim();
  return {
    fromPartyKey: text(at(header, 'From', 'PartyId')),
    toPartyKey: text(at(header, 'To', 'PartyId')),
    cpaId: text(child(header, 'CPAId')),
    conversationId: text(child(header, 'ConversationId')),
    service: text(child(header, 'Service')).replace(/^urn:urn:/, 'urn:'),
    action: text(child(header, 'Action')),
    messageId: text(child(data, 'MessageId')),
    timestamp: readTimestamp(text(child(data, 'Timestamp'))),
    refToMessageId: text(child(data, 'RefToMessageId')) || null,
    timeToLive: readTimestamp(text(child(data, 'TimeToLive'))),
  };
}

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?$/;

/** An ebXML time: fractions of any length are cut to milliseconds, without an offset it is UTC. `null` where it is no time. */
export function readTimestamp(text: string): Instant | null {
  const match = TIMESTAMP.exec(text.trim());
  if (!match) return null;
  const [, date, time, fraction = '', offset = 'Z'] = match;
  const epoch = Date.parse(`${date}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`);
  return Number.isNaN(epoch) ? null : (new Date(epoch).toISOString() as Instant);
}

/** UTC in whole seconds, as Spine's own parties write it. */
export function writeTimestamp(time: Instant): string {
  return `${time.slice(0, 19)}Z`;
}

const NAMESPACES = {
  'xmlns:SOAP': 'http://schemas.xmlsoap.org/soap/envelope/',
  'xmlns:eb': 'http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd',
  'xmlns:hl7ebxml': 'urn:hl7-org:transport/ebXML/DSTUv1.0',
  'xmlns:xlink': 'http://www.w3.org/1999/xlink',
} as const;

export const UNDERSTOOD = { 'SOAP:mustUnderstand': '1', 'eb:version': '2.0' } as const;

/** SOAP around header blocks, if any, and a body, as text. */
export function soapEnvelope(header: Child, body?: Child): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${writeXml(
    h('SOAP:Envelope', NAMESPACES, header !== null && h('SOAP:Header', null, header), h('SOAP:Body', null, body)),
  )}`;
}

/** `eb:MessageHeader`, the same for messages and signals; `extra` stands behind MessageData. */
export function messageHeader(header: Header, extra?: Child): XmlElement {
  if (!header.timestamp) throw new EnvelopeFault('ebxml.missing', 'an envelope needs a time to be written');
  return h(
    'eb:MessageHeader',
    UNDERSTOOD,
    h('eb:From', null, partyId(header.fromPartyKey)),
    h('eb:To', null, partyId(header.toPartyKey)),
    h('eb:CPAId', null, header.cpaId),
    h('eb:ConversationId', null, header.conversationId),
    h('eb:Service', null, header.service),
    h('eb:Action', null, header.action),
    h(
      'eb:MessageData',
      null,
      h('eb:MessageId', null, header.messageId),
      h('eb:Timestamp', null, writeTimestamp(header.timestamp)),
      header.refToMessageId !== null && h('eb:RefToMessageId', null, header.refToMessageId),
      header.timeToLive !== null && h('eb:TimeToLive', null, writeTimestamp(header.timeToLive)),
    ),
    extra,
  );
}

export function partyId(partyKey: string): XmlElement {
  return h('eb:PartyId', { 'eb:type': PARTY_TYPE }, partyKey);
}

/** The ebXML Acknowledgment: the other message handler has the message. It says nothing about the record inside. */
import type { Instant } from '../base/ids.ts';
import { at, child, h, textOf, type XmlElement } from '../xml/element.ts';
import type { EbxmlError } from './message-error.ts';
import {
  EnvelopeFault,
  type Header,
  messageHeader,
  partyId,
  readTimestamp,
  SIGNAL_SERVICE,
  soapEnvelope,
  TO_PARTY_MSH,
  writeTimestamp,
} from './soap.ts';

export type Acknowledgement = Header & {
  readonly kind: 'acknowledgement';
  /** The message that is acknowledged. */
  readonly of: string;
  /** Who acknowledges, by party key; '' where it does not say. */
  readonly by: string;
  readonly at: Instant | null;
  /** Warnings that came with it. */
  readonly warnings: readonly EbxmlError[];
};

/** For the envelope's reader: the header is read, the block is `eb:Acknowledgment`. */
export function readAcknowledgement(header: Header, block: XmlElement, warnings: readonly EbxmlError[]): Acknowledgement {
  const of = textOf(child(block, 'RefToMessageId')).trim() || header.refToMessageId || '';
  if (!of) throw new EnvelopeFault('ebxml.missing', 'the Acknowledgment has no RefToMessageId');
  return {
    kind: 'acknowledgement',
    ...header,
    of,
    by: textOf(at(block, 'From', 'PartyId')).trim() || header.fromPartyKey,
    at: readTimestamp(textOf(child(block, 'Timestamp'))),
    warnings,
  };
}

export type SignalOf = {
  /** The header of the message that is answered. */
  readonly received: Pick<Header, 'fromPartyKey' | 'toPartyKey' | 'cpaId' | 'conversationId' | 'messageId'>;
  /** The signal's own id. */
  readonly messageId: string;
  readonly at: Instant;
};

/** The header of a signal: parties swapped, agreement and conversation echoed. */
export function signalHeader({ received, messageId, at: timestamp }: SignalOf, action: 'Acknowledgment' | 'MessageError'): Header {
  return {
    fromPartyKey: received.toPartyKey,
    toPartyKey: received.fromPartyKey,
    cpaId: received.cpaId,
    conversationId: received.conversationId,
    service: SIGNAL_SERVICE,
    action,
    messageId,
    timestamp,
    refToMessageId: received.messageId,
    timeToLive: null,
  };
}

/** The Acknowledgment of a received message, as the body of a `text/xml` answer. */
export function writeAcknowledgement(signal: SignalOf): string {
  return soapEnvelope([
    messageHeader(signalHeader(signal, 'Acknowledgment')),
    h(
      'eb:Acknowledgment',
      { 'SOAP:mustUnderstand': '1', 'eb:version': '2.0', 'SOAP:actor': TO_PARTY_MSH },
      h('eb:Timestamp', null, writeTimestamp(signal.at)),
      h('eb:RefToMessageId', null, signal.received.messageId),
      h('eb:From', null, partyId(signal.received.toPartyKey)),
    ),
  ]);
}

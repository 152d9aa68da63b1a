/** The ebXML Message Service 2.0 envelope: business messages, acknowledgements, errors, and the SOAP faults that come in their place. */
import { reasonOf } from '../base/errors.ts';
import { at, attr, child, children, h, textOf, type XmlElement } from '../xml/element.ts';
import { readXml, XML_LIMITS } from '../xml/read.ts';
import { type Acknowledgement, readAcknowledgement } from './acknowledgement.ts';
import { type MessageError, readErrorList } from './message-error.ts';
import { EnvelopeFault, type Header, messageHeader, readHeader, soapEnvelope, TO_PARTY_MSH, UNDERSTOOD } from './soap.ts';
import { readSoapFault, type SoapFault } from './soap-fault.ts';

export { EnvelopeFault, type Header, NEXT_MSH, SIGNAL_SERVICE, TO_PARTY_MSH } from './soap.ts';

export const GP2GP_SERVICE = 'urn:nhs:names:services:gp2gp';
const NEXT_ACTOR = 'http://schemas.xmlsoap.org/soap/actor/next';
const ENVELOPE_BYTES = 2 * 1024 * 1024;
const REFERENCES = 5_000;

/** One line of the manifest: content in this message (`cid:`) or in another one (`mid:`). */
export type ManifestReference = {
  readonly href: string;
  /** `eb:id`, as written: usually the document id behind an underscore. */
  readonly id: string | null;
  /** As written; `readDescription` takes it apart. */
  readonly description: string | null;
  /** Whether it carries `hl7ebxml:Payload`. */
  readonly payload: boolean;
};

export type EbxmlMessage = Header & {
  readonly kind: 'message';
  readonly duplicateElimination: boolean;
  /** The actor that is asked for an acknowledgement; `null` where none is asked for. */
  readonly ackRequested: string | null;
  readonly syncReply: boolean;
  readonly references: readonly ManifestReference[];
};

export type Ebxml = EbxmlMessage | Acknowledgement | MessageError | SoapFault;

/**
 * Reads an envelope, prefix-blind: what it says decides its kind, not the status it came with. Of a message From, To, CPAId,
 * ConversationId, Service, Action and MessageId are required; of a signal only the id it refers to. Throws `EnvelopeFault`.
 */
export function readEnvelope(bytes: Uint8Array | string): Ebxml {
  const root = parse(bytes);
  const fault = at(root, 'Body', 'Fault');
  if (fault) return readSoapFault(fault);
  const soapHeader = child(root, 'Header');
  const header = child(soapHeader, 'MessageHeader');
  if (!soapHeader || !header) throw new EnvelopeFault('ebxml.missing', 'the envelope has no MessageHeader');
  const read = readHeader(header);

  const errorList = child(soapHeader, 'ErrorList');
  const acknowledgment = child(soapHeader, 'Acknowledgment');
  const errors = errorList ? readErrorList(read, errorList) : null;
  if (errors && (errors.final || !acknowledgment)) return errors;
  if (acknowledgment) return readAcknowledgement(read, acknowledgment, errors?.errors ?? []);

  const missing = REQUIRED.filter((name) => read[name] === '');
  if (missing.length) throw new EnvelopeFault('ebxml.missing', `the envelope has no ${missing.join(', ')}`);
  const references = children(at(root, 'Body', 'Manifest'), 'Reference');
  if (references.length > REFERENCES) throw new EnvelopeFault('ebxml.limit', `more than ${REFERENCES} manifest references`);
  const ack = child(soapHeader, 'AckRequested');
  return {
    kind: 'message',
    ...read,
    duplicateElimination: child(header, 'DuplicateElimination') !== undefined,
    ackRequested: ack ? attr(ack, 'actor')?.trim() || TO_PARTY_MSH : null,
    syncReply: child(soapHeader, 'SyncReply') !== undefined,
    references: references.map(readReference),
  };
}

const REQUIRED = ['fromPartyKey', 'toPartyKey', 'cpaId', 'conversationId', 'service', 'action', 'messageId'] as const;

function parse(bytes: Uint8Array | string): XmlElement {
  let root: XmlElement;
  try {
    root = readXml(bytes, { limits: { bytes: ENVELOPE_BYTES, elements: REFERENCES * 8, depth: Math.min(XML_LIMITS.depth, 32) } });
  } catch (thrown) {
    throw new EnvelopeFault('ebxml.malformed', `the ebXML part cannot be read: ${reasonOf(thrown)}`, thrown);
  }
  if (root.name !== 'Envelope') throw new EnvelopeFault('ebxml.malformed', 'the ebXML part is no SOAP envelope');
  return root;
}

function readReference(reference: XmlElement): ManifestReference {
  const description = child(reference, 'Description');
  return {
    // Test material without namespace declarations has a bare `href`.
    href: (attr(reference, 'xlink:href') ?? attr(reference, 'href') ?? '').trim(),
    id: attr(reference, 'id')?.trim() || null,
    description: description ? textOf(description) : null,
    payload: child(reference, 'Payload') !== undefined,
  };
}

/** The envelope of a business message as XML text, with declaration. A message without a time cannot be written. */
export function writeEnvelope(message: EbxmlMessage): string {
  return soapEnvelope(
    [
      messageHeader(message, message.duplicateElimination && h('eb:DuplicateElimination')),
      message.ackRequested !== null && h('eb:AckRequested', { ...UNDERSTOOD, 'eb:signed': 'false', 'SOAP:actor': message.ackRequested }),
      message.syncReply && h('eb:SyncReply', { ...UNDERSTOOD, 'SOAP:actor': NEXT_ACTOR }),
    ],
    h('eb:Manifest', UNDERSTOOD, message.references.map(writeReference)),
  );
}

function writeReference({ href, id, description, payload }: ManifestReference): XmlElement {
  return h(
    'eb:Reference',
    { 'eb:id': id, 'xlink:href': href },
    payload && h('eb:Schema', { 'eb:location': 'http://www.nhsia.nhs.uk/schemas/HL7-Message.xsd', 'eb:version': '1.0' }),
    description !== null && h('eb:Description', { 'xml:lang': 'en' }, description),
    payload && h('hl7ebxml:Payload', { style: 'HL7', encoding: 'XML', version: '3.0' }),
  );
}

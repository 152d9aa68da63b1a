import { attr, child, children, textOf } from '../../xml/element.ts';
import { readXml } from '../../xml/read.ts';
import { type HubEnvelope, readHubEnvelope } from '../hub/envelope.ts';
import type { VendorProfile } from './profile.ts';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const EB = 'http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd';
const XLINK = 'http://www.w3.org/1999/xlink';
const PARTY_TYPE = 'urn:nhs:names:partyType:ocs+serviceInstance';
const ACTOR = 'urn:oasis:names:tc:ebxml-msg:actor';

export type ReferenceToWrite = { readonly href: string; readonly id: string | null; readonly description: string | null };
export type EnvelopeToWrite = {
  readonly from: string;
  readonly to: string;
  readonly cpaId: string;
  readonly conversationId: string;
  readonly messageId: string;
  readonly action: string;
  readonly at: Date;
  /** Seconds that it lives. */
  readonly lives: number | null;
  readonly ackRequested: boolean;
  /** The payload first. */
  readonly references: readonly ReferenceToWrite[];
};

/** The envelope of a business message in the profile's hand. */
export function writeVendorEnvelope(profile: VendorProfile, of: EnvelopeToWrite): string {
  const p = profile.soapPrefix;
  const must = `${p}:mustUnderstand="1"`;
  const version = 'eb:version="2.0"';
  const marks = profile.versionFirst ? `${version} ${must}` : `${must} ${version}`;
  const inner = (declared: string) => (profile.innerNamespaces ? ` ${declared}` : '');
  const eb = `xmlns:eb="${EB}"`;
  const link = `xmlns:${profile.xlinkPrefix}="${XLINK}"`;
  const hl7 = `xmlns:hl7ebxml="${profile.hl7ebxmlNamespace}"`;
  const outer = profile.innerNamespaces ? '' : ` ${eb} ${hl7} ${link}`;
  const party = (key: string) => `<eb:PartyId eb:type="${PARTY_TYPE}">${inXml(key)}</eb:PartyId>`;
  const ends = of.lives === null ? '' : `<eb:TimeToLive>${time(new Date(of.at.getTime() + of.lives * 1000), 0)}</eb:TimeToLive>`;
  const wanted = of.ackRequested ? `<eb:AckRequested ${marks} eb:signed="false" ${p}:actor="${ACTOR}:nextMSH"${inner(eb)}/>` : '';
  const references = of.references.map(({ href, id, description }, i) => {
    const text = description === null ? '' : `<eb:Description xml:lang="en">${inXml(description)}</eb:Description>`;
    const payload = `<eb:Schema eb:location="http://www.nhsia.nhs.uk/schemas/HL7-Message.xsd" eb:version="1.0"/>${text}<hl7ebxml:Payload style="HL7" encoding="XML" version="3.0"${inner(hl7)}/>`;
    return `<eb:Reference${id === null ? '' : ` eb:id="${inXml(id)}"`} ${profile.xlinkPrefix}:href="${inXml(href)}"${inner(link)}>${i === 0 ? payload : text}</eb:Reference>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?><${p}:Envelope xmlns:${p}="${SOAP}"${outer}><${p}:Header><eb:MessageHeader ${marks}${inner(eb)}><eb:From>${party(of.from)}</eb:From><eb:To>${party(of.to)}</eb:To><eb:CPAId>${inXml(of.cpaId)}</eb:CPAId><eb:ConversationId>${inXml(of.conversationId)}</eb:ConversationId><eb:Service>urn:nhs:names:services:gp2gp</eb:Service><eb:Action>${of.action}</eb:Action><eb:MessageData><eb:MessageId>${inXml(of.messageId)}</eb:MessageId><eb:Timestamp>${time(of.at, profile.timestampDigits)}</eb:Timestamp>${ends}</eb:MessageData><eb:DuplicateElimination>${profile.duplicateElimination}</eb:DuplicateElimination></eb:MessageHeader>${wanted}</${p}:Header><${p}:Body><eb:Manifest ${profile.manifestMustUnderstand ? marks : version}${inner(eb)}>${references.join('')}</eb:Manifest></${p}:Body></${p}:Envelope>`;
}

/** What a system answers a message with that it has taken. */
export function writeTaken(profile: VendorProfile, of: HubEnvelope, messageId: string, at: Date): string {
  const p = profile.soapPrefix;
  const party = (key: string) => `<eb:PartyId eb:type="${PARTY_TYPE}">${inXml(key)}</eb:PartyId>`;
  const now = time(at, 0);
  return `<?xml version="1.0" encoding="UTF-8"?><${p}:Envelope xmlns:${p}="${SOAP}" xmlns:eb="${EB}"><${p}:Header><eb:MessageHeader eb:version="2.0" ${p}:mustUnderstand="1"><eb:From>${party(of.to)}</eb:From><eb:To>${party(of.from)}</eb:To><eb:CPAId>${inXml(of.cpaId)}</eb:CPAId><eb:ConversationId>${inXml(of.conversationId)}</eb:ConversationId><eb:Service>urn:oasis:names:tc:ebxml-msg:service</eb:Service><eb:Action>Acknowledgment</eb:Action><eb:MessageData><eb:MessageId>${messageId}</eb:MessageId><eb:Timestamp>${now}</eb:Timestamp><eb:RefToMessageId>${inXml(of.messageId)}</eb:RefToMessageId></eb:MessageData></eb:MessageHeader><eb:Acknowledgment eb:version="2.0" ${p}:mustUnderstand="1" ${p}:actor="${ACTOR}:toPartyMSH"><eb:Timestamp>${now}</eb:Timestamp><eb:RefToMessageId>${inXml(of.messageId)}</eb:RefToMessageId><eb:From>${party(of.to)}</eb:From></eb:Acknowledgment></${p}:Header><${p}:Body/></${p}:Envelope>`;
}

export type ReferenceRead = { readonly href: string; readonly id: string | null; readonly description: string | null };

/** Envelope and manifest of a message. Throws `EnvelopeFault` or an XML fault. */
export function readVendorEnvelope(xml: Uint8Array): { readonly envelope: HubEnvelope; readonly references: readonly ReferenceRead[] } {
  const envelope = readHubEnvelope(xml);
  const manifest = child(child(readXml(xml), 'Body'), 'Manifest');
  const references = children(manifest, 'Reference').map((reference) => {
    const description = child(reference, 'Description');
    return {
      href: attr(reference, 'xlink:href') ?? attr(reference, 'href') ?? '',
      id: attr(reference, 'id') ?? null,
      description: description ? textOf(description) : null,
    };
  });
  return { envelope, references };
}

/** ISO time in UTC with so many digits behind the second. */
function time(at: Date, digits: number): string {
  const [whole = '', milliseconds = ''] = at.toISOString().replace('Z', '').split('.');
  return digits === 0 ? `${whole}Z` : `${whole}.${milliseconds.padEnd(digits, '0').slice(0, digits)}Z`;
}

export function inXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

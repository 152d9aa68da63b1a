import { toHl7Seconds } from '../../base/hl7-time.ts';
import type { HubEnvelope } from './envelope.ts';

/** Party key of Spine itself in what it writes on its own behalf. */
export const SPINE_PARTY_KEY = 'YES-0000806';
const SPINE_ASID = '227319907548';

/** Texts that the hub writes, from templates of its own. `newId` gives upper-case UUIDs, `now` an instant with milliseconds. */
export type Stamp = { readonly newId: () => string; readonly now: () => Date };

/** The acknowledgment of the next hop: the message is in safe keeping here. */
export function acknowledgment(of: HubEnvelope, stamp: Stamp): string {
  const now = seconds(stamp.now());
  return envelope(
    of,
    'Acknowledgment',
    stamp,
    `<eb:Acknowledgment eb:version="2.0" SOAP:mustUnderstand="1" SOAP:actor="urn:oasis:names:tc:ebxml-msg:actor:nextMSH"><eb:Timestamp>${now}</eb:Timestamp><eb:RefToMessageId>${inXml(of.messageId)}</eb:RefToMessageId><eb:From><eb:PartyId eb:type="urn:nhs:names:partyType:ocs+serviceInstance">${SPINE_PARTY_KEY}</eb:PartyId></eb:From></eb:Acknowledgment>`,
  );
}

/** An ebXML error about a message, as the hub answers it or sends it later: `501314:Invalid To Party Type attribute`. */
export function messageError(of: HubEnvelope, code: string, text: string, stamp: Stamp): string {
  return envelope(
    of,
    'MessageError',
    stamp,
    `<eb:ErrorList eb:version="2.0" SOAP:mustUnderstand="1" eb:highestSeverity="Error"><eb:Error eb:codeContext="urn:oasis:names:tc:ebxml-msg:service:errors" eb:errorCode="${inXml(code)}" eb:severity="Error"><eb:Description xml:lang="en-GB">${inXml(text)}</eb:Description></eb:Error></eb:ErrorList>`,
  );
}

function envelope(of: HubEnvelope, action: string, stamp: Stamp, inside: string): string {
  const party = (key: string) => `<eb:PartyId eb:type="urn:nhs:names:partyType:ocs+serviceInstance">${inXml(key)}</eb:PartyId>`;
  return `<?xml version="1.0" encoding="UTF-8"?><SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/" xmlns:eb="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"><SOAP:Header><eb:MessageHeader eb:version="2.0" SOAP:mustUnderstand="1"><eb:From>${party(SPINE_PARTY_KEY)}</eb:From><eb:To>${party(of.from)}</eb:To><eb:CPAId>${inXml(of.cpaId)}</eb:CPAId><eb:ConversationId>${inXml(of.conversationId)}</eb:ConversationId><eb:Service>urn:oasis:names:tc:ebxml-msg:service</eb:Service><eb:Action>${action}</eb:Action><eb:MessageData><eb:MessageId>${stamp.newId()}</eb:MessageId><eb:Timestamp>${seconds(stamp.now())}</eb:Timestamp><eb:RefToMessageId>${inXml(of.messageId)}</eb:RefToMessageId></eb:MessageData></eb:MessageHeader>${inside}</SOAP:Header><SOAP:Body/></SOAP:Envelope>`;
}

/** A SOAP fault with one TMS code; 200, 206 and 208 ask for another attempt, all others are final. */
export function soapFault(code: string, text: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/"><SOAP:Body><SOAP:Fault><faultcode>SOAP:Server</faultcode><faultstring>Application Exception</faultstring><detail><nasp:errorList xmlns:nasp="http://national.carerecords.nhs.uk/schema/"><nasp:error><nasp:codeContext>urn:nhs:names:error:tms</nasp:codeContext><nasp:errorCode>${inXml(code)}</nasp:errorCode><nasp:severity>Error</nasp:severity><nasp:location>Spine</nasp:location><nasp:description>${inXml(text)}</nasp:description></nasp:error></nasp:errorList></detail></SOAP:Fault></SOAP:Body></SOAP:Envelope>`;
}

/**
 * Spine's own negative application acknowledgement: the message never reached the other practice. Its detail is a TMS code
 * (`506`: receiver ASID missing, invalid or not permitted), and `messageRef` is in lower case, as seen in the field.
 */
export function spineNegative(
  of: HubEnvelope,
  code: string,
  text: string,
  toAsid: string,
  stamp: Stamp,
): { contentType: string; body: string } {
  const id = stamp.newId();
  const now = stamp.now();
  const device = (asid: string) =>
    `<device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.826.0.1285.0.2.0.107" extension="${inXml(asid)}"/></device>`;
  const hl7 = `<hl7:MCCI_IN010000UK13 xmlns:hl7="urn:hl7-org:v3" xmlns="urn:hl7-org:v3"><id root="${id}"/><creationTime value="${toHl7Seconds(now)}"/><versionCode code="3NPfIT6.3.01"/><interactionId root="2.16.840.1.113883.2.1.3.2.4.12" extension="MCCI_IN010000UK13"/><processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/><acknowledgement typeCode="AR"><acknowledgementDetail typeCode="ER"><code code="${inXml(code)}" codeSystem="2.16.840.1.113883.2.1.3.2.4.17.32" displayName="${inXml(text)}"/></acknowledgementDetail><messageRef><id root="${inXml(of.messageId.toLowerCase())}"/></messageRef></acknowledgement><communicationFunctionRcv typeCode="RCV">${device(toAsid)}</communicationFunctionRcv><communicationFunctionSnd typeCode="SND">${device(SPINE_ASID)}</communicationFunctionSnd><ControlActEvent classCode="CACT" moodCode="EVN"><author1 typeCode="AUT"><AgentSystemSDS classCode="AGNT"><agentSystemSDS classCode="DEV" determinerCode="INSTANCE"><id root="1.2.826.0.1285.0.2.0.107" extension="${SPINE_ASID}"/></agentSystemSDS></AgentSystemSDS></author1></ControlActEvent></hl7:MCCI_IN010000UK13>`;
  const party = (key: string) => `<eb:PartyId eb:type="urn:nhs:names:partyType:ocs+serviceInstance">${inXml(key)}</eb:PartyId>`;
  const soap = `<?xml version="1.0" encoding="UTF-8"?><SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/" xmlns:eb="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd" xmlns:hl7ebxml="urn:hl7-org:transport/ebXML/DSTUv1.0" xmlns:xlink="http://www.w3.org/1999/xlink"><SOAP:Header><eb:MessageHeader SOAP:mustUnderstand="1" eb:version="2.0"><eb:From>${party(SPINE_PARTY_KEY)}</eb:From><eb:To>${party(of.from)}</eb:To><eb:CPAId>${inXml(of.cpaId)}</eb:CPAId><eb:ConversationId>${inXml(of.conversationId)}</eb:ConversationId><eb:Service>urn:nhs:names:services:gp2gp</eb:Service><eb:Action>MCCI_IN010000UK13</eb:Action><eb:MessageData><eb:MessageId>${id}</eb:MessageId><eb:Timestamp>${seconds(now)}</eb:Timestamp><eb:RefToMessageId>${inXml(of.messageId)}</eb:RefToMessageId></eb:MessageData><eb:DuplicateElimination/></eb:MessageHeader><eb:AckRequested SOAP:mustUnderstand="1" eb:version="2.0" eb:signed="false" SOAP:actor="urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH"/></SOAP:Header><SOAP:Body><eb:Manifest SOAP:mustUnderstand="1" eb:version="2.0"><eb:Reference xlink:href="cid:${id}@spine.nhs.uk"><eb:Schema eb:location="http://www.nhsia.nhs.uk/schemas/HL7-Message.xsd" eb:version="1.0"/><eb:Description xml:lang="en">HL7 payload</eb:Description><hl7ebxml:Payload style="HL7" encoding="XML" version="3.0"/></eb:Reference></eb:Manifest></SOAP:Body></SOAP:Envelope>`;
  const part = (name: string, text: string) =>
    `----=_MIME-Boundary\r\nContent-Id: <${name}>\r\nContent-Type: text/xml; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${text}\r\n`;
  return {
    contentType: 'multipart/related; boundary="--=_MIME-Boundary"; type="text/xml"; start="<ebXMLHeader@spine.nhs.uk>"',
    body: `${part('ebXMLHeader@spine.nhs.uk', soap)}${part(`${id}@spine.nhs.uk`, hl7)}----=_MIME-Boundary--\r\n`,
  };
}

function seconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function inXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

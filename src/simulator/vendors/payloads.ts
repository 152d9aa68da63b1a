import { toHl7Seconds } from '../../base/hl7-time.ts';
import { inXml } from './envelope.ts';
import type { VendorProfile } from './profile.ts';

/** Payloads from templates of the simulator's own; nothing of the product's writers is used. Nothing stands between elements. */
export type Wrapping = {
  readonly id: string;
  readonly at: Date;
  readonly fromAsid: string;
  readonly toAsid: string;
};

const NS = 'urn:hl7-org:v3';
const GP2GP = 'urn:nhs:names:services:gp2gp';
const CODES = '2.16.840.1.113883.2.1.3.2.4.17.101';
const ASID = '1.2.826.0.1285.0.2.0.107';
const ODS = '1.2.826.0.1285.0.1.10';

export function writeRequest(
  profile: VendorProfile,
  wrapping: Wrapping,
  of: { readonly requestId: string; readonly nhsNumber: string; readonly from: string; readonly to: string },
): string {
  const organisation = (element: string, type: string, ods: string) =>
    `<${element} typeCode="${type}"><AgentOrgSDS classCode="AGNT"><agentOrganizationSDS classCode="ORG" determinerCode="INSTANCE"><id root="${ODS}" extension="${inXml(ods)}"/></agentOrganizationSDS></AgentOrgSDS></${element}>`;
  const subject = `<subject typeCode="SUBJ" contextConductionInd="false"><EhrRequest classCode="EXTRACT" moodCode="RQO"><id root="${of.requestId}"/><recordTarget typeCode="RCT"><patient classCode="PAT"><id root="2.16.840.1.113883.2.1.4.1" extension="${of.nhsNumber}"/></patient></recordTarget>${organisation('author', 'AUT', of.from)}${organisation('destination', 'DST', of.to)}</EhrRequest></subject>`;
  return interaction(profile, 'RCMR_IN010000UK05', wrapping, { version: profile.versionCodes.record, inside: subject });
}

/** An extract message around an `<EhrExtract>`. */
export function writeExtractMessage(profile: VendorProfile, wrapping: Wrapping, extract: string): string {
  const name = `RCMR_IN030000${profile.extractVersion}`;
  const inside = `<subject typeCode="SUBJ" contextConductionInd="false">${extract}</subject>`;
  return interaction(profile, name, wrapping, { version: profile.versionCodes.record, inside });
}

export type AnswerToWrite = { readonly of: string; readonly refusal: { readonly code: string; readonly text: string } | null };

export function writeAnswer(profile: VendorProfile, wrapping: Wrapping, { of, refusal }: AnswerToWrite): string {
  const code = (text: string) =>
    `<code code="${refusal?.code}" codeSystem="${CODES}" displayName="${inXml(refusal?.text ?? '')}"${text ? `>${text}</code>` : '/>'}`;
  const detail =
    refusal && profile.codeIn === 'both'
      ? `<acknowledgementDetail typeCode="${profile.detailType}">${code('')}</acknowledgementDetail>`
      : '';
  const qualifier = '<qualifier><value code="ER" codeSystem="2.16.840.1.113883.2.1.3.2.4.17.104"/></qualifier>';
  return interaction(profile, 'MCCI_IN010000UK13', wrapping, {
    version: refusal ? profile.versionCodes.negative : profile.versionCodes.positive,
    before: `<acknowledgement typeCode="${refusal ? profile.negativeType : 'AA'}">${detail}<messageRef><id root="${of}"/></messageRef></acknowledgement>`,
    inside: refusal
      ? `<reason typeCode="RSON"><justifyingDetectedIssueEvent classCode="ALRT" moodCode="EVN">${code(qualifier)}</justifyingDetectedIssueEvent></reason>`
      : '',
  });
}

export type ContinueToWrite = { readonly of: string; readonly from: string; readonly to: string; readonly otherId: string };

export function writeContinue(profile: VendorProfile, wrapping: Wrapping, { of, from, to, otherId }: ContinueToWrite): string {
  const inner = profile.continueInnerIds === 'message' ? wrapping.id : otherId;
  const device = (element: string, asid: string) =>
    profile.continueDeviceIds
      ? `<${element} typeCode="${element.slice(-3).toUpperCase()}"><device classCode="DEV" determinerCode="INSTANCE" root="${ASID}" extension="${inXml(asid)}"/></${element}>`
      : `<${element} ${profile.continueTypo && element.endsWith('Snd') ? 'typecode' : 'typeCode'}="${element.slice(-3).toUpperCase()}"><device classCode="DEV" determinerCode="INSTANCE"><id root="${ASID}" extension="${inXml(asid)}"/></device></${element}>`;
  const goOn = `<code code="0" codeSystem="${CODES}" displayName="Continue"/>`;
  const message = `<Message xmlns="${NS}" type="Message"><id root="${inner}"/>${goOn}<creationTime value="${toHl7Seconds(wrapping.at)}"/><versionCode code="V3NPfIT3.1.09"/>${codes('MCCI_IN010000UK13')}<acknowledgement typeCode="AA"><acknowledgementDetail typeCode="IF">${goOn}</acknowledgementDetail><messageRef><id root="${of}"/></messageRef></acknowledgement>${device('communicationFunctionRcv', wrapping.toAsid)}${device('communicationFunctionSnd', wrapping.fromAsid)}</Message>`;
  const parties = `<gp:Recipients><gp:Recipient>${inXml(to)}</gp:Recipient></gp:Recipients><gp:From>${inXml(from)}</gp:From>`;
  const information = `<PayloadInformation classCode="OBS" moodCode="EVN" xmlns:gp="${GP2GP}" xmlns:npfitlc="NPFIT:HL7:Localisation">${copcCode('GP2GP_PI', 'GP2GP Payload Information')}<id root="${inner}"/>${messageType('RCMR_MT000002GB01')}<value><gp:Gp2gpfragment><gp:Version>01</gp:Version>${parties}<gp:subject>Continue Acknowledgement</gp:subject><gp:message-id>${inner}</gp:message-id></gp:Gp2gpfragment></value><pertinentInformation typeCode="PERT"><sequenceNumber value="1"/><pertinentPayloadBody classCode="OBS" moodCode="EVN">${copcCode('GP2GP_PB', 'GP2GP Payload Body')}<id root="${inner}"/><value><gp:Gp2gpfragment>${message}<gp:acknowledgedMessage><gp:id root="${of}"/></gp:acknowledgedMessage></gp:Gp2gpfragment></value></pertinentPayloadBody></pertinentInformation></PayloadInformation>`;
  return copc(profile, wrapping, profile.continueDeviceIds ? prefixed(information) : information);
}

export type CoverToWrite = { readonly name: string; readonly from: string; readonly to: string; readonly bodyId: string };

/** The payload of an attachment, an index or a piece. */
export function writeCover(profile: VendorProfile, wrapping: Wrapping, { name, from, to, bodyId }: CoverToWrite): string {
  const [information, body] =
    profile.coverCodes === 'continue'
      ? [copcCode('GP2GP_PI', 'GP2GP Payload Information'), copcCode('GP2GP_PB', 'GP2GP Payload Body')]
      : [
          copcCode('GP2GPLMATTACHMENTINFO', 'GP2GP Large Message Attachment Information'),
          copcCode('GP2GPLMATTACHMENT', 'GP2GP Large Message Attachment'),
        ];
  const [sender, recipient] = profile.coverPartiesEmpty ? ['', ''] : [inXml(from), inXml(to)];
  const version = profile.versionTyped
    ? '<Version xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xsi:type="xsd:string">01</Version>'
    : '<Version>01</Version>';
  const inName = profile.percentEncoded ? encodeURIComponent(name) : name;
  const reference = inXml(profile.coverReference.replace('{name}', () => inName));
  const subject = inXml(profile.coverSubject.replace('{name}', () => name));
  return copc(
    profile,
    wrapping,
    `<PayloadInformation classCode="OBS" moodCode="EVN" xmlns:npfitlc="NPFIT:HL7:Localisation">${information}<id root="${wrapping.id}"/>${messageType(profile.coverMessageType)}<value><Gp2gpfragment xmlns="${GP2GP}">${version}<Recipients><Recipient>${recipient}</Recipient></Recipients><From>${sender}</From><subject>${subject}</subject><message-id>${wrapping.id}</message-id></Gp2gpfragment></value><pertinentInformation typeCode="PERT"><sequenceNumber value="1"/><pertinentPayloadBody classCode="OBS" moodCode="EVN">${body}<id root="${profile.coverBodyId === 'uuid' ? bodyId : wrapping.id}"/><value><reference value="${reference}"/></value></pertinentPayloadBody></pertinentInformation></PayloadInformation>`,
  );
}

function copc(profile: VendorProfile, wrapping: Wrapping, information: string): string {
  return interaction(profile, 'COPC_IN000001UK01', wrapping, {
    version: profile.versionCodes.copc,
    inside: `<subject typeCode="SUBJ" contextConductionInd="false">${information}</subject>`,
    copc: true,
  });
}

function copcCode(code: string, displayName: string): string {
  return `<code code="${code}" codeSystem="2.16.840.1.113883.2.1.3.2.4.17.202" displayName="${displayName}"/>`;
}

function messageType(extension: string): string {
  return `<npfitlc:messageType root="2.16.840.1.113883.2.1.3.2.4.18.17" extension="${extension}"/>`;
}

function codes(name: string): string {
  return `<interactionId root="2.16.840.1.113883.2.1.3.2.4.12" extension="${name}"/><processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/>`;
}

function interaction(
  profile: VendorProfile,
  name: string,
  wrapping: Wrapping,
  of: { readonly version: string; readonly before?: string; readonly inside: string; readonly copc?: boolean },
): string {
  const type = (name: string) => (profile.defaultTypes ? ` type="${name}"` : '');
  const typed = !of.copc || profile.copcFunctionTypes;
  const device = (element: string, code: string, asid: string) =>
    `<${element}${type('CommunicationFunction')}${typed ? ` typeCode="${code}"` : ''}><device${type('Device')} classCode="DEV" determinerCode="INSTANCE"><id root="${ASID}" extension="${inXml(asid)}"/></device></${element}>`;
  const author = of.copc && profile.copcAuthorIsReceiver ? wrapping.toAsid : wrapping.fromAsid;
  const act = of.copc ? profile.copcActClass : 'CACT';
  return `<${name} xmlns="${NS}"${type('Message')}><id root="${wrapping.id}"/><creationTime value="${toHl7Seconds(wrapping.at)}"/><versionCode code="${of.version}"/>${codes(name)}${of.before ?? ''}${device('communicationFunctionRcv', 'RCV', wrapping.toAsid)}${device('communicationFunctionSnd', 'SND', wrapping.fromAsid)}<ControlActEvent${type('ControlAct')} classCode="${act}" moodCode="EVN"><author1${type('Participation')} typeCode="AUT"><AgentSystemSDS${type('RoleHeir')} classCode="AGNT"><agentSystemSDS${type('Device')} classCode="DEV" determinerCode="INSTANCE"><id root="${ASID}" extension="${inXml(author)}"/></agentSystemSDS></AgentSystemSDS></author1>${of.inside}</ControlActEvent></${name}>`;
}

/** `hl7:` on every element of the default namespace, as TPP writes a continue. */
function prefixed(xml: string): string {
  return xml
    .replace(/<(\/?)([A-Za-z][\w.-]*)(?=[\s/>])/g, '<$1hl7:$2')
    .replace(` xmlns="${NS}"`, '')
    .replace('<hl7:PayloadInformation ', `<hl7:PayloadInformation xmlns:hl7="${NS}" `);
}

/**
 * Requests as Spine's many senders write them, sound and spoilt, made at random from a seed; and what the transport rules say the answer
 * to each must be. Written from those rules, not from the endpoint: nothing of `ebxml` is used here.
 */
export type FuzzedRequest = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly chunked: boolean;
  readonly expected: Expected;
  /** How it was made, for a failure's text. */
  readonly made: string;
};
export type Expected =
  /** The message is taken: the acknowledgement names it and gives back parties, agreement and conversation. */
  | { readonly answer: 'acknowledged'; readonly id: string; readonly conversation: string; readonly cpa: string; readonly from: string }
  | { readonly answer: 'refused'; readonly id: string; readonly codes: readonly string[]; readonly says?: string }
  | { readonly answer: 'fault'; readonly code: string }
  | { readonly answer: 'tooLarge' }
  /** Damaged anywhere: any answer of the protocol, but none that asks for the same bytes again. */
  | { readonly answer: 'any' };

export const OURS = 'B22222-000002';
export const FUZZ_BODY_BYTES = 120_000;

/** Numbers from a seed: xorshift. */
export function chance(seed: number) {
  let state = seed * 2_654_435_761 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return {
    below: (limit: number): number => Math.floor(next() * limit),
    of: <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T,
    /** True once in so many times. */
    once: (times: number): boolean => next() * times < 1,
  };
}
type Chance = ReturnType<typeof chance>;

const GP2GP = 'urn:nhs:names:services:gp2gp';
/** What is spoilt in a message; most are sound. */
const SPOILT = [
  'noAction',
  'otherParty',
  'otherService',
  'unknownAction',
  'payloadBroken',
  'payloadOther',
  'payloadMissing',
  'partMissing',
  'cutOff',
  'noBoundary',
  'notMultipart',
  'envelopeBroken',
  'fieldMissing',
  'doctype',
  'badBase64',
  'twoNames',
  'tooLarge',
  'damaged',
] as const;
type Spoilt = (typeof SPOILT)[number] | 'nothing';

export function fuzzedRequest(random: Chance, uuid: () => string): FuzzedRequest {
  const spoilt: Spoilt = random.once(2) ? random.of(SPOILT) : 'nothing';
  const id = random.once(3) ? uuid().toLowerCase() : uuid();
  const [conversation, cpa, from] = [uuid(), `CPA${random.below(1e6)}`, `A${random.below(99_999)}-${random.below(999_999)}`];
  const action = random.of(['RCMR_IN010000UK05', 'MCCI_IN010000UK13', 'COPC_IN000001UK01']);
  const domain = random.of(['@spine.nhs.uk', '', '@e-mis.com/EMISWeb/GP2GP2.2A']);
  const rootId = random.of(['ebXMLHeader@spine.nhs.uk', 'ContentRoot', uuid()]);
  const payloadId = `${random.of([id, uuid().toLowerCase(), 'Content1'])}${domain}`;
  // A continue has no attachments; a piece has one; the others bring whatever they like.
  const attachments = Array.from({ length: action === 'COPC_IN000001UK01' ? 1 : random.below(3) }, () => attachment(random, uuid));
  if ((spoilt === 'badBase64' || spoilt === 'partMissing') && attachments.length === 0) attachments.push(attachment(random, uuid));

  const service = spoilt === 'otherService' ? 'urn:nhs:names:services:pds' : GP2GP;
  const said = spoilt === 'unknownAction' ? 'RCMR_IN999999UK01' : action;
  let envelope = envelopeOf(random, {
    id,
    conversation,
    cpa,
    from,
    to: spoilt === 'otherParty' ? 'X99999-000009' : OURS,
    service,
    action: said,
    references: [
      { href: href(random, payloadId), payload: !random.once(4) },
      ...attachments.map((each, at) => ({
        href: spoilt === 'partMissing' && at === 0 ? `cid:${uuid()}` : href(random, each.contentId),
        payload: false,
      })),
    ],
    omit: spoilt === 'fieldMissing' ? random.of(['CPAId', 'ConversationId', 'MessageId', 'Action', 'Service']) : null,
  });
  if (spoilt === 'envelopeBroken') envelope = random.of(['', 'no XML', envelope.slice(0, envelope.length >> 1), '<html/>', '{"a":1}']);
  if (spoilt === 'doctype') envelope = `<!DOCTYPE a [<!ENTITY b "c">]>${envelope.replace(/^<\?xml[^>]*\?>/, '')}`;

  let payload = payloadOf(
    spoilt === 'payloadOther' ? (action === 'MCCI_IN010000UK13' ? 'RCMR_IN010000UK05' : 'MCCI_IN010000UK13') : action,
    id,
    uuid,
  );
  if (spoilt === 'payloadBroken') payload = payload.slice(0, payload.length - 5);

  const eol = random.once(4) ? '\n' : '\r\n';
  const boundary = random.of([`--=_MIME-Boundary`, `Boundary_${uuid()}`, `=_${random.below(1e9)}`, `b'()+_,-./:=?${random.below(99)}`]);
  const header = (lines: readonly string[]): string => lines.filter(Boolean).join(eol) + eol + eol;
  const xmlEncoding = (): string =>
    random.of(['Content-Transfer-Encoding: 8bit', 'content-transfer-encoding: 7BIT', '', 'Content-Transfer-Encoding: binary']);
  const named = (contentId: string): string =>
    random.of([`Content-Id: <${contentId}>`, `Content-ID: <${contentId}>`, `CONTENT-ID: ${contentId}`]);
  const root = Buffer.from(header([named(rootId), 'Content-Type: text/xml; charset=UTF-8', xmlEncoding()]) + envelope);
  const others: Buffer[] = [];
  if (spoilt !== 'payloadMissing')
    others.push(
      Buffer.from(
        header([
          spoilt === 'twoNames' ? `Content-Id: <${payloadId}>${eol}Content-Id: <${uuid()}>` : named(payloadId),
          random.of(['Content-Type: text/xml; charset=UTF-8', 'Content-Type: application/xml']),
          xmlEncoding(),
        ]) + payload,
      ),
    );
  for (const [at, each] of attachments.entries()) others.push(each.part(header, eol, spoilt === 'badBase64' && at === 0));
  // The root may stand anywhere where `start` names it.
  const startGiven = spoilt === 'payloadMissing' || random.once(2);
  const rootAt = startGiven && random.once(4) ? random.below(others.length + 1) : 0;
  const parts = [...others.slice(0, rootAt), root, ...others.slice(rootAt)];
  const lines: Buffer[] = [Buffer.from(random.once(6) ? `a preamble${eol}` : '')];
  for (const part of parts) lines.push(Buffer.from(`--${boundary}${random.once(9) ? '  ' : ''}${eol}`), part, Buffer.from(eol));
  lines.push(Buffer.from(`--${boundary}--${random.of([eol, '', `${eol}an epilogue${eol}`])}`));
  let body: Buffer = Buffer.concat(lines);
  if (spoilt === 'cutOff') body = body.subarray(0, body.lastIndexOf(`--${boundary}--`) - 1 - random.below(20));
  if (spoilt === 'tooLarge') body = Buffer.concat([body, Buffer.alloc(FUZZ_BODY_BYTES, 'x')]);
  if (spoilt === 'damaged') body = damaged(random, body);

  const quote = (value: string): string => (/^[\w.-]+$/.test(value) && random.once(2) ? value : `"${value}"`);
  const start = startGiven ? random.of([`start="<${rootId}>"`, `start=${quote(rootId)}`]) : '';
  const parameters = [
    spoilt === 'noBoundary' ? '' : `boundary=${quote(boundary)}`,
    `type=${random.of(['"text/xml"', 'text/xml'])}`,
    start,
  ].filter(Boolean);
  if (random.once(3)) parameters.reverse();
  const type =
    spoilt === 'notMultipart'
      ? random.of(['text/plain', 'application/json', 'multipart/mixed', ''])
      : random.of(['multipart/related', 'Multipart/Related', 'multipart/related ']);
  const soapAction = `${service}/${said}`;
  const headers: Record<string, string> = {
    ...(type && { 'content-type': `${type}; ${parameters.join('; ')}` }),
    ...(spoilt !== 'noAction' && { soapaction: random.of([soapAction, `"${soapAction}"`, `"urn:${soapAction}"`]) }),
    ...(random.once(3) && { charset: 'UTF-8' }),
  };
  const lastIsXml = parts.at(-1) === root || (attachments.length === 0 && spoilt !== 'payloadMissing');
  const expected = expectedOf(spoilt, { id, conversation, cpa, from }, { lastIsXml, rootIsFirst: rootAt === 0 }, action);
  return { headers, body, chunked: random.once(4), expected, made: `${spoilt} ${action} ${JSON.stringify(headers)}` };
}

/** The rules, one line for each kind of defect. Which of several defects is told is not ruled. */
function expectedOf(
  spoilt: Spoilt,
  { id, conversation, cpa, from }: { id: string; conversation: string; cpa: string; from: string },
  { lastIsXml, rootIsFirst }: { lastIsXml: boolean; rootIsFirst: boolean },
  action: string,
): Expected {
  const refused = (codes: readonly string[], says?: string): Expected => ({
    answer: 'refused',
    id,
    codes,
    ...(says !== undefined && { says }),
  });
  switch (spoilt) {
    case 'nothing':
      return { answer: 'acknowledged', id, conversation, cpa, from };
    case 'noAction':
      return { answer: 'fault', code: '101' };
    case 'otherParty':
      return refused(['ValueNotRecognized'], '501314');
    case 'otherService':
    case 'unknownAction':
      return refused(['NotSupported']);
    case 'payloadBroken':
    case 'payloadOther':
    case 'payloadMissing':
    case 'twoNames':
      // Before the envelope is known nobody can be told which message is refused.
      if (spoilt === 'twoNames' && !rootIsFirst) return { answer: 'fault', code: '201' };
      return refused(['OtherXml', 'MimeProblem', 'ValueNotRecognized', 'Inconsistent']);
    case 'partMissing':
      // What a piece lacks is lost; a request or an answer says all it says without attachments.
      return action === 'COPC_IN000001UK01'
        ? refused(['OtherXml', 'MimeProblem', 'ValueNotRecognized', 'Inconsistent'])
        : { answer: 'acknowledged', id, conversation, cpa, from };
    case 'badBase64':
      // A piece may have been cut inside a group of four: its text is kept and joined with its neighbours. So is any attachment's.
      return { answer: 'acknowledged', id, conversation, cpa, from };
    case 'cutOff':
      // Behind XML, whose end shows by itself, a missing closing boundary is put up with; but that XML may have lost its own end.
      return lastIsXml ? { answer: 'any' } : refused(['MimeProblem']);
    case 'noBoundary':
    case 'notMultipart':
    case 'envelopeBroken':
    case 'fieldMissing':
    case 'doctype':
      return { answer: 'fault', code: '201' };
    case 'tooLarge':
      return { answer: 'tooLarge' };
    case 'damaged':
      return { answer: 'any' };
  }
}

type Reference = { readonly href: string; readonly payload: boolean };
type Said = {
  readonly id: string;
  readonly conversation: string;
  readonly cpa: string;
  readonly from: string;
  readonly to: string;
  readonly service: string;
  readonly action: string;
  readonly references: readonly Reference[];
  readonly omit: string | null;
};

function href(random: Chance, contentId: string): string {
  return `${random.of(['cid:', 'CID:'])}${random.once(4) ? encodeURIComponent(contentId) : contentId}`;
}

function envelopeOf(random: Chance, said: Said): string {
  const [s, e, x, p] = [
    random.of(['SOAP', 'soap', 'SOAP-ENV', 'soap-env']),
    random.of(['eb', 'ebxml', 'n1']),
    random.of(['xlink', 'd4p1']),
    random.of(['hl7ebxml', 'h']),
  ];
  const inner = random.once(3);
  const spaces =
    ` xmlns:${s}="http://schemas.xmlsoap.org/soap/envelope/" xmlns:${e}="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"` +
    (inner ? '' : ` xmlns:${x}="http://www.w3.org/1999/xlink"`) +
    ` xmlns:${p}="urn:hl7-org:transport/${random.of(['ebXML', 'ebxml'])}/DSTUv1.0"`;
  const understood = random.of([` ${s}:mustUnderstand="1" ${e}:version="2.0"`, ` ${e}:version="2.0" ${s}:mustUnderstand="1"`, '']);
  const one = (name: string, text: string): string =>
    said.omit === name ? '' : `<${e}:${name}>${random.once(5) ? ` ${text}\n` : text}</${e}:${name}>`;
  const party = (name: string, key: string): string =>
    `<${e}:${name}><${e}:PartyId ${e}:type="urn:nhs:names:partyType:ocs+serviceInstance">${key}</${e}:PartyId></${e}:${name}>`;
  const time = random.of(['2026-01-05T09:30:00Z', '2026-01-05T09:30:00', '2026-01-05T09:30:00.1234567Z', 'no time']);
  const ack = random.of([
    `<${e}:AckRequested${understood} ${e}:signed="false" ${s}:actor="urn:oasis:names:tc:ebxml-msg:actor:nextMSH"/>`,
    `<${e}:AckRequested${understood}/>`,
    '',
  ]);
  const references = said.references.map(
    (each) =>
      `<${e}:Reference${inner ? ` xmlns:${x}="http://www.w3.org/1999/xlink"` : ''} ${x}:href="${each.href}">` +
      random.of([
        '',
        `<${e}:Description xml:lang="en">Filename="a=b .txt" ContentType=text/plain Compressed=No LargeAttachment=No\n\tOriginalBase64=No Length=12</${e}:Description>`,
      ]) +
      `${each.payload ? `<${p}:Payload style="HL7" encoding="XML" version="3.0"/>` : ''}</${e}:Reference>`,
  );
  return (
    `${random.of(['<?xml version="1.0" encoding="UTF-8"?>\n', ''])}<${s}:Envelope${spaces}><${s}:Header><${e}:MessageHeader${understood}>` +
    party('From', said.from) +
    party('To', said.to) +
    one('CPAId', said.cpa) +
    one('ConversationId', said.conversation) +
    one('Service', said.service) +
    one('Action', said.action) +
    `<${e}:MessageData>${one('MessageId', said.id)}${one('Timestamp', time)}` +
    random.of(['', `<${e}:RefToMessageId>11111111-2222-4333-8444-555555555555</${e}:RefToMessageId>`]) +
    random.of(['', `<${e}:TimeToLive>2020-01-01T00:00:00Z</${e}:TimeToLive>`]) +
    `</${e}:MessageData>${random.of(['', `<${e}:DuplicateElimination/>`])}</${e}:MessageHeader>${ack}${random.of(['', `<${e}:SyncReply ${s}:actor="http://schemas.xmlsoap.org/soap/actor/next"/>`])}</${s}:Header>` +
    `<${s}:Body><${e}:Manifest${understood}>${references.join('')}</${e}:Manifest></${s}:Body></${s}:Envelope>`
  );
}

function attachment(random: Chance, uuid: () => string) {
  const contentId = random.of([`${uuid()}@spine.nhs.uk`, uuid().toLowerCase(), `${uuid()}/a b`]);
  const bytes = Buffer.from(Array.from({ length: random.below(400) }, () => random.below(256)));
  const encoding = random.of(['base64', 'base64', 'binary', '8bit']);
  return {
    contentId,
    part(header: (lines: readonly string[]) => string, eol: string, spoilt: boolean): Buffer {
      const head = header([
        `Content-Id: <${contentId}>`,
        `Content-Type: ${random.of(['text/plain', 'application/octet-stream', 'image/tiff'])}`,
        `Content-Transfer-Encoding: ${spoilt ? 'base64' : encoding}`,
      ]);
      if (spoilt) return Buffer.from(`${head}QUJD=QUJDR`);
      if (encoding !== 'base64') return Buffer.concat([Buffer.from(head), bytes]);
      const text = bytes.toString('base64');
      return Buffer.from(head + (random.once(3) ? text.replace(/.{1,76}/g, `$&${eol}`) : text));
    },
  };
}

function payloadOf(action: string, id: string, uuid: () => string): string {
  const device = (asid: string): string =>
    `<device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.826.0.1285.0.2.0.107" extension="${asid}"/></device>`;
  const wrapped = (before: string, inside: string): string =>
    `<${action} xmlns="urn:hl7-org:v3"><id root="${id.toUpperCase()}"/><creationTime value="20260105093000"/><versionCode code="V3NPfIT3.0"/>` +
    `<interactionId root="2.16.840.1.113883.2.1.3.2.4.12" extension="${action}"/><processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/>${before}` +
    `<communicationFunctionRcv typeCode="RCV">${device('200000000002')}</communicationFunctionRcv>` +
    `<communicationFunctionSnd typeCode="SND">${device('200000000001')}</communicationFunctionSnd>` +
    `<ControlActEvent classCode="CACT" moodCode="EVN">${inside}</ControlActEvent></${action}>`;
  const practice = (ods: string): string =>
    `<AgentOrgSDS classCode="AGNT"><agentOrganizationSDS classCode="ORG" determinerCode="INSTANCE"><id root="1.2.826.0.1285.0.1.10" extension="${ods}"/></agentOrganizationSDS></AgentOrgSDS>`;
  switch (action) {
    case 'RCMR_IN010000UK05':
      return wrapped(
        '',
        `<subject typeCode="SUBJ"><EhrRequest classCode="EXTRACT" moodCode="RQO"><id root="${uuid()}"/>` +
          '<recordTarget typeCode="RCT"><patient classCode="PAT"><id root="2.16.840.1.113883.2.1.4.1" extension="9000000009"/></patient></recordTarget>' +
          `<author typeCode="AUT">${practice('A11111')}</author><destination typeCode="DST">${practice('B22222')}</destination></EhrRequest></subject>`,
      );
    case 'MCCI_IN010000UK13':
      return wrapped(`<acknowledgement typeCode="AA"><messageRef><id root="${uuid()}"/></messageRef></acknowledgement>`, '');
    default:
      return wrapped(
        '',
        '<subject typeCode="SUBJ"><PayloadInformation xmlns="urn:hl7-org:v3" classCode="OBS" moodCode="EVN"><code code="GP2GPLMATTACHMENT" codeSystem="2.16.840.1.113883.2.1.3.2.4.17.202"/>' +
          `<id root="${uuid()}"/><messageType root="2.16.840.1.113883.2.1.3.2.4.18.17" extension="RCMR_MT000001GB01" xmlns="NPFIT:HL7:Localisation"/>` +
          '<value><Gp2gpfragment xmlns="urn:nhs:names:services:gp2gp"><Version>01</Version><Recipients><Recipient>B22222</Recipient></Recipients><From>A11111</From><subject>Attachment: a.txt</subject><message-id>1</message-id></Gp2gpfragment></value>' +
          '<pertinentInformation typeCode="PERT"><sequenceNumber value="1"/><pertinentPayloadBody classCode="OBS" moodCode="EVN"><code code="GP2GPLMATTACHMENT" codeSystem="2.16.840.1.113883.2.1.3.2.4.17.202"/><id root="9"/><value><Gp2gpfragment xmlns="urn:nhs:names:services:gp2gp"/></value></pertinentPayloadBody></pertinentInformation></PayloadInformation></subject>',
      );
  }
}

function damaged(random: Chance, body: Buffer): Buffer {
  let bytes: Buffer = body;
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(bytes.byteLength + 1);
    const added = Buffer.from(Array.from({ length: random.below(5) }, () => random.below(256)));
    bytes = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + random.below(60))]);
  }
  return bytes;
}

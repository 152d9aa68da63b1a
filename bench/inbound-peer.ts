/**
 * The other sides of `inbound`: `inbound-peer.ts send CERTIFICATES`, which posts messages of 5 MB to the address in each order it gets over
 * IPC; `inbound-peer.ts receive CERTIFICATES FOLDER`, which keeps what is posted and does nothing else with it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export type Order = { readonly url: string; readonly messages: number; readonly connections: number };

const MESSAGE_BYTES = 5_000_000;
const BOUNDARY = '=_bench_inbound_0123456789';

const [role, certificates = '', folder = ''] = process.argv.slice(2);
const pem = (name: string) => readFileSync(join(certificates, name));
const tls = { ca: pem('authority.pem'), minVersion: 'TLSv1.3' as const };
if (role === 'receive') receive();
else send();

function receive(): void {
  let number = 0;
  const server = createServer(
    { ...tls, cert: pem('node.pem'), key: pem('node.key'), requestCert: true },
    (message, answer) => void keep(message, answer, join(folder, `bare-${number++}`)),
  );
  server.listen(0, '127.0.0.1', () => process.send?.(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`));
}

async function keep(message: AsyncIterable<Buffer>, answer: ServerResponse, path: string): Promise<void> {
  const file = await open(path, 'w');
  for await (const chunk of message) await file.write(chunk);
  await file.datasync();
  await file.close();
  answer.end();
}

function send(): void {
  const identity = { ...tls, cert: pem('hub.pem'), key: pem('hub.key'), servername: 'node.gp2gp.invalid' };
  // One text, of which each message has its own beginning: no two have the same content, and none costs time to make.
  const text = randomBytes((MESSAGE_BYTES / 4) * 3).toString('base64');
  const carryOut = async ({ url, messages, connections }: Order): Promise<void> => {
    const agent = new Agent({ ...identity, keepAlive: true, maxSockets: connections });
    const from = performance.now();
    let left = messages;
    const turn = async (): Promise<void> => {
      while (left-- > 0) await post(url, agent, message(text));
    };
    await Promise.all(Array.from({ length: connections }, turn));
    const seconds = (performance.now() - from) / 1000;
    agent.destroy();
    process.send?.({ seconds, bytes: messages * MESSAGE_BYTES });
  };
  process.on('message', (order: Order) => void carryOut(order));
}

/** An attachment's message, all but whose content fits into a page. */
function message(text: string): readonly [Buffer, Buffer, Buffer] {
  const id = randomUUID().toUpperCase();
  const part = (contentId: string, type: string, encoding: string) =>
    `--${BOUNDARY}\r\nContent-Id: <${contentId}>\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  const party = (name: string, key: string) =>
    `<eb:${name}><eb:PartyId eb:type="urn:nhs:names:partyType:ocs+serviceInstance">${key}</eb:PartyId></eb:${name}>`;
  const envelope =
    '<SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/" xmlns:eb="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd" xmlns:hl7ebxml="urn:hl7-org:transport/ebXML/DSTUv1.0" xmlns:xlink="http://www.w3.org/1999/xlink"><SOAP:Header>' +
    `<eb:MessageHeader SOAP:mustUnderstand="1" eb:version="2.0">${party('From', 'N82001-800001')}${party('To', 'S82001-800001')}<eb:CPAId>CPA</eb:CPAId><eb:ConversationId>${randomUUID().toUpperCase()}</eb:ConversationId>` +
    `<eb:Service>urn:nhs:names:services:gp2gp</eb:Service><eb:Action>COPC_IN000001UK01</eb:Action><eb:MessageData><eb:MessageId>${id}</eb:MessageId><eb:Timestamp>2026-01-05T09:30:00Z</eb:Timestamp></eb:MessageData><eb:DuplicateElimination/></eb:MessageHeader>` +
    '<eb:AckRequested SOAP:mustUnderstand="1" eb:version="2.0" eb:signed="false" SOAP:actor="urn:oasis:names:tc:ebxml-msg:actor:nextMSH"/></SOAP:Header>' +
    `<SOAP:Body><eb:Manifest SOAP:mustUnderstand="1" eb:version="2.0"><eb:Reference xlink:href="cid:${id}@spine.nhs.uk"><hl7ebxml:Payload style="HL7" encoding="XML" version="3.0"/></eb:Reference><eb:Reference xlink:href="cid:A@spine.nhs.uk"><eb:Description xml:lang="en">Filename="scan.tif" ContentType=image/tiff Compressed=No LargeAttachment=No OriginalBase64=No Length=${text.length}</eb:Description></eb:Reference></eb:Manifest></SOAP:Body></SOAP:Envelope>`;
  const device = (name: string, asid: string) =>
    `<${name} typeCode="${name.slice(-3).toUpperCase()}"><device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.826.0.1285.0.2.0.107" extension="${asid}"/></device></${name}>`;
  const payload =
    `<COPC_IN000001UK01 xmlns="urn:hl7-org:v3"><id root="${id}"/><interactionId root="2.16.840.1.113883.2.1.3.2.4.12" extension="COPC_IN000001UK01"/>${device('communicationFunctionRcv', '200000000002')}${device('communicationFunctionSnd', '200000000001')}` +
    '<ControlActEvent classCode="CACT" moodCode="EVN"><subject typeCode="SUBJ"><PayloadInformation classCode="OBS" moodCode="EVN"><value><Gp2gpfragment xmlns="urn:nhs:names:services:gp2gp"><From>N82001</From><Recipients><Recipient>S82001</Recipient></Recipients></Gp2gpfragment></value></PayloadInformation></subject></ControlActEvent></COPC_IN000001UK01>';
  const head =
    `${part('ebXMLHeader@spine.nhs.uk', 'text/xml; charset=UTF-8', '8bit')}${envelope}\r\n${part(`${id}@spine.nhs.uk`, 'application/xml; charset=UTF-8', '8bit')}${payload}\r\n` +
    part('A@spine.nhs.uk', 'image/tiff', 'base64');
  const own = randomBytes(48).toString('base64');
  const tail = `\r\n--${BOUNDARY}--\r\n`;
  const content = Buffer.from(text.slice(0, Math.floor((MESSAGE_BYTES - head.length - own.length - tail.length) / 4) * 4), 'latin1');
  return [Buffer.from(head + own, 'latin1'), content, Buffer.from(tail, 'latin1')];
}

function post(url: string, agent: Agent, pieces: readonly Buffer[]): Promise<void> {
  const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  return new Promise((done, fail) => {
    const sent = request(
      url,
      {
        agent,
        method: 'POST',
        headers: {
          'content-type': `multipart/related; boundary="${BOUNDARY}"; type="text/xml"; start="<ebXMLHeader@spine.nhs.uk>"`,
          'content-length': length,
          soapaction: '"urn:nhs:names:services:gp2gp/COPC_IN000001UK01"',
        },
      },
      (answer) => {
        if (answer.statusCode !== 200) fail(new Error(`HTTP ${answer.statusCode}`));
        answer.resume().once('end', done);
      },
    );
    sent.once('error', fail);
    for (const piece of pieces) sent.write(piece);
    sent.end();
  });
}

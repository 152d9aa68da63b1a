import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Certificates, EndpointFiles } from '../certificates.ts';
import { type MutualTls, readBody, type Served, serve } from '../http.ts';

/** A business message of two parts, written by hand for these tests. */
export function message(about: { id: string; from?: string; to?: string; action?: string; conversation?: string; pad?: Buffer }): {
  contentType: string;
  soapAction: string;
  body: Buffer;
} {
  const action = about.action ?? 'RCMR_IN010000UK05';
  const envelope = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns:e="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"><S:Header><e:MessageHeader S:mustUnderstand="1" e:version="2.0"><e:From><e:PartyId>${about.from ?? 'A-001'}</e:PartyId></e:From><e:To><e:PartyId>${about.to ?? 'B-001'}</e:PartyId></e:To><e:CPAId>cpa</e:CPAId><e:ConversationId>${about.conversation ?? 'C1'}</e:ConversationId><e:Service>urn:nhs:names:services:gp2gp</e:Service><e:Action>${action}</e:Action><e:MessageData><e:MessageId>${about.id}</e:MessageId><e:Timestamp>2026-01-05T09:30:00Z</e:Timestamp></e:MessageData><e:DuplicateElimination/></e:MessageHeader><e:AckRequested/></S:Header><S:Body/></S:Envelope>`;
  return {
    contentType: 'multipart/related; boundary="b1"; type="text/xml"; start="<env@test>"',
    soapAction: `"urn:nhs:names:services:gp2gp/${action}"`,
    body: Buffer.concat([
      Buffer.from(
        `--b1\r\nContent-Id: <env@test>\r\nContent-Type: text/xml\r\n\r\n${envelope}\r\n--b1\r\nContent-Id: <p@test>\r\nContent-Transfer-Encoding: binary\r\n\r\n`,
      ),
      about.pad ?? Buffer.from([0xff, 0x00, 0x0a, 0x80]),
      Buffer.from('\r\n--b1--\r\n'),
    ]),
  };
}

export function tlsOf(certificates: Certificates, name: string): MutualTls {
  const files = certificates.endpoints.get(name) as EndpointFiles;
  return { certificate: files.certificate, key: files.key, authorities: [files.authority] };
}

/** Posts a message as a node would. */
export function postTo(
  url: string,
  tls: MutualTls,
  one: { contentType: string; soapAction?: string; body: Buffer },
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      url,
      {
        method: 'POST',
        agent: new Agent({
          cert: readFileSync(tls.certificate),
          key: readFileSync(tls.key),
          ca: tls.authorities.map((path) => readFileSync(path)),
        }),
        headers: {
          'Content-Type': one.contentType,
          'Content-Length': one.body.byteLength,
          ...(one.soapAction && { SOAPAction: one.soapAction }),
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(one.body);
  });
}

export type Received = { readonly headers: IncomingMessage['headers']; readonly sha256: string; readonly body: Buffer };

/** A recipient that acknowledges whatever it is sent, unless `answer` says otherwise. */
export async function recipient(
  tls: MutualTls,
  answer: (body: string, count: number) => { status: number; body: string } | null = () => null,
  port?: number,
): Promise<Served & { received: Received[] }> {
  const received: Received[] = [];
  const served = await serve(
    async (request, response) => {
      const body = await readBody(request);
      received.push({ headers: request.headers, sha256: createHash('sha256').update(body).digest('hex'), body });
      const given = answer(body.toString('latin1'), received.length) ?? { status: 200, body: acknowledge(body) };
      response.writeHead(given.status, { 'content-type': 'text/xml' });
      response.end(given.body);
    },
    { tls, ...(port !== undefined && { port }) },
  );
  return { ...served, received };
}

export function acknowledge(body: Buffer): string {
  const id = /<(?:e|eb):MessageId>([^<]*)</.exec(body.toString('latin1'))?.[1] ?? '';
  return `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns:e="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"><S:Header><e:MessageHeader e:version="2.0"><e:From><e:PartyId>B-001</e:PartyId></e:From><e:To><e:PartyId>A-001</e:PartyId></e:To><e:CPAId>cpa</e:CPAId><e:ConversationId>C1</e:ConversationId><e:Service>urn:oasis:names:tc:ebxml-msg:service</e:Service><e:Action>Acknowledgment</e:Action><e:MessageData><e:MessageId>ACK-${id}</e:MessageId><e:Timestamp>2026-01-05T09:30:01Z</e:Timestamp></e:MessageData></e:MessageHeader><e:Acknowledgment><e:RefToMessageId>${id}</e:RefToMessageId></e:Acknowledgment></S:Header><S:Body/></S:Envelope>`;
}

/** Waits until a condition holds; fails after `ms`. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { MutualTls } from '../http.ts';
import { multipartParameters, readHubEnvelope } from '../hub/envelope.ts';
import { type ReferenceToWrite, writeVendorEnvelope } from './envelope.ts';
import { type Mime, type PartToWrite, writeMime } from './mime.ts';
import { filled } from './packing.ts';
import type { VendorProfile } from './profile.ts';

/** Who a message goes to. */
export type Party = { readonly ods: string; readonly asid: string; readonly partyKey: string };
export type MessageToSend = {
  readonly kind: 'request' | 'extract' | 'copc' | 'acknowledgement';
  readonly action: string;
  readonly to: Party;
  readonly conversationId: string;
  readonly messageId: string;
  readonly payload: string;
  readonly references?: readonly ReferenceToWrite[];
  readonly parts?: readonly PartToWrite[];
  readonly ackRequested?: boolean;
};

/** The bytes of a message as a profile writes it. */
export function compose(
  profile: VendorProfile,
  from: { readonly partyKey: string },
  cpaId: string,
  message: MessageToSend,
  stamp: { readonly now: Date; readonly newId: () => string },
): Mime {
  const contentId = filled(profile.payloadContentId, { message: message.messageId, uuid: stamp.newId() });
  const description = profile.payloadDescription === null ? null : filled(profile.payloadDescription, { interaction: message.action });
  const envelope = writeVendorEnvelope(profile, {
    from: from.partyKey,
    to: message.to.partyKey,
    cpaId,
    conversationId: message.conversationId,
    messageId: message.messageId,
    action: message.action,
    at: stamp.now,
    lives: profile.timeToLive[message.kind],
    ackRequested: message.ackRequested ?? true,
    references: [{ href: `cid:${contentId}`, id: null, description }, ...(message.references ?? [])],
  });
  const type = `text/xml; charset=${profile.charset}`;
  const parts: PartToWrite[] = [
    { contentId: profile.rootContentId, contentType: type, encoding: profile.rootEncoding ? '8bit' : null, bytes: envelope },
    { contentId, contentType: type, encoding: '8bit', bytes: message.payload },
    ...(message.parts ?? []),
  ];
  return writeMime(profile, parts, stamp.newId);
}

export type Carrier = {
  /** Posts a message until Spine takes it; a refusal for good is a `Fault` `vendor.refused`. */
  carry(action: string, mime: Mime, messageId: string): Promise<void>;
  close(): void;
};

/** To Spine over mutual TLS; the same bytes again and again while nobody says yes or no. */
export function createCarrier(options: {
  readonly hubUrl: string;
  readonly tls: MutualTls;
  readonly soapActionQuoted: boolean;
  readonly firstMs?: number;
  readonly attempts?: number;
}): Carrier {
  const closing = new AbortController();
  const agent = new Agent({
    cert: readFileSync(options.tls.certificate),
    key: readFileSync(options.tls.key),
    ca: options.tls.authorities.map((path) => readFileSync(path)),
    keepAlive: true,
    maxSockets: 8,
  });
  return {
    carry: async (action, mime, messageId) => {
      const soapAction = `urn:nhs:names:services:gp2gp/${action}`;
      const header = options.soapActionQuoted ? `"${soapAction}"` : soapAction;
      let last = '';
      for (let attempt = 0; attempt < (options.attempts ?? 30); attempt++) {
        if (attempt > 0) await sleep(Math.min(2_000, (options.firstMs ?? 100) * 2 ** (attempt - 1)), undefined, { signal: closing.signal });
        const outcome = await post(options.hubUrl, agent, header, mime, closing.signal);
        if (outcome === 'taken') return;
        if (outcome.final) throw new Fault('vendor.refused', `Spine refuses ${action} ${messageId}: ${outcome.reason}`);
        last = outcome.reason;
      }
      throw new Fault('vendor.refused', `Spine did not take ${action} ${messageId}: ${last}`);
    },
    close: () => {
      closing.abort();
      agent.destroy();
    },
  };
}

type Outcome = 'taken' | { readonly final: boolean; readonly reason: string };

async function post(url: string, agent: Agent, soapAction: string, mime: Mime, signal: AbortSignal): Promise<Outcome> {
  let answer: { status: number; body: Buffer };
  try {
    answer = await exchange(url, agent, soapAction, mime, signal);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return { final: false, reason: reasonOf(thrown) };
  }
  const { status, body } = answer;
  if (status >= 500) {
    const code = /<(?:\w+:)?errorCode>(\d+)</.exec(body.toString('utf8'))?.[1];
    return { final: code !== undefined && !['200', '206', '208'].includes(code), reason: `HTTP ${status}, code ${code ?? 'none'}` };
  }
  if (status < 200 || status >= 300) return { final: true, reason: `HTTP ${status}` };
  if (body.byteLength === 0) return 'taken';
  const { errors } = readHubEnvelope(body);
  const error = errors.find(({ severity }) => severity === 'Error');
  return error ? { final: true, reason: `${error.code}: ${error.text}` } : 'taken';
}

function exchange(
  url: string,
  agent: Agent,
  soapAction: string,
  mime: Mime,
  signal: AbortSignal,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': mime.contentType, 'Content-Length': mime.body.byteLength, SOAPAction: soapAction };
    const outgoing = httpsRequest(url, { method: 'POST', agent, signal, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    outgoing.on('error', reject);
    outgoing.end(mime.body);
  });
}

/** Whether a request's body is a message or a signal of ebXML. */
export function isMessage(contentType: string): boolean {
  return multipartParameters(contentType) !== null;
}

import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault, reasonOf } from '../../base/errors.ts';
import { makeClock, type SimulatedClock } from '../clock.ts';
import { pdsClient } from '../gp-system/pds-client.ts';
import { answerJson, BadRequest, header, type MutualTls, parsed, readBody, readJsonObject, type Served, serve, target } from '../http.ts';
import { type HubEnvelope, readHubEnvelope } from '../hub/envelope.ts';
import type { Conversation, Desk } from './desk.ts';
import { writeTaken } from './envelope.ts';
import { compose, createCarrier, isMessage, type MessageToSend, type Party } from './post.ts';
import { profileSchema, type VendorProfile } from './profile.ts';
import { PROFILE_NAMES, PROFILES, type ProfileName } from './profiles.ts';
import { type Incoming, readIncoming } from './read.ts';
import { createRequester, type ReceivedRecord } from './requesting.ts';
import { sdsClient } from './sds-client.ts';
import { createSender, type VendorRecord } from './sending.ts';

export const recordSchema = z.strictObject({
  nhsNumber: z.string().regex(/^\d{10}$/),
  consultations: z.int().min(0).max(10_000).default(3),
  noteCharacters: z.int().min(1).max(1_000_000).default(120),
  documents: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        contentType: z.string().default('text/plain'),
        bytes: z.int().min(0).max(200_000_000),
        compressed: z.boolean().optional(),
        absent: z.boolean().optional(),
      }),
    )
    .default([]),
});

export const vendorPracticeSchema = z.strictObject({
  ods: z.string(),
  asid: z.string(),
  partyKey: z.string(),
  profile: z.enum(PROFILE_NAMES as [ProfileName, ...ProfileName[]]),
  /** Properties of the profile that are otherwise here. */
  properties: profileSchema.partial().optional(),
  records: z.array(recordSchema).default([]),
});
export type VendorPracticeSettings = z.infer<typeof vendorPracticeSchema>;

export type VendorsOptions = {
  /** What was received is left here, by practice and conversation. */
  readonly folder: string;
  readonly practices: readonly VendorPracticeSettings[];
  readonly hubUrl: string;
  readonly tls: MutualTls;
  readonly sdsUrl: string;
  readonly sdsKey?: string;
  /** Left out, nobody is looked up or moved in PDS. */
  readonly pdsUrl: string | null;
  readonly pdsToken?: string;
  /** Where Spine delivers to, mutual TLS; the control interface is another. */
  readonly port?: number;
  readonly controlPort?: number;
  readonly clock?: SimulatedClock;
  readonly log?: (line: string) => void;
};
export type Vendors = {
  /** For the routes of the hub. */
  readonly url: string;
  readonly controlUrl: string;
  readonly practices: readonly VendorPractice[];
  close(): Promise<void>;
};
export type VendorPractice = {
  readonly ods: string;
  readonly asid: string;
  readonly partyKey: string;
  readonly profileName: ProfileName;
  readonly profile: VendorProfile;
  /** Registers a patient and asks the previous practice for the record. */
  request(nhsNumber: string, from: string): Promise<Conversation>;
  addRecord(record: VendorRecord): void;
  conversations(): readonly Conversation[];
  /** What went wrong with a message, newest last. */
  readonly troubles: readonly string[];
};

const PATH = '/reliablemessaging/intermediary';

/** Practices with the systems of other suppliers: they speak to Spine themselves, in their own hand, in either role. */
export async function startVendors(options: VendorsOptions): Promise<Vendors> {
  const log = options.log ?? (() => undefined);
  const clock = options.clock ?? makeClock();
  const practices = new Map<string, Running>();
  for (const settings of options.practices) practices.set(settings.partyKey, await startPractice(settings, options, clock, log));

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (target(request).path !== PATH || request.method !== 'POST') throw new BadRequest(404, 'nothing is here');
    const contentType = header(request, 'content-type') ?? '';
    const body = await readBody(request);
    if (!isMessage(contentType)) {
      // A signal is about a message of ours, and is not answered.
      const signal = readHubEnvelope(body);
      practices.get(signal.to)?.onSignal(signal);
      response.writeHead(200, { 'content-length': 0 }).end();
      return;
    }
    const incoming = readIncoming(contentType, body);
    const practice = practices.get(incoming.envelope.to);
    if (!practice) throw new BadRequest(404, `no party ${incoming.envelope.to} here`);
    practice.take(incoming);
    const taken = Buffer.from(writeTaken(practice.shown.profile, incoming.envelope, newId(), clock.now()));
    response.writeHead(200, { 'content-type': 'text/xml', 'content-length': taken.byteLength });
    response.end(taken);
  }

  async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path } = target(request);
    if (path === '/control/vendors' && request.method === 'GET')
      return answerJson(response, 200, { vendors: [...practices.values()].map(({ shown }) => stateOf(shown)) });
    const [, ods, what] = /^\/control\/vendors\/([^/]+)\/(request|records|answer-after)$/.exec(path) ?? [];
    const practice = [...practices.values()].find(({ shown }) => shown.ods === ods?.toUpperCase());
    if (!practice) throw new BadRequest(404, `no ${request.method} ${path}`);
    const body = await readJsonObject(request);
    if (what === 'request' && request.method === 'POST') {
      const { nhsNumber, from } = parsed(requestSchema, body);
      return answerJson(response, 200, await practice.shown.request(nhsNumber, from));
    }
    if (what === 'records' && request.method === 'PUT') {
      practice.shown.addRecord(parsed(recordSchema, body) as VendorRecord);
      return answerJson(response, 200, {});
    }
    if (what === 'answer-after' && request.method === 'PUT') {
      practice.answerAfter(parsed(z.strictObject({ ms: z.int().min(0).max(86_400_000) }), body).ms);
      return answerJson(response, 200, {});
    }
    throw new BadRequest(405, `${request.method} is not for ${path}`);
  }

  const door: Served = await serve(receive, { tls: options.tls, clock, log, ...(options.port !== undefined && { port: options.port }) });
  const desk: Served = await serve(control, { log, ...(options.controlPort !== undefined && { port: options.controlPort }) });
  return {
    url: `${door.url}${PATH}`,
    controlUrl: desk.url,
    practices: [...practices.values()].map(({ shown }) => shown),
    close: async () => {
      await Promise.all([door.close(), desk.close()]);
      await Promise.all([...practices.values()].map((practice) => practice.close()));
    },
  };
}

const requestSchema = z.strictObject({ nhsNumber: z.string().regex(/^\d{10}$/), from: z.string() });

function stateOf(practice: VendorPractice): unknown {
  const { ods, asid, partyKey, profileName, profile, troubles } = practice;
  return { ods, asid, partyKey, profile: profileName, title: profile.title, conversations: practice.conversations(), troubles };
}

type Running = {
  readonly shown: VendorPractice;
  take(message: Incoming): void;
  onSignal(signal: HubEnvelope): void;
  answerAfter(ms: number): void;
  close(): Promise<void>;
};

async function startPractice(
  settings: VendorPracticeSettings,
  options: VendorsOptions,
  clock: SimulatedClock,
  log: (line: string) => void,
): Promise<Running> {
  const profile: VendorProfile = { ...PROFILES[settings.profile], ...definedOf(settings.properties ?? {}) };
  const { ods, asid, partyKey } = settings;
  const sds = sdsClient(options.sdsUrl, options.sdsKey ?? 'simulated-practice');
  const pds = options.pdsUrl === null ? null : pdsClient(options.pdsUrl, options.pdsToken ?? 'gp-system', () => randomUUID());
  const carrier = createCarrier({ hubUrl: options.hubUrl, tls: options.tls, soapActionQuoted: profile.soapActionQuoted });
  const troubles: string[] = [];
  const trouble = (text: string): void => {
    log(`${ods}: ${text}`);
    troubles.push(text);
    if (troubles.length > 100) troubles.shift();
  };
  let closed = false;
  const closing = new AbortController();
  // One after the other, in and out: a conversation is then never in two places at once.
  let sending: Promise<void> = Promise.resolve();
  let working: Promise<void> = Promise.resolve();
  const send = (message: MessageToSend): void => {
    sending = sending.then(async () => {
      if (closed) return;
      try {
        const cpaId = await sds.cpaId(message.to.partyKey, message.action);
        const mime = compose(profile, { partyKey }, cpaId, message, { now: clock.now(), newId });
        await carrier.carry(message.action, mime, message.messageId);
      } catch (thrown) {
        if (!closed) trouble(`${message.action} did not leave: ${reasonOf(thrown)}`);
      }
    });
  };
  const desk: Desk = { ods, asid, partyKey, profile, now: clock.now, sleep: (ms) => clock.sleep(ms, closing.signal), newId, send, log };
  let answerAfterMs = 0;
  const received = async ({ conversation, record, documents }: ReceivedRecord): Promise<void> => {
    const folder = join(options.folder, ods, 'received', conversation.conversationId);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'record.xml'), record);
    for (const [n, { name, bytes }] of documents.entries())
      await writeFile(join(folder, `${n + 1}-${name.replace(/[^A-Za-z0-9_.-]/g, '_').slice(-100)}`), bytes);
  };
  const requester = createRequester(desk, { answerAfterMs: () => answerAfterMs, received });
  const records = new Map<string, VendorRecord>(settings.records.map((record) => [record.nhsNumber, record as VendorRecord]));
  const sender = createSender(desk, records, pds && (async (nhsNumber) => (await pds.read(nhsNumber))?.practice?.ods ?? null));

  async function act(message: Incoming): Promise<void> {
    switch (message.envelope.action) {
      case 'RCMR_IN010000UK05':
        if (!profile.roles.includes('sending')) throw new Fault('vendor.role', 'this system sends no records');
        return sender.onRequest(message);
      case 'RCMR_IN030000UK06':
      case 'RCMR_IN030000UK07':
        return requester.onExtract(message);
      case 'COPC_IN000001UK01':
        if (!sender.onContinue(message)) await requester.onCopc(message);
        return;
      case 'MCCI_IN010000UK13':
        if (!sender.onAnswer(message) && !requester.onAnswer(message))
          trouble(`an acknowledgement of an unknown conversation ${message.envelope.conversationId}`);
        return;
      default:
        trouble(`${message.envelope.action} is not for GP2GP`);
    }
  }

  const seen = new Set<string>();
  const shown: VendorPractice = {
    ods,
    asid,
    partyKey,
    profileName: settings.profile,
    profile,
    troubles,
    addRecord: (record) => void records.set(record.nhsNumber, record),
    conversations: () => [...requester.list(), ...sender.list()],
    request: async (nhsNumber, from) => {
      if (!profile.roles.includes('requesting')) throw new BadRequest(409, `${profile.title} asks for no records`);
      const other: Party = await sds.party(from.toUpperCase());
      // The sender looks into PDS: the patient is ours before the record is asked for.
      await pds?.move(nhsNumber, ods, clock.now().toISOString().slice(0, 10), randomUUID());
      return requester.request(nhsNumber, other);
    },
  };
  return {
    shown,
    answerAfter: (ms) => {
      answerAfterMs = ms;
    },
    onSignal: (signal) => {
      for (const { code, text } of signal.errors) trouble(`Spine about ${signal.refToMessageId ?? 'nothing'}: ${code} ${text}`);
    },
    take: (message) => {
      const key = `${message.envelope.from} ${message.messageId}`;
      if (seen.has(key)) return;
      seen.add(key);
      working = working
        .then(() => act(message))
        .catch((thrown: unknown) => trouble(`${message.envelope.action} ${message.messageId}: ${reasonOf(thrown)}`));
    },
    close: async () => {
      closed = true;
      closing.abort();
      carrier.close();
      await Promise.all([sending, working]);
    },
  };
}

function definedOf(properties: object): Partial<VendorProfile> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

function newId(): string {
  return randomUUID().toUpperCase();
}

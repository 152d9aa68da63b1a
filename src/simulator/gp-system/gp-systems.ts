import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../../objects/file.ts';
import { makeClock, type SimulatedClock } from '../clock.ts';
import { answerJson, BadRequest, header, parsed, readBody, readJsonObject, type Served, serve, target } from '../http.ts';
import { type Filing, offerSchema, openFiling } from './filing.ts';
import { makeProvider, type Served as ServedDocument } from './gp-connect.ts';
import type { Practice } from './node-client.ts';
import { pdsClient } from './pds-client.ts';
import { type HeldRecord, openRecords, type Records, readBundle } from './records.ts';
import { openRegistrations, type Registration, type Registrations } from './registration.ts';

export type GpSystemsOptions = {
  readonly folder: string;
  readonly practices: readonly Practice[];
  /** Left out, nobody is looked up or moved in PDS. */
  readonly pdsUrl: string | null;
  readonly pdsToken?: string;
  /** Size of every document of records added here; left out, what the record says. */
  readonly documentBytes?: number;
  readonly port?: number;
  readonly clock?: SimulatedClock;
  readonly log?: (line: string) => void;
};
export type GpSystems = Served & {
  /** Base address of a practice's GP Connect provider, and of its filing interface. */
  gpConnectBase(ods: string): string;
  filingUrl(ods: string): string;
  register(ods: string, nhsNumber: string, given?: { registrationId?: string; patientClass?: string }): Promise<Registration>;
  addRecord(ods: string, bundle: string | Uint8Array, documentBytes?: number): Promise<HeldRecord>;
  readonly filing: Filing;
  /** Every document that left a practice here, in this life or an earlier one. */
  readonly served: readonly ServedDocument[];
};

/**
 * The clinical systems of the practices of one side, in one server. Below `/{ods}`: GP Connect at
 * `/STU3/1/gpconnect/fhir`, the filing interface at `/filing`. Below `/control`: what staff and tests do.
 */
export async function startGpSystems(options: GpSystemsOptions): Promise<GpSystems> {
  const log = options.log ?? (() => undefined);
  const clock = options.clock ?? makeClock();
  await mkdir(options.folder, { recursive: true });
  const practices = new Map<string, Practice>(options.practices.map((one) => [one.ods, { ...one }]));
  const pds = options.pdsUrl === null ? null : pdsClient(options.pdsUrl, options.pdsToken ?? 'gp-system', () => randomUUID());
  const records = await openRecords(join(options.folder, 'records'));
  const locks = openLocks(join(options.folder, 'prescribing'));
  const servedFile = join(options.folder, 'served.jsonl');
  const served = await readServed(servedFile);
  const onServed = (document: ServedDocument): void => {
    served.push(document);
    appendFileSync(servedFile, `${JSON.stringify(document)}\n`);
  };
  const provider = makeProvider({ records, pds, now: () => clock.now().getTime(), onServed });
  const common = { practices: [...practices.values()], log };
  const filing = await openFiling({ ...common, folder: join(options.folder, 'filed'), records, lock: locks.set });
  const registrations = await openRegistrations({ ...common, folder: join(options.folder, 'registrations'), pds });
  const events: unknown[] = [];

  function practiceOf(ods: string): Practice {
    const practice = practices.get(ods.toUpperCase());
    if (!practice) throw new BadRequest(404, `no practice ${ods} here`);
    return practice;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path } = target(request);
    if (path.startsWith('/control/')) return control(request, response, path);
    const [, ods = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(path) ?? [];
    const practice = practiceOf(ods);
    const connect = /^\/STU3\/1\/gpconnect\/fhir(\/.*)$/.exec(rest)?.[1];
    if (connect !== undefined) return provider.handle(practice, gpConnectBase(practice.ods), connect, request, response);
    const record = /^\/filing\/records\/([^/]+)$/.exec(rest)?.[1];
    if (record === undefined && rest !== '/filing/events') throw new BadRequest(404, `no ${path}`);
    if (header(request, 'authorization') !== `Bearer ${practice.apiKey}`) throw new BadRequest(401, 'not the key of this practice');
    if (rest === '/filing/events' && request.method === 'POST') {
      const told = parsed(eventsSchema, await readJsonObject(request));
      const at = new Date().toISOString();
      events.push(...told.events.map((event) => ({ at, ods: practice.ods, ...event })));
      events.splice(0, events.length - 10_000);
      return answerJson(response, 200, {});
    }
    if (record !== undefined && request.method === 'PUT') {
      const offer = parsed(offerSchema, await readJsonObject(request));
      if (offer.transferId.toUpperCase() !== record.toUpperCase())
        throw new BadRequest(400, 'the transfer of the path is not that of the body');
      const answer = await filing.offer(practice, offer);
      return answerJson(response, answer.answer === 'leased' ? 202 : 200, answer);
    }
    if (record !== undefined && request.method === 'GET') {
      const answer = await filing.ask(practice, record);
      if (!answer) throw new BadRequest(404, 'no such record was ever offered');
      return answerJson(response, answer.answer === 'leased' ? 202 : 200, answer);
    }
    throw new BadRequest(405, `${request.method} is not for ${path}`);
  }

  async function addRecord(ods: string, bundle: string | Uint8Array, documentBytes = options.documentBytes): Promise<HeldRecord> {
    return records.addOwn(practiceOf(ods).ods, readBundle(bundle), documentBytes);
  }

  async function register(
    ods: string,
    nhsNumber: string,
    given: { registrationId?: string; patientClass?: string } = {},
  ): Promise<Registration> {
    return registrations.register(practiceOf(ods), nhsNumber, given);
  }

  async function control(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const call = `${request.method} ${path}`;
    switch (call) {
      case 'POST /control/register': {
        const { ods, nhsNumber, registrationId, patientClass } = parsed(registerSchema, await readJsonObject(request));
        return answerJson(
          response,
          200,
          await register(ods, nhsNumber, { ...(registrationId && { registrationId }), ...(patientClass && { patientClass }) }),
        );
      }
      case 'POST /control/records': {
        const { ods, file, documentBytes } = parsed(recordFileSchema, await readJsonObject(request));
        return answerJson(response, 200, await addRecord(ods, await readFile(file), documentBytes));
      }
      case 'GET /control/state':
        return answerJson(response, 200, await stateOf({ records, served, filing, registrations, events }));
      case 'PUT /control/misbehave': {
        const { ods, about, ...how } = parsed(misbehaveSchema, await readJsonObject(request));
        provider.misbehave(practiceOf(ods).ods, about, Object.keys(how).length ? how : null);
        return answerJson(response, 200, {});
      }
      case 'PUT /control/refuse': {
        const { ods, reason } = parsed(refuseSchema, await readJsonObject(request));
        await filing.refuse(practiceOf(ods).ods, reason);
        return answerJson(response, 200, {});
      }
      case 'POST /control/prescribe': {
        const { ods, nhsNumber } = parsed(patientSchema, await readJsonObject(request));
        const lock = locks.get(practiceOf(ods).ods, nhsNumber);
        return answerJson(response, lock.locked ? 423 : 200, lock);
      }
      case 'POST /control/resolve-allergy': {
        const { ods, nhsNumber } = parsed(patientSchema, await readJsonObject(request));
        await locks.set(practiceOf(ods).ods, nhsNumber, false, 'a clinician resolved the degraded allergy');
        return answerJson(response, 200, {});
      }
      case 'PUT /control/nodes': {
        const { ods, nodeUrls } = parsed(nodesSchema, await readJsonObject(request));
        practiceOf(ods).nodeUrls = nodeUrls;
        return answerJson(response, 200, {});
      }
      default: {
        const own = /^PUT \/control\/records\/([^/]+)$/.exec(call)?.[1];
        if (own === undefined) throw new BadRequest(404, `no ${call}`);
        return answerJson(response, 200, await addRecord(own, await readBody(request)));
      }
    }
  }

  const server = await serve(handle, { clock, ...(options.port !== undefined && { port: options.port }), log });
  const gpConnectBase = (ods: string): string => `${server.url}/${ods}/STU3/1/gpconnect/fhir`;
  return {
    ...server,
    gpConnectBase,
    filingUrl: (ods) => `${server.url}/${ods}/filing`,
    register,
    addRecord,
    filing,
    served,
    close: async () => {
      await server.close();
      await Promise.all([filing.close(), registrations.close()]);
    },
  };
}

const patientSchema = z.object({ ods: z.string(), nhsNumber: z.string().regex(/^\d{10}$/) });
const registerSchema = patientSchema.extend({ registrationId: z.string().optional(), patientClass: z.string().optional() });
const recordFileSchema = z.object({ ods: z.string(), file: z.string(), documentBytes: z.int().optional() });
const nodesSchema = z.object({ ods: z.string(), nodeUrls: z.array(z.url()) });
const eventsSchema = z.object({ events: z.array(z.object({ transferId: z.string(), state: z.string() })).max(500) });
const refuseSchema = z.object({ ods: z.string(), reason: z.string().nullable() });
const misbehaveSchema = z.object({
  ods: z.string(),
  /** An NHS number, or the id of a document. */
  about: z.string(),
  code: z.string().optional(),
  as: z.enum(['html', 'truncated']).optional(),
  delayMs: z.number().optional(),
  times: z.int().optional(),
});

async function stateOf(of: {
  readonly records: Records;
  readonly served: readonly ServedDocument[];
  readonly filing: Filing;
  readonly registrations: Registrations;
  readonly events: readonly unknown[];
}): Promise<unknown> {
  return {
    records: of.records.list(),
    served: of.served,
    filed: await of.filing.list(),
    registrations: of.registrations.list(),
    events: of.events,
  };
}

/** A last line cut short by a crash is cut off. */
async function readServed(path: string): Promise<ServedDocument[]> {
  const file = await open(path, 'a+');
  try {
    const text = await file.readFile('utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole.length < text.length) await file.truncate(Buffer.byteLength(whole));
    return whole
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as ServedDocument);
  } finally {
    await file.close();
  }
}

type Lock = { readonly locked: boolean; readonly because: string };

/** Whether medicines may be issued for a patient: one small file each, written before anything that follows from it. */
function openLocks(folder: string): {
  set(ods: string, nhsNumber: string, locked: boolean, because: string): Promise<void>;
  get(ods: string, nhsNumber: string): Lock;
} {
  const pathOf = (ods: string, nhsNumber: string) => join(folder, ods, `${nhsNumber}.json`);
  const get = (ods: string, nhsNumber: string): Lock => {
    try {
      return JSON.parse(readFileSync(pathOf(ods, nhsNumber), 'utf8')) as Lock;
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return { locked: false, because: 'none' };
      throw thrown;
    }
  };
  return {
    set: async (ods, nhsNumber, locked, because) => {
      const before = get(ods, nhsNumber);
      if (before.locked === locked && before.because === because) return;
      const path = pathOf(ods, nhsNumber);
      mkdirSync(join(folder, ods), { recursive: true });
      await writeWhole(path, JSON.stringify({ locked, because }), { flush: true });
    },
    get,
  };
}

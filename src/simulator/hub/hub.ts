import { randomUUID } from 'node:crypto';
import { copyFile, link, mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { reasonOf } from '../../base/errors.ts';
import { makeClock, type SimulatedClock } from '../clock.ts';
import { header, type MutualTls, type Served, serve, target } from '../http.ts';
import { acknowledgment, messageError, SPINE_PARTY_KEY, type Stamp, soapFault, spineNegative } from './answers.ts';
import { checkAction, headersOf, type KeptBody, keepBody, Refusal, readArrival } from './arrival.ts';
import { hubControl } from './control.ts';
import { type Fate, type Kept, startDelivery } from './delivery.ts';
import { EnvelopeFault, firstPart, type HubEnvelope, multipartParameters, readHubEnvelope, SIGNAL_SERVICE } from './envelope.ts';
import { type FaultRule, type Faults, makeFaults } from './faults.ts';
import { type LedgerLine, openLedger } from './ledger.ts';
import { keyOf, recall } from './memory.ts';
import { openSpool } from './spool.ts';

/** A party the hub carries messages for: the inbound addresses of its nodes, and its ASID where Spine writes to it itself. */
export type Route = { readonly urls: readonly string[]; readonly asid?: string };

export type HubOptions = {
  /** The ledger and the messages in safe keeping; a hub started again on it goes on where it stopped. */
  readonly folder: string;
  readonly tls: MutualTls;
  readonly routes: Readonly<Record<string, Route>>;
  readonly port?: number;
  readonly controlPort?: number;
  /** Every accepted HTTP request is also left here: `NNNN-<from>-<interaction>.mime`, a complete MIME entity. */
  readonly keepWire?: string;
  /** The most a request may have, as Spine allows. */
  readonly maxBytes?: number;
  readonly faults?: readonly FaultRule[];
  readonly seed?: number;
  readonly retry?: { readonly firstMs?: number; readonly mostMs?: number; readonly giveUpAfterMs?: number };
  readonly clock?: SimulatedClock;
  /** How long a message to a party is tried, where its contract says so; null: as `retry` says. */
  readonly livesMs?: (partyKey: string, action: string) => number | null;
  readonly log?: (line: string) => void;
};

export type Counters = {
  /** Messages accepted, duplicates not counted, and their bytes. */
  messages: number;
  bytes: number;
  duplicates: number;
  delivered: number;
  failed: number;
  refused: number;
};

export type Hub = {
  /** Where nodes post: `…/reliablemessaging/intermediary`. */
  readonly url: string;
  readonly controlUrl: string;
  readonly ledgerFile: string;
  readonly counters: Readonly<Counters>;
  readonly pending: number;
  readonly faults: Faults;
  routes(): Readonly<Record<string, Route>>;
  /** The last lines of the ledger, the newest last. */
  readonly recent: readonly LedgerLine[];
  setRoute(partyKey: string, route: Route): void;
  close(): Promise<void>;
};

const PATH = '/reliablemessaging/intermediary';
/** A body of so many bytes is kept in memory too until it is delivered. */
const SMALL_BYTES = 65_536;
/** Lines that whoever looks on is shown. */
const RECENT = 100;

/**
 * Spine's intermediary: takes a message, keeps it, says so, and carries it to its recipient until that one has it.
 * At-least-once on the way, at-most-once per (From party, message id) at the door; kill -9 loses nothing it acknowledged.
 */
export async function startHub(options: HubOptions): Promise<Hub> {
  const log = options.log ?? (() => undefined);
  await mkdir(options.folder, { recursive: true });
  if (options.keepWire) await mkdir(options.keepWire, { recursive: true });
  const ledgerFile = join(options.folder, 'ledger.jsonl');
  const routes = new Map(Object.entries(options.routes));
  const clock = options.clock ?? makeClock();
  const stamp: Stamp = { newId: () => randomUUID().toUpperCase(), now: clock.now };
  const faults = makeFaults(options.seed ?? 1, options.faults);
  const counters: Counters = { messages: 0, bytes: 0, duplicates: 0, delivered: 0, failed: 0, refused: 0 };
  const known = new Map<string, { readonly sha256: string; readonly kept: Promise<void> }>();
  const past = await recall(ledgerFile, known, counters);
  let number = past.lastNumber;
  const left = new Map(past.undelivered.map(({ name, bodyAt, bytes }) => [name, bodyAt + bytes]));
  const spool = await openSpool(join(options.folder, 'spool'), left, options.keepWire === undefined);

  const durable = await openLedger(ledgerFile);
  const recent: LedgerLine[] = [];
  const ledger: typeof durable = {
    close: durable.close,
    append: (line) => {
      recent.push(line);
      if (recent.length > RECENT) recent.shift();
      return durable.append(line);
    },
  };
  const delivery = startDelivery({
    urlsOf: (partyKey) => routes.get(partyKey)?.urls ?? null,
    tls: options.tls,
    retry: {
      firstMs: options.retry?.firstMs ?? 100,
      mostMs: options.retry?.mostMs ?? 2_000,
    },
    livesMs: ({ to, action }) => options.livesMs?.(to, action) ?? options.retry?.giveUpAfterMs ?? 4 * 3_600_000,
    concurrency: 16,
    clock,
    log,
  });

  // ---- at the door

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (target(request).path !== PATH || request.method !== 'POST') return answer(response, 404, soapFault('101', 'no such service here'));
    if (faults.take('outage', null)) {
      request.destroy();
      return;
    }
    const contentType = header(request, 'content-type') ?? '';
    let arrived: Arrived | null = null;
    const most = options.maxBytes ?? 5_000_000;
    const name = spool.take();
    try {
      const body = await keepBody(request, spool.pathOf(name), contentType, most);
      const envelope = await readArrival(spool.pathOf(name), body, contentType);
      checkAction(header(request, 'soapaction'), envelope);
      arrived = { name, contentType, body, envelope, kept: false };
      await accept(request, response, arrived);
    } catch (thrown) {
      if (!(thrown instanceof Refusal) && !(thrown instanceof EnvelopeFault)) throw thrown;
      counters.refused++;
      log(`refused: ${thrown.message}`);
      const { status, code } = thrown instanceof Refusal ? thrown : { status: 500, code: '201' };
      await ledger.append(refusedLine(status, thrown.message, header(request, 'soapaction')));
      answer(response, status, soapFault(code, thrown.message), { connection: 'close' });
    } finally {
      if (!arrived?.kept) spool.give(name, arrived ? arrived.body.at + arrived.body.bytes : most);
    }
  }

  type Arrived = {
    /** Of its file in the spool. */
    readonly name: string;
    readonly contentType: string;
    readonly body: KeptBody;
    readonly envelope: HubEnvelope;
    /** In the ledger, or it may be: its file is nobody else's until it is delivered. */
    kept: boolean;
  };

  async function accept(request: IncomingMessage, response: ServerResponse, arrived: Arrived): Promise<void> {
    const { envelope, body } = arrived;
    const status = faults.take('status', envelope);
    if (status) return answer(response, status.status ?? 503, '');
    const error = faults.take('error', envelope);
    if (error)
      return answer(response, 200, messageError(envelope, error.code ?? 'Unknown', error.text ?? '1000:refused on purpose', stamp));
    const soap = faults.take('soapFault', envelope);
    if (soap) return answer(response, 500, soapFault(soap.code ?? '206', soap.text ?? 'refused on purpose'));
    const unknown = [envelope.from, envelope.to].find((party) => party !== SPINE_PARTY_KEY && !routes.has(party));
    if (unknown !== undefined) {
      counters.refused++;
      await ledger.append({ ...lineOf(envelope, body.bytes, 0, 'refused', 200), reason: `unknown party ${unknown}` });
      const text = unknown === envelope.to ? '501314:Invalid To Party Type attribute' : '501313:Invalid From Party Type attribute';
      return answer(response, 200, messageError(envelope, 'ValueNotRecognized', text, stamp));
    }
    await keep(request, arrived);
    if (faults.take('loseAnswer', envelope)) {
      request.socket.destroy();
      return;
    }
    const later = envelope.signal ? null : faults.take('ackLater', envelope);
    if (later) await tell(envelope, 'text/xml', `${SIGNAL_SERVICE}/Acknowledgment`, acknowledgment(envelope, stamp), later.ms ?? 1_000);
    const empty = envelope.signal || later !== null || faults.take('emptyAnswer', envelope) !== null;
    answer(response, 202, empty ? '' : acknowledgment(envelope, stamp));
  }

  /** Resolves once the message is on the disk, whether it came with this request or an earlier one. */
  async function keep(request: IncomingMessage, arrived: Arrived): Promise<void> {
    const { name, contentType, body, envelope } = arrived;
    const key = keyOf(envelope.from, envelope.messageId);
    const before = known.get(key);
    const mine = ++number;
    const line = lineOf(envelope, body.bytes, mine, 'accepted', 202);
    if (before) {
      await before.kept;
      counters.duplicates++;
      const altered = before.sha256 !== body.sha256;
      if (altered) log(`message ${envelope.messageId} of ${envelope.from} came again with other bytes`);
      await ledger.append({ ...line, sha256: body.sha256, duplicate: true, ...(altered && { altered }) });
      await keepWire(spool.pathOf(name), mine, contentType, envelope);
      return;
    }
    const file = spool.pathOf(name);
    const headers = headersOf(request);
    arrived.kept = true;
    const kept = ledger.append({ ...line, sha256: body.sha256, spool: { file: name, bodyAt: body.at, headers, envelope } });
    known.set(key, { sha256: body.sha256, kept });
    kept.catch(() => known.delete(key));
    await kept;
    counters.messages++;
    counters.bytes += body.bytes;
    await keepWire(file, mine, contentType, envelope);
    const small = body.bytes === body.start.byteLength && body.bytes <= SMALL_BYTES ? { body: body.start } : {};
    send({ number: mine, name, file, bodyAt: body.at, bytes: body.bytes, headers, envelope, ...small });
  }

  async function keepWire(file: string, mine: number, contentType: string, envelope: HubEnvelope): Promise<void> {
    if (!options.keepWire || !contentType) return;
    const path = join(options.keepWire, wireName(mine, envelope));
    await link(file, path).catch(async (thrown: unknown) => {
      if (codeOf(thrown) === 'EEXIST') return;
      if (codeOf(thrown) !== 'EXDEV' && codeOf(thrown) !== 'EPERM') throw thrown;
      await copyFile(file, path);
    });
  }

  // ---- on the way

  function send(message: Kept): void {
    const { envelope } = message;
    if (faults.take('drop', envelope)) {
      background(end(message, onPurpose('dropped')));
      return;
    }
    const negative = faults.take('negative', envelope);
    if (negative) {
      background(refuseLater(message, negative.code ?? '506', negative.text ?? 'Receiver ASID missing, invalid or not permitted'));
      return;
    }
    const wait = (faults.take('latency', envelope)?.ms ?? 0) + (faults.take('reorder', envelope)?.ms ?? 0) * faults.random();
    const twice = faults.take('duplicate', envelope) !== null;
    let left = twice ? 2 : 1;
    const fate = async (reached: Fate) => {
      left--;
      if (left === 0) await settle(message, reached);
    };
    for (let i = 0; i < (twice ? 2 : 1); i++) delivery.enqueue(message, clock.now().getTime() + wait, fate);
  }

  async function settle(message: Kept, fate: Fate): Promise<void> {
    const { envelope } = message;
    if (!fate.delivered) {
      log(`${envelope.action} ${envelope.messageId} to ${envelope.to} failed: ${fate.reason}`);
      // The notice is kept before the end is written: a crash between the two tells the sender twice, never not at all.
      if (envelope.from !== SPINE_PARTY_KEY && !envelope.signal) {
        const text = messageError(envelope, 'DeliveryFailure', `501320:Message not delivered: ${fate.reason}`, stamp);
        await tell(envelope, 'text/xml', `${SIGNAL_SERVICE}/MessageError`, text);
      }
    }
    await end(message, fate);
  }

  async function refuseLater(message: Kept, code: string, text: string): Promise<void> {
    const { envelope } = message;
    const notice = spineNegative(envelope, code, text, routes.get(envelope.from)?.asid ?? '', stamp);
    await tell(envelope, notice.contentType, 'urn:nhs:names:services:gp2gp/MCCI_IN010000UK13', notice.body);
    await end(message, onPurpose(`refused with ${code}`));
  }

  async function end(message: Kept, fate: Fate): Promise<void> {
    counters[fate.delivered ? 'delivered' : 'failed']++;
    await ledger.append({
      ...lineOf(message.envelope, message.bytes, message.number, fate.delivered ? 'delivered' : 'failed', fate.status),
      attempts: fate.attempts,
      url: fate.url,
      ...(fate.reason && { reason: fate.reason }),
    });
    spool.give(message.name, message.bodyAt + message.bytes);
  }

  /** A message of Spine's own to the sender of another: kept and carried like any, but no request that crossed the hub. */
  async function tell(about: HubEnvelope, contentType: string, soapAction: string, body: string, waitMs = 0): Promise<void> {
    const headers = [
      ['Content-Type', contentType],
      ['SOAPAction', `"${soapAction}"`],
    ] as const;
    const head = `Content-Type: ${contentType}\r\n\r\n`;
    const bytes = Buffer.from(body);
    const parameters = multipartParameters(contentType);
    const mine = ++number;
    const name = spool.take();
    const file = spool.pathOf(name);
    await writeFile(file, Buffer.concat([Buffer.from(head), bytes]), { flush: true });
    const envelope = readHubEnvelope(
      parameters ? await firstPart({ path: file, from: head.length, bytes: bytes.byteLength }, parameters.boundary, bytes) : bytes,
    );
    const message: Kept = { number: mine, name, file, bodyAt: head.length, bytes: bytes.byteLength, headers, envelope };
    await ledger.append({
      ...lineOf(envelope, bytes.byteLength, mine, 'accepted', 0),
      reason: `about ${about.messageId}`,
      spool: spoolOf(message),
    });
    delivery.enqueue(message, clock.now().getTime() + waitMs, (fate) => settle(message, fate));
  }

  function background(work: Promise<void>): void {
    work.catch((thrown: unknown) => log(`ledger: ${reasonOf(thrown)}`));
  }

  for (const kept of past.undelivered) {
    const message = { ...kept, file: spool.pathOf(kept.name) };
    const contentType = kept.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
    if (kept.envelope.from !== SPINE_PARTY_KEY) await keepWire(message.file, message.number, contentType, message.envelope);
    send(message);
  }

  const door = await serve(receive, { tls: options.tls, clock, log, ...(options.port !== undefined && { port: options.port }) });
  const setRoute = (partyKey: string, route: Route) => void routes.set(partyKey, route);
  const control: Served = await serve(hubControl({ faults, counters, routes, pending: () => delivery.pending, setRoute }), {
    log,
    ...(options.controlPort !== undefined && { port: options.controlPort }),
  });
  return {
    url: `${door.url}${PATH}`,
    controlUrl: control.url,
    ledgerFile,
    counters,
    get pending() {
      return delivery.pending;
    },
    faults,
    routes: () => Object.fromEntries(routes),
    recent,
    setRoute,
    close: async () => {
      await control.close();
      await door.close();
      await delivery.close();
      await ledger.close();
    },
  };
}

function answer(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...(body && { 'content-type': 'text/xml;charset=UTF-8' }), 'content-length': bytes.byteLength, ...headers });
  response.end(bytes);
}

function lineOf(envelope: HubEnvelope, bytes: number, number: number, direction: LedgerLine['direction'], status: number): LedgerLine {
  return {
    time: new Date().toISOString(),
    number,
    direction,
    from: envelope.from,
    to: envelope.to,
    messageId: envelope.messageId,
    conversationId: envelope.conversationId,
    interaction: envelope.action,
    status,
    bytes,
  };
}

function refusedLine(status: number, reason: string, soapAction: string | undefined): LedgerLine {
  const interaction = soapAction?.replace(/^.*\/|"/g, '') ?? '';
  return {
    time: new Date().toISOString(),
    number: 0,
    direction: 'refused',
    from: '',
    to: '',
    messageId: '',
    conversationId: '',
    interaction,
    status,
    bytes: 0,
    reason,
  };
}

function onPurpose(what: string): Fate {
  return { delivered: false, status: 0, url: '', attempts: 0, reason: `${what} on purpose` };
}

function wireName(number: number, envelope: HubEnvelope): string {
  const plain = (text: string) => text.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 60);
  return `${String(number).padStart(4, '0')}-${plain(envelope.from)}-${plain(envelope.action)}.mime`;
}

function spoolOf(message: Kept): NonNullable<LedgerLine['spool']> {
  return { file: message.name, bodyAt: message.bodyAt, headers: message.headers, envelope: message.envelope };
}

function codeOf(thrown: unknown): string | null {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : null;
}

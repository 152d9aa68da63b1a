import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { makeClock, type SimulatedClock } from '../clock.ts';
import { answerJson, BadRequest, header, type MutualTls, type Served, serve, target } from '../http.ts';
import { makeSwitches, TROUBLES } from '../switches.ts';
import { makeAuthorisation } from './authorisation.ts';
import { type MeshMessage, openMessages } from './messages.ts';

export const mailboxSchema = z.strictObject({
  id: z.string().regex(/^[A-Z0-9]{3,20}$/),
  password: z.string().min(1),
  /** Of the organisation, for the look-up of mailboxes. */
  ods: z.string().optional(),
  /** Left out: all. */
  workflows: z.array(z.string()).optional(),
});
export type Mailbox = z.infer<typeof mailboxSchema>;

export const meshSwitchesSchema = z.strictObject({
  ...TROUBLES,
  /** A message is taken, and the connection closed before that is said: whoever sends it again sends it twice. */
  loseAnswer: z.boolean().optional(),
});
export type MeshSwitches = z.infer<typeof meshSwitchesSchema>;

export type MeshOptions = {
  readonly folder: string;
  readonly mailboxes: readonly Mailbox[];
  readonly sharedKey: string;
  /** `none`: whoever names a mailbox is let in. */
  readonly authorisation?: 'full' | 'none';
  readonly tls?: MutualTls;
  readonly port?: number;
  readonly clock?: SimulatedClock;
  readonly chunkBytes?: number;
  readonly log?: (line: string) => void;
};
export type Mesh = Served & { switches(): MeshSwitches; setSwitches(switches: MeshSwitches): void; messages(): readonly MeshMessage[] };

const CHUNK_BYTES = 100_000_000;
const UNCOLLECTED_MS = 5 * 24 * 3_600_000;
const MOST_LISTED = 500;
const V2 = 'application/vnd.mesh.v2+json';
/** Headers that travel with a message as the sender gave them. */
const CARRIED = [
  'mex-filename',
  'mex-localid',
  'mex-subject',
  'mex-content-type',
  'mex-content-checksum',
  'mex-content-compressed',
  'content-encoding',
];

/** Why a request is refused: HTTP status, MESH's code, and words. */
class Refused extends BadRequest {
  readonly meshCode: string;
  constructor(status: number, meshCode: string, message: string) {
    super(status, message);
    this.meshCode = meshCode;
  }
}

/** MESH's message exchange: mailboxes with an inbox and an outbox, chunks, tracking, and reports of what nobody collected in five days. */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const clock = options.clock ?? makeClock();
  const messages = await openMessages(join(options.folder, 'messages'), clock.now);
  const mailboxes = new Map(options.mailboxes.map((one) => [one.id, one]));
  const authorisation = makeAuthorisation({
    sharedKey: options.sharedKey,
    passwordOf: (id) => mailboxes.get(id)?.password ?? null,
    now: clock.now,
  });
  const switches = makeSwitches(meshSwitchesSchema, {});

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = target(request);
    if (path.startsWith('/control/')) return control(request, response, path);
    if (switches.current().outage) {
      request.destroy();
      return;
    }
    const { delayMs } = switches.current();
    if (delayMs) await clock.sleep(delayMs);
    const { status } = switches.current();
    if (status && switches.used()) return answerJson(response, status, {});
    const [, lookUp, ods = '', workflow = ''] = /^\/messageexchange\/(endpointlookup)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
    if (lookUp) return answerJson(response, 200, { query_id: `${clock.now().getTime()}`, results: found(ods, workflow) });
    const [, name = '', rest = ''] = /^\/messageexchange\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    try {
      const mailbox = admitted(name, header(request, 'authorization'));
      await expire();
      await route({ mailbox, call: `${request.method} ${rest.replace(/\/$/, '')}`, query, request, response });
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      refuse(request, response, thrown);
    }
  }

  function admitted(name: string, authorization: string | undefined): Mailbox {
    const mailbox = mailboxes.get(name);
    const refusal = options.authorisation === 'none' ? (mailbox ? null : 'no such mailbox') : authorisation.refusal(authorization, name);
    if (!mailbox || refusal !== null) throw new Refused(403, '', refusal ?? 'no such mailbox');
    return mailbox;
  }

  type Call = {
    readonly mailbox: Mailbox;
    readonly call: string;
    readonly query: URLSearchParams;
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
  };

  async function route({ mailbox, call, query, request, response }: Call): Promise<void> {
    if (call === 'POST ' || call === 'GET ') return handshake(request, response, mailbox);
    if (call === 'POST /outbox') return send(request, response, mailbox);
    const [, id, chunk] = /^POST \/outbox\/([^/]+)\/(\d+)$/.exec(call) ?? [];
    if (id && chunk) return sendChunk(request, response, mailbox, id, Number(chunk));
    if (call === 'GET /outbox/tracking') return track(response, mailbox, (one) => one.id === query.get('messageID'));
    const local = /^GET \/outbox\/tracking\/([^/]+)$/.exec(call)?.[1];
    if (local) return track(response, mailbox, (one) => one.headers['mex-localid'] === decodeURIComponent(local));
    if (call === 'GET /inbox') return list(request, response, mailbox, query);
    const [, wanted, part] = /^GET \/inbox\/([^/]+)(?:\/(\d+))?$/.exec(call) ?? [];
    if (wanted) return receive(response, mailbox, wanted, Number(part ?? 1));
    const done = /^PUT \/inbox\/([^/]+)\/status\/acknowledged$/.exec(call)?.[1];
    if (done) return acknowledge(request, response, mailbox, done);
    throw new Refused(404, '', `no ${call}`);
  }

  function handshake(request: IncomingMessage, response: ServerResponse, mailbox: Mailbox): void {
    for (const name of ['mex-clientversion', 'mex-osname', 'mex-osversion'])
      if (!header(request, name)) throw new Refused(400, '06', `${name} is missing`);
    answerJson(response, 200, { mailboxId: mailbox.id });
  }

  async function send(request: IncomingMessage, response: ServerResponse, mailbox: Mailbox): Promise<void> {
    const [to, workflow] = [header(request, 'mex-to'), header(request, 'mex-workflowid')];
    if (!to) throw new Refused(400, '08', 'mex-to is missing');
    if (!workflow) throw new Refused(400, '06', 'mex-workflowid is missing');
    const from = header(request, 'mex-from');
    if (from && from !== mailbox.id) throw new Refused(400, '07', 'mex-from is another mailbox');
    const recipient = mailboxes.get(to);
    if (!recipient) throw new Refused(417, '12', `${to} is not registered`);
    if (recipient.workflows && !recipient.workflows.includes(workflow)) throw new Refused(417, '17', `${to} takes no ${workflow}`);
    if (mailbox.workflows && !mailbox.workflows.includes(workflow)) throw new Refused(417, '16', `${mailbox.id} sends no ${workflow}`);
    const { n, total } = rangeOf(request, 1);
    if (n !== 1) throw new Refused(417, '', 'a message begins with its first chunk');
    const headers: Record<string, string> = {};
    for (const name of CARRIED) {
      const value = header(request, name);
      if (value !== undefined) headers[name] = value;
    }
    const message = await messages.add({
      from: mailbox.id,
      to,
      workflow,
      type: 'DATA',
      headers,
      chunks: total,
      received: 0,
      state: 'uploading',
    });
    await take(request, message, 1);
    if (switches.current().loseAnswer && switches.used()) {
      request.socket.destroy();
      return;
    }
    answerJson(response, 202, isV2(request) ? { message_id: message.id } : { messageID: message.id });
  }

  async function sendChunk(request: IncomingMessage, response: ServerResponse, mailbox: Mailbox, id: string, n: number): Promise<void> {
    const message = messages.find(id);
    if (!message || message.from !== mailbox.id) throw new Refused(404, '', 'no such message');
    if (message.state !== 'uploading') throw new Refused(423, '', 'the message is whole already');
    if (n > message.chunks) throw new Refused(406, '', `the message has ${message.chunks} chunks`);
    const range = rangeOf(request, message.chunks);
    if (range.n !== n || range.total !== message.chunks || n !== message.received + 1)
      throw new Refused(417, '', `chunk ${message.received + 1}:${message.chunks} is awaited`);
    if ((header(request, 'content-encoding') ?? '') !== (message.headers['content-encoding'] ?? ''))
      throw new Refused(417, '', 'all chunks of a message have one encoding');
    await take(request, message, n);
    answerJson(response, 202, isV2(request) ? { message_id: message.id } : { messageID: message.id });
  }

  async function take(request: IncomingMessage, message: MeshMessage, n: number): Promise<void> {
    await messages.writeChunk(message, n, request, options.chunkBytes ?? CHUNK_BYTES);
    if ((await stat(messages.chunkFile(message, n))).size === 0) throw new Refused(400, '02', 'the message has no data');
    message.received = n;
    // Nobody sees it before its last chunk is here.
    if (n === message.chunks) message.state = 'accepted';
    await messages.save(message);
  }

  function track(response: ServerResponse, mailbox: Mailbox, is: (message: MeshMessage) => boolean): void {
    const all = messages.list().filter((one) => one.from === mailbox.id && one.type === 'DATA' && is(one));
    const [message] = all;
    if (!message) throw new Refused(404, '', 'no such message');
    if (all.length > 1) throw new Refused(300, '', 'several messages have this local id');
    const status = { uploading: 'error', accepted: 'accepted', acknowledged: 'acknowledged', undelivered: 'undeliverable' }[message.state];
    answerJson(response, 200, {
      messageId: message.id,
      localId: message.headers['mex-localid'] ?? null,
      sender: message.from,
      recipient: message.to,
      workflowId: message.workflow,
      fileName: message.headers['mex-filename'] ?? null,
      status,
      uploadTimestamp: message.sentAt,
      downloadTimestamp: message.state === 'acknowledged' ? message.changedAt : null,
    });
  }

  const waitingFor = (mailbox: Mailbox): MeshMessage[] =>
    messages.list().filter((one) => one.to === mailbox.id && one.state === 'accepted');

  function list(request: IncomingMessage, response: ServerResponse, mailbox: Mailbox, query: URLSearchParams): void {
    const asked = Number(query.get('max_results') ?? MOST_LISTED);
    const most = Number.isInteger(asked) && asked >= 10 ? Math.min(asked, MOST_LISTED) : MOST_LISTED;
    const filter = query.get('workflow_filter');
    const wanted = (workflow: string): boolean =>
      filter === null || (filter.startsWith('!') ? workflow !== filter.slice(1) : workflow.startsWith(filter.replace(/\*$/, '')));
    const all = waitingFor(mailbox).filter((one) => wanted(one.workflow));
    const ids = all.slice(0, most).map(({ id }) => id);
    answerJson(response, 200, isV2(request) ? { messages: ids, approx_inbox_count: all.length } : { messages: ids });
  }

  async function receive(response: ServerResponse, mailbox: Mailbox, id: string, n: number): Promise<void> {
    const message = messages.find(id);
    if (!message || message.to !== mailbox.id || message.state === 'uploading') throw new Refused(404, '20', 'no such message');
    if (message.state !== 'accepted') throw new Refused(410, '18', 'the message was collected');
    if (n < 1 || n > message.chunks) throw new Refused(404, '', `the message has ${message.chunks} chunks`);
    const last = n === message.chunks;
    const file = messages.chunkFile(message, n);
    response.writeHead(last ? 200 : 206, {
      ...message.headers,
      'content-type': 'application/octet-stream',
      'content-length': message.type === 'REPORT' ? 0 : (await stat(file)).size,
      'mex-messageid': message.id,
      'mex-from': message.from,
      'mex-to': message.to,
      'mex-workflowid': message.workflow,
      'mex-messagetype': message.type,
      ...(message.type === 'DATA' && { 'mex-statuscode': '00', 'mex-statussuccess': 'SUCCESS', 'mex-statusevent': 'TRANSFER' }),
      'mex-statustimestamp': message.sentAt.replace(/\D/g, '').slice(0, 14),
      ...(message.chunks > 1 && { 'mex-chunk-range': `${n}:${message.chunks}` }),
    });
    if (message.type === 'REPORT') response.end();
    else await pipeline(createReadStream(file), response);
  }

  async function acknowledge(request: IncomingMessage, response: ServerResponse, mailbox: Mailbox, id: string): Promise<void> {
    const message = messages.find(id);
    if (!message || message.to !== mailbox.id) throw new Refused(404, '20', 'no such message');
    if (message.state === 'accepted') {
      message.state = 'acknowledged';
      await messages.save(message);
    }
    if (isV2(request)) response.writeHead(200, { 'content-length': 0 }).end();
    else answerJson(response, 200, { messageId: id });
  }

  function found(ods: string, workflow: string): unknown[] {
    return [...mailboxes.values()]
      .filter((one) => one.ods?.toUpperCase() === ods.toUpperCase() && (!one.workflows || one.workflows.includes(workflow)))
      .map(({ id }) => ({ address: id, description: `Mailbox of ${ods.toUpperCase()}`, endpoint_type: 'MESH' }));
  }

  /** What nobody has collected in five days is reported to its sender. */
  async function expire(): Promise<void> {
    const before = clock.now().getTime() - UNCOLLECTED_MS;
    for (const message of messages.list()) {
      if (message.state !== 'accepted' || message.type !== 'DATA' || Date.parse(message.sentAt) > before) continue;
      message.state = 'undelivered';
      await messages.save(message);
      const { from, to, workflow, id } = message;
      const headers = {
        'mex-linkedmsgid': id,
        'mex-statuscode': '14',
        'mex-statussuccess': 'ERROR',
        'mex-statusevent': 'SEND',
        'mex-statusdescription': 'Message not collected by recipient after 5 days',
        ...(message.headers['mex-localid'] !== undefined && { 'mex-localid': message.headers['mex-localid'] }),
      };
      await messages.add({ from: to, to: from, workflow, type: 'REPORT', headers, chunks: 1, received: 1, state: 'accepted' });
    }
  }

  async function control(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (path === '/control/switches' && request.method === 'PUT') return switches.control(request, response);
    if (path === '/control/messages' && request.method === 'GET') return answerJson(response, 200, messages.list());
    throw new BadRequest(404, `no ${request.method} ${path}`);
  }

  const served = await serve(handle, {
    clock,
    ...(options.tls && { tls: options.tls }),
    ...(options.port !== undefined && { port: options.port }),
    ...(options.log && { log: options.log }),
  });
  return {
    ...served,
    switches: switches.current,
    setSwitches: switches.set,
    messages: messages.list,
  };
}

function isV2(request: IncomingMessage): boolean {
  return (header(request, 'accept') ?? '').includes(V2);
}

/** `mex-chunk-range`, or one chunk of one where it is left out. */
function rangeOf(request: IncomingMessage, total: number): { readonly n: number; readonly total: number } {
  const text = header(request, 'mex-chunk-range');
  if (text === undefined) return { n: 1, total };
  const [, n, of] = /^(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  if (!n || !of || Number(n) < 1 || Number(n) > Number(of)) throw new Refused(417, '', `mex-chunk-range ${text} is no range`);
  return { n: Number(n), total: Number(of) };
}

function refuse(request: IncomingMessage, response: ServerResponse, { status, meshCode, message }: Refused): void {
  const body = isV2(request)
    ? { detail: [{ event: 'SEND', code: meshCode, msg: message }] }
    : { errorEvent: 'SEND', errorCode: meshCode, errorDescription: message };
  answerJson(response, status, body);
}

/** A mailbox of MESH, as a sender of files: authorisation by HMAC, chunks, tracking. */
import { createHash, createHmac } from 'node:crypto';
import { Fault, reasonOf } from '../base/errors.ts';
import { type HttpAnswer, type HttpClient, HttpFault, readBody } from '../web/client.ts';

export type MeshOptions = {
  /** `https://msg.spine.example`, up to and not including `/messageexchange`. */
  readonly url: string;
  readonly mailbox: string;
  readonly password: string;
  /** The key of the environment, which all mailboxes share. */
  readonly sharedKey: string;
  readonly client: HttpClient;
  readonly now: () => Date;
  readonly newId: () => string;
  /** Bytes of one request; what is longer goes in several. */
  readonly chunkBytes?: number;
};
export type MeshFile = {
  readonly to: string;
  readonly workflow: string;
  readonly filename: string;
  /** Ours, unique for the file: by it a post whose answer was lost is found again. Holds nothing about a patient. */
  readonly localId: string;
  readonly bytes: Uint8Array;
};
export type MeshStatus = 'accepted' | 'acknowledged' | 'undeliverable' | 'error';
export type Mesh = {
  /** Whether the mailbox lets us in; to be done once a day at least. Throws `MeshFault`. */
  handshake(): Promise<void>;
  /** Sends a file and gives MESH's id of it. One that is there already under its local id is not sent again. Throws `MeshFault`. */
  send(file: MeshFile): Promise<string>;
  /** What became of a file, by our id; `null`: MESH has none. Throws `MeshFault`. */
  track(localId: string): Promise<{ readonly messageId: string; readonly status: MeshStatus } | null>;
};

/** `mesh.unavailable`: later it may work. `mesh.refused`: somebody has to look. `mesh.unfinished`: under another local id it may work. */
export class MeshFault extends Fault {
  constructor(
    code: 'mesh.unavailable' | 'mesh.refused' | 'mesh.unfinished',
    message: string,
    options: { remedy?: string; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.name = 'MeshFault';
  }
}

const CHUNK_BYTES = 100_000_000;
const ANSWER_BYTES = 64 * 1024;
const V2 = 'application/vnd.mesh.v2+json';

export function createMesh(options: MeshOptions): Mesh {
  const mailbox = options.mailbox.toUpperCase();
  const base = `${options.url.replace(/\/+$/, '')}/messageexchange/${mailbox}`;
  const chunkBytes = options.chunkBytes ?? CHUNK_BYTES;

  async function track(localId: string): ReturnType<Mesh['track']> {
    const { status, body } = await call('GET', `/outbox/tracking/${encodeURIComponent(localId)}`);
    if (status === 404) return null;
    if (status === 300) throw new MeshFault('mesh.refused', `several files have the local id ${localId}`);
    const value = demand(status, body, 200);
    const messageId = value['messageId'] ?? value['message_id'];
    const said = String(value['status'] ?? '').toLowerCase();
    if (typeof messageId !== 'string' || !isStatus(said)) throw new MeshFault('mesh.unavailable', 'MESH’s tracking cannot be understood');
    return { messageId, status: said };
  }

  return {
    async handshake() {
      const { status, body } = await call('POST', '', {
        'mex-clientversion': 'open-gp2gp',
        'mex-osname': process.platform,
        'mex-osversion': process.version,
      });
      demand(status, body, 200);
    },
    async send({ to, workflow, filename, localId, bytes }) {
      // The call is not idempotent: what was taken before its answer was lost must not be sent twice.
      const known = await track(localId);
      if (known?.status === 'error') throw new MeshFault('mesh.unfinished', `the file ${localId} was left unfinished`);
      if (known) return known.messageId;
      const chunks = Math.max(1, Math.ceil(bytes.byteLength / chunkBytes));
      const headers = {
        'mex-from': mailbox,
        'mex-to': to,
        'mex-workflowid': workflow,
        'mex-filename': filename,
        'mex-localid': localId,
        'mex-content-checksum': createHash('sha256').update(bytes).digest('hex'),
        'content-type': 'application/octet-stream',
      };
      let messageId = '';
      for (let n = 1; n <= chunks; n++) {
        const range: Record<string, string> = chunks > 1 ? { 'mex-chunk-range': `${n}:${chunks}` } : {};
        const first: Record<string, string> = n === 1 ? headers : { 'content-type': headers['content-type'] };
        const part = bytes.subarray((n - 1) * chunkBytes, n * chunkBytes);
        const path = n === 1 ? '/outbox' : `/outbox/${encodeURIComponent(messageId)}/${n}`;
        const { status, body } = await call('POST', path, { ...first, ...range }, part);
        const id = demand(status, body, 202)['message_id'];
        if (n === 1 && typeof id !== 'string') throw new MeshFault('mesh.unavailable', 'MESH took a file and gave no id');
        if (n === 1) messageId = String(id);
      }
      return messageId;
    },
    track,
  };

  async function call(
    method: 'GET' | 'POST',
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
  ): Promise<{ status: number; body: string }> {
    let answer: HttpAnswer;
    try {
      answer = await options.client.request({
        method,
        url: `${base}${path}`,
        headers: { authorization: authorisation(), accept: V2, ...headers },
        ...(body && { body }),
      });
      return { status: answer.status, body: new TextDecoder().decode(await readBody(answer, ANSWER_BYTES)) };
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      const settings = cause instanceof HttpFault && cause.kind === 'configuration';
      throw new MeshFault(settings ? 'mesh.refused' : 'mesh.unavailable', `MESH cannot be reached: ${reasonOf(cause)}`, { cause });
    }
  }

  /** Good for one request: a repetition needs another. */
  function authorisation(): string {
    const [nonce, count] = [options.newId(), '0'];
    const time = options.now().toISOString().replace(/\D/g, '').slice(0, 12);
    const text = `${mailbox}:${nonce}:${count}:${options.password}:${time}`;
    return `NHSMESH ${mailbox}:${nonce}:${count}:${time}:${createHmac('sha256', options.sharedKey).update(text).digest('hex')}`;
  }
}

function demand(status: number, body: string, wanted: number): Readonly<Record<string, unknown>> {
  if (status === wanted) {
    try {
      return JSON.parse(body) as Record<string, unknown>;
    } catch (cause) {
      throw new MeshFault('mesh.unavailable', 'MESH’s answer is no JSON', { cause });
    }
  }
  const said = body.replace(/\s+/g, ' ').slice(0, 300);
  if (status === 403)
    throw new MeshFault('mesh.refused', `the mailbox does not let us in (HTTP 403) ${said}`, {
      remedy: 'Check mailbox, password and shared key, and the clock of this machine: two hours off is refused.',
    });
  const passes = status >= 500 || status === 408 || status === 429;
  throw new MeshFault(passes ? 'mesh.unavailable' : 'mesh.refused', `MESH answered HTTP ${status} ${said}`);
}

function isStatus(text: string): text is MeshStatus {
  return ['accepted', 'acknowledged', 'undeliverable', 'error'].includes(text);
}

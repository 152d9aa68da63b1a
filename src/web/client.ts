import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { Fault, reasonOf } from '../base/errors.ts';
import { checkUrl, type Egress, guardedLookup } from './egress.ts';
import { clientTls, type TlsIdentity } from './tls.ts';

/**
 * Why a request got no answer. `unreachable`: nothing of it can have arrived. `unknown`: it may have. `configuration`: no
 * repetition helps until somebody changes a certificate, a name or an address.
 */
export class HttpFault extends Fault {
  readonly kind: 'unreachable' | 'unknown' | 'configuration';
  constructor(kind: HttpFault['kind'], message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(`http.${kind}`, message, options);
    this.name = 'HttpFault';
    this.kind = kind;
  }
}

/** What a connection of undici's takes before it asks to wait. */
export const WAIT_BYTES = 65_536;

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * A stream needs `content-length` among the headers, or it is sent in chunks. A piece of `WAIT_BYTES` and more has left before the next
   * is asked for.
   */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
};
/** `headers` have lower-case names. The body must be read to its end or given up by `discard`. */
export type HttpAnswer = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: AsyncIterable<Uint8Array>;
};
export type HttpClient = {
  request(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
};
/** One whose identity can be exchanged: requests in flight end under the old one, the next begin under the new. */
export type SwappableClient = HttpClient & { swap(identity: TlsIdentity): void };
export type ClientOptions = {
  readonly tls?: TlsIdentity;
  /** Connections kept alive to each origin. */
  readonly connections?: number;
  readonly connectMs?: number;
  /** From the last byte sent to the first of the answer. */
  readonly headersMs?: number;
  /** Between two pieces of the answer. */
  readonly bodyMs?: number;
  /** Given: only what it allows is called, with a `Fault` `egress.refused` for anything else. */
  readonly egress?: Egress;
};

/** A client with a pool of kept connections for each origin. Redirects are answers like any other: none is followed. */
export function createClient(options: ClientOptions = {}): SwappableClient {
  const alerts: Alerts = new Map();
  let agent = agentFor(options, alerts);
  const leaving = new Set<Promise<void>>();
  return {
    request: async (request) => {
      if (options.egress) checkUrl(request.url, options.egress);
      return await perform(agent, alerts, request);
    },
    swap(tls) {
      const old = agent;
      agent = agentFor({ ...options, tls }, alerts);
      const left = old.close().finally(() => leaving.delete(left));
      leaving.add(left);
    },
    close: async () => {
      await Promise.all([agent.close(), ...leaving]);
    },
  };
}

function agentFor(options: ClientOptions, alerts: Alerts): Agent {
  const connect = buildConnector({
    ...clientTls(options.tls ?? null),
    timeout: options.connectMs ?? 10_000,
    maxCachedSessions: 0,
    ...(options.egress && { lookup: guardedLookup(options.egress) }),
  });
  return new Agent({
    connect: (target, done) =>
      connect(target, (...result) => {
        if (result[1]) noteAlerts(result[1], alerts);
        done(...result);
      }),
    connections: options.connections ?? 8,
    pipelining: 1,
    headersTimeout: options.headersMs ?? 60_000,
    bodyTimeout: options.bodyMs ?? 60_000,
    // Shorter than our own servers keep a connection, so that it is seldom closed under a request.
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 60_000,
    allowH2: false,
  });
}

/**
 * Codes of TLS alerts by local port. TLS 1.3 lets the client finish its half of the handshake and refuses its certificate by a later
 * alert; undici has reported "other side closed" by then, so the alert is caught here.
 */
type Alerts = Map<number, string>;

function noteAlerts(socket: Socket, alerts: Alerts): void {
  const port = socket.localPort ?? 0;
  socket.once('error', (error: Error) => {
    if ('code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_SSL_')) alerts.set(port, error.code);
  });
  socket.once('close', () => setTimeout(() => alerts.delete(port), 1_000).unref());
}

/** The alert that ended the connection of a failed request, where one came. */
async function alertOf(thrown: unknown, alerts: Alerts): Promise<string | null> {
  if (!(thrown instanceof Error && 'socket' in thrown)) return null;
  const { socket } = thrown;
  if (typeof socket !== 'object' || socket === null || !('localPort' in socket) || typeof socket.localPort !== 'number') return null;
  await setImmediate();
  return alerts.get(socket.localPort) ?? null;
}

async function perform(agent: Agent, alerts: Alerts, request: HttpRequest): Promise<HttpAnswer> {
  const url = URL.parse(request.url);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new HttpFault('configuration', `${JSON.stringify(request.url)} is no http or https address`, { remedy: 'correct the address' });
  let answer: Dispatcher.ResponseData;
  try {
    answer = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: { ...request.headers },
      // undici iterates what can be iterated, though its types do not say so: no stream between holds pieces back.
      body: (request.body as string | Uint8Array | Readable | undefined) ?? null,
      signal: request.signal ?? null,
    });
  } catch (thrown) {
    throw faultOf(thrown, url.origin, await alertOf(thrown, alerts));
  }
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined) headers.set(name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value);
  return { status: answer.statusCode, headers, body: bodyOf(answer.body, url.origin) };
}

async function* bodyOf(body: AsyncIterable<Uint8Array>, origin: string): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (thrown) {
    throw faultOf(thrown, origin, null);
  }
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const UNTRUSTED =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY|DECODE|DECRYPT)|ERR_TLS_|INVALID_CA|INVALID_PURPOSE|CRL_|HOSTNAME_MISMATCH|UND_ERR_INVALID_ARG)/;

function faultOf(thrown: unknown, origin: string, alert: string | null): unknown {
  if (thrown instanceof Fault) return thrown;
  const codes = alert === null ? codesOf(thrown) : [alert, ...codesOf(thrown)];
  const code = codes[0] ?? 'none';
  const say = (text: string) => `${origin}: ${text} (${code}: ${reasonOf(thrown)})`;
  if (codes.some((each) => /^ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA|BAD_CERT|ACCESS_DENIED|UNRECOGNIZED_NAME)/.test(each)))
    return new HttpFault('configuration', say('the other side refuses our certificate'), {
      remedy: 'check that the client certificate is the registered one and that its authority is trusted there',
      cause: thrown,
    });
  if (codes.some((each) => UNTRUSTED.test(each)))
    return new HttpFault('configuration', say('we do not trust its certificate, or a setting is wrong'), {
      remedy: remedyFor(codes),
      cause: thrown,
    });
  if (codes.some((each) => /^ERR_SSL_/.test(each)))
    return new HttpFault('configuration', say('no TLS connection could be agreed'), {
      remedy: 'check that the address is one for TLS, and the versions and ciphers of the other side',
      cause: thrown,
    });
  if (codes.some((each) => UNREACHABLE.has(each)) || /before secure TLS connection/.test(reasonOf(thrown)))
    return new HttpFault('unreachable', say('cannot be reached'), { cause: thrown });
  return new HttpFault('unknown', say('the connection ended before the answer'), {
    remedy: 'nothing, if it passes; if every attempt ends so, the other side may refuse our certificate without saying it',
    cause: thrown,
  });
}

/** What to do about a certificate that was shown to us and is not trusted. */
function remedyFor(codes: readonly string[]): string {
  const has = (code: string): boolean => codes.includes(code);
  if (has('CERT_HAS_EXPIRED')) return 'its certificate is out of date: whoever runs it has to renew it; or check the clock of this machine';
  if (has('CERT_NOT_YET_VALID')) return 'its certificate is not valid yet: check the clock of this machine, or tell whoever runs it';
  if (has('ERR_TLS_CERT_ALTNAME_INVALID'))
    return 'its certificate is for another host: correct the host name in the address, or tell whoever runs it; do not go on without knowing who answers';
  if (codes.some((code) => /^(DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)|INVALID_CA)/.test(code)))
    return 'the authority that issued its certificate is not among the configured ones: add it if it is known to be the right one';
  return 'check the configured authorities and the host name in the address';
}

/** Codes of the error and what caused it; a name with several addresses gives one error for each. */
function codesOf(thrown: unknown, depth = 0): string[] {
  if (!(thrown instanceof Error) || depth > 4) return [];
  const own = 'code' in thrown && typeof thrown.code === 'string' ? [thrown.code] : [];
  const inner = thrown instanceof AggregateError ? thrown.errors.flatMap((each) => codesOf(each, depth + 1)) : [];
  return [...own, ...inner, ...codesOf(thrown.cause, depth + 1)];
}

/** The whole body, at most `limit` bytes; more is a `Fault` `http.tooLarge`. */
export async function readBody(answer: HttpAnswer, limit: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of atMost(answer.body, limit)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The same bytes, and a `Fault` `http.tooLarge` as soon as they are more than `limit`. */
export async function* atMost(source: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.byteLength;
    if (bytes > limit) throw new Fault('http.tooLarge', `the answer has more than ${limit} bytes`);
    yield piece;
  }
}

/** Gives up an answer whose body is of no interest, so that its connection can be used again or closed. */
export async function discard(answer: HttpAnswer): Promise<void> {
  try {
    for await (const _piece of atMost(answer.body, 65_536));
  } catch {
    // The body was of no interest; a connection that broke under it is closed either way.
  }
}

import { X509Certificate } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import { type DetailedPeerCertificate, TLSSocket, Server as TlsServer } from 'node:tls';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { Fault, reasonOf } from '../base/errors.ts';
import { certificatesIn, issued } from './identity.ts';
import { Problem, sendProblem } from './problem.ts';
import { mutualTls, type TlsIdentity } from './tls.ts';

/** Every limit is set by name: fastify starts its server with `requestTimeout: 0`, which lets a slow body hold a socket for ever. */
export type ServerLimits = {
  readonly requestMs: number;
  readonly headersMs: number;
  /** Silence on a connection, in either direction. */
  readonly connectionMs: number;
  readonly keepAliveMs: number;
  readonly requestsPerSocket: number;
  readonly connections: number;
  readonly headerBytes: number;
  readonly headerCount: number;
  /** Bodies that fastify reads itself; a route that takes the stream counts for itself. */
  readonly bodyBytes: number;
};
export const SERVER_LIMITS: ServerLimits = {
  requestMs: 300_000,
  headersMs: 15_000,
  connectionMs: 120_000,
  keepAliveMs: 15_000,
  requestsPerSocket: 1_000,
  connections: 500,
  headerBytes: 16_384,
  headerCount: 100,
  bodyBytes: 1024 * 1024,
};

export type ServerOptions = {
  /** Given: HTTPS, and every client must show a certificate of one of its authorities. */
  readonly tls?: TlsIdentity;
  /** Names of which a client's certificate must hold one: exact, or `*.` for one label. Left out, every authorised client is let in. */
  readonly peerNames?: readonly string[];
  readonly limits?: Partial<ServerLimits>;
  /** Told of a connection that came to nothing because of a certificate or the lack of one, with what to do. */
  readonly onTlsFault?: (fault: Fault) => void;
  /** Told of what no route foresaw; the caller of the route reads only "internal error". */
  readonly onFault?: (thrown: unknown, where: { readonly method: string; readonly route: string }) => void;
  /** How a refusal is given to whoever asked: problem+json unless said otherwise, a page where people read it. */
  readonly present?: (problem: Problem, request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;
};

/**
 * A fastify server with explicit limits, problem+json for every refusal and, where an identity is given, mutual TLS.
 * Nothing listens until `listen`.
 */
export function createServer(options: ServerOptions = {}): FastifyInstance {
  const limits = { ...SERVER_LIMITS, ...options.limits };
  const present = options.present ?? ((problem, _request, reply) => sendProblem(reply, problem));
  const server = fastify({
    serverFactory: (handler) => rawServer(handler, options.tls ?? null, limits),
    bodyLimit: limits.bodyBytes,
    routerOptions: { maxParamLength: 256 },
    exposeHeadRoutes: false,
    // An address that cannot be decoded reaches no route and no handler of errors.
    frameworkErrors: (thrown, request, reply) => void present(new Problem(400, 'request.refused', thrown.message), request, reply),
  });
  if (options.tls) {
    const generations: Generations = { current: 0, authorities: certificatesIn(options.tls.ca), of: new WeakMap() };
    GENERATIONS.set(server, generations);
    server.server.on('secureConnection', (socket: TLSSocket) => generations.of.set(socket, generations.current));
    server.server.on('tlsClientError', (error: Error & { code?: string }, socket: TLSSocket) =>
      options.onTlsFault?.(handshakeFault(error, String(socket.authorizationError ?? ''))),
    );
    refuseOtherPeers(server, generations, options.peerNames ?? null);
  }
  server.setNotFoundHandler((request, reply) => present(new Problem(404, 'notFound', 'nothing is here'), request, reply));
  server.setErrorHandler(async (thrown: FastifyError | Problem, request, reply) => {
    if (thrown instanceof Problem) return present(thrown, request, reply);
    const status = thrown.statusCode ?? 500;
    // Faults of fastify's own request reading (size, JSON, content type) carry a 4xx; their texts hold nothing of ours.
    if (status >= 400 && status < 500) return present(new Problem(status, 'request.refused', thrown.message), request, reply);
    options.onFault?.(thrown, { method: request.method, route: request.routeOptions.url ?? '(none)' });
    return present(new Problem(500, 'internal', 'the request could not be carried out'), request, reply);
  });
  return server;
}

function rawServer(handler: http.RequestListener, tls: TlsIdentity | null, limits: ServerLimits): http.Server {
  const shared: http.ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    requestTimeout: limits.requestMs,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.max(50, Math.min(5_000, Math.floor(limits.headersMs / 3))),
  };
  const server = tls ? https.createServer({ ...shared, ...mutualTls(tls) }, handler) : http.createServer(shared, handler);
  server.maxConnections = limits.connections;
  server.maxRequestsPerSocket = limits.requestsPerSocket;
  server.maxHeadersCount = limits.headerCount;
  server.setTimeout(limits.connectionMs);
  return server;
}

/** Which identity of ours a connection was opened under, and whom the present one trusts. */
type Generations = { current: number; authorities: readonly X509Certificate[]; readonly of: WeakMap<Socket, number> };
const GENERATIONS = new WeakMap<FastifyInstance, Generations>();

/**
 * Exchanges the identity of a running server. New connections see the new certificate and are checked against the new authorities; on
 * connections that are open the request in hand is answered, and the answer asks the other side to connect anew. Throws where the
 * identity cannot be used; then the old one goes on.
 */
export function swapIdentity(server: FastifyInstance, identity: TlsIdentity): void {
  const generations = GENERATIONS.get(server);
  if (!generations || !(server.server instanceof TlsServer)) throw new Fault('tls.none', 'the server has no TLS identity to exchange');
  const authorities = certificatesIn(identity.ca);
  server.server.setSecureContext(mutualTls(identity));
  generations.authorities = authorities;
  generations.current++;
}

/** For each request, not each handshake: a connection may outlive the certificate that opened it, and the authority that vouched for it. */
function refuseOtherPeers(server: FastifyInstance, generations: Generations, names: readonly string[] | null): void {
  server.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw;
    const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
    if (!certificate)
      throw new Problem(403, 'peer.unauthorised', 'a client certificate is required', {
        remedy: 'show the certificate of the registered endpoint, issued by an authority that is trusted here',
      });
    const now = Date.now();
    if (now > Date.parse(certificate.validTo) || now < Date.parse(certificate.validFrom))
      throw new Problem(403, 'peer.expired', 'the client certificate is not valid at this time', {
        remedy: 'renew the certificate, or check the clock',
      });
    if (names && !namesOf(certificate).some((name) => names.some((allowed) => matches(name, allowed))))
      throw new Problem(403, 'peer.name', 'the client certificate holds none of the names that may call here', {
        remedy: 'call with the certificate of the registered endpoint; or the operator here adds its name to those that may call',
      });
    if (generations.of.get(request.raw.socket) === generations.current) return;
    reply.header('connection', 'close');
    if (!(socket instanceof TLSSocket) || !trusted(socket.getPeerCertificate(true), generations.authorities))
      throw new Problem(403, 'peer.authority', 'the authority of the client certificate is not trusted any more', {
        remedy: 'call with a certificate of one of the authorities that are trusted now',
      });
  });
}

/** Whether one of the authorities stands in the chain that the connection was opened with, or has issued something in it. */
function trusted(leaf: DetailedPeerCertificate, authorities: readonly X509Certificate[]): boolean {
  const seen = new Set<string>();
  for (let each: DetailedPeerCertificate | undefined = leaf; each?.raw && !seen.has(each.fingerprint256); each = each.issuerCertificate) {
    seen.add(each.fingerprint256);
    const certificate = new X509Certificate(each.raw);
    if (authorities.some((authority) => authority.fingerprint256 === certificate.fingerprint256 || issued(authority, certificate)))
      return true;
  }
  return false;
}

/** Why nobody got in, in words. `verdict`: what was wrong with the certificate that was shown; Node itself only speaks of a closed connection. */
function handshakeFault(error: Error & { code?: string }, verdict: string): Fault {
  const code = verdict || (error.code ?? '');
  const remedy = /PEER_DID_NOT_RETURN_A_CERTIFICATE/.test(code)
    ? 'whoever calls has to show a client certificate'
    : /EXPIRED/.test(`${code} ${error.message}`)
      ? 'the certificate of whoever calls is out of date and has to be renewed there; or check the clock of this machine'
      : /VERIFY_FAILED|CERT|UNABLE_TO|SELF_SIGNED/.test(code)
        ? 'whoever calls shows a certificate that no configured authority vouches for: add its authority if it is known to be the right one'
        : /UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|VERSION/.test(code)
          ? 'whoever calls speaks no version of TLS that is taken here: 1.2 or 1.3'
          : 'nothing, if it passes: the connection ended during the handshake';
  return new Fault('tls.refused', `a connection was not let in: ${verdict || reasonOf(error)}`, { remedy, cause: error });
}

function namesOf(certificate: { readonly subject: string; readonly subjectAltName: string | undefined }): string[] {
  const found: string[] = [];
  for (const entry of (certificate.subjectAltName ?? '').split(', '))
    if (entry.startsWith('DNS:')) found.push(entry.slice(4).toLowerCase());
  if (found.length === 0) {
    const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
    if (common !== undefined) found.push(common.toLowerCase());
  }
  return found;
}

function matches(name: string, allowed: string): boolean {
  const wanted = allowed.toLowerCase();
  if (!wanted.startsWith('*.')) return name === wanted;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === wanted.slice(1);
}

/**
 * Starts to listen and gives the address to call, `http://127.0.0.1:41234`. Loopback and a free port unless told otherwise.
 * Throws `Fault`s `port.inUse` and `port.refused` that say what to do.
 */
export async function listen(server: FastifyInstance, at: { readonly host?: string; readonly port?: number } = {}): Promise<string> {
  const { host = '127.0.0.1', port = 0 } = at;
  try {
    await server.listen({ host, port });
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : null;
    if (code === 'EADDRINUSE')
      throw new Fault('port.inUse', `port ${port} of ${host} is in use`, {
        remedy: 'stop the program that listens there, or choose another port (0 takes a free one)',
        cause: thrown,
      });
    if (code === 'EACCES')
      throw new Fault('port.refused', `the system does not let this program listen on port ${port} of ${host}`, {
        remedy: 'choose a port above 1023, or grant the program the right to bind low ports',
        cause: thrown,
      });
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new Fault('host.unknown', `${host} is no address of this machine`, {
        remedy: 'give an address of this machine, 127.0.0.1 for itself alone or 0.0.0.0 for all',
        cause: thrown,
      });
    throw thrown;
  }
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Fault('port.unknown', 'the server has no port');
  const scheme = server.server instanceof TlsServer ? 'https' : 'http';
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${reachable}:${address.port}`;
}

import { readFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { Fault, reasonOf } from '../base/errors.ts';
import type { SimulatedClock } from './clock.ts';

/** PEM files of a server that asks its peers for a certificate of the named authorities. */
export type MutualTls = { readonly certificate: string; readonly key: string; readonly authorities: readonly string[] };

export type Served = { readonly url: string; readonly port: number; close(): Promise<void> };
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Serves on `host` (default loopback) and `port` (default a free one). What a handler throws becomes a plain 500. */
export async function serve(
  handler: Handler,
  options: {
    readonly port?: number;
    readonly host?: string;
    readonly tls?: MutualTls;
    /** What time the answers say it is. */
    readonly clock?: SimulatedClock;
    readonly log?: (line: string) => void;
  },
): Promise<Served> {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (options.clock) response.setHeader('date', options.clock.now().toUTCString());
    handler(request, response).catch((thrown: unknown) => {
      options.log?.(`${request.method} ${request.url}: ${reasonOf(thrown)}`);
      if (response.headersSent || response.destroyed) response.destroy();
      else answerJson(response, thrown instanceof BadRequest ? thrown.status : 500, { error: reasonOf(thrown) });
    });
  };
  const server: Server = options.tls ? createHttps(pem(options.tls), onRequest) : createHttp(onRequest);
  server.keepAliveTimeout = 30_000;
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls ? 'https' : 'http'}://${host}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pem(tls: MutualTls) {
  return {
    cert: readFileSync(tls.certificate),
    key: readFileSync(tls.key),
    ca: tls.authorities.map((path) => readFileSync(path)),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2' as const,
  };
}

/** A request that its sender has to change. */
export class BadRequest extends Fault {
  readonly status: number;
  constructor(status: number, message: string) {
    super('simulator.badRequest', message);
    this.name = 'BadRequest';
    this.status = status;
  }
}

const BODY_LIMIT = 64 * 1024 * 1024;

/** A whole request body. Throws `BadRequest` 413 beyond `limit` bytes. */
export async function readBody(request: IncomingMessage, limit: number = BODY_LIMIT): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > limit) throw new BadRequest(413, `a body of more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A request body as a JSON object. Throws `BadRequest`. */
export async function readJsonObject(request: IncomingMessage): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse((await readBody(request)).toString('utf8'));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw new BadRequest(400, `no JSON: ${thrown.message}`);
    throw thrown;
  }
  if (!isObject(value)) throw new BadRequest(400, 'expected a JSON object');
  return value;
}

/** A value read by a schema. Throws `BadRequest` that names every fault. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const read = schema.safeParse(value);
  if (!read.success) throw new BadRequest(400, z.prettifyError(read.error));
  return read.data;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function answerJson(response: ServerResponse, status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.byteLength, ...headers });
  response.end(body);
}

/** One header as text; a repeated one joined by commas, as HTTP reads it. */
export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The path of a request without its query, and the query. */
export function target(request: IncomingMessage): { readonly path: string; readonly query: URLSearchParams } {
  const url = new URL(request.url ?? '/', 'http://simulator.invalid');
  return { path: url.pathname, query: url.searchParams };
}

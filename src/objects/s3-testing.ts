/** An S3-compatible store for tests: the HTTP interface on a port of this machine, objects in memory. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { S3Settings } from './s3-client.ts';

const ACCESS_KEY = 'TESTACCESSKEY';
const SECRET_KEY = 'test-secret-key';
const BUCKET = 'records';

type Stored = { bytes: Buffer[]; modifiedAt: Date };
export type S3Server = {
  readonly settings: S3Settings;
  readonly keys: Map<string, Stored>;
  /** Uploads in parts that are under way. */
  readonly uploads: ReadonlyMap<string, unknown>;
  /** Requests so far, as `PUT key`. */
  readonly seen: string[];
  /** Called before a request is carried out: a status is said instead, or the line is cut after so many bytes of the answer. */
  interfere: ((method: string, key: string) => Promise<number | { readonly cutAfter: number } | null>) | null;
  close(): Promise<void>;
};

export async function startS3(): Promise<S3Server> {
  const keys = new Map<string, Stored>();
  const uploads = new Map<string, { key: string; parts: Map<number, Buffer>; begun: Date }>();
  const seen: string[] = [];

  async function carryOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://s3');
    const [, bucket = '', ...path] = pathname.split('/');
    const key = path.map(decodeURIComponent).join('/');
    const method = request.method ?? '';
    seen.push(`${method} ${key}`);
    const body: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) body.push(chunk);
    const told = await server.interfere?.(method, key);
    if (typeof told === 'number') return refuse(response, told, told === 503 ? 'SlowDown' : 'InternalError');
    const cutAt = told ? told.cutAfter : Number.POSITIVE_INFINITY;
    if (!request.headers.authorization?.includes(`Credential=${ACCESS_KEY}/`)) return refuse(response, 403, 'InvalidAccessKeyId');
    const signed = request.headers['x-amz-content-sha256'];
    const sha256 = createHash('sha256');
    for (const chunk of body) sha256.update(chunk);
    if (signed !== sha256.digest('hex')) return refuse(response, 400, 'XAmzContentSHA256Mismatch');
    if (bucket !== BUCKET) return refuse(response, 404, 'NoSuchBucket');

    const upload = query.get('uploadId');
    if (method === 'GET' && key === '') return query.has('uploads') ? listUploads(response, query) : listKeys(response, query);
    if (method === 'POST' && query.has('uploads')) {
      const id = randomUUID();
      uploads.set(id, { key, parts: new Map(), begun: new Date() });
      return xml(response, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (upload !== null) {
      const open = uploads.get(upload);
      if (!open) return refuse(response, 404, 'NoSuchUpload');
      if (method === 'DELETE') uploads.delete(upload);
      else if (method === 'PUT') open.parts.set(Number(query.get('partNumber')), Buffer.concat(body));
      else {
        const parts = [...open.parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
        if (parts.slice(0, -1).some((part) => part.byteLength < 5 * 1024 * 1024)) return refuse(response, 400, 'EntityTooSmall');
        keys.set(open.key, { bytes: parts, modifiedAt: new Date() });
        uploads.delete(upload);
        return xml(response, `<CompleteMultipartUploadResult><ETag>"${upload}"</ETag></CompleteMultipartUploadResult>`);
      }
      return done(response, method === 'DELETE' ? 204 : 200);
    }
    const there = keys.get(key);
    if (method === 'PUT') {
      const source = request.headers['x-amz-copy-source'];
      if (typeof source === 'string') {
        const from = keys.get(decodeURIComponent(source).replace(/^\/?[^/]+\//, ''));
        if (!from) return refuse(response, 404, 'NoSuchKey');
        keys.set(key, { bytes: from.bytes, modifiedAt: new Date() });
        return xml(response, '<CopyObjectResult><ETag>"copied"</ETag></CopyObjectResult>');
      }
      if (there && request.headers['if-none-match'] === '*') return refuse(response, 412, 'PreconditionFailed');
      keys.set(key, { bytes: body, modifiedAt: new Date() });
      return done(response, 200);
    }
    if (method === 'DELETE') {
      keys.delete(key);
      return done(response, 204);
    }
    if (!there) return method === 'HEAD' ? void response.writeHead(404).end() : refuse(response, 404, 'NoSuchKey');
    const whole = there.bytes.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const from = Number(first ?? 0);
    const to = Math.min(whole, last === undefined ? whole : Number(last) + 1);
    if (first !== undefined && from >= whole) return refuse(response, 416, 'InvalidRange');
    response.writeHead(first === undefined ? 200 : 206, {
      'content-length': to - from,
      'last-modified': there.modifiedAt.toUTCString(),
      ...(first !== undefined && { 'content-range': `bytes ${from}-${to - 1}/${whole}` }),
    });
    if (method === 'HEAD') return void response.end();
    await pipeline(Readable.from(slices(there.bytes, from, Math.min(to, from + cutAt))), response, { end: false });
    if (to - from > cutAt) response.destroy();
    else response.end();
  }

  function listKeys(response: ServerResponse, query: URLSearchParams): void {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const all = [...keys.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    // Few on a page, so that a list of a test has several.
    const page = all.slice(0, 3);
    const lines = page.map((key) => {
      const { bytes, modifiedAt } = keys.get(key) ?? { bytes: [], modifiedAt: new Date() };
      const size = bytes.reduce((sum, { byteLength }) => sum + byteLength, 0);
      return `<Contents><Key>${key}</Key><Size>${size}</Size><LastModified>${modifiedAt.toISOString()}</LastModified></Contents>`;
    });
    const more = all.length > page.length ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    xml(response, `<ListBucketResult>${lines.join('')}<IsTruncated>${more !== ''}</IsTruncated>${more}</ListBucketResult>`);
  }

  function listUploads(response: ServerResponse, query: URLSearchParams): void {
    const lines = [...uploads]
      .filter(([, { key }]) => key.startsWith(query.get('prefix') ?? ''))
      .map(
        ([id, { key, begun }]) =>
          `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begun.toISOString()}</Initiated></Upload>`,
      );
    xml(response, `<ListMultipartUploadsResult>${lines.join('')}<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`);
  }

  const http: Server = createServer((request, response) => {
    carryOut(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))));
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const server: S3Server = {
    settings: {
      bucket: BUCKET,
      prefix: '',
      region: 'eu-west-2',
      endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
      accessKeyId: ACCESS_KEY,
      secretAccessKey: SECRET_KEY,
      pathStyle: true,
    },
    keys,
    uploads,
    seen,
    interfere: null,
    async close() {
      http.closeAllConnections();
      await new Promise((closed) => http.close(closed));
    },
  };
  return server;
}

function* slices(pieces: readonly Buffer[], from: number, to: number): Generator<Buffer> {
  let at = 0;
  for (const piece of pieces) {
    for (let next = Math.max(0, from - at); next < Math.min(piece.byteLength, to - at); next += 65_536)
      yield piece.subarray(next, Math.min(next + 65_536, to - at));
    at += piece.byteLength;
  }
}

function done(response: ServerResponse, status: number): void {
  response.writeHead(status, { etag: '"stored"', 'content-length': 0 }).end();
}

function xml(response: ServerResponse, inner: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>${inner}`);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

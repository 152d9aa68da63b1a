import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PAGE_HEADERS } from '../../web/pages.ts';

/** Whole answers, made once and given to whoever asks within some minutes. */
export type Answer = {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
  /** Of a page, minutes; of a page of errors, none. */
  readonly maxAgeSeconds: number;
  /** A file to be kept under this name. */
  readonly fileName?: string;
  /** Where it is instead, of an answer that only says so. */
  readonly location?: string;
  /** Pages of other sites may read it too. */
  readonly open?: boolean;
  readonly etag: string;
  readonly packed: Map<Coding, Promise<Buffer>>;
};
type Coding = 'br' | 'gzip';

/** Pages load nothing but their own styles and pictures; there is no script to allow. */
export const SITE_HEADERS: Readonly<Record<string, string>> = {
  ...PAGE_HEADERS,
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
};
/** Of what any page of any site may read. */
export const OPEN_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'ETag, Link, Content-Range, Accept-Ranges',
  'cross-origin-resource-policy': 'cross-origin',
};
export const PAGE_SECONDS = 300;
/** For files whose addresses change with their content. */
export const YEAR_SECONDS = 31_536_000;

/** Another address. */
export function elsewhere(status: 303 | 308, location: string): Answer {
  return answerOf({ status, type: 'text/plain; charset=utf-8', body: '', maxAgeSeconds: status === 308 ? PAGE_SECONDS : 0, location });
}

export function answerOf(of: {
  readonly status?: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly maxAgeSeconds?: number;
  readonly fileName?: string;
  readonly location?: string;
  readonly open?: boolean;
}): Answer {
  const body = typeof of.body === 'string' ? Buffer.from(of.body) : of.body;
  return {
    status: of.status ?? 200,
    type: of.type,
    body,
    maxAgeSeconds: of.maxAgeSeconds ?? PAGE_SECONDS,
    ...(of.fileName !== undefined && { fileName: of.fileName }),
    ...(of.location !== undefined && { location: of.location }),
    ...(of.open && { open: true }),
    etag: createHash('sha256').update(body).digest('base64url').slice(0, 22),
    packed: new Map(),
  };
}

/** Nothing where the browser has it already; else packed in the way it prefers among those it takes. */
export async function give(request: FastifyRequest, reply: FastifyReply, answer: Answer): Promise<FastifyReply> {
  const { status, type, maxAgeSeconds, etag, fileName, location } = answer;
  // What is this small does not become smaller.
  const coding = answer.body.length > 500 ? codingFor(request.headers['accept-encoding']) : null;
  // A packed answer has other bytes: its tag is its own.
  const tag = `"${etag}${coding ? `-${coding}` : ''}"`;
  reply.code(status).headers({
    ...SITE_HEADERS,
    ...(answer.open && OPEN_HEADERS),
    'cache-control':
      maxAgeSeconds === 0 ? 'no-store' : `public, max-age=${maxAgeSeconds}${maxAgeSeconds >= YEAR_SECONDS ? ', immutable' : ''}`,
    vary: 'Accept-Encoding',
    etag: tag,
  });
  if (status === 200 && matches(request.headers['if-none-match'], tag)) return reply.code(304).send();
  reply.headers({
    'content-type': type,
    ...(coding && { 'content-encoding': coding }),
    ...(fileName !== undefined && { 'content-disposition': disposition(fileName) }),
    ...(location !== undefined && { location }),
  });
  return reply.send(coding ? await packedBody(answer, coding) : answer.body);
}

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

function packedBody(answer: Answer, coding: Coding): Promise<Buffer> {
  let packed = answer.packed.get(coding);
  if (!packed) {
    packed =
      coding === 'br'
        ? brotli(answer.body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: answer.body.length } })
        : zip(answer.body);
    answer.packed.set(coding, packed);
  }
  return packed;
}

function codingFor(accepted: string | string[] | undefined): Coding | null {
  const refused = /;\s*q=0(\.0*)?$/;
  const names = String(accepted ?? '')
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .filter((each) => !refused.test(each))
    .map((each) => each.split(';')[0]?.trim());
  return names.includes('br') ? 'br' : names.includes('gzip') ? 'gzip' : null;
}

export function matches(asked: string | undefined, tag: string): boolean {
  return asked?.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === tag) ?? false;
}

/** Both forms: the plain one for old programs, the other for names that are not ASCII. */
function disposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}

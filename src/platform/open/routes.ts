/** The read API and the files with everything open, as routes of the site's server. */
import { open } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Problem, sendProblem } from '../../web/problem.ts';
import { type Month, monthText, readMonth, sameMonth } from '../metrics/month.ts';
import { type Answer, answerOf, give, matches, OPEN_HEADERS, PAGE_SECONDS, SITE_HEADERS } from '../site/answer.ts';
import { DATASETS, filePath } from './datasets.ts';
import { type Format, type KeptFile, type Library, openLibrary } from './library.ts';
import { improvedOf, nationalOf } from './measures.ts';
import { KEYS, type MetricRow, type OpenReads } from './model.ts';
import { API, OPERATIONS, openApi, schemaOf } from './openapi.ts';
import {
  CodeAsked,
  checked,
  cursorOf,
  cursorText,
  DegradesAsked,
  LEVEL_PATHS,
  LevelAsked,
  MetricsAsked,
  monthsAsked,
  Nothing,
  OneMetricsAsked,
  OrganisationsAsked,
  OutcomesAsked,
} from './questions.ts';
import { type Metric, SHAPES, type ShapeName } from './shapes.ts';

export type OpenOptions = {
  readonly reads: OpenReads;
  readonly published: () => Promise<{ readonly months: readonly Month[]; readonly at: string | null }>;
  /** Answers that are fresh are given again. */
  readonly kept: { of(key: string, make: () => Promise<Answer>): Promise<Answer> };
  readonly onStale?: (thrown: unknown) => void;
  /** The figures are invented. */
  readonly synthetic?: boolean;
  readonly now?: () => number;
};

/** Where refusals are JSON and not pages. */
export function isOpenAddress(url: string): boolean {
  return /^\/(api|data\/open)(\/|\?|$)/.test(url);
}

export function sendOpenProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return sendProblem(reply.headers(OPEN_HEADERS), problem);
}

export function openRoutes(server: FastifyInstance, options: OpenOptions): void {
  const { reads, published, kept, synthetic = false } = options;
  const library = openLibrary(options);
  server.addHook('onClose', () => library.close());

  const description = asJson(openApi(synthetic));
  const schemas = new Map((Object.keys(SHAPES) as ShapeName[]).map((name) => [name, asJson(schemaOf(name), 'application/schema+json')]));
  const index = asJson({
    documentation: '/developers',
    openapi: `${API}/openapi.json`,
    addresses: OPERATIONS.map(({ path, summary }) => ({ path: `${API}${path}`, summary })),
  });

  const answers = (path: string, make: (request: FastifyRequest) => Promise<Answer>) =>
    server.route({
      method: ['GET', 'HEAD'],
      url: `${API}${path}`,
      handler: async (request, reply) => {
        const answer = await kept.of(keyOf(request), () => make(request));
        const next = nextIn(answer);
        if (next !== null) reply.header('link', `<${next}>; rel="next"`);
        return give(request, reply, answer);
      },
    });
  const nothing = (request: FastifyRequest) => checked(Nothing, request.query);
  const fixed = (path: string, of: (request: FastifyRequest) => Answer) =>
    answers(path, async (request) => {
      nothing(request);
      return of(request);
    });

  fixed('', () => index);
  fixed('/openapi.json', () => description);
  fixed('/schemas/:name', (request) => {
    const name = parameter(request, 'name').replace(/\.json$/, '');
    const schema = schemas.get(name as ShapeName);
    if (!schema)
      throw new Problem(404, 'schema.unknown', `there is no shape ${name}`, {
        field: 'name',
        remedy: `Shapes are ${[...schemas.keys()].join(', ')}.`,
      });
    return schema;
  });
  answers('/months', async (request) => {
    nothing(request);
    const { months, at } = await published();
    return asJson({ months: months.map(monthText), publishedAt: at });
  });
  answers('/organisations', async (request) => {
    const { kind = null, within = null, active = null, limit, after } = checked(OrganisationsAsked, request.query);
    const rows = await reads.organisations({ kind, code: null, within, active, after: cursorOf(after, 1), limit: limit + 1 });
    return page(request, rows, limit, KEYS.organisations, (row) => row);
  });
  answers('/organisations/:code', async (request) => {
    const { code } = checked(CodeAsked, request.params);
    nothing(request);
    return asJson(await organisation(reads, code));
  });
  answers('/organisations/:code/metrics', async (request) => {
    const { code } = checked(CodeAsked, request.params);
    const { role, definitions, limit, after, ...span } = checked(OneMetricsAsked, request.query);
    const { kind } = await organisation(reads, code);
    const months = monthsAsked(span, (await published()).months, true);
    const rows = await reads.metrics({ level: kind, role, months, code, within: null, after: cursorOf(after, 2), limit: limit + 1 });
    return page(request, rows, limit, KEYS.metrics, (row) => metricOf(row, definitions));
  });
  answers('/metrics/:level', async (request) => {
    const { level } = checked(LevelAsked, request.params);
    const { role, definitions, within = null, limit, after, ...span } = checked(MetricsAsked, request.query);
    const months = monthsAsked(span, (await published()).months, false);
    const rows = await reads.metrics({
      level: LEVEL_PATHS[level],
      role,
      months,
      code: null,
      within,
      after: cursorOf(after, 2),
      limit: limit + 1,
    });
    return page(request, rows, limit, KEYS.metrics, (row) => metricOf(row, definitions));
  });
  answers('/outcomes', async (request) => {
    const { requestingSupplier = null, sendingSupplier = null, limit, after, ...span } = checked(OutcomesAsked, request.query);
    const months = monthsAsked(span, (await published()).months, false);
    const rows = await reads.outcomes({ months, requestingSupplier, sendingSupplier, after: cursorOf(after, 6), limit: limit + 1 });
    return page(request, rows, limit, KEYS.outcomes, (row) => row);
  });
  answers('/degrades', async (request) => {
    const { supplier = null, limit, after, ...span } = checked(DegradesAsked, request.query);
    const months = monthsAsked(span, (await published()).months, false);
    const rows = months.length === 0 ? [] : await reads.degrades({ months, supplier, after: cursorOf(after, 6), limit: limit + 1 });
    return page(request, rows, limit, KEYS.degrades, (row) => row);
  });
  answers('/datasets', async (request) => {
    nothing(request);
    const { months } = await published();
    return asJson({
      data: DATASETS.map((dataset) => ({
        name: dataset.name,
        title: dataset.title,
        about: dataset.about,
        schema: `${API}/schemas/${dataset.shape}.json`,
        files: [null, ...(dataset.monthly ? months : [])].map((month) => ({
          month: month && monthText(month),
          csv: filePath(dataset, month, 'csv'),
          parquet: filePath(dataset, month, 'parquet'),
        })),
      })),
    });
  });

  server.route({
    method: ['GET', 'HEAD'],
    url: '/data/open/:dataset/:file',
    handler: async (request, reply) => {
      const asked = await fileAsked(request, published);
      return giveFile(request, reply, library, asked);
    },
  });
  for (const url of ['/api', '/api/*', '/data/open/*']) {
    server.route({
      method: ['GET', 'HEAD'],
      url,
      handler: () => {
        throw new Problem(404, 'address.unknown', 'nothing is here', { remedy: `Addresses are described in ${API}/openapi.json.` });
      },
    });
    server.route({
      method: ['POST', 'PUT', 'PATCH', 'DELETE'],
      url,
      handler: (_request, reply) => {
        reply.header('allow', 'GET, HEAD, OPTIONS');
        throw new Problem(405, 'method.notAllowed', 'nothing can be written here', { remedy: 'Ask with GET.' });
      },
    });
    server.route({
      method: 'OPTIONS',
      url,
      handler: (_request, reply) =>
        reply
          .code(204)
          .headers({
            ...OPEN_HEADERS,
            'access-control-allow-methods': 'GET, HEAD, OPTIONS',
            'access-control-allow-headers': 'Accept, If-None-Match, Range',
            'access-control-max-age': '86400',
          })
          .send(),
    });
  }
}

async function organisation(reads: OpenReads, code: string) {
  const [found] = await reads.organisations({ kind: null, code, within: null, active: null, after: null, limit: 1 });
  if (!found)
    throw new Problem(404, 'organisation.unknown', `there is no organisation ${code}`, {
      field: 'code',
      remedy: `Look it up in ${API}/organisations.`,
    });
  return found;
}

function metricOf(row: MetricRow, definitions: 'both' | 'national' | 'improved'): z.infer<typeof Metric> {
  const { counts: _counts, more: _more, ...place } = row;
  return {
    ...place,
    ...(definitions !== 'improved' && { national: { calendar: 'UTC', ...nationalOf(row) } }),
    ...(definitions !== 'national' && { improved: { calendar: 'Europe/London', ...improvedOf(row) } }),
  } as z.infer<typeof Metric>;
}

/** One row more than a page has was read: where there is one, there is a next page. */
function page<Row>(
  request: FastifyRequest,
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly string[],
  shown: (row: Row) => unknown,
): Answer {
  const here = rows.slice(0, limit);
  const last = here.at(-1);
  let next: string | null = null;
  if (last !== undefined && rows.length > limit) {
    const [path, query] = request.url.split('?');
    const parameters = new URLSearchParams(query);
    parameters.set('after', cursorText(keyOf(last)));
    next = `${path}?${parameters}`;
  }
  const answer = asJson({ data: here.map(shown), next });
  if (next !== null) NEXT.set(answer, next);
  return answer;
}

const NEXT = new WeakMap<Answer, string>();
function nextIn(answer: Answer): string | null {
  return NEXT.get(answer) ?? null;
}

function asJson(value: unknown, type = 'application/json'): Answer {
  return answerOf({ type, body: JSON.stringify(value), open: true });
}

/** The same question has one key in whatever order its parameters stand. */
function keyOf(request: FastifyRequest): string {
  const [path = '', query] = request.url.split('?');
  const parameters = new URLSearchParams(query);
  parameters.sort();
  return `${path}?${parameters}`;
}

function parameter(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string | undefined>>)[name] ?? '';
}

// ---- files

type Asked = { readonly dataset: (typeof DATASETS)[number]; readonly month: Month | null; readonly format: Format };

async function fileAsked(request: FastifyRequest, published: OpenOptions['published']): Promise<Asked> {
  const name = parameter(request, 'dataset');
  const dataset = DATASETS.find((each) => each.name === name);
  const remedy = `Files are listed at ${API}/datasets.`;
  if (!dataset) throw new Problem(404, 'dataset.unknown', `there is no dataset ${name}`, { field: 'dataset', remedy });
  const [, which = '', format] = /^(all|\d{4}-\d\d)\.(csv|parquet)$/.exec(parameter(request, 'file')) ?? [];
  const month = readMonth(which);
  const { months } = await published();
  if (!format || (which !== 'all' && (!dataset.monthly || !months.some((each) => month && sameMonth(each, month)))))
    throw new Problem(404, 'file.unknown', `there is no file ${parameter(request, 'file')} of ${name}`, { field: 'file', remedy });
  return { dataset, month, format: format as Format };
}

const TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  parquet: 'application/vnd.apache.parquet',
};

/** A whole file, or the part of it that was asked for: programs that read Parquet over HTTP fetch its end first. */
async function giveFile(request: FastifyRequest, reply: FastifyReply, library: Library, asked: Asked): Promise<FastifyReply> {
  const { dataset, month, format } = asked;
  const file = await library.file(dataset, month, format);
  reply.headers({
    ...SITE_HEADERS,
    ...OPEN_HEADERS,
    'cache-control': `public, max-age=${PAGE_SECONDS}`,
    etag: file.etag,
    'last-modified': file.madeAt.toUTCString(),
    'accept-ranges': 'bytes',
  });
  if (matches(request.headers['if-none-match'], file.etag)) return reply.code(304).send();
  const range = rangeOf(request, file);
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${file.bytes}`);
    throw new Problem(416, 'range.outside', `the file has ${file.bytes} bytes`, { field: 'Range', remedy: 'Ask for bytes that it has.' });
  }
  const { from, to } = range ?? { from: 0, to: file.bytes - 1 };
  const suffix = month ? monthText(month) : 'all';
  reply.code(range ? 206 : 200).headers({
    'content-type': TYPES[format],
    'content-length': to - from + 1,
    'content-disposition': `attachment; filename="gp-registrations-data-${dataset.name}-${suffix}.${format}"`,
    ...(range && { 'content-range': `bytes ${from}-${to}/${file.bytes}` }),
  });
  if (request.method === 'HEAD') return reply.send();
  const handle = await open(file.path);
  return reply.send(handle.createReadStream({ start: from, end: to }));
}

type Range = { readonly from: number; readonly to: number };

/** One range; `null` for the whole file, which is also given where several are asked for, or the file has changed since. */
export function rangeOf(request: Pick<FastifyRequest, 'headers'>, { bytes, etag }: KeptFile): Range | 'unsatisfiable' | null {
  const { range, 'if-range': since } = request.headers;
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? '');
  if (!found || (since !== undefined && since !== etag)) return null;
  const [, first = '', last = ''] = found;
  if (first === '' && last === '') return null;
  if (first === '') return Number(last) === 0 || bytes === 0 ? 'unsatisfiable' : { from: Math.max(0, bytes - Number(last)), to: bytes - 1 };
  const from = Number(first);
  const to = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (last !== '' && Number(last) < from) return null;
  return from >= bytes ? 'unsatisfiable' : { from, to };
}

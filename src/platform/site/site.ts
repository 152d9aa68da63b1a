import type { FastifyInstance, FastifyRequest } from 'fastify';
import { assetFiles } from '../../web/assets.ts';
import { Problem } from '../../web/problem.ts';
import { createServer } from '../../web/server.ts';
import { NO_TRANSFERS } from '../metrics/counts.ts';
import { nationalMetrics } from '../metrics/national.ts';
import { practiceMetrics } from '../metrics/practices.ts';
import { isOpenAddress, openRoutes, sendOpenProblem } from '../open/routes.ts';
import { keepFromOthers } from './access.ts';
import { alertsFile, alertsPage } from './alerts.ts';
import { type Answer, answerOf, elsewhere, give, PAGE_SECONDS, YEAR_SECONDS } from './answer.ts';
import { dashboardPage, daysCsv } from './dashboards.ts';
import { degradesFile, degradesPage } from './degrades.ts';
import { detailsFile } from './details.ts';
import { developersPage } from './developers.ts';
import { DATASETS, downloadLines, downloadName, monthsOfTimeframe, readFileName } from './downloads.ts';
import { keepAnswers } from './kept.ts';
import { renderSitePage } from './layout.ts';
import { conversationPage, listFile, listPage as transfersPage } from './lists.ts';
import type { AreaKind, Kind, SiteReads } from './model.ts';
import { reportFile, reportPage, reportsPage } from './operational.ts';
import {
  areaPage,
  downloadPage,
  englandPage,
  errorPage,
  homePage,
  listPage,
  morePage,
  type PageContent,
  pathwaysPage,
  placeOf,
  practicePage,
  type Query,
  type Redirect,
  searchPage,
} from './pages.ts';
import { type Contact, STANDING } from './standing.ts';
import { SITE_STYLES, SITE_STYLESHEET } from './styles.ts';
import { KINDS } from './words.ts';

export type SiteOptions = {
  /** The figures are invented, and every page says so. */
  readonly synthetic?: boolean;
  readonly contact?: Contact;
  readonly onFault?: (thrown: unknown, where: string) => void;
  /** How long an answer is given again without a read; minutes where left out. */
  readonly freshMs?: number;
  /** Given: nothing but styles is given to whoever shows no key that this says yes to. Left out, the site is the public's. */
  readonly mayRead?: (key: string) => Promise<boolean>;
};

/** Parameters of addresses that make another page; whatever else is there is ignored. */
const PARAMETERS = ['q', 'month', 'months', 'sort', 'order', 'by', 'from', 'days', 'step', 'page'];
const CODE = /^[A-Za-z0-9]{1,12}$/;
const AREAS: readonly AreaKind[] = ['sicbl', 'icb', 'region'];

/**
 * The public site, a server of its own: pages that are complete without a script, files at addresses that stay, and every address of the
 * existing site. Nothing listens until `listen`.
 */
export async function siteServer(reads: SiteReads, options: SiteOptions = {}): Promise<FastifyInstance> {
  const { synthetic = false, contact = { email: null }, onFault, freshMs = PAGE_SECONDS * 1000, mayRead } = options;
  const onStale = (thrown: unknown) => onFault?.(thrown, 'an older answer was given');
  const kept = keepAnswers({ freshMs, onStale });
  const rendered = (content: PageContent, status = 200): Answer =>
    answerOf({
      status,
      type: 'text/html; charset=utf-8',
      body: renderSitePage({ ...content, synthetic, operational: reads.operational !== undefined }),
      maxAgeSeconds: status === 200 ? PAGE_SECONDS : 0,
    });
  const server = createServer({
    onFault: (thrown, { route }) => onFault?.(thrown, route),
    present: (problem, request, reply) => {
      if (reads.open && isOpenAddress(request.url)) return sendOpenProblem(reply, problem);
      // What fastify says of a request is in its own words; what this site says stands in its problems.
      const detail = /^(notFound|internal|request\.refused)$/.test(problem.code) ? null : problem.message;
      return give(request, reply, rendered(errorPage(problem.status, detail), problem.status));
    },
  });
  if (mayRead) keepFromOthers(server, mayRead);

  const page = (path: string, make: (request: FastifyRequest) => Promise<PageContent | Redirect>) =>
    server.route({
      method: ['GET', 'HEAD'],
      url: path,
      handler: async (request, reply) =>
        give(
          request,
          reply,
          await kept.of(keyOf(request), async () => {
            const content = await make(request);
            return 'to' in content ? elsewhere(303, content.to) : rendered(content);
          }),
        ),
    });
  const file = (path: string, make: (request: FastifyRequest) => Promise<Answer>) =>
    server.route({
      method: ['GET', 'HEAD'],
      url: path,
      handler: async (request, reply) => give(request, reply, await kept.of(keyOf(request), () => make(request))),
    });
  const moved = (path: string, to: (request: FastifyRequest) => string) =>
    server.route({
      method: ['GET', 'HEAD'],
      url: path,
      handler: async (request, reply) => give(request, reply, elsewhere(308, to(request))),
    });
  const query = (request: FastifyRequest) => request.query as Query;
  const code = (request: FastifyRequest) => codeOf(request);

  await assets(server);
  page('/', () => homePage(reads));
  page('/search', (request) => searchPage(reads, query(request)));
  page('/england', (request) => englandPage(reads, query(request)));
  page('/download-data', () => downloadPage(reads, null));
  page('/practice/:code', async (request) => practicePage(reads, code(request), query(request)));
  page('/practice/:code/download-data', async (request) => downloadPage(reads, { kind: 'practice', code: code(request) }));
  page('/practice/:code/more', async (request) => morePage(reads, { kind: 'practice', code: code(request) }));
  page('/england/more', () => morePage(reads, null));
  page('/england/systems', (request) => pathwaysPage(reads, query(request)));
  for (const kind of AREAS) {
    page(`${KINDS[kind].path}/:code/more`, async (request) => morePage(reads, { kind, code: code(request) }));
    page(`${KINDS[kind].path}/:code`, async (request) => areaPage(reads, kind, code(request), query(request)));
    page(`${KINDS[kind].path}/:code/download-data`, async (request) => downloadPage(reads, { kind, code: code(request) }));
  }
  page('/sub-icb-locations', () => listPage(reads, 'sicbl'));
  page('/integrated-care-boards', () => listPage(reads, 'icb'));
  page('/regions', () => listPage(reads, 'region'));
  for (const { path, heading, description, body } of STANDING)
    page(path, async () => ({ title: heading, heading, description, body: body(contact) }));

  // Addresses of the existing site, which stand in bookmarks and letters.
  for (const view of ['integration-times', 'gp2gp-transfers-requested']) {
    moved(`/practice/:code/${view}`, (request) => `/practice/${code(request)}#${view}`);
    moved(`/sub-ICB-location/:code/${view}`, (request) => {
      const sort = view === 'integration-times' ? 'not-within-8-days' : 'failures';
      return `/sub-icb-location/${code(request)}?sort=${sort}#members`;
    });
  }
  moved('/sub-ICB-location/:code', (request) => `/sub-icb-location/${code(request)}`);
  moved('/sub-ICB-location/:code/download-data', (request) => `/sub-icb-location/${code(request)}/download-data`);
  moved('/sub-ICB-locations', () => '/sub-icb-locations');
  moved('/national-gp2gp-statistics', () => '/england');
  moved('/cookie-confirmation', () => '/cookies-policy');

  for (const kind of ['practice', ...AREAS] as const)
    file(`/data${KINDS[kind].path}/:code/:file`, (request) => download(reads, request, { kind, code: code(request) }));
  file('/data/england/:file', (request) => download(reads, request, null));
  file('/data/practiceMetrics.json', () => publishedPractices(reads));
  file('/data/nationalMetrics.json', () => publishedNational(reads));
  if (reads.open) {
    openRoutes(server, { reads: reads.open, published: () => reads.published(), kept, onStale, synthetic });
    page('/developers', () => developersPage(reads));
  }
  const { operational } = reads;
  if (operational) {
    const part = (request: FastifyRequest, name: string) => (request.params as Record<string, string | undefined>)[name] ?? '';
    const csv = ({ name, csv: body }: { name: string; csv: string }) =>
      answerOf({ type: 'text/csv; charset=utf-8; header=present', body, fileName: name });
    page('/reports', () => reportsPage(operational));
    page('/reports/:slug', (request) => reportPage(operational, part(request, 'slug'), query(request)));
    page('/dashboards/:slug', (request) => dashboardPage(operational, part(request, 'slug'), query(request)));
    page('/transfers/:list', (request) => transfersPage(operational, part(request, 'list'), query(request)));
    page('/conversations/:id', (request) => conversationPage(operational, part(request, 'id')));
    page('/alerts', (request) => alertsPage(operational, query(request)));
    page('/degrades', (request) => degradesPage(operational, query(request)));
    file('/data/reports/:slug/:file', async (request) => csv(await reportFile(operational, part(request, 'slug'), part(request, 'file'))));
    file('/data/days/:measure/:file', async (request) => csv(await daysCsv(operational, part(request, 'measure'), part(request, 'file'))));
    file('/data/transfers/:list/:file', async (request) => csv(await listFile(operational, part(request, 'list'), part(request, 'file'))));
    file('/data/transfers/:list/details/:file', async (request) =>
      csv(await detailsFile(operational, part(request, 'list'), part(request, 'file'))),
    );
    file('/data/alerts.csv', async () => csv({ name: 'alerts.csv', csv: await alertsFile(operational, 'csv') }));
    file('/data/alerts.json', async () => answerOf({ type: 'application/json', body: await alertsFile(operational, 'json') }));
    file('/data/degrades/:file', async (request) => csv(await degradesFile(operational, 'all', part(request, 'file'))));
    for (const kind of ['daily', 'weekly'] as const)
      file(`/data/degrades/${kind}/:file`, async (request) => csv(await degradesFile(operational, kind, part(request, 'file'))));
  }
  return server;
}

async function assets(server: FastifyInstance): Promise<void> {
  const files = new Map([...(await assetFiles()), [SITE_STYLESHEET, { type: 'text/css; charset=utf-8', bytes: Buffer.from(SITE_STYLES) }]]);
  for (const [path, { type, bytes }] of files) {
    const answer = answerOf({ type, body: bytes, maxAgeSeconds: YEAR_SECONDS });
    server.route({ method: ['GET', 'HEAD'], url: path, handler: (request, reply) => give(request, reply, answer) });
  }
}

async function download(
  reads: SiteReads,
  request: FastifyRequest,
  of: { readonly kind: Kind; readonly code: string } | null,
): Promise<Answer> {
  const { file = '' } = request.params as { file?: string };
  const asked = readFileName(file);
  if (!asked)
    throw new Problem(
      404,
      'file.unknown',
      `Files are called ${DATASETS.join(', ')}, with -latest-month.csv, -last-6-months.csv or -all-months.csv behind it.`,
    );
  const { months: published } = await reads.published();
  const months = monthsOfTimeframe(asked.timeframe, published);
  const place = of && (await placeOf(reads, of.kind, of.code));
  if (of && !place) throw new Problem(404, 'place.unknown', `There is no ${KINDS[of.kind].one} ${of.code}.`);
  const practices = await reads.practiceCounts(of, months);
  return answerOf({
    type: 'text/csv; charset=utf-8; header=present',
    body: [...downloadLines(asked.dataset, practices, months)].join(''),
    fileName: downloadName(place ? (place.name ?? place.code) : 'England', asked.dataset, asked.timeframe),
  });
}

/** The file of the existing pipeline, byte for byte the same while nothing new is published. */
async function publishedPractices(reads: SiteReads): Promise<Answer> {
  const { months: published, at } = await reads.published();
  const months = published.slice(0, 6);
  const practices = await reads.practiceCounts(null, months);
  const active = practices.filter((practice) => practice.months.some((counts) => Object.values(counts).some((each) => each > 0)));
  return json(practiceMetrics(active, months, microsecondsOf(at)));
}

async function publishedNational(reads: SiteReads): Promise<Answer> {
  const { months, at } = await reads.published();
  const [month] = months;
  if (!month) throw new Problem(404, 'months.none', 'No month has been published yet.');
  const newest = (await reads.england('region', month)).months[0];
  return json(nationalMetrics(month, newest?.counts ?? NO_TRANSFERS, microsecondsOf(at)));
}

function json(value: unknown): Answer {
  return answerOf({ type: 'application/json', body: JSON.stringify(value) });
}

function microsecondsOf(at: string | null): number {
  return at === null ? 0 : Date.parse(at) * 1000;
}

/** Codes are capitals; a code in small letters is the same place. */
function codeOf(request: FastifyRequest): string {
  const { code = '' } = request.params as { code?: string };
  if (!CODE.test(code)) throw new Problem(400, 'code.malformed', 'An ODS code has letters and digits only, 12 at most.');
  return code.toUpperCase();
}

/** The same page has one key however its address is adorned. */
function keyOf(request: FastifyRequest): string {
  const [path = ''] = request.url.split('?');
  const query = request.query as Query;
  const known = PARAMETERS.flatMap((name) => (query[name] === undefined ? [] : [`${name}=${JSON.stringify(query[name])}`]));
  return `${path}?${known.join('&')}`;
}

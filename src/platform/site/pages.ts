/** Which page an address gets: everything between a read and the markup. */
import { type Html, html } from '../../web/html.ts';
import type { Link } from '../../web/pages.ts';
import { Problem } from '../../web/problem.ts';
import type { Month } from '../metrics/month.ts';
import { areaBody, englandBody, letters } from './area.ts';
import { type SitePage, section } from './layout.ts';
import { monthForm, readView, type View } from './members.ts';
import type { AreaKind, Kind, Place, SiteReads } from './model.ts';
import { moreBody } from './more.ts';
import { openFiles } from './open-files.ts';
import { pathwaysBody } from './pathways.ts';
import { downloadBody, practiceBody } from './practice.ts';

import { homeBody, LIMIT, refusedSearch, resultsBody, searchForm } from './search.ts';
import { hrefOf, KINDS, monthInWords, nameOf, nameWithCode, searchText } from './words.ts';

export type Query = Readonly<Record<string, unknown>>;
export type PageContent = Omit<SitePage, 'synthetic' | 'operational'>;
export type Redirect = { readonly to: string };

const HOME: Link = { text: 'Search', href: '/' };
const ENGLAND: Link = { text: 'England', href: '/england' };
const LISTS: Readonly<Record<AreaKind, { readonly path: string; readonly heading: string }>> = {
  sicbl: { path: '/sub-icb-locations', heading: 'Sub ICB Location A to Z' },
  icb: { path: '/integrated-care-boards', heading: 'Integrated care boards' },
  region: { path: '/regions', heading: 'Regions' },
};

export async function homePage(reads: SiteReads): Promise<PageContent> {
  const { months } = await reads.published();
  const newest = months[0] ? (await reads.england('region', months[0])).months[0] : undefined;
  return {
    heading: 'GP2GP patient record transfers data',
    description:
      'How many patient records move between the GP practices of England by GP2GP, how soon they are integrated and why transfers fail.',
    menu: '/',
    hero: html`<p class="nhsuk-body-l">For practices, Sub ICB Locations, integrated care boards and England</p>${searchForm('')}`,
    body: homeBody(newest ?? null),
  };
}

export async function searchPage(reads: SiteReads, query: Query): Promise<PageContent | Redirect> {
  const typed = typeof query['q'] === 'string' ? searchText(query['q']) : '';
  const page = { heading: 'Search', description: 'Find a GP practice, Sub ICB Location or integrated care board.', trail: [HOME] };
  if (query['q'] === undefined) return { ...page, title: 'Search', body: searchForm('') };
  const hits = typed === '' ? [] : await reads.search(typed, LIMIT + 1);
  const [first] = hits;
  if (!first) return { ...page, title: 'Error: Search', body: refusedSearch(typed).body };
  if (hits.length === 1 || first.code === typed.toUpperCase()) return { to: hrefOf(first) };
  return { ...page, title: `Search: ${typed}`, body: resultsBody(typed, hits) };
}

export async function practicePage(reads: SiteReads, ods: string, query: Query): Promise<PageContent> {
  const model = await reads.practice(ods);
  if (!model) throw new Problem(404, 'practice.unknown', `There is no practice ${ods}.`);
  const name = nameWithCode(model.practice);
  return {
    title: name,
    heading: name,
    description: `GP2GP transfers of ${name}: integration times, failures and their reasons, month by month.`,
    trail: trailOf(model.above),
    body: html`${await updated(reads)}${practiceBody(model, query['months'] === 'all')}`,
  };
}

export async function areaPage(reads: SiteReads, kind: AreaKind, code: string, query: Query): Promise<PageContent> {
  const { view, months } = await viewOf(reads, query);
  const model = view && (await reads.area(kind, code, view.month));
  if (!view || !model) throw new Problem(404, 'area.unknown', `There is no ${KINDS[kind].one} ${code}.`);
  const name = nameOf(model.place);
  return {
    title: name,
    heading: nameWithCode(model.place),
    description: `GP2GP transfers in ${name}: integration times, failures and a comparison, month by month.`,
    trail: trailOf(model.above),
    body: html`${await updated(reads)}${areaBody(model, view, query['months'] === 'all', months)}`,
  };
}

export async function englandPage(reads: SiteReads, query: Query): Promise<PageContent> {
  const { view, months } = await viewOf(reads, query);
  const by = (['region', 'icb', 'sicbl'] as const).find((kind) => kind === (query['by'] ?? 'region'));
  if (!by) throw new Problem(400, 'by.unknown', 'Areas are compared by region, icb or sicbl.');
  const page = {
    title: 'National Statistics',
    heading: 'England',
    description: 'GP2GP transfers of all practices of England, month by month.',
  };
  if (!view) return { ...page, menu: '/england', trail: [HOME], body: html`<p>No month has been published yet.</p>` };
  const model = await reads.england(by, view.month);
  return {
    ...page,
    menu: '/england',
    trail: [HOME],
    body: html`${await updated(reads)}${englandBody(model, view, by, query['months'] === 'all', months)}`,
  };
}

export async function listPage(reads: SiteReads, kind: AreaKind): Promise<PageContent> {
  const { path, heading } = LISTS[kind];
  const places = await reads.places(kind);
  return {
    title: heading,
    heading,
    description: `All ${KINDS[kind].many} of England in order of their names.`,
    menu: path,
    trail: [HOME],
    body: places.length > 0 ? letters(kind, places) : html`<p>There are none.</p>`,
  };
}

/** What is counted beside the national definitions, of a place or of England. */
export async function morePage(reads: SiteReads, of: { readonly kind: Kind; readonly code: string } | null): Promise<PageContent> {
  const { months } = await reads.published();
  const [newest] = months;
  const model = newest ? await reads.more(of) : null;
  if (of && newest && !model) throw new Problem(404, 'place.unknown', `There is no ${KINDS[of.kind].one} ${of.code}.`);
  const name = model?.place ? nameWithCode(model.place) : 'England';
  const england =
    newest && !of
      ? { furthest: await reads.monthCounts('furthest', newest), completeness: await reads.monthCounts('completeness', newest) }
      : null;
  return {
    title: `More measures: ${name}`,
    heading: `More measures: ${name}`,
    description: `Beside the national definitions, of ${name}: registrations, both clocks, rejections, quartiles, sending, months of London.`,
    trail: [...trailOf(model?.above ?? []), ...(model?.place ? [{ text: nameOf(model.place), href: hrefOf(model.place) }] : [])],
    body: model ? html`${await updated(reads)}${moreBody(model, england)}` : html`<p>No month has been published yet.</p>`,
  };
}

/** Failures of England by the systems of both practices. */
export async function pathwaysPage(reads: SiteReads, query: Query): Promise<PageContent> {
  const { view, months } = await viewOf(reads, query);
  return {
    title: 'Systems and failures',
    heading: 'Failures by clinical system',
    description: 'GP2GP transfers of England by the clinical systems of both practices, why they failed and what may be done.',
    trail: [HOME, ENGLAND],
    body: view
      ? html`${await updated(reads)}${monthForm(view.month, months)}${pathwaysBody(await reads.pathways(view.month), monthInWords(view.month))}`
      : html`<p>No month has been published yet.</p>`,
  };
}

/** Files about a place, or about England. */
export async function downloadPage(reads: SiteReads, of: { readonly kind: Kind; readonly code: string } | null): Promise<PageContent> {
  const { months } = await reads.published();
  const place = of && (await placeOf(reads, of.kind, of.code));
  if (of && !place) throw new Problem(404, 'place.unknown', `There is no ${KINDS[of.kind].one} ${of.code}.`);
  const name = place ? nameWithCode(place) : 'England';
  return {
    title: `Download data: ${name}`,
    heading: `Download data: ${name}`,
    description: `Files of GP2GP transfers of ${name}.`,
    ...(place ? {} : { menu: '/download-data' }),
    trail: place ? [HOME, { text: nameWithCode(place), href: hrefOf(place) }] : [HOME],
    body: html`${downloadBody(place ? `/data${hrefOf(place)}` : '/data/england', months[0], months.length)}
${!place && reads.open && openFiles(months)}
${!place && html`${section('machines', 'For programs')}<p>${reads.open && html`All figures can be <a class="nhsuk-link" href="/developers">read by programs</a>. `}The files of the national pipeline, with the figures of the last six months: <a class="nhsuk-link" href="/data/practiceMetrics.json">practiceMetrics.json</a> and <a class="nhsuk-link" href="/data/nationalMetrics.json">nationalMetrics.json</a>.</p>`}`,
  };
}

/** The name of a place without its figures. */
export async function placeOf(reads: SiteReads, kind: Kind, code: string): Promise<Place | null> {
  if (kind === 'practice') return (await reads.practice(code))?.practice ?? null;
  return (await reads.places(kind)).find((place) => place.code === code) ?? null;
}

async function viewOf(reads: SiteReads, query: Query): Promise<{ readonly view: View | null; readonly months: readonly Month[] }> {
  const { months } = await reads.published();
  const view = readView(query, months);
  if (!view && months.length > 0)
    throw new Problem(400, 'view.unknown', 'This month or order is not known. Months are written 2026-02; orders are asc and desc.');
  return { view, months };
}

/** From England down to what lies directly above. */
function trailOf(above: readonly Place[]): Link[] {
  return [HOME, ENGLAND, ...above.toReversed().map((place) => ({ text: nameOf(place), href: hrefOf(place) }))];
}

async function updated(reads: SiteReads): Promise<Html | null> {
  const { months } = await reads.published();
  return months[0]
    ? html`<p class="site-updated">Figures up to ${monthInWords(months[0])}. New ones come about the 15th of each month.</p>`
    : null;
}

const ERRORS: ReadonlyMap<number, readonly [string, string]> = new Map([
  [400, ['This address is not understood', 'Part of the address is not what this site expects.']],
  [401, ['A key is needed', 'These pages name conversations and practices, and are not for the public.']],
  [
    404,
    ['Page not found', 'If you typed the address, check that it is right. If you followed a link, what it leads to is not here any more.'],
  ],
]);

/** In the words of the site; only what is said on purpose is repeated. */
export function errorPage(status: number, detail: string | null): PageContent {
  const [heading, text] = ERRORS.get(status) ?? [
    'Something went wrong',
    'The page could not be made. Try again in some minutes. Nothing that you did was wrong.',
  ];
  return {
    title: heading,
    heading,
    description: heading,
    trail: [HOME],
    body: html`<div class="site-narrow"><p>${text}</p>${detail && html`<p>${detail}</p>`}</div>${searchForm('')}`,
  };
}

/** Pages for those who look after transfers: what there is, and the four reports of the existing pipeline. */
import { type Html, html } from '../../web/html.ts';
import { Problem } from '../../web/problem.ts';
import { type CsvCell, csvOf } from '../csv.ts';
import { REPORTS, type ReportName } from '../reports/reports.ts';
import type { Days } from '../store/operational.ts';
import { DASHBOARDS } from './dashboards.ts';
import { addDays, daysFile, daysInWords, readDays } from './days.ts';
import { section } from './layout.ts';
import { LIST_TITLES } from './lists.ts';
import type { OperationalReads } from './model.ts';
import type { PageContent, Query } from './pages.ts';
import { daysForm, daysOf, HOME, INDEX, newestOf, pageInWords, pagination, ROWS, readPage, wide } from './spans.ts';
import { type Cell, dataTable } from './table.ts';
import { count } from './words.ts';

const TITLES: Readonly<Record<ReportName, { readonly title: string; readonly about: string }>> = {
  TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY: {
    title: 'Transfer outcomes per supplier pathway',
    about: 'How transfers ended, by the systems of both practices and by the errors on the way.',
  },
  TRANSFER_LEVEL_TECHNICAL_FAILURES: {
    title: 'Transfer level technical failures',
    about: 'Every transfer that failed for technical reasons or could not be classified.',
  },
  SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES: {
    title: 'Sub ICB Location level integration times',
    about: 'How soon each practice integrated the records that it received.',
  },
  TRANSFER_DETAILS_BY_HOUR: { title: 'Transfer details by hour', about: 'Transfers and failures of each hour, UTC.' },
};

export function slugOf(name: ReportName): string {
  return name.toLowerCase().replaceAll('_', '-');
}

function reportOf(slug: string): ReportName {
  const found = REPORTS.find((name) => slugOf(name) === slug);
  if (!found) throw new Problem(404, 'report.unknown', `There is no report ${slug}.`);
  return found;
}

export async function reportsPage(reads: OperationalReads): Promise<PageContent> {
  const newest = await reads.newestDay();
  const spans = newest === null ? [] : [1, 7, 31].map((days) => ({ from: addDays(newest, 1 - days), days }));
  const week = spans[1];
  const month = spans[2];
  return {
    title: 'Operational reports',
    heading: 'Operational reports',
    description:
      'Reports for those who look after GP2GP: outcomes by supplier, failed transfers, integration times, transfers by hour, degrades.',
    trail: [HOME],
    body: html`<div class="nhsuk-inset-text"><p>These pages name conversations and practices. They are for those who have a key to them, and not for the public.</p></div>
${newest === null && html`<p>There are no transfers yet.</p>`}
<p><a class="nhsuk-link" href="/alerts">Open alerts</a>: transfers that wait too long, and suppliers’ pathways that fail more often than they did.</p>
${section('dashboards', 'Dashboards')}
<p>What suppliers’ events say of registrations and transfers, together or over time.</p>
<ul class="nhsuk-list site-columns">${DASHBOARDS.map(({ slug, title }) => html`<li><a class="nhsuk-link" href="/dashboards/${slug}${month && html`?from=${month.from}&amp;days=${month.days}`}">${title}</a></li>`)}</ul>
${section('reports', 'Reports')}
<p>By the national definitions.</p>
${dataTable({
  caption: 'Reports',
  columns: [{ text: 'Report' }, { text: 'What it has' }, ...spans.map((span) => ({ text: daysInWords(span) }))],
  rows: [
    ...REPORTS.map((name) => [
      TITLES[name].title,
      TITLES[name].about,
      ...spans.map((span) => spanLink(`/reports/${slugOf(name)}`, TITLES[name].title, span)),
    ]),
    [
      'Degrades',
      'What could not be taken over as it was when records were integrated.',
      ...spans.map((span) => spanLink('/degrades', 'Degrades', span)),
    ],
  ],
})}
${section('transfers', 'Transfers one by one')}
<p>Who waits longest stands on top. Each leads to what both practices told of it.</p>
<ul class="nhsuk-list site-columns">${Object.entries(LIST_TITLES).map(([name, title]) => html`<li><a class="nhsuk-link" href="/transfers/${name}${week && html`?from=${week.from}&amp;days=${week.days}`}">${title}</a></li>`)}</ul>`,
  };
}

function spanLink(path: string, title: string, { from, days }: Days): Html {
  return html`<a class="nhsuk-link" href="${path}?from=${from}&amp;days=${days}">${days === 1 ? '1 day' : `${days} days`}<span class="nhsuk-u-visually-hidden">: ${title}</span></a>`;
}

export async function reportPage(reads: OperationalReads, slug: string, query: Query): Promise<PageContent> {
  const name = reportOf(slug);
  const days = readDays(query, await newestOf(reads), 1);
  const page = readPage(query);
  const { head, rows, total } = await reads.report(name, days, { offset: (page - 1) * ROWS, limit: ROWS });
  const { title, about } = TITLES[name];
  const numeric = head.map((_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number' || row[at] === null));
  return {
    title,
    heading: title,
    description: about,
    trail: [HOME, INDEX],
    body: html`<p>${about}</p>${daysForm(days)}
<p><a class="nhsuk-link" href="/data/reports/${slug}/${daysFile(days)}">All ${count(total)} rows as CSV</a></p>
${
  total === 0
    ? html`<p>There is nothing to report for ${daysInWords(days)}.</p>`
    : wide(
        dataTable({
          caption: `${title} - ${daysInWords(days)}${pageInWords(page, total)}`,
          columns: head.map((text, at) => ({ text, numeric: numeric[at] ?? false })),
          rows: rows.map((row) => row.map(cellOf)),
        }),
        pagination(page, total, days),
      )
}`,
  };
}

/** Shares are not rounded in the file; people read two decimals. */
function cellOf(cell: CsvCell): Cell {
  if (cell === null) return '';
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? count(cell) : cell.toFixed(2);
}

export async function reportFile(
  reads: OperationalReads,
  slug: string,
  file: string,
): Promise<{ readonly name: string; readonly csv: string }> {
  const name = reportOf(slug);
  const days = daysOf(file);
  const { head, rows } = await reads.report(name, days);
  return { name: `${slug}-${daysFile(days)}`, csv: csvOf(head, rows) };
}

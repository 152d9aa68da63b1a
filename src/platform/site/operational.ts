/** Pages for those who look after transfers: the four reports of the existing pipeline, and degrades. */
import { type Html, html } from '../../web/html.ts';
import type { Link } from '../../web/pages.ts';
import { Problem } from '../../web/problem.ts';
import { type CsvCell, csvOf } from '../csv.ts';
import { compare } from '../metrics/practices.ts';
import { REPORTS, type ReportName } from '../reports/reports.ts';
import { addDays, daysFile, daysInWords, isDate, readDays, readDaysFile } from './days.ts';
import { section } from './layout.ts';
import type { Days, DegradeCount, OperationalReads } from './model.ts';
import type { PageContent, Query } from './pages.ts';
import { type Cell, dataTable } from './table.ts';
import { count } from './words.ts';

/** Rows of a report that stand on one page; the file has all. */
const ROWS = 100;
const HOME: Link = { text: 'Search', href: '/' };
const INDEX: Link = { text: 'Operational reports', href: '/reports' };
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
  return {
    title: 'Operational reports',
    heading: 'Operational reports',
    description:
      'Reports for those who look after GP2GP: outcomes by supplier, failed transfers, integration times, transfers by hour, degrades.',
    trail: [HOME],
    body: html`${newest === null && html`<p>There are no transfers yet.</p>`}${dataTable({
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
    })}`,
  };
}

function spanLink(path: string, title: string, { from, days }: Days): Html {
  return html`<a class="nhsuk-link" href="${path}?from=${from}&amp;days=${days}">${days === 1 ? '1 day' : `${days} days`}<span class="nhsuk-u-visually-hidden">: ${title}</span></a>`;
}

export async function reportPage(reads: OperationalReads, slug: string, query: Query): Promise<PageContent> {
  const name = reportOf(slug);
  const days = readDays(query, await newestOf(reads), 1);
  const { head, rows } = await reads.report(name, days);
  const pages = Math.max(1, Math.ceil(rows.length / ROWS));
  const page = query['page'] === undefined ? 1 : Number(query['page']);
  if (!Number.isInteger(page) || page < 1 || page > pages) throw new Problem(404, 'page.unknown', `This report has ${pages} pages.`);
  const { title, about } = TITLES[name];
  const numeric = head.map((_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number' || row[at] === null));
  return {
    title,
    heading: title,
    description: about,
    trail: [HOME, INDEX],
    body: html`<p>${about}</p>${daysForm(days)}
<p><a class="nhsuk-link" href="/data/reports/${slug}/${daysFile(days)}">All ${count(rows.length)} rows as CSV</a></p>
${
  rows.length === 0
    ? html`<p>There is nothing to report for ${daysInWords(days)}.</p>`
    : html`<div class="site-wide" role="region" aria-label="The report, which may be wider than the screen" tabindex="0">${dataTable({
        caption: `${title} - ${daysInWords(days)}${pages > 1 ? `, page ${page} of ${pages}` : ''}`,
        columns: head.map((text, at) => ({ text, numeric: numeric[at] ?? false })),
        rows: rows.slice((page - 1) * ROWS, page * ROWS).map((row) => row.map(cellOf)),
      })}</div>${pagination(page, pages, days)}`
}`,
  };
}

/** Shares are not rounded in the file; people read two decimals. */
function cellOf(cell: CsvCell): Cell {
  if (cell === null) return '';
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? count(cell) : cell.toFixed(2);
}

function pagination(page: number, pages: number, { from, days }: Days): Html | null {
  if (pages === 1) return null;
  const to = (number: number, text: string) =>
    html`<li><a class="nhsuk-link" href="?from=${from}&amp;days=${days}&amp;page=${number}">${text}</a></li>`;
  return html`<nav aria-label="Pages of the report"><ul class="site-footer-list">${page > 1 && to(1, 'First page')}${page > 1 && to(page - 1, 'Previous page')}${page < pages && to(page + 1, 'Next page')}${page < pages && to(pages, 'Last page')}</ul></nav>`;
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

function daysOf(file: string): Days {
  const days = readDaysFile(file);
  if (!days) throw new Problem(404, 'file.unknown', 'Files are called 2026-02-01-7-days.csv: the first day, and how many, 31 at most.');
  return days;
}

async function newestOf(reads: OperationalReads): Promise<string> {
  const newest = await reads.newestDay();
  if (newest === null) throw new Problem(404, 'transfers.none', 'There are no transfers yet.');
  return newest;
}

function daysForm({ from, days }: Days): Html {
  return html`<form class="site-inline" method="get">
<div class="nhsuk-form-group"><label class="nhsuk-label" for="from">First day</label><input class="nhsuk-input nhsuk-input--width-10" id="from" name="from" type="date" value="${from}" required></div>
<div class="nhsuk-form-group"><label class="nhsuk-label" for="days">Days</label><input class="nhsuk-input nhsuk-input--width-3" id="days" name="days" type="number" min="1" max="31" value="${days}" required></div>
<button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" type="submit">Show</button>
</form>`;
}

// ---- degrades

export async function degradesPage(reads: OperationalReads, query: Query): Promise<PageContent> {
  const days = readDays(query, await newestOf(reads), 7);
  const all = await reads.degradeDays(days);
  const kinds = summed(all, ({ type, reason }) => [type, reason]);
  const full = summed(all, ({ supplier, type, reason, code }) => [supplier, type, reason, code]);
  const total = all.reduce((sum, each) => sum + each.count, 0);
  const monday = addDays(days.from, -((new Date(days.from).getUTCDay() + 6) % 7));
  return {
    title: 'Degrades',
    heading: 'Degrades',
    description: 'What could not be taken over as it was when records were integrated, by kind, reason, system and code.',
    trail: [HOME, INDEX],
    body: html`<p>A degrade is an entry of a record that the new system could not take over as it was: a code it does not have, a number or a drug that became text. Nothing here says which transfer or practice an entry belongs to.</p>
${daysForm(days)}
${
  total === 0
    ? html`<p>No degrade was reported for ${daysInWords(days)}.</p>`
    : html`<p>${count(total)} degrades, ${daysInWords(days)}.</p>${dataTable({
        caption: 'By kind and reason',
        columns: [{ text: 'Type' }, { text: 'Reason' }, { text: 'Count', numeric: true }],
        rows: kinds.map(([[type = '', reason = ''], number]) => [type, reason, count(number)]),
      })}${dataTable({
        caption: `By system, kind, reason and code${full.length > ROWS ? `: the ${ROWS} most frequent` : ''}`,
        columns: [{ text: 'System' }, { text: 'Type' }, { text: 'Reason' }, { text: 'Code' }, { text: 'Count', numeric: true }],
        rows: full.slice(0, ROWS).map(([key, number]) => [...key, count(number)]),
      })}`
}
${section('files', 'Files')}
<ul class="nhsuk-list">
<li><a class="nhsuk-link" href="/data/degrades/${daysFile(days)}">All of these days, by system, kind, reason and code (CSV)</a></li>
<li><a class="nhsuk-link" href="/data/degrades/daily/${days.from}.csv">Daily summary of ${daysInWords({ from: days.from, days: 1 })} (CSV)</a></li>
<li><a class="nhsuk-link" href="/data/degrades/weekly/${monday}.csv">Weekly summary from ${daysInWords({ from: monday, days: 1 })} (CSV)</a></li>
</ul>`,
  };
}

/** Sums by a key, the most frequent first. */
function summed(all: readonly DegradeCount[], key: (of: DegradeCount) => readonly string[]): (readonly [readonly string[], number])[] {
  const sums = new Map<string, number>();
  for (const each of all) {
    const name = JSON.stringify(key(each));
    sums.set(name, (sums.get(name) ?? 0) + each.count);
  }
  return [...sums]
    .sort(([a, first], [b, second]) => second - first || compare(a, b))
    .map(([name, number]) => [JSON.parse(name) as string[], number] as const);
}

/**
 * The files of the existing monitoring (`daily/2026-11-01.csv`, `weekly/2026-10-26.csv`), and one with everything (`2026-11-01-7-days.csv`). A
 * weekly file is one week's, so that nothing is counted twice when it is made again.
 */
export async function degradesFile(
  reads: OperationalReads,
  kind: 'daily' | 'weekly' | 'all',
  file: string,
): Promise<{ readonly name: string; readonly csv: string }> {
  if (kind === 'all') {
    const rows = summed(await reads.degradeDays(daysOf(file)), ({ supplier, type, reason, code }) => [supplier, type, reason, code]);
    return {
      name: `degrades-${file}`,
      csv: csvOf(
        ['Supplier', 'Type', 'Reason', 'Code', 'Count'],
        rows.map(([key, number]) => [...key, number]),
      ),
    };
  }
  const from = file.replace(/\.csv$/, '');
  if (!file.endsWith('.csv') || !isDate(from) || (kind === 'weekly' && new Date(from).getUTCDay() !== 1))
    throw new Problem(
      404,
      'file.unknown',
      kind === 'weekly' ? 'A week is named by its Monday: 2026-02-23.csv.' : 'A day is written 2026-02-28.csv.',
    );
  const rows = summed(await reads.degradeDays({ from, days: kind === 'daily' ? 1 : 7 }), ({ type, reason }) => [type, reason]).toSorted(
    ([a], [b]) => compare(a.join(' '), b.join(' ')),
  );
  const head = ['Type', 'Reason', 'Count'];
  return {
    name: `degrades-${kind}-${file}`,
    csv:
      kind === 'daily'
        ? csvOf(
            head,
            rows.map(([key, number]) => [...key, number]),
          )
        : csvOf(
            ['Week_beginning', ...head],
            rows.map(([key, number]) => [from, ...key, number]),
          ),
  };
}

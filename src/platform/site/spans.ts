/** What the operational pages share: which days they are about, and which part of a long table is shown. */
import { type Html, html } from '../../web/html.ts';
import type { Link } from '../../web/pages.ts';
import { Problem } from '../../web/problem.ts';
import type { Days } from '../store/operational.ts';
import { LONGEST, readDaysFile } from './days.ts';
import type { OperationalReads } from './model.ts';
import type { Query } from './pages.ts';

/** Rows that stand on one page; the file has all. */
export const ROWS = 100;
export const HOME: Link = { text: 'Search', href: '/' };
export const INDEX: Link = { text: 'Operational reports', href: '/reports' };

/** Throws a `Problem` 404 where a file's name says no days. */
export function daysOf(file: string, longest: number = LONGEST.transfers): Days {
  const days = readDaysFile(file, longest);
  if (!days)
    throw new Problem(404, 'file.unknown', `Files are called 2026-02-01-7-days.csv: the first day, and how many, ${longest} at most.`);
  return days;
}

export async function newestOf(reads: OperationalReads): Promise<string> {
  const newest = await reads.newestDay();
  if (newest === null) throw new Problem(404, 'transfers.none', 'There are no transfers yet.');
  return newest;
}

/** Chooses the days, without a script. */
export function daysForm({ from, days }: Days, longest: number = LONGEST.transfers, more: Html | null = null): Html {
  return html`<form class="site-inline" method="get">
<div class="nhsuk-form-group"><label class="nhsuk-label" for="from">First day</label><input class="nhsuk-input nhsuk-input--width-10" id="from" name="from" type="date" value="${from}" required></div>
<div class="nhsuk-form-group"><label class="nhsuk-label" for="days">Days</label><input class="nhsuk-input nhsuk-input--width-3" id="days" name="days" type="number" min="1" max="${longest}" value="${days}" required></div>
${more}<button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" type="submit">Show</button>
</form>`;
}

/** A table that may be wider than the screen, in a frame of its own, with the way to its other pages. `name`: where there are several. */
export function wide(table: Html, pages: Html | null, name = 'The table'): Html {
  return html`<div class="site-wide" role="region" aria-label="${name}, which may be wider than the screen" tabindex="0">${table}</div>${pages}`;
}

/** Throws a `Problem` 404 where that is no number. */
export function readPage({ page = '1' }: Query): number {
  if (typeof page !== 'string' || !/^[1-9]\d{0,5}$/.test(page)) throw new Problem(404, 'page.unknown', 'Pages are numbered from 1.');
  return Number(page);
}

/** Throws a `Problem` 404 where there is no such page. */
export function pageInWords(page: number, total: number): string {
  const pages = Math.max(1, Math.ceil(total / ROWS));
  if (page > pages) throw new Problem(404, 'page.unknown', `This report has ${pages} pages.`);
  return pages > 1 ? `, page ${page} of ${pages}` : '';
}

export function pagination(page: number, total: number, { from, days }: Days): Html | null {
  const pages = Math.ceil(total / ROWS);
  if (pages <= 1) return null;
  const to = (number: number, text: string) =>
    html`<li><a class="nhsuk-link" href="?from=${from}&amp;days=${days}&amp;page=${number}">${text}</a></li>`;
  return html`<nav aria-label="Pages of the table"><ul class="site-footer-list">${page > 1 && to(1, 'First page')}${page > 1 && to(page - 1, 'Previous page')}${page < pages && to(page + 1, 'Next page')}${page < pages && to(pages, 'Last page')}</ul></nav>`;
}

/** Open alerts, for whoever looks after transfers. */
import { type Html, html } from '../../web/html.ts';
import { titleOf } from '../alerts/rules.ts';
import { type CsvCell, csvOf } from '../csv.ts';
import type { Alert } from '../store/alerts.ts';
import type { OperationalReads } from './model.ts';
import type { PageContent, Query } from './pages.ts';
import { HOME, INDEX, pageInWords, ROWS, readPage, wide } from './spans.ts';
import { type Cell, dataTable } from './table.ts';
import { count } from './words.ts';

export async function alertsPage(reads: OperationalReads, query: Query): Promise<PageContent> {
  const page = readPage(query);
  const { total, alerts } = await reads.alerts({ offset: (page - 1) * ROWS, limit: ROWS });
  return {
    title: 'Open alerts',
    heading: 'Open alerts',
    description: 'Transfers that wait too long, and suppliers’ pathways that fail more often than they did.',
    trail: [HOME, INDEX],
    body: html`<p>Each threshold of a transfer is told once, and stands here until what was waited for happens, or will not any more. The oldest stand first.</p>
<p><a class="nhsuk-link" href="/data/alerts.csv">All ${count(total)} as CSV</a>, <a class="nhsuk-link" href="/data/alerts.json">as JSON</a></p>
${
  total === 0
    ? html`<p>Nothing is open.</p>`
    : wide(
        dataTable({
          caption: `Open alerts${pageInWords(page, total)}`,
          columns: [{ text: 'Since' }, { text: 'What' }, { text: 'Sending' }, { text: 'Requesting' }, { text: 'Of what' }],
          rows: alerts.map(rowOf),
        }),
        pagesOf(page, Math.ceil(total / ROWS)),
      )
}`,
  };
}

function rowOf(alert: Alert): Cell[] {
  return [
    alert.crossedAt.replace('T', ' ').replace('Z', ' UTC'),
    titleOf(alert.kind),
    side(alert.sending, alert.sendingSupplier),
    side(alert.requesting, alert.requestingSupplier),
    alert.detail === null
      ? { text: 'Conversation', href: `/conversations/${encodeURIComponent(alert.subject)}` }
      : detailInWords(alert.detail),
  ];
}

function side(practice: string | null, supplier: string | null): string {
  return [practice, supplier && practice ? `(${supplier})` : supplier].filter(Boolean).join(' ');
}

function detailInWords(detail: Readonly<Record<string, number>>): string {
  const { transfers = 0, failed = 0, percent = 0, percentBefore, threshold } = detail;
  const beside = percentBefore !== undefined ? `, ${percentBefore} % in the four weeks before` : `, the threshold is ${threshold} %`;
  return `${count(failed)} of ${count(transfers)} failed: ${percent} %${beside}`;
}

function pagesOf(page: number, pages: number): Html | null {
  if (pages <= 1) return null;
  const to = (number: number, text: string) => html`<li><a class="nhsuk-link" href="?page=${number}">${text}</a></li>`;
  return html`<nav aria-label="Pages of alerts"><ul class="site-footer-list">${page > 1 && to(page - 1, 'Previous page')}${page < pages && to(page + 1, 'Next page')}</ul></nav>`;
}

const HEAD = [
  'alert',
  'kind',
  'crossed_at',
  'raised_at',
  'subject',
  'sending_ods',
  'sending_supplier',
  'requesting_ods',
  'requesting_supplier',
  'transfers',
  'failed',
  'percent',
  'percent_before',
] as const;

/** All open alerts: `alerts.csv`, or `alerts.json` with the same. */
export async function alertsFile(reads: OperationalReads, format: 'csv' | 'json'): Promise<string> {
  const { alerts } = await reads.alerts();
  if (format === 'json') return JSON.stringify({ alerts });
  return csvOf(
    HEAD,
    alerts.map((alert): CsvCell[] => [
      alert.id,
      alert.kind,
      alert.crossedAt,
      alert.raisedAt,
      alert.subject,
      alert.sending,
      alert.sendingSupplier,
      alert.requesting,
      alert.requestingSupplier,
      ...['transfers', 'failed', 'percent', 'percentBefore'].map((name) => alert.detail?.[name] ?? null),
    ]),
  );
}

/** The page about the read API, from the same descriptions that the machine-readable one is made of. */
import { type Html, html } from '../../web/html.ts';
import type { Link } from '../../web/pages.ts';
import { API, OPERATIONS, type Operation, parametersOf } from '../open/openapi.ts';
import { section } from './layout.ts';
import type { SiteReads } from './model.ts';
import type { PageContent } from './pages.ts';
import { dataTable } from './table.ts';

const HOME: Link = { text: 'Search', href: '/' };
const DOWNLOADS: Link = { text: 'Download data', href: '/download-data' };

export async function developersPage(reads: Pick<SiteReads, 'places'>): Promise<PageContent> {
  const [place] = await reads.places('sicbl');
  const code = place?.code ?? '99Z';
  return {
    title: 'Reading by programs',
    heading: 'Reading by programs',
    description: 'The read API of this data: addresses, parameters, answers, errors.',
    trail: [HOME, DOWNLOADS],
    body: html`<div class="site-narrow"><p>All figures of this site can be read by programs, without a key. The machine-readable description is <a class="nhsuk-link" href="${API}/openapi.json">OpenAPI 3.1</a>; addresses under <code>${API}</code> keep their meaning.</p></div>
${section('addresses', 'Addresses')}
${dataTable({
  caption: 'Addresses',
  columns: [{ text: 'Address' }, { text: 'What it gives' }, { text: 'Parameters' }, { text: 'Example' }],
  rows: OPERATIONS.map((operation) => [
    html`<code>${API}${operation.path}</code>`,
    html`<strong>${operation.summary}.</strong> ${operation.about}`,
    parametersCell(operation),
    html`<a class="nhsuk-link" href="${API}${operation.example.replace('{code}', code)}">Try it<span class="nhsuk-u-visually-hidden">: ${operation.summary}</span></a>`,
  ]),
})}
<div class="site-narrow">
${section('definitions', 'Two kinds of figures')}
<p>With <code>definitions=national</code> a month has the figures of the national definitions, version 12, under their names, by months of UTC. With <code>definitions=improved</code> it has what is counted beside them, by months of London: the way from registration to integration, rejections apart from failures, times from the request. Left out, both stand side by side.</p>
${section('pages', 'Pages of answers')}
<p>A list has at most <code>limit</code> rows, 100 unless said otherwise. Its member <code>next</code>, and its header <code>Link</code>, have the address of the next page until there is none.</p>
${section('again', 'Asking again')}
<p>Every answer has an <code>ETag</code>. A question with <code>If-None-Match</code> is answered with 304 while nothing is new. Figures change about the 15th of each month; answers may be kept for five minutes.</p>
${section('errors', 'Errors')}
<p>Errors are <code>application/problem+json</code> (RFC 9457): <code>code</code> stays the same for the same fault, <code>field</code> names the parameter that is wrong, <code>remedy</code> says what to do.</p>
${section('privacy', 'What is not open')}
<p>Nothing here says anything about a patient or a single transfer. What the national publication does not have is rounded to 5 for a single practice, and empty where it is 1 to 7: its patients who left, and the counts beside the national definitions. Failure reasons are opened for England, not for a single practice. Codes of degrades that fewer than 5 degrades of a month have stand together without their code. Texts that hold as many digits as an NHS number are not shown.</p>
${section('files', 'Files')}
<p>Everything is also there as <a class="nhsuk-link" href="/download-data#open-data">CSV and Parquet</a>. Parquet files can be read in part (<code>Range</code>).</p>
</div>`,
  };
}

function parametersCell({ inPath, query }: Operation): Html | string {
  const all = [...(inPath ? parametersOf(inPath, 'path') : []), ...parametersOf(query, 'query')];
  if (all.length === 0) return '';
  return html`<ul class="nhsuk-list">${all.map(({ name, description, schema }) => {
    const { enum: values } = schema as { enum?: readonly string[] };
    return html`<li><code>${name}</code>${values && html`: ${values.join(', ')}`}${description && html`. ${description}`}</li>`;
  })}</ul>`;
}

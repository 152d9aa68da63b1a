/** What the transfers of a list say one by one: a table below the list, and a file. */
import { type Html, html } from '../../web/html.ts';
import { Problem } from '../../web/problem.ts';
import { csvOf } from '../csv.ts';
import { DETAILS, type Detail, type DetailedList } from '../store/details.ts';
import type { Days, ListName } from '../store/operational.ts';
import { daysFile, daysInWords } from './days.ts';
import { section } from './layout.ts';
import type { OperationalReads } from './model.ts';
import { daysOf, wide } from './spans.ts';
import { dataTable } from './table.ts';
import { count } from './words.ts';

/** Columns of files have the names of the existing dashboards' raw tables. */
const WORDS: Readonly<
  Record<DetailedList, { readonly title: string; readonly columns: readonly string[]; readonly file: readonly string[] }>
> = {
  placeholders: {
    title: 'Placeholders of these transfers',
    columns: ['Made by', 'Kind of document', 'Reason', 'Type of file'],
    file: [
      'total_number_of_placeholders',
      'count_of_placeholders_with_same_content',
      'generated_by',
      'clinical_type',
      'reason',
      'original_mime_type',
    ],
  },
  'attachments-failed': {
    title: 'Attachments of these transfers that did not arrive',
    columns: ['Kind of document', 'Reason, by its code', 'Over 100 MB', 'Type of file'],
    file: [
      'total_number_of_failed_attachments',
      'count_of_attachments_with_same_content',
      'attachment_type',
      'failed_to_integrate_reason',
      'size_greater_than_100mb',
      'mime_type',
    ],
  },
  errors: {
    title: 'Errors of these transfers',
    columns: ['Code', 'Failure point'],
    file: ['total_number_of_errors', 'count_of_errors_with_same_content', 'error_code', 'failure_point'],
  },
};
const HEAD = ['conversation_id', 'requesting_supplier', 'sending_supplier', 'requesting_ods', 'sending_ods'] as const;

export function isDetailed(name: ListName): name is DetailedList {
  return Object.hasOwn(DETAILS, name);
}

/** Below the list, of the transfers that stand there. */
export function detailsSection(name: DetailedList, days: Days, details: readonly Detail[]): Html {
  const { title, columns } = WORDS[name];
  return html`${section('details', title)}
<p><a class="nhsuk-link" href="/data/transfers/${name}/details/${daysFile(days)}">Those of all transfers as CSV</a></p>
${wide(
  dataTable({
    caption: `${title} - ${daysInWords(days)}`,
    columns: [
      { text: 'Conversation' },
      ...columns.map((text) => ({ text })),
      { text: 'Alike', numeric: true },
      { text: 'Of the transfer', numeric: true },
    ],
    rows: details.map(({ conversation, says, alike, all }) => [
      html`<a class="nhsuk-link site-id" href="/conversations/${encodeURIComponent(conversation)}">${conversation}</a>`,
      ...columns.map((_, at) => wordsOf(says[at] ?? null)),
      count(alike),
      count(all),
    ]),
  }),
  null,
  title,
)}`;
}

function wordsOf(text: string | null): string {
  if (text === null) return 'Not told';
  return text === 'true' ? 'Yes' : text === 'false' ? 'No' : text;
}

export async function detailsFile(
  reads: OperationalReads,
  text: string,
  file: string,
): Promise<{ readonly name: string; readonly csv: string }> {
  const name = (Object.keys(DETAILS) as DetailedList[]).find((each) => each === text);
  if (!name) throw new Problem(404, 'list.unknown', `There are details of ${Object.keys(DETAILS).join(', ')}.`);
  const days = daysOf(file);
  const rows = (await reads.details(name, days)).map((each) => [
    each.conversation,
    each.requestingSupplier,
    each.sendingSupplier,
    each.requesting,
    each.sending,
    each.all,
    each.alike,
    ...each.says,
  ]);
  return { name: `${name}-details-${daysFile(days)}`, csv: csvOf([...HEAD, ...WORDS[name].file], rows) };
}

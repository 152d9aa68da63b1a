/** Transfers one by one: lists of those in some state, and what was told of one. */
import { html } from '../../web/html.ts';
import { Problem } from '../../web/problem.ts';
import { type CsvCell, csvOf } from '../csv.ts';
import { type Days, LIST_NAMES, type ListedTransfer, type ListName } from '../store/operational.ts';
import { daysFile, daysInWords, readDays } from './days.ts';
import { detailsSection, isDetailed } from './details.ts';
import type { OperationalReads } from './model.ts';
import type { PageContent, Query } from './pages.ts';
import { daysForm, daysOf, HOME, INDEX, newestOf, pageInWords, pagination, ROWS, readPage, wide } from './spans.ts';
import { type Cell, dataTable } from './table.ts';
import { count } from './words.ts';

export const LIST_TITLES: Readonly<Record<ListName, string>> = {
  'in-progress': 'In progress',
  'broken-requesting': 'Requested later than 20 minutes after it was known to be possible',
  'broken-sending': 'Sent later than 20 minutes after the request',
  'broken-24-hours': 'Not whole within 24 hours of the sending',
  'awaiting-integration': 'Awaiting integration',
  'not-integrated-after-8-days': 'Awaiting integration for 8 days or more',
  integrated: 'Successfully integrated',
  rejected: 'Rejected',
  'technical-failures': 'Technical failures',
  errors: 'With an error',
  placeholders: 'With placeholders',
  'attachments-failed': 'With attachments that did not arrive',
  'not-eligible': 'Not eligible for electronic transfer',
};

function listOf(text: string): ListName {
  const name = LIST_NAMES.find((each) => each === text);
  if (!name) throw new Problem(404, 'list.unknown', `There is no list ${text}.`);
  return name;
}

const HEAD = [
  'conversation_id',
  'requesting_supplier',
  'sending_supplier',
  'requesting_ods',
  'sending_ods',
  'started',
  'last_event',
  'registration_status',
  'outcome',
  'error_code',
  'failure_point',
  'broken_24h_sla',
  'broken_ehr_sending_sla',
  'broken_ehr_requesting_sla',
  'placeholders',
  'attachments',
  'attachments_failed',
] as const;

function rowOf(each: ListedTransfer): CsvCell[] {
  return [
    each.conversation,
    each.requestingSupplier,
    each.sendingSupplier,
    each.requesting,
    each.sending,
    each.startedAt,
    each.lastAt,
    each.status,
    each.outcome ?? each.result,
    each.errorCode,
    each.failurePoint,
    String(each.b24),
    String(each.bEhrS),
    String(each.bEhrR),
    each.placeholders,
    each.documents,
    each.documentsFailed,
  ];
}

export async function listPage(reads: OperationalReads, text: string, query: Query): Promise<PageContent> {
  const name = listOf(text);
  const days = readDays(query, await newestOf(reads), 7);
  const page = readPage(query);
  const part = { offset: (page - 1) * ROWS, limit: ROWS };
  const { total, transfers } = await reads.list(name, days, part);
  const details = isDetailed(name) && total > 0 && detailsSection(name, days, await reads.details(name, days, part));
  const title = LIST_TITLES[name];
  return {
    title,
    heading: title,
    description: `Transfers one by one: ${title.toLowerCase()}.`,
    trail: [HOME, INDEX],
    body: html`<p>Of conversations that began on these days, those that suppliers’ events say this of. The oldest stand first.</p>${daysForm(days)}
<p><a class="nhsuk-link" href="/data/transfers/${name}/${daysFile(days)}">All ${count(total)} as CSV</a>${details && html`, <a class="nhsuk-link" href="#details">what they say one by one</a>`}</p>
${
  total === 0
    ? html`<p>There are none for ${daysInWords(days)}.</p>`
    : wide(
        dataTable({
          caption: `${title} - ${daysInWords(days)}${pageInWords(page, total)}`,
          columns: ['Conversation', 'Requesting', 'Sending', 'Began', 'Last event', 'State', 'Error', 'Limits broken'].map((head) => ({
            text: head,
          })),
          rows: transfers.map(cells),
        }),
        pagination(page, total, days),
      )
}${details}`,
  };
}

function cells(each: ListedTransfer): Cell[] {
  const party = (ods: string | null, supplier: string | null) => html`${ods ?? '–'}<br><span class="site-of">${supplier ?? ''}</span>`;
  const broken = [each.bEhrR && 'request', each.bEhrS && 'sending', each.b24 && '24 hours'].filter((text) => text !== false);
  return [
    html`<a class="nhsuk-link site-id" href="/conversations/${encodeURIComponent(each.conversation)}">${each.conversation}</a>`,
    party(each.requesting, each.requestingSupplier),
    party(each.sending, each.sendingSupplier),
    moment(each.startedAt),
    moment(each.lastAt),
    html`${each.result}<br><span class="site-of">${each.status}</span>`,
    each.errorCode === null ? '' : `${each.errorCode} (${each.failurePoint ?? ''})`,
    broken.join(', '),
  ];
}

function moment(at: string): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ');
}

export async function listFile(
  reads: OperationalReads,
  text: string,
  file: string,
): Promise<{ readonly name: string; readonly csv: string }> {
  const name = listOf(text);
  const days: Days = daysOf(file);
  const { transfers } = await reads.list(name, days);
  return { name: `${name}-${daysFile(days)}`, csv: csvOf(HEAD, transfers.map(rowOf)) };
}

/** The timeline of one conversation, as both practices told it. */
export async function conversationPage(reads: OperationalReads, conversation: string): Promise<PageContent> {
  const events = await reads.events(conversation);
  const [first] = events;
  if (!first) throw new Problem(404, 'conversation.unknown', 'Nothing was told of this conversation.');
  const began = Date.parse(first.at);
  return {
    title: `Conversation ${conversation}`,
    heading: 'What was told of a conversation',
    description: 'Events of one conversation in order of time.',
    trail: [HOME, INDEX],
    body: html`<p class="site-id">${conversation}</p>
<p>Times are UTC, as the practices’ systems gave them. A reason in free text is not shown: it may name somebody.</p>
${wide(
  dataTable({
    caption: `${count(events.length)} events`,
    columns: ['Time', 'Since the first', 'Event', 'Told by', 'What it says'].map((text) => ({ text })),
    rows: events.map(({ at, type, supplier, reporting, detail }) => [
      new Date(at).toISOString().slice(0, 19).replace('T', ' '),
      span(Date.parse(at) - began),
      type,
      `${reporting} (${supplier})`,
      detail,
    ]),
  }),
  null,
)}`,
  };
}

/** `2 days 3 h`, `4 min 10 s`: the two largest units. */
function span(ms: number): string {
  const units = [
    [86_400_000, 'days'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const;
  const first = units.findIndex(([size]) => ms >= size);
  if (first < 0) return '0 s';
  let left = ms;
  return units
    .slice(first, first + 2)
    .map(([size, name]) => {
      const number = Math.floor(left / size);
      left -= number * size;
      return `${number} ${name === 'days' && number === 1 ? 'day' : name}`;
    })
    .join(' ');
}

import { type Html, html } from '../../web/html.ts';
import { addMonths, type Month } from '../metrics/month.ts';
import { comparison, failuresChart, integrationChart, MEASURE_COLUMNS, monthTable, reasonsOf, trend } from './figures.ts';
import { contents, details, section } from './layout.ts';
import { countOf, MEASURES, onTimeShare } from './measures.ts';
import type { Figures, PracticeModel } from './model.ts';
import { ROUNDED } from './more.ts';
import { dataTable } from './table.ts';
import { count, hrefOf, KINDS, monthInWords, nameOf, nameWithCode, percentText, titleCase } from './words.ts';

/** Months that stand in the table before somebody asks for all. */
export const SHOWN_MONTHS = 12;

/** Everything about one practice on one page; the existing site's three views lead to its sections. */
export function practiceBody(model: PracticeModel, all: boolean): Html {
  const { practice, above } = model;
  const sicbl = above.find(({ kind }) => kind === 'sicbl');
  const shown = all ? model.months : model.months.slice(0, SHOWN_MONTHS);
  const newest = model.months[0];
  const compared = [
    { name: nameOf(practice), months: model.months },
    ...(sicbl ? [{ name: nameOf(sicbl), months: model.sicbl }] : []),
    { name: 'England', months: model.england },
  ];
  const older = model.months.length > shown.length;
  return html`${whereItIs(model)}
${contents([
  { text: 'Integration times', href: '#integration-times' },
  { text: 'Failures and their reasons', href: '#failures' },
  { text: 'GP2GP transfers requested', href: '#gp2gp-transfers-requested' },
  { text: 'Compared with others, and over time', href: '#trend' },
  { text: 'Patients who left', href: '#sending' },
  { text: 'Registrations, both clocks and more', href: `${hrefOf(practice)}/more` },
  { text: 'Download data', href: '#download-data' },
])}
${section('integration-times', 'Integration times for registering practice')}
<p>How long this practice took to integrate the records of patients who registered with it, from the arrival of the record.</p>
${integrationChart('integration', shown)}
${whyEightDays()}
${section('failures', 'Failures and their reasons')}
<p>Transfers that failed for technical reasons. A paper copy is requested for each.</p>
${failuresChart('failures-chart', shown)}
${reasonsOf(model.reasons, 'practice', 'in the last 12 months')}
${details('What happens when a transfer fails', whenItFails())}
${section('gp2gp-transfers-requested', 'GP2GP transfers requested as registering practice')}
${monthTable(`${nameOf(practice)}, by month`, shown)}
${older && html`<p><a class="nhsuk-link" href="?months=all#gp2gp-transfers-requested">Show all ${model.months.length} months</a></p>`}
${section('trend', 'Compared with others, and over time')}
${newest && comparison(`${monthInWords(newest)}, compared`, compared)}
${newest && model.spread && spreadText(model, newest)}
${trend('trend-chart', compared)}
${section('sending', 'Patients who left')}
${sent(model, shown)}
${section('download-data', 'Download data')}
<p><a class="nhsuk-link" href="${hrefOf(practice)}/download-data">All files about this practice</a></p>`;
}

function whereItIs({ practice, above }: PracticeModel): Html {
  const address = [...practice.address.map(titleCase), ...(practice.postcode ? [practice.postcode] : [])];
  return html`${address.length > 0 && html`<p>${address.map((line, at) => html`${at > 0 && html`<br>`}${line}`)}</p>`}
${!practice.active && html`<div class="nhsuk-inset-text"><p>This practice is closed. Its past figures stay here.</p></div>`}
<p>${above.map((place, at) => html`${at > 0 && html`<br>`}${KINDS[place.kind].one}: <a class="nhsuk-link" href="${hrefOf(place)}">${nameWithCode(place)}</a>`)}${practice.supplier && html`<br>Clinical system: ${practice.supplier}`}</p>`;
}

function whyEightDays(): Html {
  return details(
    'Why integrate within 8 days',
    html`<p>On the eighth day the practice that the patient left is told to print the record and send it by post. That costs both practices work, and until the paper is read the new practice cares for somebody whose history it does not know. Within 3 days is good practice.</p>`,
  );
}

function whenItFails(): Html {
  return html`<p>The previous practice’s system gives its staff the task of printing the record and posting it. A failure that comes again should be reported to the supplier of the system, with the conversation’s id, which both systems show.</p>`;
}

function spreadText({ months, spread }: PracticeModel, newest: Figures): Html | null {
  if (!spread) return null;
  const own = onTimeShare(newest.counts);
  const place =
    own === null
      ? null
      : own < spread.lower
        ? 'This practice is among the lowest quarter.'
        : own > spread.upper
          ? 'This practice is among the highest quarter.'
          : 'This practice is in the middle half.';
  return html`<p>In ${monthInWords(newest)} half of ${count(spread.practices)} practices integrated between ${percentText(round(spread.lower))} and ${percentText(round(spread.upper))} within 8 days, the middle one ${percentText(round(spread.median))}. ${months.length > 0 && place}</p>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The other side, which the existing site does not have: what became of this practice's records elsewhere. */
function sent({ sending }: PracticeModel, shown: readonly Figures[]): Html {
  const months = sending.slice(0, shown.length);
  return html`<p>Records that other practices asked this one for. How soon they are integrated lies with the other practice; failures may lie with either.</p>
${details('Show the months', sentTable(months))}`;
}

/** The nation publishes only what practices ask for: this side of one practice is told in small numbers. */
function sentTable(months: readonly Figures[]): Html {
  return dataTable({
    caption: 'Requested from this practice, by month; counts are rounded to 5',
    columns: [{ text: 'Month' }, ...MEASURE_COLUMNS],
    rows: months.map((month) => [monthInWords(month), ...MEASURES.map((measure) => ROUNDED.text(countOf(measure, month.counts)))]),
  });
}

/** What can be fetched about a place, at addresses that stay. */
export function downloadBody(path: string, newest: Month | undefined, history: number): Html {
  const latest = newest ? monthInWords(newest) : 'latest month';
  const six = newest ? `${monthInWords(addMonths(newest, -5))} to ${monthInWords(newest)}` : 'last 6 months';
  const rows = [
    ['All data', 'all'],
    ['Integration times', 'integration-times'],
    ['GP2GP transfers requested', 'transfers-requested'],
  ] as const;
  const times = [
    [latest, 'latest-month'],
    [six, 'last-6-months'],
    [`All ${history} months`, 'all-months'],
  ] as const;
  return html`<p>Files of comma-separated values (CSV), which any spreadsheet opens. Their addresses stay the same; each month their content is new. The figures are those of the <a class="nhsuk-link" href="/definitions-and-notes-about-this-data">national definitions</a>.</p>
${dataTable({
  caption: 'Files',
  columns: [{ text: 'Data' }, ...times.map(([text]) => ({ text }))],
  rows: rows.map(([text, dataset]) => [
    text,
    ...times.map(
      ([period, timeframe]) =>
        html`<a class="nhsuk-link" href="${path}/${dataset}-${timeframe}.csv">CSV<span class="nhsuk-u-visually-hidden">: ${text}, ${period}</span></a>`,
    ),
  ]),
})}`;
}

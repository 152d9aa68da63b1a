/** Pages whose text stands: definitions, accessibility, privacy, cookies, contact. */
import { type Html, html } from '../../web/html.ts';
import { CODES } from './codes.ts';
import { section } from './layout.ts';
import { DEFINITIONS, type Measure } from './measures.ts';
import { REASONS } from './reasons.ts';
import { dataTable } from './table.ts';

export type StandingPage = {
  readonly path: string;
  readonly heading: string;
  readonly description: string;
  readonly body: (of: Contact) => Html;
};
/** Whom to write to; left out, the pages say that there is nobody yet. */
export type Contact = { readonly email: string | null };

const MEANINGS: Readonly<Record<Measure, string>> = {
  requested:
    'Registrations for which the new practice’s system asked the previous one for the record by GP2GP. Not among them: patients from outside England, from the armed forces or without a previous practice; registrations for which no request could be made; moves inside one system.',
  received:
    'Requested transfers whose record arrived, whether it was integrated or not. Failed transfers, and records that were rejected, are not among them. In percent of transfers requested.',
  'within-3-days':
    'Records that the new practice integrated within 3 days (72 hours) of their arrival: good practice. In percent of transfers received.',
  'within-8-days':
    'Records integrated later than 3 days and within 8 days of their arrival. Those within 3 days are not counted again; both together are integrated on time, without paper. In percent of transfers received.',
  'not-within-8-days':
    'Records that arrived and were integrated after 8 days, or not at all by the time of counting. The previous practice is told to send a paper copy. In percent of transfers received.',
  failures:
    'Transfers that ended with an error before the record could be integrated, such as a record too large for the other system, an error of the Spine or no answer in time; and those whose messages do not say how they ended. A paper copy is requested. In percent of transfers requested.',
};

export const STANDING: readonly StandingPage[] = [
  {
    path: '/definitions-and-notes-about-this-data',
    heading: 'Definitions and notes about this data',
    description: 'What the figures about GP2GP transfers mean, how they are counted and what is not among them.',
    body: ({ email }) => html`<div class="site-narrow">
${section('definitions', 'Definitions')}
<dl class="nhsuk-summary-list">${(Object.keys(MEANINGS) as Measure[]).map(
      (measure) =>
        html`<div class="nhsuk-summary-list__row"><dt class="nhsuk-summary-list__key" id="${measure}">${DEFINITIONS[measure].head}</dt><dd class="nhsuk-summary-list__value">${MEANINGS[measure]}</dd></div>`,
    )}</dl>
${section('time-to-integrate', 'How time to integration is counted')}
<p>The clock starts when the previous practice’s system sends the record and stops when the new practice’s system answers that it was integrated. A record that was sent 10 minutes after it was asked for, and integrated 2 hours later, took 2 hours. Where the previous system is slow, the time since the request is longer than the time that is counted.</p>
<p>Exactly 3 days are within 3 days, exactly 8 days within 8.</p>
</div>
${section('failure-reasons', 'Failure reasons')}
${dataTable({
  caption: 'What the reasons mean',
  columns: [{ text: 'Reason' }, { text: 'What it means' }, { text: 'Name in the reports' }],
  rows: Object.entries(REASONS).map(([name, { text, means }]) => [text, means, name]),
})}
${section('codes', 'Response codes')}
${dataTable({
  caption: 'What the codes of GP2GP ask for',
  columns: [{ text: 'Code' }, { text: 'Name' }, { text: 'What to do' }],
  rows: CODES.map(({ code, name, guidance }) => [code, name, guidance]),
})}
<div class="site-narrow">
<p>For a single practice, reasons of fewer than 5 transfers are put together.</p>
${section('notes', 'Notes')}
<ul class="nhsuk-list nhsuk-list--bullet">
<li>Figures of a month are published about the 15th of the next.</li>
<li>What became of a transfer is judged 14 days after it was requested. A record that is integrated later still counts as not integrated.</li>
<li>Large records take longer to arrive, which leaves less of the 8 days.</li>
<li>A month is a calendar month of UTC: in summer the first hour of a month, by the clock on the wall, counts for the month before.</li>
<li>A transfer counts for the practice that the patient registered with. What practices were asked for stands on their pages apart.</li>
<li>A practice counts for the area it belongs to now, with all of its past.</li>
<li>The figures of England hold transfers of practices that are not known any more; they may be more than the sum of the areas.</li>
<li>Shares are rounded to one decimal and may not add up to 100%. The outcomes of England have two.</li>
<li>England to England only.</li>
</ul>
<p>${email ? html`Questions: <a class="nhsuk-link" href="mailto:${email}">${email}</a>.` : html`<a class="nhsuk-link" href="/contact-us">Contact us</a> with questions.`}</p></div>`,
  },
  {
    path: '/accessibility-statement',
    heading: 'Accessibility statement',
    description: 'How accessible GP Registrations Data is, what is not, and how to report a problem.',
    body: () => html`<div class="site-narrow">
<p>This site is made to be used by as many people as possible. You should be able to zoom to 400% without losing anything, use all of it with a keyboard alone, with a screen reader or with speech, and with scripts switched off: it has none.</p>
${section('compliance', 'How accessible it is')}
<p>It is made to meet the Web Content Accessibility Guidelines version 2.2 at level AA. Every page is checked without a person by axe-core, at the widths of a phone and of a desktop, each time the software changes. Nobody has audited it with people yet, and it has not been tested with every screen reader.</p>
${section('how', 'What was done for it')}
<ul class="nhsuk-list nhsuk-list--bullet">
<li>every chart has its numbers in a table on the same page, and a sentence that says what it shows</li>
<li>nothing is told by colour alone</li>
<li>tables say which column they are sorted by; on a narrow screen each value carries its heading</li>
<li>the way past the menu is the first thing the keyboard reaches</li>
</ul>
${section('report', 'Reporting a problem')}
<p><a class="nhsuk-link" href="/contact-us">Tell us</a> if you cannot use a page, or need its content in another form. If you are not content with the answer, the <a class="nhsuk-link" href="https://www.equalityadvisoryservice.com/">Equality Advisory and Support Service</a> may help.</p></div>`,
  },
  {
    path: '/your-privacy',
    heading: 'Your privacy',
    description: 'What GP Registrations Data knows about those who read it: nothing.',
    body: () =>
      html`<div class="site-narrow"><p>This site sets no cookies, has no scripts, loads nothing from other sites and counts nobody. Whoever runs it may keep a log of requests for some days to find faults and attacks.</p><p>The figures are counts of transfers. No patient’s data are on this site, nor in what it is made from.</p></div>`,
  },
  {
    path: '/cookies-policy',
    heading: 'Cookies',
    description: 'GP Registrations Data uses no cookies.',
    body: () =>
      html`<div class="site-narrow"><p>This site puts no cookies on your device, so there is nothing to agree to. Cookies of the former site (<code>nhsuk-cookie-consent</code>, <code>_ga</code>, <code>_gid</code>) are not read and end by themselves.</p></div>`,
  },
  {
    path: '/contact-us',
    heading: 'Contact us',
    description: 'How to ask a question about GP Registrations Data or to report a problem with it.',
    body: ({ email }) =>
      html`<div class="site-narrow">${
        email
          ? html`<p>Write to <a class="nhsuk-link" href="mailto:${email}">${email}</a>.</p>`
          : html`<p>Whoever runs this site has given no address to write to.</p>`
      }<div class="nhsuk-inset-text"><p>Never send a patient’s data: no name, no NHS number, no part of a record.</p></div><p>A transfer that failed is a matter for the supplier of the practice’s system; please give them the conversation’s id.</p></div>`,
  },
];

import { type Html, html } from '../../web/html.ts';
import { errorSummary } from './layout.ts';
import { countOf, failuresOf, onTimeShare } from './measures.ts';
import type { Figures, Kind, SearchHit } from './model.ts';
import { count, hrefOf, KINDS, monthInWords, nameWithCode, percentText, share } from './words.ts';

/** One more than is shown, so that it is seen when there are more. */
export const LIMIT = 50;

export function searchForm(value: string, error: string | null = null): Html {
  return html`<form method="get" action="/search" role="search" aria-label="Practices and areas"><div class="nhsuk-form-group${error !== null && ' nhsuk-form-group--error'}">
<label class="nhsuk-label nhsuk-label--m" for="q">Find a GP practice, Sub ICB Location or integrated care board</label>
<div class="nhsuk-hint" id="q-hint">Name, ODS code or postcode, for example A81001 or TS18 1HU</div>
${error !== null && html`<span class="nhsuk-error-message" id="q-error"><span class="nhsuk-u-visually-hidden">Error: </span>${error}</span>`}
<div class="site-inline"><input class="nhsuk-input nhsuk-u-width-one-half${error !== null && ' nhsuk-input--error'}" id="q" name="q" type="search" value="${value}" maxlength="100" autocomplete="off" spellcheck="false" aria-describedby="q-hint${error !== null && ' q-error'}">
<button class="nhsuk-button nhsuk-button--small" type="submit">Search</button></div>
</div></form>`;
}

export function homeBody(newest: Figures | null): Html {
  return html`${newest && latest(newest)}
<h2 class="nhsuk-heading-m">About</h2>
<p class="site-narrow">When a patient registers with a new GP practice, GP2GP moves their electronic health record there from the practice they left. This site shows, for every practice of England and everything above it, how many records were requested, how many arrived, how soon they were integrated and why transfers failed.</p>
<div class="nhsuk-grid-row"><div class="nhsuk-grid-column-one-half">
<h2 class="nhsuk-heading-m">What you can find out</h2>
<ul class="nhsuk-list nhsuk-list--bullet">
<li>how many of the records a practice asked for arrived, and why the others did not</li>
<li>how many were integrated within 3 and within 8 days</li>
<li>how a practice or an area compares with others and with England, and how that changed</li>
<li>what became of records that other practices asked a practice for</li>
<li><a class="nhsuk-link" href="/england/systems">which systems</a> transfers failed between, by which code, and what may be done</li>
</ul></div><div class="nhsuk-grid-column-one-half">
<h2 class="nhsuk-heading-m">What this data cannot tell you</h2>
<ul class="nhsuk-list nhsuk-list--bullet">
<li>registrations for which no electronic transfer is possible: from Wales, Scotland or Northern Ireland, from the armed forces, or of patients without a previous practice</li>
<li>registrations that failed before a record was asked for: they are in none of these figures, and <a class="nhsuk-link" href="/england/more#funnel">told apart</a> where suppliers report them</li>
<li>moves inside one clinical system that need no GP2GP, such as from SystmOne to SystmOne</li>
</ul></div></div>
<p><a class="nhsuk-link" href="/definitions-and-notes-about-this-data">Definitions and notes about this data</a></p>`;
}

function latest(month: Figures): Html {
  const { counts } = month;
  return html`<h2 class="nhsuk-heading-m">England in ${monthInWords(month)}</h2><ul class="site-numbers">
<li><strong>${count(countOf('requested', counts))}</strong> transfers requested</li>
<li><strong>${percentText(onTimeShare(counts))}</strong> of those received were integrated within 8 days</li>
<li><strong>${share(failuresOf(counts), countOf('requested', counts))}</strong> failed for technical reasons</li>
</ul><p><a class="nhsuk-link" href="/england">All figures of England</a></p>`;
}

/** Nothing typed, or nothing found. */
export function refusedSearch(typed: string): { readonly body: Html; readonly error: string } {
  const error =
    typed === ''
      ? 'Enter a practice’s name, ODS code or postcode, or the name of an area'
      : `Nothing is found for “${typed}”. Enter a valid ODS code, practice name, postcode or area`;
  return {
    error,
    body: html`${errorSummary(error, 'q')}${searchForm(typed, error)}<p>You may also look through <a class="nhsuk-link" href="/sub-icb-locations">all Sub ICB Locations from A to Z</a>.</p>`,
  };
}

const ORDER: readonly Kind[] = ['region', 'icb', 'sicbl', 'practice'];

export function resultsBody(typed: string, hits: readonly SearchHit[]): Html {
  const shown = hits.slice(0, LIMIT);
  const groups = Map.groupBy(shown, ({ kind }) => kind);
  return html`${searchForm(typed)}
<p role="status">${hits.length > LIMIT ? `The first ${LIMIT} results for “${typed}”. Add a word of the name or a part of the postcode to see fewer.` : `${hits.length} results for “${typed}”.`}</p>
${ORDER.map((kind) => {
  const group = groups.get(kind);
  return (
    group &&
    html`<h2 class="nhsuk-heading-m">${group.length === 1 ? KINDS[kind].one : KINDS[kind].many}</h2><ul class="nhsuk-list">${group.map((hit) => html`<li><a class="nhsuk-link" href="${hrefOf(hit)}">${marked(nameWithCode(hit), typed)}</a>${hit.postcode && html` <span class="site-of">${hit.postcode}</span>`}</li>`)}</ul>`
  );
})}`;
}

/** The words that were typed, wherever they stand in a name. */
export function marked(name: string, typed: string): Html {
  const words = typed.split(' ').filter((word) => word !== '');
  if (words.length === 0) return html`${name}`;
  // Longest first, so that a word that begins with another one is marked whole.
  const found = new RegExp(
    `(${words
      .toSorted((a, b) => b.length - a.length)
      .map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
      .join('|')})`,
    'giu',
  );
  return html`${name.split(found).map((part, at) => (at % 2 === 1 ? html`<strong>${part}</strong>` : part))}`;
}

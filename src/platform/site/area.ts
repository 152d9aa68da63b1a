import { type Html, html } from '../../web/html.ts';
import type { Month } from '../metrics/month.ts';
import { percent } from '../metrics/percent.ts';
import { failuresChart, integrationChart, monthTable, reasonsOf, trend } from './figures.ts';
import { contents, section } from './layout.ts';
import { countOf, failuresOf } from './measures.ts';
import { memberTable, type View, viewForm } from './members.ts';
import type { AreaKind, AreaModel, EnglandModel, Figures, Kind, Place } from './model.ts';
import { SHOWN_MONTHS } from './practice.ts';
import { dataTable } from './table.ts';
import { count, hrefOf, KINDS, monthInWords, nameOf, nameWithCode, percentText } from './words.ts';

/** What lies directly below: practices in a location, locations in a board, boards in a region. */
const BELOW: Readonly<Record<AreaKind, Kind>> = { sicbl: 'practice', icb: 'sicbl', region: 'icb' };

/** A sub ICB location, an integrated care board or a region. */
export function areaBody(model: AreaModel, view: View, all: boolean, published: readonly Month[]): Html {
  const { place, above, months, members } = model;
  const kind = place.kind as AreaKind;
  const shown = all ? months : months.slice(0, SHOWN_MONTHS);
  const what = KINDS[members[0]?.kind ?? BELOW[kind]];
  const here = months.find(({ year, month }) => year === view.month.year && month === view.month.month);
  return html`${above.length > 0 && html`<p>${above.map((one, at) => html`${at > 0 && html`<br>`}${KINDS[one.kind].one}: <a class="nhsuk-link" href="${hrefOf(one)}">${nameWithCode(one)}</a>`)}</p>`}
${contents([
  { text: `${what.many} compared`, href: '#members' },
  { text: 'Integration times', href: '#integration-times' },
  { text: 'Failures and their reasons', href: '#failures' },
  { text: 'GP2GP transfers requested', href: '#gp2gp-transfers-requested' },
  { text: 'Over time', href: '#trend' },
  { text: 'Registrations, both clocks and more', href: `${hrefOf(place)}/more` },
  { text: 'Download data', href: '#download-data' },
])}
${section('members', `${what.many} compared`)}
${viewForm(view, published, what.one)}
${memberTable({ caption: nameOf(place), what: what.one, members, view, whole: here ? { name: `All of ${nameOf(place)}`, counts: here.counts } : null })}
${overTime(`${nameOf(place)}`, months, shown, model.reasons, [
  { name: nameOf(place), months },
  { name: 'England', months: model.england },
])}
${section('download-data', 'Download data')}
<p><a class="nhsuk-link" href="${hrefOf(place)}/download-data">All files about the practices of ${nameOf(place)}</a></p>`;
}

/** England: figures of the month, what it is made of, and everything over time. */
export function englandBody(model: EnglandModel, view: View, by: AreaKind, all: boolean, published: readonly Month[]): Html {
  const { months, members } = model;
  const shown = all ? months : months.slice(0, SHOWN_MONTHS);
  const here = months.find(({ year, month }) => year === view.month.year && month === view.month.month);
  const kinds: readonly AreaKind[] = ['region', 'icb', 'sicbl'];
  return html`${contents([
    { text: 'Outcomes of the month', href: '#outcomes' },
    { text: 'Areas compared', href: '#members' },
    { text: 'Integration times', href: '#integration-times' },
    { text: 'Failures and their reasons', href: '#failures' },
    { text: 'GP2GP transfers requested', href: '#gp2gp-transfers-requested' },
    { text: 'Over time', href: '#trend' },
    { text: 'Registrations, both clocks and more', href: '/england/more' },
    { text: 'Failures by clinical system', href: '/england/systems' },
    { text: 'Download data', href: '#download-data' },
  ])}
${section('outcomes', 'Outcomes of the month')}
${here && outcomes(here)}
${section('members', 'Areas compared')}
${viewForm(view, published, KINDS[by].one, { by })}
<p>Compare by ${kinds.map((kind, at) => html`${at > 0 && ', '}${kind === by ? html`<strong>${KINDS[kind].many.toLowerCase().replace('icb', 'ICB')}</strong>` : html`<a class="nhsuk-link" href="?by=${kind}#members">${KINDS[kind].many.toLowerCase().replace('icb', 'ICB')}</a>`}`)}.</p>
${memberTable({ caption: KINDS[by].many, what: KINDS[by].one, members, view, whole: here ? { name: 'England', counts: here.counts } : null, keep: { by } })}
${overTime('England', months, shown, model.reasons, [{ name: 'England', months }])}
${section('download-data', 'Download data')}
<p><a class="nhsuk-link" href="/download-data">All files about all practices of England</a></p>`;
}

/** As the national file has it: every transfer in one line or in the lines below it. */
function outcomes(month: Figures): Html {
  const { counts } = month;
  const total = countOf('requested', counts);
  const onTime = counts.within3 + counts.within8;
  const line = (name: string, transfers: number) => [name, count(transfers), percentText(percent(transfers, total, 2))];
  return html`<ul class="site-numbers">
<li><strong>${count(total)}</strong> transfers started</li>
<li><strong>${percentText(percent(onTime, total, 2))}</strong> integrated within 8 days</li>
<li><strong>${percentText(percent(failuresOf(counts), total, 2))}</strong> failed for technical reasons</li>
</ul>
${dataTable({
  caption: `Outcomes of transfers started in ${monthInWords(month)}`,
  columns: [{ text: 'Outcome' }, { text: 'Transfers', numeric: true }, { text: 'Of all', numeric: true }],
  rows: [
    line('Transfers started', total),
    line('Integrated within 8 days', onTime),
    line('Paper copy requested', total - onTime),
    line('Paper: transferred, not integrated', counts.notIntegrated),
    line('Paper: integrated late', counts.late),
    line('Paper: technical failure', counts.technical),
    line('Paper: unclassified failure', counts.unclassified),
  ],
})}`;
}

function overTime(
  name: string,
  months: readonly Figures[],
  shown: readonly Figures[],
  reasons: AreaModel['reasons'],
  compared: readonly { readonly name: string; readonly months: readonly Figures[] }[],
): Html {
  return html`${section('integration-times', 'Integration times for registering practices')}
${integrationChart('integration', shown)}
${section('failures', 'Failures and their reasons')}
${failuresChart('failures-chart', shown)}
${reasonsOf(reasons, 'area', 'in the last 12 months')}
${section('gp2gp-transfers-requested', 'GP2GP transfers requested as registering practices')}
${monthTable(`${name}, by month`, shown)}
${months.length > shown.length && html`<p><a class="nhsuk-link" href="?months=all#gp2gp-transfers-requested">Show all ${months.length} months</a></p>`}
${section('trend', 'Over time')}
${trend('trend-chart', compared)}`;
}

/** Everything of one kind, by its first letter. */
export function letters(kind: AreaKind, places: readonly Place[]): Html {
  const groups = Map.groupBy(places, (place) => letterOf(place));
  const all = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
  return html`<nav aria-label="Letters"><ul class="site-letters" id="letters">${all.map((letter) => html`<li>${groups.has(letter) ? html`<a class="nhsuk-link" href="#${letter}">${letter}</a>` : html`<span aria-hidden="true">${letter}</span>`}</li>`)}</ul></nav>
${[...groups]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(
    ([letter, group]) =>
      html`<section aria-labelledby="${letter}"><h2 class="nhsuk-heading-m" id="${letter}">${letter}</h2><ul class="nhsuk-list">${group
        .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
        .map(
          (place) => html`<li><a class="nhsuk-link" href="${hrefOf(place)}">${nameWithCode(place)}</a></li>`,
        )}</ul><p><a class="nhsuk-link" href="#letters">Back to top<span class="nhsuk-u-visually-hidden"> of the ${KINDS[kind].many}</span></a></p></section>`,
  )}`;
}

/** The first letter after a leading `NHS`. */
export function letterOf(place: Place): string {
  return (nameOf(place).replace(/^NHS /, '')[0] ?? '').toUpperCase();
}

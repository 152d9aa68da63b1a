/** Tables and charts of months, the same for a practice, an area and England. */
import { type Html, html } from '../../web/html.ts';
import type { Counts } from '../metrics/counts.ts';
import { addUp } from '../metrics/counts.ts';
import { percent } from '../metrics/percent.ts';
import { lines, namedBars, type Series, stackedBars } from './chart.ts';
import { countOf, DEFINITIONS, failuresOf, MEASURES, type Measure, onTimeShare, shareOf } from './measures.ts';
import type { Figures, Reason } from './model.ts';
import { failureReasons } from './reasons.ts';
import { type Cell, type Column, dataTable } from './table.ts';
import { count, monthInWords, percentText, shortMonth } from './words.ts';

/** A share with its count, or a count that stands alone. */
export function figureCell(measure: Measure, counts: Counts): Cell {
  const number = count(countOf(measure, counts));
  if (DEFINITIONS[measure].of === null) return number;
  return html`<span class="site-share">${percentText(shareOf(measure, counts))}</span><span class="site-of">${number}</span>`;
}

export const MEASURE_COLUMNS: readonly Column[] = MEASURES.map((measure) => ({ text: DEFINITIONS[measure].head, numeric: true }));

/** Everything that is published of a month, newest first. */
export function monthTable(caption: string, months: readonly Figures[]): Html {
  return dataTable({
    caption,
    columns: [{ text: 'Month' }, ...MEASURE_COLUMNS],
    rows: months.map((month) => [monthInWords(month), ...MEASURES.map((measure) => figureCell(measure, month.counts))]),
  });
}

export function integrationChart(id: string, months: readonly Figures[]): Html {
  const shown = months.toReversed();
  const of = (measure: Measure) => shown.map(({ counts }) => shareOf(measure, counts));
  const newest = months[0];
  return stackedBars({
    id,
    title: 'Time to integration, in percent of transfers received',
    summary: newest
      ? `In ${monthInWords(newest)} ${percentText(onTimeShare(newest.counts))} of the transfers received were integrated within 8 days, ${percentText(shareOf('within-3-days', newest.counts))} within 3 days. The table below has every month.`
      : 'There are no months yet.',
    labels: shown.map(labelOf),
    unit: '%',
    series: [
      { name: 'Within 3 days', look: 'a', values: of('within-3-days') },
      { name: 'After 3 and within 8 days', look: 'b', values: of('within-8-days') },
      { name: 'Not within 8 days', look: 'c', values: of('not-within-8-days') },
    ],
  });
}

export function failuresChart(id: string, months: readonly Figures[]): Html {
  const shown = months.toReversed();
  const newest = months[0];
  return stackedBars({
    id,
    title: 'Technical failures, number of transfers',
    summary: newest
      ? `In ${monthInWords(newest)} ${count(failuresOf(newest.counts))} of ${count(countOf('requested', newest.counts))} transfers requested failed. The table below has every month.`
      : 'There are no months yet.',
    labels: shown.map(labelOf),
    unit: '',
    series: [
      { name: 'Failed', look: 'c', values: shown.map(({ counts }) => counts.technical) },
      { name: 'Unclassified', look: 'd', values: shown.map(({ counts }) => counts.unclassified) },
    ],
  });
}

/** One name with its months, newest first. */
export type Line = { readonly name: string; readonly months: readonly Figures[] };

/** Share integrated on time over all there is, the first line being the one the page is about; with its own table. */
export function trend(id: string, compared: readonly Line[]): Html {
  const [own, ...others] = compared;
  if (!own || own.months.length === 0) return html`<p>There are no months yet.</p>`;
  const looks = ['a', 'b', 'd'] as const;
  const series: Series[] = [own, ...others].map(({ name, months }, at) => ({
    name,
    look: looks[at] ?? 'd',
    values: months.toReversed().map(({ counts }) => onTimeShare(counts)),
  }));
  const newest = own.months[0];
  const oldest = own.months.at(-1);
  return html`${lines({
    id,
    title: 'Integrated within 8 days, in percent of transfers received',
    summary:
      newest && oldest
        ? `${own.name}: ${percentText(onTimeShare(oldest.counts))} in ${monthInWords(oldest)}, ${percentText(onTimeShare(newest.counts))} in ${monthInWords(newest)}. The table below has every month.`
        : '',
    labels: own.months.toReversed().map(labelOf),
    unit: '%',
    series,
  })}
<details class="nhsuk-details"><summary class="nhsuk-details__summary"><span class="nhsuk-details__summary-text">The trend as a table</span></summary><div class="nhsuk-details__text">
${dataTable({
  caption: 'Integrated within 8 days, by month',
  columns: [{ text: 'Month' }, ...compared.map(({ name }) => ({ text: name, numeric: true }))],
  rows: own.months.map((month, at) => [
    monthInWords(month),
    ...compared.map(({ months }) => percentText(months[at] ? onTimeShare(months[at].counts) : null)),
  ]),
})}</div></details>`;
}

/** Of up to twelve months together. */
export function reasonsOf(reasons: readonly Reason[], of: 'practice' | 'area', period: string): Html {
  const { shown, total } = failureReasons(reasons, of);
  if (total === 0) return html`<p>No transfer failed ${period}.</p>`;
  if (shown === null)
    return html`<p>${total === 1 ? 'One transfer' : `${count(total)} transfers`} failed ${period}: too few to say for which reasons.</p>`;
  return html`${namedBars(
    `Why transfers failed ${period}`,
    shown.map(({ name, transfers }) => ({
      name,
      value: transfers,
      text: `${count(transfers)} (${percentText(percent(transfers, total, 1))})`,
    })),
  )}
<p><a class="nhsuk-link" href="/definitions-and-notes-about-this-data#failure-reasons">What the reasons mean</a></p>`;
}

/** Side by side for the newest month, and over all months together. */
export function comparison(caption: string, compared: readonly Line[]): Html {
  return dataTable({
    caption,
    columns: [{ text: 'Where' }, ...MEASURE_COLUMNS],
    rows: compared.flatMap(({ name, months }) => {
      const newest = months[0];
      if (!newest) return [];
      return [[name, ...MEASURES.map((measure) => figureCell(measure, newest.counts))]];
    }),
  });
}

/** All of these months as one. */
export function together(months: readonly Figures[]): Counts {
  return addUp(months.map(({ counts }) => counts));
}

function labelOf(month: Figures): string {
  return shortMonth(month).replace(/ \d\d(\d\d)$/, ' $1');
}

/** The table that compares what lies in an area, sorted by the links in its heads. */
import { type Html, html } from '../../web/html.ts';
import type { Counts } from '../metrics/counts.ts';
import { type Month, monthText, readMonth } from '../metrics/month.ts';
import { compare } from '../metrics/practices.ts';
import { figureCell } from './figures.ts';
import { countOf, DEFINITIONS, MEASURES, type Measure, shareOf } from './measures.ts';
import type { Figures, Place } from './model.ts';
import { type Column, dataTable } from './table.ts';
import { hrefOf, monthInWords, nameOf, nameWithCode } from './words.ts';

export type Member = Place & { readonly figures: Figures };
export type SortKey = 'name' | Measure;
export type View = { readonly month: Month; readonly sort: SortKey; readonly order: 'asc' | 'desc' };
const KEYS: readonly SortKey[] = ['name', ...MEASURES];

/** What an address asks for; `null` where it asks for something that there is not. */
export function readView(query: Readonly<Record<string, unknown>>, months: readonly Month[]): View | null {
  const { month = months[0] && monthText(months[0]), sort = 'not-within-8-days', order } = query;
  const key = KEYS.find((each) => each === sort);
  const asked = typeof month === 'string' ? readMonth(month) : null;
  if (!key || !asked || !months.some((each) => monthText(each) === monthText(asked))) return null;
  if (order !== undefined && order !== 'asc' && order !== 'desc') return null;
  return { month: asked, sort: key, order: order ?? usual(key) };
}

/** A name is looked up from its beginning, a number for its largest. */
function usual(key: SortKey): 'asc' | 'desc' {
  return key === 'name' ? 'asc' : 'desc';
}

/** By share where there is one, else by count; nothing sorts below everything, and names part what is equal. */
export function sorted(members: readonly Member[], { sort, order }: View): Member[] {
  const sign = order === 'asc' ? 1 : -1;
  const value = ({ figures: { counts } }: Member): number =>
    sort === 'name' ? 0 : DEFINITIONS[sort].of === null ? countOf(sort, counts) : (shareOf(sort, counts) ?? -1);
  const byName = (a: Member, b: Member) => compare(nameOf(a), nameOf(b)) || compare(a.code, b.code);
  return members.toSorted((a, b) => (sort === 'name' ? sign * byName(a, b) : sign * (value(a) - value(b)) || byName(a, b)));
}

/** `keep`: what else stands in the address and has to stay there. */
export function memberTable(of: {
  readonly caption: string;
  readonly what: string;
  readonly members: readonly Member[];
  readonly view: View;
  readonly whole: { readonly name: string; readonly counts: Counts } | null;
  readonly keep?: Readonly<Record<string, string>>;
}): Html {
  const { view } = of;
  const column = (key: SortKey, text: string): Column => {
    const now = view.sort === key ? (view.order === 'asc' ? 'ascending' : 'descending') : null;
    const order = now === null ? usual(key) : view.order === 'asc' ? 'desc' : 'asc';
    const query = new URLSearchParams({ ...of.keep, month: monthText(view.month), sort: key, order });
    return { text, numeric: key !== 'name', sort: { href: `?${query}#members`, now } };
  };
  const figures = (counts: Counts) => MEASURES.map((measure) => figureCell(measure, counts));
  return dataTable({
    caption: `${of.caption} - ${monthInWords(view.month)}`,
    columns: [column('name', of.what), ...MEASURES.map((measure) => column(measure, DEFINITIONS[measure].head))],
    rows: [
      ...(of.whole ? [[html`<strong>${of.whole.name}</strong>`, ...figures(of.whole.counts)]] : []),
      ...sorted(of.members, view).map((member) => [
        html`<a class="nhsuk-link" href="${hrefOf(member)}">${nameWithCode(member)}</a>`,
        ...figures(member.figures.counts),
      ]),
    ],
  });
}

/** Chooses the month and the order, without a script; on a phone the heads with their links are not to be seen. */
export function viewForm(view: View, months: readonly Month[], what: string, keep: Readonly<Record<string, string>> = {}): Html {
  const keys = [['name', what] as const, ...MEASURES.map((measure) => [measure, DEFINITIONS[measure].head] as const)];
  return html`<form class="site-inline" method="get" action="#members">
${Object.entries(keep).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${select(
  'month',
  'Month',
  months.map((month) => [monthText(month), monthInWords(month)] as const),
  monthText(view.month),
)}
${select('sort', 'Sort by', keys, view.sort)}
${select(
  'order',
  'Order',
  [
    ['desc', 'Descending'],
    ['asc', 'Ascending'],
  ],
  view.order,
)}
<button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" type="submit">Show</button>
</form>`;
}

/** Chooses a month alone. */
export function monthForm(month: Month, months: readonly Month[]): Html {
  const options = months.map((each) => [monthText(each), monthInWords(each)] as const);
  return html`<form class="site-inline" method="get">${select('month', 'Month', options, monthText(month))}
<button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" type="submit">Show</button></form>`;
}

function select(name: string, label: string, options: readonly (readonly [value: string, text: string])[], chosen: string): Html {
  return html`<div class="nhsuk-form-group"><label class="nhsuk-label" for="${name}">${label}</label>
<select class="nhsuk-select" id="${name}" name="${name}">${options.map(([value, text]) => html`<option value="${value}"${value === chosen && html` selected`}>${text}</option>`)}</select></div>`;
}

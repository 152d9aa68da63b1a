import { Html, html } from '../../web/html.ts';
import { type Link, link } from '../../web/pages.ts';

export type Cell = string | number | Link | Html;
export type Column = {
  readonly text: string;
  readonly numeric?: boolean;
  /** Where a click sorts by this column, and how the table is sorted by it now. */
  readonly sort?: { readonly href: string; readonly now: 'ascending' | 'descending' | null };
};

/**
 * A table whose first cell names its row. On a phone each row becomes a card that repeats the heads. Made by hand and not with the design
 * system's macro: a page may have hundreds of rows.
 */
export function dataTable(of: {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}): Html {
  const sortable = of.columns.some(({ sort }) => sort);
  // One string: for hundreds of rows this is half of the work of a page.
  const heads = of.columns.map(({ text }) => html`<span class="nhsuk-table__heading" aria-hidden="true">${text} </span>`.markup);
  let rows = '';
  for (const row of of.rows) {
    rows += '<tr class="nhsuk-table__row" role="row">';
    for (const [at, cell] of row.entries()) {
      const column = of.columns[at];
      const classes = `nhsuk-table__cell${column?.numeric ? ' nhsuk-table__cell--numeric' : ''}${column?.sort?.now ? ' site-sorted' : ''}`;
      const content = contentOf(cell);
      rows +=
        at === 0
          ? `<th class="nhsuk-table__header" scope="row" role="rowheader">${heads[at]}<span>${content}</span></th>`
          : `<td class="${classes}" role="cell">${heads[at]}<span>${content}</span></td>`;
    }
    rows += '</tr>\n';
  }
  return html`<table class="nhsuk-table nhsuk-table--responsive${sortable && ' nhsuk-table--sortable'}" role="table">
<caption class="nhsuk-table__caption nhsuk-table__caption--m">${of.caption}${sortable && html`<span class="nhsuk-u-visually-hidden"> (column headers are links that sort)</span>`}</caption>
<thead class="nhsuk-table__head" role="rowgroup"><tr class="nhsuk-table__row" role="row">
${of.columns.map(headOf)}
</tr></thead>
<tbody class="nhsuk-table__body" role="rowgroup">
${new Html(rows)}</tbody></table>`;
}

function headOf({ text, numeric, sort }: Column): Html {
  return html`<th class="nhsuk-table__header${numeric && ' nhsuk-table__header--numeric'}" scope="col" role="columnheader"${sort && html` data-sort="true"`}${sort?.now && html` aria-sort="${sort.now}"`}>${sort ? html`<a class="nhsuk-link" href="${sort.href}">${text}</a>` : text}</th>`;
}

function contentOf(cell: Cell): string {
  if (cell instanceof Html) return cell.markup;
  if (typeof cell === 'object') return link(cell).markup;
  return html`${String(cell) || '–'}`.markup;
}

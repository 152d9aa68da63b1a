/** Failures by both practices' systems, reason and code, with what may be done: of England. */
import { type Html, html } from '../../web/html.ts';
import { percent } from '../metrics/percent.ts';
import { codeText } from './codes.ts';
import { details, section } from './layout.ts';
import type { PathwayModel } from './model.ts';
import { REASONS } from './reasons.ts';
import { dataTable } from './table.ts';
import { count, percentText } from './words.ts';

/** Rows of fewer transfers than this are left to the operational reports. */
const LEAST = 5;
const ROWS = 60;

export function pathwaysBody(pathways: readonly PathwayModel[], period: string): Html {
  if (pathways.length === 0) return html`<p>There are no transfers in ${period}.</p>`;
  const name = (supplier: string) => supplier || 'Not known';
  const failures = pathways
    .flatMap(({ reasons, ...pathway }) => reasons.map((reason) => ({ ...pathway, ...reason })))
    .filter(({ transfers }) => transfers >= LEAST)
    .sort((a, b) => b.transfers - a.transfers);
  return html`${section('pathways', 'Pathways')}
${dataTable({
  caption: `Transfers by the systems of both practices, ${period}`,
  columns: [
    { text: 'From, to' },
    { text: 'Transfers', numeric: true },
    { text: 'Integrated within 8 days, of all', numeric: true },
    { text: 'Failed, of all', numeric: true },
  ],
  rows: pathways.map(({ requestingSupplier, sendingSupplier, transfers, onTime, failed }) => [
    `${name(sendingSupplier)} to ${name(requestingSupplier)}`,
    count(transfers),
    percentText(percent(onTime, transfers, 1)),
    html`<span class="site-share">${percentText(percent(failed, transfers, 1))}</span><span class="site-of">${count(failed)}</span>`,
  ]),
})}
${section('reasons', 'Failures by pathway, reason and code')}
${
  failures.length === 0
    ? html`<p>No reason has ${LEAST} transfers or more.</p>`
    : dataTable({
        caption: `Failures, ${period}${failures.length > ROWS ? `: the ${ROWS} most frequent` : ''}`,
        columns: [{ text: 'From, to' }, { text: 'Reason' }, { text: 'Code' }, { text: 'What to do' }, { text: 'Transfers', numeric: true }],
        rows: failures.slice(0, ROWS).map(({ requestingSupplier, sendingSupplier, reason, code, transfers }) => {
          const text = code === null ? null : codeText(code);
          return [
            `${name(sendingSupplier)} to ${name(requestingSupplier)}`,
            REASONS[reason]?.text ?? reason,
            text ? `${text.code} ${text.name}` : '',
            text ? text.guidance : (REASONS[reason]?.means ?? ''),
            count(transfers),
          ];
        }),
      })
}
${details('Which failures are here', html`<p>Rows of fewer than ${LEAST} transfers are left out. Codes are those of the Spine’s log, or of suppliers’ events where the log does not have the transfer.</p>`)}`;
}

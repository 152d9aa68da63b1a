import { type Html, html } from '../../web/html.ts';
import type { Month } from '../metrics/month.ts';
import { DATASETS, filePath } from '../open/datasets.ts';
import { details, section } from './layout.ts';
import { dataTable } from './table.ts';
import { monthInWords } from './words.ts';

/** Files with everything open, on the page of England's downloads: all months, and each by itself. */
export function openFiles(months: readonly Month[]): Html {
  const [newest] = months;
  const monthly = DATASETS.filter((dataset) => dataset.monthly);
  return html`${section('open-data', 'Everything, as CSV and Parquet')}
<p>National definitions and improved measures side by side, for all of England. Addresses stay the same. Files are made anew when a month is published, and once a day: figures of past months may be corrected. What the columns mean is in their JSON schema.</p>
${dataTable({
  caption: 'Files with all months',
  columns: [{ text: 'Data' }, { text: 'What it has' }, { text: 'Files' }, { text: 'Columns' }],
  rows: DATASETS.map((dataset) => [
    dataset.title,
    dataset.about,
    links(dataset, null, dataset.title),
    html`<a class="nhsuk-link" href="/api/v1/schemas/${dataset.shape}.json">JSON schema<span class="nhsuk-u-visually-hidden">: ${dataset.title}</span></a>`,
  ]),
})}
${
  newest &&
  details(
    'Show the files of each month',
    dataTable({
      caption: 'Files by month',
      columns: [{ text: 'Month' }, ...monthly.map(({ title }) => ({ text: title }))],
      rows: months.map((month) => [
        monthInWords(month),
        ...monthly.map((dataset) => links(dataset, month, `${dataset.title}, ${monthInWords(month)}`)),
      ]),
    }),
  )
}`;
}

function links(dataset: (typeof DATASETS)[number], month: Month | null, about: string): Html {
  return html`${(['csv', 'parquet'] as const).map(
    (format) =>
      html`<a class="nhsuk-link" href="${filePath(dataset, month, format)}">${format === 'csv' ? 'CSV' : 'Parquet'}<span class="nhsuk-u-visually-hidden">: ${about}</span></a> `,
  )}`;
}

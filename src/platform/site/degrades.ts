/** What could not be taken over as it was: counts without any link to a transfer or practice. */
import { html } from '../../web/html.ts';
import { Problem } from '../../web/problem.ts';
import { csvOf } from '../csv.ts';
import { compare } from '../metrics/practices.ts';
import type { DegradeCount } from '../store/operational.ts';
import { addDays, daysFile, daysInWords, isDate, LONGEST, readDays } from './days.ts';
import { section } from './layout.ts';
import type { OperationalReads } from './model.ts';
import type { PageContent, Query } from './pages.ts';
import { daysForm, daysOf, HOME, INDEX, newestOf, ROWS } from './spans.ts';
import { dataTable } from './table.ts';
import { count } from './words.ts';

export async function degradesPage(reads: OperationalReads, query: Query): Promise<PageContent> {
  const days = readDays(query, await newestOf(reads), 7, LONGEST.counts);
  const all = await reads.degradeDays(days);
  const kinds = summed(all, ({ type, reason }) => [type, reason]);
  const full = summed(all, ({ supplier, type, reason, code }) => [supplier, type, reason, code]);
  const total = all.reduce((sum, each) => sum + each.count, 0);
  const monday = addDays(days.from, -((new Date(days.from).getUTCDay() + 6) % 7));
  return {
    title: 'Degrades',
    heading: 'Degrades',
    description: 'What could not be taken over as it was when records were integrated, by kind, reason, system and code.',
    trail: [HOME, INDEX],
    body: html`<p>A degrade is an entry of a record that the new system could not take over as it was: a code it does not have, a number or a drug that became text. Nothing here says which transfer or practice an entry belongs to.</p>
${daysForm(days, LONGEST.counts)}
${
  total === 0
    ? html`<p>No degrade was reported for ${daysInWords(days)}.</p>`
    : html`<p>${count(total)} degrades, ${daysInWords(days)}.</p>${dataTable({
        caption: 'By kind and reason',
        columns: [{ text: 'Type' }, { text: 'Reason' }, { text: 'Count', numeric: true }],
        rows: kinds.map(([[type = '', reason = ''], number]) => [type, reason, count(number)]),
      })}${dataTable({
        caption: `By system, kind, reason and code${full.length > ROWS ? `: the ${ROWS} most frequent` : ''}`,
        columns: [{ text: 'System' }, { text: 'Type' }, { text: 'Reason' }, { text: 'Code' }, { text: 'Count', numeric: true }],
        rows: full.slice(0, ROWS).map(([key, number]) => [...key, count(number)]),
      })}`
}
${section('files', 'Files')}
<ul class="nhsuk-list">
<li><a class="nhsuk-link" href="/data/degrades/${daysFile(days)}">All of these days, by system, kind, reason and code (CSV)</a></li>
<li><a class="nhsuk-link" href="/data/degrades/daily/${days.from}.csv">Daily summary of ${daysInWords({ from: days.from, days: 1 })} (CSV)</a></li>
<li><a class="nhsuk-link" href="/data/degrades/weekly/${monday}.csv">Weekly summary from ${daysInWords({ from: monday, days: 1 })} (CSV)</a></li>
</ul>`,
  };
}

/** Sums by a key, the most frequent first. */
function summed(all: readonly DegradeCount[], key: (of: DegradeCount) => readonly string[]): (readonly [readonly string[], number])[] {
  const sums = new Map<string, number>();
  for (const each of all) {
    const name = JSON.stringify(key(each));
    sums.set(name, (sums.get(name) ?? 0) + each.count);
  }
  return [...sums]
    .sort(([a, first], [b, second]) => second - first || compare(a, b))
    .map(([name, number]) => [JSON.parse(name) as string[], number] as const);
}

/**
 * The files of the existing monitoring (`daily/2026-11-01.csv`, `weekly/2026-10-26.csv`), and one with everything (`2026-11-01-7-days.csv`). A
 * weekly file is one week's, so that nothing is counted twice when it is made again.
 */
export async function degradesFile(
  reads: OperationalReads,
  kind: 'daily' | 'weekly' | 'all',
  file: string,
): Promise<{ readonly name: string; readonly csv: string }> {
  if (kind === 'all') {
    const rows = summed(await reads.degradeDays(daysOf(file, LONGEST.counts)), ({ supplier, type, reason, code }) => [
      supplier,
      type,
      reason,
      code,
    ]);
    return {
      name: `degrades-${file}`,
      csv: csvOf(
        ['Supplier', 'Type', 'Reason', 'Code', 'Count'],
        rows.map(([key, number]) => [...key, number]),
      ),
    };
  }
  const from = file.replace(/\.csv$/, '');
  if (!file.endsWith('.csv') || !isDate(from) || (kind === 'weekly' && new Date(from).getUTCDay() !== 1))
    throw new Problem(
      404,
      'file.unknown',
      kind === 'weekly' ? 'A week is named by its Monday: 2026-02-23.csv.' : 'A day is written 2026-02-28.csv.',
    );
  const rows = summed(await reads.degradeDays({ from, days: kind === 'daily' ? 1 : 7 }), ({ type, reason }) => [type, reason]).toSorted(
    ([a], [b]) => compare(a.join(' '), b.join(' ')),
  );
  const head = ['Type', 'Reason', 'Count'];
  return {
    name: `degrades-${kind}-${file}`,
    csv:
      kind === 'daily'
        ? csvOf(
            head,
            rows.map(([key, number]) => [...key, number]),
          )
        : csvOf(
            ['Week_beginning', ...head],
            rows.map(([key, number]) => [from, ...key, number]),
          ),
  };
}

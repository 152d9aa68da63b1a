/** What is counted beside the national definitions: the same page for a practice, an area and England. */
import { type Html, html } from '../../web/html.ts';
import { percent } from '../metrics/percent.ts';
import { isSmall, roundedShare, roundTo5 } from '../small-numbers.ts';
import type { Benchmark, BenchmarkName } from '../store/benchmarks.ts';
import type { MonthFigures, MoreCounts } from '../store/figures.ts';
import type { DayCount } from '../store/operational.ts';
import { namedBars } from './chart.ts';
import { contents, details, section } from './layout.ts';
import { countOf } from './measures.ts';
import type { MoreModel } from './model.ts';
import { type Cell, dataTable } from './table.ts';
import { count, KINDS, monthInWords, nameOf, percentText, typeInWords } from './words.ts';

/** Counts of all England that come from days: of England's page alone. */
export type EnglandCounts = { readonly furthest: readonly DayCount[]; readonly completeness: readonly DayCount[] };

/**
 * How counts are written. What is not published nationally is rounded for a single practice: few transfers might point at somebody, and
 * numbers that are each rounded cannot be taken from each other.
 */
type Numbers = {
  readonly text: (value: number) => string;
  readonly share: (part: number, whole: number) => string;
  /** What a picture is drawn from: it must not tell more than the text. */
  readonly drawn: (value: number) => number;
};
const EXACT: Numbers = { text: count, share: (part, whole) => percentText(percent(part, whole, 1)), drawn: (value) => value };
export const ROUNDED: Numbers = {
  text: (value) => (isSmall(value) ? '1 to 7' : value === 0 ? '0' : `about ${count(roundTo5(value))}`),
  share: (part, whole) => {
    if (whole === 0) return 'n/a';
    const share = roundedShare(part, whole);
    return share === null ? 'few' : `${share}%`;
  },
  drawn: roundTo5,
};

export function moreBody(model: MoreModel, england: EnglandCounts | null): Html {
  const { place, requesting, sending, london } = model;
  const numbers = place?.kind === 'practice' ? ROUNDED : EXACT;
  const year = requesting.slice(0, 12);
  return html`${place?.kind === 'practice' && html`<div class="nhsuk-inset-text"><p>These counts are not among those that are published nationally. For a single practice they are rounded to 5, and those below 8 are not told.</p></div>`}
${contents([
  { text: 'From registration to integration', href: '#funnel' },
  { text: 'Both clocks', href: '#clocks' },
  { text: 'Rejections and failures apart', href: '#rejections' },
  ...(model.benchmarks.length > 0 ? [{ text: 'Compared with others', href: '#benchmarks' }] : []),
  { text: 'As sending practice', href: '#sending' },
  { text: 'Large records and redactions', href: '#messages' },
  { text: 'Months of London', href: '#london' },
  ...(england ? [{ text: 'Completeness of events', href: '#completeness' }] : []),
])}
${section('funnel', 'From registration to integration')}
${funnel(year, numbers, england?.furthest ?? null)}
${section('clocks', 'Both clocks')}
<p>The national clock starts when the previous practice sends the record. For the patient it starts with the request: a slow sender counts there too.</p>
${clocks(year, numbers)}
${section('rejections', 'Rejections and failures apart')}
<p>The national definitions count records that staff rejected, and records filed as attachments, as technical failures. Here each stands by itself.</p>
${rejections(year, numbers)}
${model.benchmarks.length > 0 && html`${section('benchmarks', 'Compared with others')}${compared(model)}`}
${section('sending', 'As sending practice')}
<p>What became of records that others asked for here.</p>
${asSender(sending.slice(0, 12), numbers)}
${section('messages', 'Large records and redactions')}
<p>By the Spine’s log: records that needed more than one message, and records with redactions (UK07).</p>
${messages(year, numbers)}
${section('london', 'Months of London')}
<p>National months are those of UTC: in summer the first hour of a month, by the clock on the wall, counts for the month before.</p>
${calendars(year, london, numbers)}
${england && html`${section('completeness', 'Completeness of events')}${completeness(england.completeness)}`}`;
}

// ---- registrations

const STEPS: readonly (readonly [keyof MoreCounts, string])[] = [
  ['registrations', 'Registered'],
  ['traced', 'Found on PDS'],
  ['toldCompatible', 'Electronic transfer possible'],
  ['toldRequested', 'Record requested'],
  ['toldReceived', 'Record received'],
  ['toldIntegrated', 'Record integrated'],
];
const REASONS: readonly (readonly [string, (more: MoreCounts) => number])[] = [
  ['Registered, not found on PDS', (more) => more.registrations - more.traced],
  ['Found, moved inside one system', (more) => more.toldInternal],
  ['Found, electronic transfer not possible', (more) => more.toldIncompatible],
  ['Found, nothing more reported', (more) => Math.max(0, more.traced - more.toldInternal - more.toldIncompatible - more.toldCompatible)],
  ['Possible, not requested', (more) => more.toldCompatible - more.toldRequested],
  ['Requested, not received', (more) => more.toldRequested - more.toldReceived],
  ['Received, rejected by staff', (more) => more.toldRejected],
  ['Received, not integrated (yet)', (more) => Math.max(0, more.toldReceived - more.toldRejected - more.toldIntegrated)],
];

function funnel(months: readonly MonthFigures[], numbers: Numbers, furthest: readonly DayCount[] | null): Html {
  const all = together(months);
  if (all.registrations === 0)
    return html`<p>Registrations are known where suppliers report them by events. None were reported for these months.</p>`;
  const [newest] = months;
  return html`<p>Registrations that suppliers reported by events, whatever became of them, and how many came as far as each step. A registration that no request followed is in none of the other figures of this site.</p>
${namedBars(
  'Of registrations in the last 12 months',
  STEPS.map(([name, text]) => ({
    name: text,
    value: numbers.drawn(all[name]),
    text:
      name === 'registrations' ? numbers.text(all[name]) : `${numbers.text(all[name])} (${numbers.share(all[name], all.registrations)})`,
  })),
)}
${dataTable({
  caption: 'Why no further, in the last 12 months',
  columns: [{ text: 'Where it ended' }, { text: 'Registrations', numeric: true }, { text: 'Of all registered', numeric: true }],
  rows: REASONS.map(([text, of]) => [text, numbers.text(of(all)), numbers.share(of(all), all.registrations)]),
})}
${furthest && furthest.length > 0 && newest && reasonsOfMonth(furthest, newest)}
${details(
  'Show the months',
  dataTable({
    caption: 'From registration to integration, by month',
    columns: [{ text: 'Month' }, ...STEPS.map(([, text]) => ({ text, numeric: true }))],
    rows: months.map((month) => [monthInWords(month), ...STEPS.map(([name]) => numbers.text(month.more[name]))]),
  }),
)}`;
}

/** The reasons of a month, with codes of errors; those of very few are left to the operational reports. */
function reasonsOfMonth(furthest: readonly DayCount[], month: MonthFigures): Html {
  const total = furthest.reduce((sum, each) => sum + each.count, 0);
  const shown = furthest.filter(({ key, count: number }) => key[0] !== 'Integrated' && number >= 5).slice(0, 25);
  return details(
    `Show the reasons of ${monthInWords(month)}`,
    dataTable({
      caption: `Why no further, in ${monthInWords(month)}`,
      columns: [{ text: 'Last step' }, { text: 'Reason' }, { text: 'Registrations', numeric: true }, { text: 'Of all', numeric: true }],
      rows: shown.map(({ key, count: number }) => [key[0] ?? '', key[1] ?? '', count(number), percentText(percent(number, total, 1))]),
    }),
  );
}

// ---- months

type MonthRow = { readonly month: MonthFigures; readonly cells: readonly Cell[] };

/** The two newest months; all of them where somebody asks. A phone shows each row as a card, so that twelve are long. */
function byMonth(caption: string, heads: readonly string[], rows: readonly MonthRow[]): Html {
  const table = (text: string, some: readonly MonthRow[]) =>
    dataTable({
      caption: text,
      columns: [{ text: 'Month' }, ...heads.map((head) => ({ text: head, numeric: true }))],
      rows: some.map(({ month, cells }) => [monthInWords(month), ...cells]),
    });
  return html`${table(caption, rows.slice(0, 2))}${rows.length > 2 && details(`Show ${rows.length} months: ${caption.toLowerCase()}`, table(`${caption}, by month`, rows))}`;
}

function clocks(months: readonly MonthFigures[], numbers: Numbers): Html {
  return byMonth(
    'Integrated within 3 and 8 days',
    ['Within 3 days of the sending', 'Within 3 days of the request', 'Within 8 days of the sending', 'Within 8 days of the request'],
    months.map((month) => {
      const { counts, more } = month;
      const received = countOf('received', counts);
      const national = (value: number) => pair(EXACT, value, received);
      // Each group of the second clock is counted once, as in the first.
      const own = (value: number) => pair(numbers, value, received);
      return {
        month,
        cells: [
          national(counts.within3),
          own(more.within3OfRequest),
          national(counts.within3 + counts.within8),
          own(more.within3OfRequest + more.within8OfRequest),
        ],
      };
    }),
  );
}

function rejections(months: readonly MonthFigures[], numbers: Numbers): Html {
  return byMonth(
    'Transfers that were not integrated as they came',
    ['Technical failures, national', 'Rejected by staff', 'Filed as attachment', 'Technical failures alone', 'On the way or waiting'],
    months.map((month) => {
      const { counts, more } = month;
      const requested = countOf('requested', counts);
      return {
        month,
        cells: [
          pair(EXACT, countOf('failures', counts), requested),
          pair(numbers, more.rejected, requested),
          pair(numbers, more.filedAsAttachment, requested),
          pair(numbers, more.failed, requested),
          pair(numbers, more.open, requested),
        ],
      };
    }),
  );
}

function asSender(months: readonly MonthFigures[], numbers: Numbers): Html {
  return byMonth(
    'Requests that came, and what was sent',
    [
      'Requests',
      'Record sent',
      'Sent within 20 minutes',
      'Failed for technical reasons',
      'Sent with placeholders',
      'Attachments that did not arrive',
    ],
    months.map((month) => {
      const { more } = month;
      return {
        month,
        cells: [
          numbers.text(more.requested),
          pair(numbers, more.sent, more.requested),
          pair(numbers, more.sentInTime, more.sent),
          pair(numbers, more.failed, more.requested),
          pair(numbers, more.withPlaceholders, more.sent),
          pair(numbers, more.documentsFailed, more.documents),
        ],
      };
    }),
  );
}

function messages(months: readonly MonthFigures[], numbers: Numbers): Html {
  return byMonth(
    'Large records and records with redactions',
    ['Large records', 'With redactions (UK07)'],
    months.map((month) => {
      const requested = countOf('requested', month.counts);
      return { month, cells: [pair(numbers, month.more.large, requested), pair(numbers, month.more.redactions, requested)] };
    }),
  );
}

function calendars(months: readonly MonthFigures[], london: MoreModel['london'], numbers: Numbers): Html {
  return byMonth(
    'Transfers requested, by both calendars',
    ['Month of UTC', 'Month of London', 'Failed, month of UTC', 'Failed, month of London'],
    months.map((month, at) => {
      const other = london[at]?.counts ?? month.counts;
      return {
        month,
        cells: [
          count(countOf('requested', month.counts)),
          numbers.text(countOf('requested', other)),
          pair(EXACT, countOf('failures', month.counts), countOf('requested', month.counts)),
          pair(numbers, countOf('failures', other), countOf('requested', other)),
        ],
      };
    }),
  );
}

function pair({ text, share }: Numbers, value: number, whole: number): Cell {
  return html`<span class="site-share">${share(value, whole)}</span><span class="site-of">${text(value)}</span>`;
}

function together(months: readonly MonthFigures[]): MoreCounts {
  const [first] = months;
  const names = Object.keys(first?.more ?? {}) as (keyof MoreCounts)[];
  return Object.fromEntries(names.map((name) => [name, months.reduce((sum, { more }) => sum + more[name], 0)])) as MoreCounts;
}

// ---- others

const BENCHMARKS: Readonly<Record<BenchmarkName, { readonly text: string; readonly best: 'high' | 'low'; readonly national?: true }>> = {
  onTime: { text: 'Integrated within 8 days of the sending, of received', best: 'high', national: true },
  within3: { text: 'Integrated within 3 days of the sending, of received', best: 'high', national: true },
  onTimeFromRequest: { text: 'Integrated within 8 days of the request, of requested', best: 'high' },
  failures: { text: 'Technical failures, of requested', best: 'low', national: true },
  sent: { text: 'Records sent, of those that others asked for', best: 'high' },
  sentInTime: { text: 'Sent within 20 minutes, of those sent', best: 'high' },
};

function compared({ place, requesting, benchmarks }: MoreModel): Html {
  const many = KINDS[place?.kind ?? 'practice'].many;
  const round = (value: number) => percentText(Math.round(value * 10) / 10);
  const [newest] = requesting;
  return html`<p>Half of all ${many} with ten transfers or more lie between the lower and the upper quartile.</p>
${dataTable({
  caption: `${place ? nameOf(place) : 'England'} among ${many}${newest ? `, ${monthInWords(newest)}` : ''}`,
  columns: [
    { text: 'Share' },
    ...(place ? [{ text: 'Here', numeric: true }] : []),
    { text: 'Lower quartile', numeric: true },
    { text: 'Median', numeric: true },
    { text: 'Upper quartile', numeric: true },
    ...(place ? [{ text: 'Where it stands' }] : []),
    { text: many, numeric: true },
  ],
  rows: benchmarks.map((each) => [
    BENCHMARKS[each.name].text,
    ...(place ? [own(each, place.kind === 'practice')] : []),
    round(each.lower),
    round(each.median),
    round(each.upper),
    ...(place ? [standing(each)] : []),
    count(each.places),
  ]),
})}`;
}

/** What is not published nationally is rounded for a single practice. */
function own({ name, own: share }: Benchmark, rounded: boolean): string {
  if (share === null) return 'n/a';
  return rounded && !BENCHMARKS[name].national ? `about ${roundTo5(share)}%` : percentText(Math.round(share * 10) / 10);
}

function standing({ name, own, lower, upper }: Benchmark): string {
  if (own === null) return '';
  if (own >= lower && own <= upper) return 'Middle half';
  return own > upper === (BENCHMARKS[name].best === 'high') ? 'Best quarter' : 'Weakest quarter';
}

// ---- England

/** How complete events are: a score for each supplier, and for each type. */
function completeness(counts: readonly DayCount[]): Html {
  if (counts.length === 0) return html`<p>No transfer of this month is known.</p>`;
  const sum = (some: readonly DayCount[]) => some.reduce((total, each) => total + each.count, 0);
  const score = (some: readonly DayCount[]) => pair(EXACT, sum(some.filter(({ key }) => key[2] === 'seen')), sum(some));
  const types = [...new Set(counts.map(({ key }) => key[1] ?? ''))].sort();
  const suppliers = [...Map.groupBy(counts, ({ key }) => key[0] ?? '')].sort(([a], [b]) => (a < b ? -1 : 1));
  return html`<p>Of the events that must have happened, by the Spine’s log or by what was told behind them, how many suppliers told. Figures that come from events alone, such as registrations, are as complete as this.</p>
${dataTable({
  caption: 'Events told, by supplier',
  columns: [
    { text: 'Type of event' },
    { text: 'All', numeric: true },
    ...suppliers.map(([name]) => ({ text: name || 'Not known', numeric: true })),
  ],
  rows: [
    ['All', score(counts), ...suppliers.map(([, own]) => score(own))],
    ...types.map((type) => {
      const of = (some: readonly DayCount[]) => some.filter(({ key }) => key[1] === type);
      return [typeInWords(type), score(of(counts)), ...suppliers.map(([, own]) => (of(own).length > 0 ? score(of(own)) : ''))];
    }),
  ],
})}`;
}

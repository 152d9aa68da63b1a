import { type Html, html } from '../../web/html.ts';

/** `null`: nothing to be shown for that month. */
export type Series = { readonly name: string; readonly look: 'a' | 'b' | 'c' | 'd'; readonly values: readonly (number | null)[] };
export type Chart = {
  /** Unique on its page. */
  readonly id: string;
  readonly title: string;
  /** What the picture shows, in one or two sentences; the numbers stand in a table of the page. */
  readonly summary: string;
  /** From left to right. */
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly unit: '%' | '';
};

const HEIGHT = 220;
const BELOW = 28;

/** Bars upon each other, one for each label. */
export function stackedBars(chart: Chart): Html {
  const sums = chart.labels.map((_, at) => chart.series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0));
  const scale = scaleOf(0, chart.unit === '%' ? 100 : Math.max(...sums, 1));
  const step = 100 / Math.max(chart.labels.length, 1);
  const bars = chart.labels.map((_, at) => {
    let below = 0;
    return chart.series.map(({ values, look }) => {
      const value = values[at] ?? 0;
      if (value === 0) return null;
      const top = scale.y(below + value);
      // Two pixels of the paper between the parts.
      const height = Math.max(scale.y(below) - top - (below > 0 ? 2 : 0), 1);
      below += value;
      return html`<rect class="chart-bar chart-${look}" x="${share(at * step + step * 0.15)}" y="${pixels(top)}" width="${share(step * 0.7)}" height="${pixels(height)}"/>`;
    });
  });
  return frame(chart, scale, 'bar', html`${bars}`);
}

/** Lines over time; between months of which one has no value there is no line. */
export function lines(chart: Chart): Html {
  const values = chart.series.flatMap((series) => series.values.filter((value) => value !== null));
  const scale = scaleOf(Math.min(...values, chart.unit === '%' ? 100 : 0), Math.max(...values, 1), chart.unit === '%');
  const step = 100 / Math.max(chart.labels.length, 1);
  const x = (at: number) => share((at + 0.5) * step);
  const drawn = chart.series.toReversed().map(({ values: own, look }) =>
    own.map((value, at) => {
      if (value === null) return null;
      const next = own[at + 1];
      const to = next ?? null;
      return html`${to !== null && html`<line class="chart-line chart-${look}" x1="${x(at)}" y1="${pixels(scale.y(value))}" x2="${x(at + 1)}" y2="${pixels(scale.y(to))}"/>`}${look === 'a' && html`<circle class="chart-a" cx="${x(at)}" cy="${pixels(scale.y(value))}" r="4"/>`}`;
    }),
  );
  return frame(chart, scale, 'line', html`${drawn}`);
}

/** Names with bars beside them, the longest first. */
export function namedBars(title: string, bars: readonly { readonly name: string; readonly value: number; readonly text: string }[]): Html {
  const largest = Math.max(...bars.map(({ value }) => value), 1);
  return html`<figure class="chart"><figcaption>${title}</figcaption><dl class="bars">
${bars.map(
  ({ name, value, text }) =>
    html`<dt>${name}</dt><dd><svg width="100%" height="18" aria-hidden="true" focusable="false"><rect class="chart-bar chart-b" x="0" y="0" width="${share((value / largest) * 100)}" height="18"/></svg><span>${text}</span></dd>`,
)}
</dl></figure>`;
}

type Scale = { readonly ticks: readonly number[]; readonly y: (value: number) => number };

/** Round numbers at the lines; the lowest is a round number below what is shown, 0 where bars stand on it. */
function scaleOf(least: number, most: number, upToHundred = false): Scale {
  const steps = [1, 2, 5, 10, 20, 25, 50];
  let step = 1;
  for (let power = 1; ; power *= 10) {
    const found = steps.map((each) => each * power).find((each) => Math.ceil(most / each) - Math.floor(least / each) <= 5);
    if (found !== undefined) {
      step = found;
      break;
    }
  }
  const bottom = Math.max(0, Math.floor(least / step) * step);
  const ceiling = Math.ceil(most / step) * step;
  const top = Math.max(upToHundred ? Math.min(100, ceiling) : ceiling, bottom + step);
  const ticks = Array.from({ length: Math.round((top - bottom) / step) + 1 }, (_, at) => bottom + at * step);
  return { ticks, y: (value) => 8 + (1 - (value - bottom) / (top - bottom)) * (HEIGHT - 8) };
}

function frame({ id, title, summary, labels, series, unit }: Chart, { ticks, y }: Scale, kind: 'bar' | 'line', drawn: Html): Html {
  const step = 100 / Math.max(labels.length, 1);
  // At most twelve labels on a wide screen, and a third of them on a narrow one; the newest is always there.
  const every = Math.ceil(labels.length / 12);
  const below = labels.map((label, at) => {
    const fromEnd = labels.length - 1 - at;
    if (fromEnd % every !== 0) return null;
    const sparse = (fromEnd / every) % 3 !== 0;
    return html`<text${sparse && html` class="chart-sparse"`} x="${share((at + 0.5) * step)}" y="${HEIGHT + 20}" text-anchor="middle">${label}</text>`;
  });
  return html`<figure class="chart">
<figcaption>${title}</figcaption>
${series.length > 1 && html`<ul class="chart-key" aria-hidden="true">${series.map(({ name, look }) => html`<li>${swatch(look, kind)}${name}</li>`)}</ul>`}
<div class="chart-frame">
<svg width="44" height="${HEIGHT + BELOW}" aria-hidden="true" focusable="false">${ticks.map((tick) => html`<text x="38" y="${pixels(y(tick) + 5)}" text-anchor="end">${compact(tick)}${unit}</text>`)}</svg>
<svg width="100%" height="${HEIGHT + BELOW}" role="img" aria-labelledby="${id}-title ${id}-summary">
<title id="${id}-title">${title}</title><desc id="${id}-summary">${summary}</desc>
${ticks.map((tick) => html`<line class="chart-grid" x1="0" x2="100%" y1="${pixels(y(tick))}" y2="${pixels(y(tick))}"/>`)}
${drawn}
${below}
</svg>
</div>
</figure>`;
}

function swatch(look: Series['look'], kind: 'bar' | 'line'): Html {
  return kind === 'bar'
    ? html`<svg width="16" height="16" focusable="false"><rect class="chart-bar chart-${look}" width="16" height="16"/></svg>`
    : html`<svg width="32" height="12" focusable="false"><line class="chart-line chart-${look}" x1="0" y1="6" x2="32" y2="6"/>${look === 'a' && html`<circle class="chart-a" cx="16" cy="6" r="4"/>`}</svg>`;
}

function share(value: number): string {
  return `${Math.round(value * 1000) / 1000}%`;
}

function pixels(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const COMPACT = new Intl.NumberFormat('en-GB', { notation: 'compact' });

function compact(value: number): string {
  return COMPACT.format(value);
}

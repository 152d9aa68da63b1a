/** Everything open as tables: what they are, which columns they have, and how their rows are read a few thousand at a time. */
import { z } from 'zod';
import { type Month, monthText } from '../metrics/month.ts';
import { improvedOf, nationalOf } from './measures.ts';
import { KEYS, type MetricRow, type OpenReads } from './model.ts';
import { prefixedName, SHAPES, type ShapeName } from './shapes.ts';

export type Value = string | number | boolean | null;
export type Row = Readonly<Record<string, Value>>;
export type Column = { readonly name: string; readonly type: 'STRING' | 'INT32' | 'DOUBLE' | 'BOOLEAN'; readonly nullable: boolean };
export type Dataset = {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly shape: ShapeName;
  /** There is a file for every month besides the one with all. */
  readonly monthly: boolean;
  /** Rows in their order; `months` oldest first. */
  readonly rows: (reads: OpenReads, months: readonly Month[]) => AsyncGenerator<readonly Row[]>;
};

/** Rows in memory at a time. */
const PAGE = 2_000;

export const DATASETS: readonly Dataset[] = [
  {
    name: 'organisations',
    title: 'Organisations',
    about: 'GP practices, sub ICB locations, integrated care boards and regions, closed ones too.',
    shape: 'organisation-row',
    monthly: false,
    rows: (reads) =>
      paged(
        (after) => reads.organisations({ kind: null, code: null, within: null, active: null, after, limit: PAGE }),
        KEYS.organisations,
        (row) => ({ ...row, address: row.address.join(', ') }),
      ),
  },
  {
    name: 'practices',
    title: 'Practices by month',
    about: 'Every practice in every month, for patients who came and who left: national definitions and improved measures.',
    shape: 'metric-row',
    monthly: true,
    rows: (reads, months) => metrics(reads, months, ['practice']),
  },
  {
    name: 'areas',
    title: 'Areas and England by month',
    about: 'The same for sub ICB locations, integrated care boards, regions and England.',
    shape: 'metric-row',
    monthly: true,
    rows: (reads, months) => metrics(reads, months, ['sicbl', 'icb', 'region', 'england']),
  },
  {
    name: 'outcomes',
    title: 'Outcomes per supplier pathway',
    about: 'How the transfers of England ended, by the systems of both practices, reason and error.',
    shape: 'outcome',
    monthly: true,
    rows: async function* (reads, months) {
      for (const month of months)
        yield* paged(
          (after) => reads.outcomes({ months: [month], requestingSupplier: null, sendingSupplier: null, after, limit: PAGE }),
          KEYS.outcomes,
          (row) => row,
        );
    },
  },
  {
    name: 'degrades',
    title: 'Degrades',
    about: 'What could not be taken over as it was, by system, kind, reason and code. Codes of fewer than 5 degrades stand together.',
    shape: 'degrade',
    monthly: true,
    rows: async function* (reads, months) {
      for (const month of months)
        yield* paged(
          (after) => reads.degrades({ months: [month], supplier: null, after, limit: PAGE }),
          KEYS.degrades,
          (row) => row,
        );
    },
  },
];

/** The columns of a dataset, as its rows' schema has them. */
export function columnsOf({ shape }: Dataset): Column[] {
  const { properties = {} } = z.toJSONSchema(SHAPES[shape]);
  return Object.entries(properties).map(([name, schema]) => {
    const { type, anyOf } = schema as { type?: string | readonly string[]; anyOf?: readonly { readonly type?: string }[] };
    const types = type === undefined ? (anyOf ?? []).map((each) => each.type ?? '') : [type].flat();
    const [only] = types.filter((each) => each !== 'null');
    const found = only === undefined ? undefined : TYPES[only];
    if (!found) throw new Error(`${shape}: no column can be made of ${name}`);
    return { name, type: found, nullable: types.includes('null') };
  });
}

const TYPES: Readonly<Record<string, Column['type']>> = { string: 'STRING', integer: 'INT32', number: 'DOUBLE', boolean: 'BOOLEAN' };

/** Addresses of the files of a dataset; all months, or one. */
export function filePath({ name }: Pick<Dataset, 'name'>, month: Month | null, format: 'csv' | 'parquet'): string {
  return `/data/open/${name}/${month ? monthText(month) : 'all'}.${format}`;
}

async function* metrics(reads: OpenReads, months: readonly Month[], levels: readonly MetricRow['kind'][]): AsyncGenerator<readonly Row[]> {
  for (const level of levels)
    for (const role of ['requesting', 'sending'] as const)
      yield* paged(
        (after) => reads.metrics({ level, role, months, code: null, within: null, after, limit: PAGE }),
        KEYS.metrics,
        flatMetric,
      );
}

function flatMetric(row: MetricRow): Row {
  const { counts: _counts, more: _more, ...named } = row;
  const flat: Record<string, Value> = { ...named };
  for (const [name, value] of Object.entries(nationalOf(row))) flat[prefixedName('national', name)] = value;
  for (const [name, value] of Object.entries(improvedOf(row))) flat[prefixedName('improved', name)] = value;
  return flat;
}

/** Page after page until one is not full. */
async function* paged<Item>(
  read: (after: readonly string[] | null) => Promise<readonly Item[]>,
  keyOf: (item: Item) => readonly string[],
  rowOf: (item: Item) => Row,
): AsyncGenerator<readonly Row[]> {
  let after: readonly string[] | null = null;
  for (;;) {
    const items: readonly Item[] = await read(after);
    if (items.length > 0) yield items.map(rowOf);
    const last = items.at(-1);
    if (!last || items.length < PAGE) return;
    after = keyOf(last);
  }
}

/** A table as bytes, in pieces: comma-separated values, and Apache Parquet. Neither ever holds more than some thousand rows. */
import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { type CsvCell, csvHead, csvLine } from '../csv.ts';
import type { Column, Row, Value } from './datasets.ts';

type Pages = AsyncIterable<readonly Row[]>;

export async function* csvTable(columns: readonly Column[], pages: Pages): AsyncGenerator<Uint8Array> {
  yield Buffer.from(csvHead(columns.map(({ name }) => name)));
  for await (const rows of pages) yield Buffer.from(rows.map((row) => csvLine(columns.map(({ name }) => cellOf(row[name])))).join(''));
}

function cellOf(value: Value | undefined): CsvCell {
  return typeof value === 'boolean' ? String(value) : (value ?? null);
}

/** Rows of a group: readers look up groups by their smallest and largest values, so that small ones cost little and find much. */
const GROUP = 20_000;

export async function* parquetTable(columns: readonly Column[], pages: Pages): AsyncGenerator<Uint8Array> {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema: schemaOf(columns), createdBy: 'Open GP2GP' });
  const taken = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    // Offsets in the file go on; what was taken need not be kept.
    writer.index = 0;
    return bytes;
  };
  let values: Value[][] = columns.map(() => []);
  let rows = 0;
  const group = (): Uint8Array => {
    const columnData = columns.map(({ name }, at): ColumnSource => ({ name, data: values[at] ?? [] }));
    void parquet.write({ columnData, rowGroupSize: rows });
    values = columns.map(() => []);
    rows = 0;
    return taken();
  };
  for await (const page of pages) {
    for (const row of page) for (const [at, { name }] of columns.entries()) values[at]?.push(row[name] ?? null);
    rows += page.length;
    if (rows >= GROUP) yield group();
  }
  if (rows > 0) yield group();
  void parquet.finish();
  yield parquet.row_groups.length === 0 ? withoutGroups(taken()) : taken();
}

/** In Thrift's compact form: no rows, and a list of no groups, without a type where no group tells it to the library. */
const NO_ROWS_NO_GROUPS = Buffer.from([0x16, 0x00, 0x19, 0x00]);
const LIST_OF_STRUCTS = 0x0c;

/** Readers that check the type of an empty list refuse the file else. */
function withoutGroups(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const at = bytes.lastIndexOf(NO_ROWS_NO_GROUPS);
  if (at < 0) throw new Error('the footer of a table without rows is written in another way');
  bytes[at + NO_ROWS_NO_GROUPS.length - 1] = LIST_OF_STRUCTS;
  return file;
}

const PHYSICAL: Readonly<Record<Column['type'], Pick<SchemaElement, 'type' | 'converted_type'>>> = {
  STRING: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  INT32: { type: 'INT32' },
  DOUBLE: { type: 'DOUBLE' },
  BOOLEAN: { type: 'BOOLEAN' },
};

function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [
    { name: 'root', num_children: columns.length },
    ...columns.map(
      ({ name, type, nullable }): SchemaElement => ({ name, ...PHYSICAL[type], repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED' }),
    ),
  ];
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { readParquet, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm';
import type { Column, Row } from './datasets.ts';
import { csvTable, parquetTable } from './tables.ts';

const COLUMNS: readonly Column[] = [
  { name: 'name', type: 'STRING', nullable: true },
  { name: 'count', type: 'INT32', nullable: false },
  { name: 'share', type: 'DOUBLE', nullable: true },
  { name: 'open', type: 'BOOLEAN', nullable: false },
];
const ROWS: readonly Row[] = [
  { name: 'é "1", 2', count: 0, share: null, open: true },
  { name: null, count: 2_147_483_647, share: 6.2, open: false },
];

async function* pagesOf(...pages: readonly (readonly Row[])[]) {
  yield* pages;
}
async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
const bufferOf = (bytes: Buffer): ArrayBuffer => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;

test('a Parquet file is read back as it was written, of its types, with nulls', async () => {
  const file = bufferOf(await whole(parquetTable(COLUMNS, pagesOf(ROWS))));
  assert.deepEqual(
    (await parquetReadObjects({ file })).map((row) => ({ ...row })),
    ROWS,
  );
  const { schema } = parquetMetadata(file);
  assert.deepEqual(
    schema.slice(1).map(({ name, type, converted_type, repetition_type }) => [name, type, converted_type, repetition_type]),
    [
      ['name', 'BYTE_ARRAY', 'UTF8', 'OPTIONAL'],
      ['count', 'INT32', undefined, 'REQUIRED'],
      ['share', 'DOUBLE', undefined, 'OPTIONAL'],
      ['open', 'BOOLEAN', undefined, 'REQUIRED'],
    ],
  );
});

/**
 * What another implementation (Apache Arrow's, in Rust) understood of a file: it is read into Arrow and written anew, with that
 * implementation's own pages and encodings. Only then it is read by the reader of our writer's author.
 */
const understood = async (written: Buffer) => {
  const again = writeParquet(readParquet(written), new WriterPropertiesBuilder().setDictionaryEnabled(false).build());
  const file = bufferOf(Buffer.from(again));
  const { created_by: createdBy = '', schema } = parquetMetadata(file);
  return {
    createdBy,
    rows: (await parquetReadObjects({ file })).map((row) => ({ ...row })),
    schema: schema.slice(1).map(({ name, type, repetition_type }) => [name, type, repetition_type]),
  };
};

test('a reader that shares nothing with the writer finds the same types and values, in many groups of rows too, or in none', async () => {
  const many = Array.from(
    { length: 12_000 },
    (_, at): Row => ({
      name: at % 7 === 0 ? null : `Surgery ${at % 50} – é`,
      count: at % 3 === 1 ? -at : at,
      share: at % 5 === 0 ? null : at / 7,
      open: at % 2 === 0,
    }),
  );
  const pages = Array.from({ length: 6 }, (_, at) => many.slice(at * 2_000, (at + 1) * 2_000));
  for (const [name, rows, file] of [
    ['few', ROWS, await whole(parquetTable(COLUMNS, pagesOf(ROWS)))],
    ['many', many, await whole(parquetTable(COLUMNS, pagesOf(...pages)))],
    ['none', [], await whole(parquetTable(COLUMNS, pagesOf()))],
  ] as const) {
    const found = await understood(file);
    assert.match(found.createdBy, /^parquet-rs /);
    assert.deepEqual(found.rows, rows, name);
    assert.deepEqual(
      found.schema,
      COLUMNS.map(({ name: column, type, nullable }) => [
        column,
        type === 'STRING' ? 'BYTE_ARRAY' : type,
        nullable ? 'OPTIONAL' : 'REQUIRED',
      ]),
      name,
    );
  }
  // It would notice a file that is damaged.
  const damaged = await whole(parquetTable(COLUMNS, pagesOf(ROWS)));
  assert.throws(() => readParquet(damaged.subarray(0, damaged.length - 1)));
});

test('tables without rows are files all the same', async () => {
  const file = bufferOf(await whole(parquetTable(COLUMNS, pagesOf())));
  assert.equal(Number(parquetMetadata(file).num_rows), 0);
  assert.deepEqual(await parquetReadObjects({ file }), []);
  assert.equal((await whole(csvTable(COLUMNS, pagesOf()))).toString(), 'name,count,share,open\n');
});

test('CSV quotes texts, leaves null empty, and makes formulas harmless', async () => {
  const text = (await whole(csvTable(COLUMNS, pagesOf(ROWS, [{ name: '=1+1', count: 1, share: 0, open: true }])))).toString();
  assert.deepEqual(text.split('\n'), [
    'name,count,share,open',
    '"é ""1"", 2",0,,"true"',
    ',2147483647,6.2,"false"',
    '"\'=1+1",1,0,"true"',
    '',
  ]);
});

test('a long table leaves in pieces as it comes, and no piece waits for the whole', async () => {
  const pages = 60;
  let given = 0;
  const rows = async function* () {
    for (; given < pages; given++)
      yield Array.from({ length: 2_000 }, (_, at): Row => ({ name: `name ${given} ${at}`, count: at, share: at / 3, open: at % 2 === 0 }));
  };
  const pieces: Buffer[] = [];
  const before: number[] = [];
  for await (const piece of parquetTable(COLUMNS, rows())) {
    pieces.push(Buffer.from(piece));
    before.push(given);
  }
  // Groups of ten pages: each leaves before the next page is asked for.
  assert.deepEqual(before, [9, 19, 29, 39, 49, 59, 60]);
  const file = bufferOf(Buffer.concat(pieces));
  assert.equal(parquetMetadata(file).row_groups.length, 6);
  const read = await parquetReadObjects({ file, rowStart: 119_999, rowEnd: 120_000 });
  assert.deepEqual({ ...read[0] }, { name: 'name 59 1999', count: 1999, share: 1999 / 3, open: false });
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { connect, transaction } from './connect.ts';
import { pagesOf } from './cursor.ts';
import { freshDatabase } from './testing.ts';

const MIGRATIONS = join(import.meta.dirname, '..', 'store', 'migrations');

test('rows come in pages, with the parameters of their statement, and end where they end', async () => {
  const database = await freshDatabase(MIGRATIONS, 'store');
  const db = connect<Record<never, never>>(database.url, { connections: 1 });
  try {
    const read = (count: number) =>
      transaction(db, async (trx) => {
        const sizes: number[] = [];
        let sum = 0;
        for await (const rows of pagesOf(trx, sql<{ n: number }>`select n from generate_series(1, ${count}::integer) as n`, 100)) {
          sizes.push(rows.length);
          sum += rows.reduce((all, { n }) => all + n, 0);
        }
        return { sizes, sum };
      });
    assert.deepEqual(await read(250), { sizes: [100, 100, 50], sum: (250 * 251) / 2 });
    assert.deepEqual(await read(200), { sizes: [100, 100], sum: (200 * 201) / 2 });
    assert.deepEqual(await read(0), { sizes: [], sum: 0 });
  } finally {
    await db.destroy();
    await database.close();
  }
});

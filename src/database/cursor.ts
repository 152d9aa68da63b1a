import { type RawBuilder, sql } from 'kysely';
import type { Runner } from './connect.ts';

let number = 0;

/**
 * The rows of a statement, some thousands at a time, however many there are. Only within a transaction, which has to be a `snapshot` where
 * whoever takes the rows is slow; the cursor is closed with it at the latest.
 */
export async function* pagesOf<Schema, Row>(
  trx: Runner<Schema>,
  statement: RawBuilder<Row>,
  rowsOfPage = 2_000,
): AsyncGenerator<readonly Row[]> {
  const cursor = sql.raw(`cursor_${++number}`);
  await sql`declare ${cursor} no scroll cursor for ${statement}`.execute(trx);
  for (;;) {
    const { rows } = await sql<Row>`fetch ${sql.raw(String(rowsOfPage))} from ${cursor}`.execute(trx);
    if (rows.length > 0) yield rows;
    if (rows.length < rowsOfPage) break;
  }
  await sql`close ${cursor}`.execute(trx);
}

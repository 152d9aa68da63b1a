import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompiledQuery, QueryResult } from 'kysely';
import { fixed } from './fixed.ts';

const asking = (name: string, limit: number) => fixed<{ id: string }>`select id from people where name = ${name} limit ${limit}`;

test('each use of a statement has the same text and values of its own', async () => {
  const asked: CompiledQuery[] = [];
  const on = {
    async executeQuery<Row>(query: CompiledQuery<Row>): Promise<QueryResult<Row>> {
      asked.push(query);
      return { rows: [] };
    },
  };
  await asking('Ada', 1).execute(on);
  await asking("O'Neill", 2).execute(on);
  assert.deepEqual(
    asked.map(({ sql, parameters }) => ({ sql, parameters })),
    [
      { sql: 'select id from people where name = $1 limit $2', parameters: ['Ada', 1] },
      { sql: 'select id from people where name = $1 limit $2', parameters: ["O'Neill", 2] },
    ],
  );
  await fixed`select 1`.execute(on);
  assert.equal(asked[2]?.sql, 'select 1');
});

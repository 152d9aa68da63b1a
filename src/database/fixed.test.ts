import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompiledQuery, QueryResult } from 'kysely';
import { fixed, part, together } from './fixed.ts';

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

test('a statement of parts numbers its values through, and each sequence of parts has its own text', () => {
  const first = (id: string) => part`with one as (select ${id})`;
  const second = (name: string, limit: number) => part`, two as (select ${name} limit ${limit})`;
  const last = () => part` select 1`;
  const whole = together([first('a'), second('b', 3), last()]);
  assert.equal(whole.sql, 'with one as (select $1), two as (select $2 limit $3) select 1');
  assert.deepEqual(whole.parameters, ['a', 'b', 3]);
  const again = together([first('c'), second('d', 4), last()]);
  assert.equal(again.sql, whole.sql);
  assert.deepEqual(again.parameters, ['c', 'd', 4]);
  const short = together([first('e'), last()]);
  assert.equal(short.sql, 'with one as (select $1) select 1');
  assert.deepEqual(short.parameters, ['e']);
});

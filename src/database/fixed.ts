/** Statements whose text is always the same. */
import { CompiledQuery, type QueryResult } from 'kysely';

/** A statement with its values, for the pool or a transaction. */
export type Fixed<Row> = {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  execute(on: { executeQuery<Result>(query: CompiledQuery<Result>): Promise<QueryResult<Result>> }): Promise<QueryResult<Row>>;
};

const compiled = new WeakMap<TemplateStringsArray, CompiledQuery>();

/**
 * Like `sql` for a statement in which every `${…}` is a value: its text is put together once for each place in the program where it
 * stands, not for each use. That is half of what a small statement costs us; for rare ones, and those made of parts, there is `sql`.
 */
export function fixed<Row = unknown>(texts: TemplateStringsArray, ...parameters: readonly unknown[]): Fixed<Row> {
  let known = compiled.get(texts);
  if (!known) {
    known = CompiledQuery.raw(texts.reduce((text, next, i) => `${text}$${i}${next}`));
    compiled.set(texts, known);
  }
  const query = { ...known, parameters } as CompiledQuery<Row>;
  return { sql: query.sql, parameters, execute: (on) => on.executeQuery(query) };
}

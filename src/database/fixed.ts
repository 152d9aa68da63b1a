/** Statements whose text is always the same. */
import { CompiledQuery, type QueryResult } from 'kysely';

/** A statement with its values, for the pool or a transaction. */
export type Fixed<Row> = {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  execute(on: { executeQuery<Result>(query: CompiledQuery<Result>): Promise<QueryResult<Result>> }): Promise<QueryResult<Row>>;
};

/** A part of a statement, with its values. */
export type Part = { readonly texts: TemplateStringsArray; readonly parameters: readonly unknown[] };

const compiled = new WeakMap<TemplateStringsArray, CompiledQuery>();

/**
 * Like `sql` for a statement in which every `${…}` is a value: its text is put together once for each place in the program where it
 * stands, not for each use. That is half of what a small statement costs us; for rare ones, and those made of parts, there is `sql`.
 */
export function fixed<Row = unknown>(texts: TemplateStringsArray, ...parameters: readonly unknown[]): Fixed<Row> {
  let known = compiled.get(texts);
  if (!known) {
    known = CompiledQuery.raw(numbered(texts, 1));
    compiled.set(texts, known);
  }
  return withValues(known, parameters);
}

/** A part for `together`, in which every `${…}` is a value. */
export function part(texts: TemplateStringsArray, ...parameters: readonly unknown[]): Part {
  return { texts, parameters };
}

const numbers = new WeakMap<TemplateStringsArray, number>();
const sequences = new Map<string, CompiledQuery>();
let last = 0;

/** A statement of parts, one behind the other. Its text is put together once for each sequence of parts, of which there must be few. */
export function together<Row = unknown>(parts: readonly Part[]): Fixed<Row> {
  const key = parts.map(({ texts }) => numberOf(texts)).join(' ');
  let known = sequences.get(key);
  if (!known) {
    let from = 1;
    let text = '';
    for (const { texts, parameters } of parts) {
      text += numbered(texts, from);
      from += parameters.length;
    }
    known = CompiledQuery.raw(text);
    sequences.set(key, known);
  }
  return withValues(
    known,
    parts.flatMap(({ parameters }) => parameters),
  );
}

function numberOf(texts: TemplateStringsArray): number {
  const known = numbers.get(texts) ?? ++last;
  numbers.set(texts, known);
  return known;
}

function numbered(texts: TemplateStringsArray, from: number): string {
  return texts.reduce((text, next, i) => `${text}$${from + i - 1}${next}`);
}

function withValues<Row>(known: CompiledQuery, parameters: readonly unknown[]): Fixed<Row> {
  const query = { ...known, parameters } as CompiledQuery<Row>;
  return { sql: query.sql, parameters, execute: (on) => on.executeQuery(query) };
}

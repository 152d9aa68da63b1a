/** Lists of cases by which tests are named: whether each test that a list names is there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of tests by the file they stand in, as the list calls the files. */
export type TestsOf<File extends string> = { readonly [Each in File]?: string | readonly string[] };

/**
 * What is missing of the tests that a list names, a line each; `files`: where they stand below `folder`. A test that is made of a table has its
 * name with the values of one row, which have to stand in the file too, or with its place holders as they are written.
 */
export function missingTests<File extends string>(
  folder: string,
  files: Readonly<Record<File, string>>,
  lines: Iterable<readonly [line: string, tests: TestsOf<File>]>,
): string[] {
  const sources = new Map<string, string>();
  const missing: string[] = [];
  for (const [line, tests] of lines) {
    const named = Object.entries(tests) as [File, string | readonly string[]][];
    if (named.length === 0) missing.push(`${line}: no test`);
    for (const [file, names] of named) {
      const path = join(folder, files[file]);
      const source = sources.get(path) ?? (existsSync(path) ? readFileSync(path, 'utf8') : '');
      sources.set(path, source);
      for (const name of typeof names === 'string' ? [names] : names)
        if (!isThere(name, source)) missing.push(`${line}: ${file} has no test '${name}'`);
    }
  }
  return missing;
}

function isThere(name: string, source: string): boolean {
  return [...source.matchAll(/\b(?:test|it)\(\s*(['"`])((?:\\.|(?!\1).)+)\1/gs)].some(([, quote, written = '']) => {
    if (written === name) return true;
    if (quote !== '`') return false;
    const literal = written.split(/\$\{[^}]+\}/).map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    const values = new RegExp(`^${literal.join('(.+)')}$`).exec(name);
    return (
      values?.slice(1).every((value) => ["'", '"', '`'].some((mark) => source.includes(mark + value + mark)) || isWord(value, source)) ??
      false
    );
  });
}

/** A key of a table, or a number. */
function isWord(value: string, source: string): boolean {
  return /^\w+$/.test(value) && new RegExp(/^\d+$/.test(value) ? `\\b${value}\\b` : `\\b${value}:`).test(source);
}

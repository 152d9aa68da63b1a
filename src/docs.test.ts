import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const HOME = join(import.meta.dirname, '..');

/** Names of tests as they are written; a template stands for whatever it may become. */
function testNames(): RegExp[] {
  const names: RegExp[] = [];
  for (const file of globSync(['src/**/*.test.ts', 'src/**/*.broker.ts'], { cwd: HOME })) {
    const text = readFileSync(join(HOME, file), 'utf8');
    for (const [, quote, name = ''] of text.matchAll(/\b(?:test|it)\(\s*(['"`])((?:\\.|(?!\1)[\s\S])*)\1/g)) {
      const parts = quote === '`' ? name.split(/\$\{[^}]*\}/) : [name];
      names.push(
        new RegExp(`^${parts.map((part) => part.replace(/\\(['"`])/g, '$1').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`),
      );
    }
  }
  return names;
}

test('every test that the pages on operating, transport and management information name is there', () => {
  const names = testNames();
  const missing: string[] = [];
  let rows = 0;
  for (const page of ['operating.md', 'transport-tests.md', 'management-information.md']) {
    for (const line of readFileSync(join(HOME, 'docs', page), 'utf8').split('\n')) {
      // The last cell of a row names the test; longer marks hold a name with marks in it.
      const name = /\| (`+)((?:(?!\1).)+)\1 \|$/.exec(line)?.[2];
      if (name === undefined || !name.includes(' ')) continue;
      rows++;
      if (!names.some((each) => each.test(name))) missing.push(`${page}: ${name}`);
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(rows > 110, `${rows} rows`);
});

/** Runs the tests that have a long form, in it: thousands of records and faults where `npm test` takes a sample. */
import { globSync, readFileSync } from 'node:fs';

const LONG = 'GP2GP_LONG';
process.env[LONG] = '1';
const named = process.argv.slice(2);
if (named.length === 0) process.argv.push(...globSync('src/**/*.test.ts').filter((file) => readFileSync(file, 'utf8').includes(LONG)));
await import('./test.ts');

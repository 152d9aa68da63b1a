/**
 * Runs the tests: every `*.test.ts` under `src`, or the files named on the command line. One PostgreSQL serves the whole run; each
 * file that needs one gets a fresh database in it. The last line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, TEST_DATABASE } from '../src/database/testing.ts';

const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync(['src/**/*.test.ts', 'conformance/*.test.ts', 'bench/*.test.ts']).sort();
const folder = await mkdtemp(join(tmpdir(), 'gp2gp-tests-'));
const totals = join(folder, 'totals.tap');
const server = await startTestServer();
let exitCode = 1;
try {
  const child = spawn(
    process.execPath,
    [
      '--test',
      '--test-concurrency=2',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=tap',
      `--test-reporter-destination=${totals}`,
      ...files,
    ],
    { stdio: 'inherit', env: { ...process.env, [TEST_DATABASE]: server.url, TZ: process.env['TZ'] ?? 'America/New_York' } },
  );
  exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  const summary = await readFile(totals, 'utf8');
  const count = (word: string) => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(summary)?.[1] ?? Number.NaN);
  const failed = count('fail') + count('cancelled');
  console.log(`${count('pass')} passed, ${failed} failed`);
  if (failed !== 0 || !(count('pass') > 0)) exitCode ||= 1;
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = exitCode;

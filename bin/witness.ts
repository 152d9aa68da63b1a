/**
 * Foreign witnesses: programs that share no code with this one read what it wrote. Installs nothing; says what is missing and goes on
 * without it. The last line is `N passed, N failed`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { witnessDurability } from './witness-durable.ts';

const folder = mkdtempSync(join(tmpdir(), 'gp2gp-witness-'));
let passed = 0;
let failed = 0;
const check = (what: string, good: boolean, detail = '') => {
  if (good) passed++;
  else failed++;
  console.log(`${good ? 'ok  ' : 'FAIL'} ${what}${detail ? `: ${detail}` : ''}`);
};
const has = (program: string, ...args: string[]) => {
  const found = spawnSync(program, args.length ? args : ['--version']).error === undefined;
  if (!found) console.log(`--   ${program} is missing: its part is left out`);
  return found;
};
const gp2gp = (...args: string[]) =>
  execFileSync(process.execPath, ['bin/gp2gp.ts', ...args], { encoding: 'utf8', maxBuffer: 1e9, stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const wire = join(folder, 'wire');
  const line = gp2gp('demo', '--once', '--json', '--documents', '6', '--keep-wire', wire).trim().split('\n').at(-1) ?? '';
  check('one transfer is integrated', JSON.parse(line).outcome === 'integrated');

  if (has('python3')) {
    const lines = execFileSync('python3', ['witness/split.py', wire, join(folder, 'payloads')], { encoding: 'utf8', maxBuffer: 1e9 });
    for (const text of lines.trim().split('\n')) {
      const theirs = JSON.parse(text);
      const ours = JSON.parse(gp2gp('inspect', join(wire, theirs.file), '--json'));
      const key = (part: { contentId: string; bytes: number; sha256: string }) => `${part.contentId} ${part.bytes} ${part.sha256}`;
      const same = theirs.defects.length === 0 && JSON.stringify(theirs.parts.map(key)) === JSON.stringify(ours.parts.map(key));
      check(
        `python and inspect split ${theirs.file} alike (${theirs.parts.length} parts)`,
        same,
        same ? '' : `${text} / ${JSON.stringify(ours.parts)}`,
      );
    }
  }

  const schemas = join(process.env['GP2GP_FIXTURES'] ?? '../shared/fixtures', 'schema', 'requesting', 'schema');
  if (!existsSync(schemas)) console.log(`--   no message schemas at ${schemas}: xmllint has nothing to check against`);
  else if (has('xmllint') && existsSync(join(folder, 'payloads'))) {
    for (const file of readdirSync(join(folder, 'payloads')).sort()) {
      const path = join(folder, 'payloads', file);
      const root = /<([A-Z]{4}_IN\d{6}UK\d{2})\b/.exec(readFileSync(path, 'utf8'))?.[1];
      const schema = root && join(schemas, `${root}.xsd`);
      if (!schema || !existsSync(schema)) continue;
      const run = spawnSync('xmllint', ['--noout', '--huge', '--schema', schema, path], { encoding: 'utf8' });
      check(`xmllint accepts ${file} as ${root}`, run.status === 0, run.status === 0 ? '' : run.stderr.split('\n')[0]);
    }
  }

  if (has('strace', '-V')) await witnessDurability(join(folder, 'durable'), check);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

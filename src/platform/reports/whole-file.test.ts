import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeWhole } from './whole-file.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-whole-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('a file is there under its name with its folders, and its digest is that of its bytes', async () => {
  const path = join(folder, 'a', 'b', 'c.csv');
  const { sha256 } = await writeWhole(path, ['é', '\n', 'x'.repeat(200_000)]);
  assert.equal(await readFile(path, 'utf8'), `é\n${'x'.repeat(200_000)}`);
  assert.equal(sha256, 'e7a25f40bcaf36a72a8e4bec25901786ea3e985052a9609f72dbd972ce69f57c');
  assert.deepEqual(await readdir(join(folder, 'a', 'b')), ['c.csv']);
});

test('what breaks on the way leaves the file that was there, and nothing else', async () => {
  const path = join(folder, 'kept.csv');
  await writeWhole(path, ['before']);
  const breaking = async function* () {
    yield 'half';
    throw new Error('the database is away');
  };
  await assert.rejects(writeWhole(path, breaking()), /the database is away/);
  await assert.rejects(
    writeWhole(path, ['whole'], () => Promise.reject(new Error('no metadata'))),
    /no metadata/,
  );
  assert.equal(await readFile(path, 'utf8'), 'before');
  assert.deepEqual((await readdir(folder)).sort(), ['a', 'kept.csv']);
});

test('a place that cannot be written to is named, with what to do', async () => {
  await writeFile(join(folder, 'file'), '');
  const refused = { code: 'files.write', remedy: /folder that this program may write to/ };
  await assert.rejects(writeWhole(join(folder, 'file', 'x.csv'), ['1']), { code: 'files.write', message: /x\.csv cannot be written: / });
  if (process.platform === 'linux')
    await assert.rejects(writeWhole('/proc/nowhere/x.csv', ['1']), (thrown: { code: string; remedy: string }) => {
      assert.equal(thrown.code, refused.code);
      assert.match(thrown.remedy, refused.remedy);
      return true;
    });
});

import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openRelease } from '../terminology/release.ts';
import { built, conceptId, description, descriptionId, filesOf, preferred } from '../terminology/testing.ts';
import { loadTerminology, watchTerminology } from './terminology.ts';

const CONCEPT = conceptId(1);
const bytesOf = (release: string) =>
  built(
    filesOf({ descriptions: [description(descriptionId(1), CONCEPT, `Words of ${release}`)], languages: [preferred(descriptionId(1))] }),
    release,
  ).bytes;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-terminology-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function placed(name: string, bytes: Uint8Array | string): Promise<string> {
  const file = join(folder, name);
  await writeFile(`${file}.new`, bytes);
  await rename(`${file}.new`, file);
  return file;
}
async function watched(file: string) {
  const said: string[] = [];
  const terminology = await watchTerminology(file, {
    onChange: ({ about }) => void said.push(about.release),
    onFault: (error) => void said.push(String(error)),
    everyMs: 600_000,
  });
  return { terminology, said };
}

test('a file is loaded into memory that threads can share', async () => {
  const { memory, about } = await loadTerminology(await placed('load', bytesOf('first')));
  assert.ok(memory instanceof SharedArrayBuffer);
  assert.equal(about.release, 'first');
  assert.equal(openRelease(memory).preferredTerm(CONCEPT), 'Words of first');
});

test('a file that cannot be used is named, with what to do', async () => {
  const missing = join(folder, 'missing');
  await assert.rejects(loadTerminology(missing), { code: 'input.terminology', message: /missing: cannot be read \(ENOENT/ });
  await assert.rejects(loadTerminology(folder), { code: 'input.terminology', message: /cannot be read/ });
  const other = await placed('other', 'something else that is long enough');
  await assert.rejects(loadTerminology(other), {
    code: 'input.terminology',
    message: `${other}: it is no built terminology`,
    remedy: 'Build one from a release with `gp2gp terminology build`.',
  });
  await assert.rejects(watched(missing), { code: 'input.terminology' });
});

test('a file that is put in the place of another is taken, once', async () => {
  const file = await placed('swapped', bytesOf('first'));
  const { terminology, said } = await watched(file);
  const first = terminology.current();
  await terminology.look();
  assert.equal(terminology.current(), first);
  await placed('swapped', bytesOf('second'));
  await Promise.all([terminology.look(), terminology.look()]);
  await terminology.look();
  assert.deepEqual(said, ['second']);
  assert.equal(openRelease(terminology.current().memory).preferredTerm(CONCEPT), 'Words of second');
  assert.equal(openRelease(first.memory).preferredTerm(CONCEPT), 'Words of first');
  terminology.close();
});

test('a file that is written in place, or gone, leaves what was there in use until it is whole', async () => {
  const file = await placed('copied', bytesOf('first'));
  const { terminology, said } = await watched(file);
  const second = bytesOf('the second, a longer one');
  await writeFile(file, second.subarray(0, 300));
  await terminology.look();
  await terminology.look();
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /is to have/);
  assert.equal(terminology.current().about.release, 'first');
  await rm(file);
  await terminology.look();
  assert.match(said[1] ?? '', /ENOENT/);
  assert.equal(openRelease(terminology.current().memory).preferredTerm(CONCEPT), 'Words of first');
  await writeFile(file, second);
  await terminology.look();
  assert.equal(said[2], 'the second, a longer one');
  terminology.close();
});

test('the file is looked at again by itself', async () => {
  const file = await placed('timed', bytesOf('first'));
  const changed = Promise.withResolvers<string>();
  const terminology = await watchTerminology(file, {
    onChange: ({ about }) => changed.resolve(about.release),
    onFault: changed.reject,
    everyMs: 20,
  });
  await placed('timed', bytesOf('second'));
  // The watch does not keep a program alive.
  const alive = setInterval(() => undefined, 1000);
  assert.equal(await changed.promise, 'second');
  clearInterval(alive);
  terminology.close();
});

/** What is S3's alone; what holds for every store is in `objects.test.ts`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Fault } from '../base/errors.ts';
import type { Objects } from './objects.ts';
import { openObjectsAt, openWriterAt } from './place.ts';
import { lookAtS3, openS3Objects } from './s3.ts';
import type { S3Settings } from './s3-client.ts';
import { type S3Server, startS3 } from './s3-testing.ts';

let folder: string;
let s3: S3Server;
let objects: Objects;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-s3-'));
  s3 = await startS3();
  objects = await openS3Objects(s3.settings);
});
afterEach(() => {
  s3.interfere = null;
});
after(async () => {
  await s3?.close();
  await rm(folder, { recursive: true, force: true });
});

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
const fails = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

test('an answer that is cut off goes on where it ended', async () => {
  const bytes = randomBytes(700_000);
  const ref = await objects.put(bytes);
  let cuts = 0;
  s3.interfere = async (method, key) => (method === 'GET' && key.includes(ref.sha256) && cuts++ < 4 ? { cutAfter: 150_000 } : null);
  assert.deepEqual(await read(objects.get(ref, 1_000)), bytes.subarray(1_000));
  assert.equal(cuts, 5);
});

test('a store that gives nothing is not asked for ever', async () => {
  const ref = await objects.put(randomBytes(100_000));
  s3.interfere = async (method) => (method === 'GET' ? { cutAfter: 0 } : null);
  await assert.rejects(read(objects.get(ref)), fails('objects.unreachable'));
});

test('a reader that stops early lets the connection go, twice as many times as there are connections', async () => {
  const ref = await objects.put(randomBytes(3_000_000));
  for (let i = 0; i < 100; i++) for await (const chunk of objects.get(ref)) if (chunk.byteLength > 0) break;
  assert.equal((await read(objects.get(ref))).byteLength, 3_000_000);
});

test('an object that is shorter than its reference says is no object', async () => {
  const ref = await objects.put(randomBytes(1_000));
  await assert.rejects(read(objects.get({ ...ref, bytes: 2_000 })), fails('objects.short'));
  await assert.rejects(read(objects.get({ ...ref, bytes: 2_000 }, 1_500)), fails('objects.short'));
});

test('a store that is busy is asked again, and one that stays broken is named', async () => {
  let busy = 2;
  s3.interfere = async () => (busy-- > 0 ? 503 : null);
  await objects.put(randomBytes(5_000));
  s3.interfere = async (method) => (method === 'PUT' ? 500 : null);
  await assert.rejects(objects.put(randomBytes(5_000)), fails('objects.failed'));
});

test('an upload in parts that breaks leaves nothing', async () => {
  for (const broken of ['PUT', 'POST']) {
    let parts = 0;
    s3.interfere = async (method, key) => (method === broken && key.startsWith('incoming/') && ++parts > 1 ? 500 : null);
    await assert.rejects(objects.put(randomBytes(12_000_000)), fails('objects.failed'));
    assert.ok(parts > 1);
    s3.interfere = null;
    assert.deepEqual(
      [...s3.keys.keys()].filter((key) => key.startsWith('incoming/')),
      [],
    );
    assert.equal(s3.uploads.size, 0);
  }
});

test('what is wrong with the settings is said in words, with what to do', async () => {
  const cases: readonly (readonly [Partial<S3Settings>, string, RegExp])[] = [
    [{ accessKeyId: 'SOMEBODY' }, 'objects.access', /InvalidAccessKeyId/],
    [{ bucket: 'no-such-bucket' }, 'objects.bucket', /NoSuchBucket/],
    [{ endpoint: 'http://127.0.0.1:1' }, 'objects.unreachable', /ECONNREFUSED/],
  ];
  for (const [wrong, code, words] of cases) {
    for (const look of [openS3Objects, lookAtS3]) {
      await assert.rejects(look({ ...s3.settings, ...wrong }), (error) => {
        assert.ok(error instanceof Fault);
        assert.equal(error.code, code);
        assert.match(error.message, words);
        assert.ok(error.remedy);
        return true;
      });
    }
  }
});

test('whoever only looks is told the id, and begins nothing', async () => {
  assert.equal(await lookAtS3({ ...s3.settings, prefix: 'looked/at/' }), null);
  assert.deepEqual(
    [...s3.keys.keys()].filter((key) => key.startsWith('looked/')),
    [],
  );
  assert.equal(await lookAtS3(s3.settings), objects.storeId);
});

test('a node that starts clears what was left half-written a day ago, and nothing younger', async () => {
  const dayAgo = new Date(Date.now() - 86_500_000);
  s3.keys.set('incoming/old', { bytes: [Buffer.from('old')], modifiedAt: dayAgo });
  s3.keys.set('incoming/new', { bytes: [Buffer.from('new')], modifiedAt: new Date() });
  const again = await openS3Objects(s3.settings);
  assert.equal(again.storeId, objects.storeId);
  assert.deepEqual(
    [...s3.keys.keys()].filter((key) => key.startsWith('incoming/')),
    ['incoming/new'],
  );
});

test('nodes that begin a store at the same time agree on its id', async () => {
  const opened = await Promise.all(Array.from({ length: 6 }, () => openS3Objects({ ...s3.settings, prefix: 'together/' })));
  assert.equal(new Set(opened.map(({ storeId }) => storeId)).size, 1);
});

test('a store that is gone is noticed, and one that is there is not asked for each message', async () => {
  const before = s3.seen.length;
  for (let i = 0; i < 50; i++) await objects.space();
  assert.ok(s3.seen.length <= before + 1, `${s3.seen.length - before} requests`);
});

test('what is stored again between an expiry’s look and its deletion is there afterwards', async () => {
  const bytes = randomBytes(2_000);
  const ref = await objects.put(bytes);
  const key = `${ref.sha256.slice(0, 2)}/${ref.sha256}`;
  const stored = s3.keys.get(key);
  assert.ok(stored);
  stored.modifiedAt = new Date(0);
  let storing: Promise<unknown> = Promise.resolve();
  let mayDelete: () => void = () => undefined;
  const held = new Promise<void>((done) => {
    mayDelete = done;
  });
  s3.interfere = async (method, of) => {
    if (method !== 'DELETE' || of !== key) return null;
    storing = objects.put(bytes);
    // Time to see the object, refresh it and, if it waited for nothing, be done.
    setTimeout(mayDelete, 500);
    await held;
    return null;
  };
  assert.equal(await objects.expire(ref, new Date(Date.now() - 3_600_000)), true);
  await storing;
  assert.deepEqual(await read(objects.get(ref)), bytes);
});

test('an expiry that died in the middle holds nobody up for ever, and its object stays', { timeout: 30_000 }, async () => {
  const bytes = randomBytes(2_000);
  const ref = await objects.put(bytes);
  const mark = `expiring/${ref.sha256}`;
  const hourAgo = new Date(Date.now() - 3_600_000);
  s3.keys.set(mark, { bytes: [], modifiedAt: new Date(Date.now() - 700_000) });
  assert.equal(await objects.expire(ref, hourAgo), false);
  assert.equal(s3.keys.has(mark), false);
  // Fresh: whoever stores waits until it is away.
  s3.keys.set(mark, { bytes: [], modifiedAt: new Date() });
  const storing = objects.put(bytes);
  assert.equal(await Promise.race([storing, new Promise((later) => setTimeout(later, 300, 'waits'))]), 'waits');
  s3.keys.delete(mark);
  assert.deepEqual(await storing, ref);
});

test('a conversion’s text becomes an object like any other, and no file stays', async () => {
  const place = { folder: join(folder, 'spool'), s3: s3.settings };
  const opened = await openObjectsAt(place);
  const text = 'é<component/>'.repeat(600_000);
  const writer = openWriterAt(place, opened);
  for (let at = 0; at < text.length; at += 10_007) writer.write(text.slice(at, at + 10_007));
  const { ref, written, kept } = await writer.end();
  assert.equal(ref.sha256, createHash('sha256').update(text).digest('hex'));
  assert.deepEqual([written, kept], [0, 0], 'the store itself has counted them');
  assert.equal(opened.counters.kept, ref.bytes);
  const given = openWriterAt(place, opened);
  given.write('given up');
  given.abandon();
  assert.deepEqual(await readdir(place.folder), []);
});

/** Runs a module's text in a process of its own. */
async function alone(text: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', text], { cwd: import.meta.dirname });
  return JSON.parse(stdout);
}

test('an object of 100 MB passes with a few parts of it in memory, out and in', async () => {
  const settings = JSON.stringify(s3.settings);
  const program = `
    import { createHash } from 'node:crypto';
    const { openS3Objects } = await import(${JSON.stringify(join(import.meta.dirname, 's3.ts'))});
    const objects = await openS3Objects(${settings});
    let peak = 0;
    const look = () => { peak = Math.max(peak, process.memoryUsage.rss()); };
    async function* source(megabytes) { for (let i = 0; i < megabytes * 16; i++) { look(); yield Buffer.alloc(62_500, i % 251); } }
    const there = async (megabytes) => {
      const ref = await objects.put(source(megabytes));
      const hash = createHash('sha256');
      for await (const chunk of objects.get(ref)) { look(); hash.update(chunk); }
      return [ref.bytes, hash.digest('hex') === ref.sha256];
    };
    await there(6);
    const before = peak;
    const whole = await there(100);
    console.log(JSON.stringify({ whole, grown: peak - before }));
  `;
  const { whole, grown } = (await alone(program)) as { whole: unknown; grown: number };
  assert.deepEqual(whole, [100_000_000, true]);
  // Parts on their way, and what the collector of garbage has not come to: never the object.
  assert.ok(grown < 85_000_000, `${grown} bytes more than for an object of 6 MB`);
});

test('nobody loads the package for S3 who has no S3', async () => {
  const loaded = (place: string) => `
    import { createRequire } from 'node:module';
    const { openObjectsAt } = await import(${JSON.stringify(join(import.meta.dirname, 'place.ts'))});
    await openObjectsAt(${place});
    console.log(Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('client-s3')).length);
  `;
  const files = JSON.stringify({ folder: join(folder, 'files'), s3: null });
  assert.equal(await alone(loaded(files)), 0);
  const place = JSON.stringify({ folder: join(folder, 'spool'), s3: s3.settings });
  assert.notEqual(await alone(loaded(place)), 0);
});

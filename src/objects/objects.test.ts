import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Fault } from '../base/errors.ts';
import { type Objects, openObjects } from './objects.ts';
import { openS3Objects } from './s3.ts';
import { type S3Server, startS3 } from './s3-testing.ts';
import { openWriter } from './writer.ts';

let folder: string;
let s3: S3Server;
let files: Objects;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-objects-'));
  s3 = await startS3();
  files = await openObjects(join(folder, 'store'));
});
after(async () => {
  await s3?.close();
  await rm(folder, { recursive: true, force: true });
});

/** What the tests that hold for every store have to know of one. */
type Kind = {
  readonly open: (name: string) => Promise<Objects>;
  /** Makes an object look as if nobody had stored it for years. */
  readonly age: (ref: { sha256: string }) => Promise<void>;
  /** What a put or an expiry has left behind. */
  readonly leftOver: () => Promise<readonly string[]>;
  readonly rounds: number;
};
const inStore = (ref: { sha256: string }): string => join(folder, 'store', ref.sha256.slice(0, 2), ref.sha256);
const KINDS: Readonly<Record<string, Kind>> = {
  files: {
    open: (name) => openObjects(join(folder, name)),
    age: (ref) => utimes(inStore(ref), new Date(0), new Date(0)),
    leftOver: () => readdir(join(folder, 'store', 'incoming')),
    rounds: 200,
  },
  S3: {
    open: (name) => openS3Objects({ ...s3.settings, prefix: `${name}/` }),
    age: async ({ sha256 }) => {
      for (const [key, stored] of s3.keys) if (key === `store/${sha256.slice(0, 2)}/${sha256}`) stored.modifiedAt = new Date(0);
    },
    leftOver: async () => [...s3.keys.keys(), ...s3.uploads.keys()].filter((key) => !/(\/[0-9a-f]{2}\/[0-9a-f]{64}|\/store-id)$/.test(key)),
    rounds: 25,
  },
};

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

for (const [name, { open, age, leftOver, rounds }] of Object.entries(KINDS)) {
  suite(`objects in ${name}`, () => {
    let objects: Objects;
    before(async () => {
      objects = await open('store');
    });

    test('an object is found by the SHA-256 of its bytes, whole and in part', async () => {
      for (const size of [0, 1, 1000, 262_144, 1_000_003, 5_242_880, 12_000_001]) {
        const bytes = randomBytes(size);
        const ref = await objects.put(inChunks(bytes, 65_536));
        assert.equal(ref.sha256, createHash('sha256').update(bytes).digest('hex'));
        assert.equal(ref.bytes, size);
        assert.deepEqual(await read(objects.get(ref)), bytes);
        const [from, to] = [Math.floor(size / 3), Math.floor((size * 2) / 3)];
        assert.deepEqual(await read(objects.get(ref, from, to)), bytes.subarray(from, to));
      }
      assert.deepEqual(await leftOver(), []);
    });

    test('the same bytes again are not written again, but look fresh to a sweep', async () => {
      const bytes = randomBytes(3000);
      const ref = await objects.put(bytes);
      await age(ref);
      const { written, kept } = objects.counters;
      const again = await objects.put(bytes);
      assert.deepEqual(again, ref);
      assert.equal(objects.counters.written, written);
      assert.equal(objects.counters.kept, kept);
      const head = await objects.head(ref);
      assert.ok(head && Date.now() - head.modifiedAt.getTime() < 60_000, 'its time was refreshed');
    });

    test('what is kept and what is written are counted, and equal for new objects', async () => {
      const { written, kept } = objects.counters;
      for (let i = 0; i < 3; i++) await objects.put(inChunks(randomBytes(700_000), 50_000));
      assert.equal(objects.counters.kept - kept, 2_100_000);
      assert.equal(objects.counters.written - written, 2_100_000);
    });

    test('a source beyond its limit is refused and leaves nothing', async () => {
      await assert.rejects(objects.put(inChunks(randomBytes(900_000), 100_000), 800_000), (error) => {
        assert.ok(error instanceof Fault);
        assert.equal(error.code, 'objects.tooLarge');
        return true;
      });
      assert.deepEqual(await leftOver(), []);
    });

    test('a source that breaks leaves nothing, and its own fault is what the caller sees', async () => {
      async function* broken(): AsyncGenerator<Buffer> {
        yield randomBytes(500_000);
        throw new Fault('mime.cut', 'the client went away');
      }
      await assert.rejects(objects.put(broken()), (error) => error instanceof Fault && error.code === 'mime.cut');
      assert.deepEqual(await leftOver(), []);
    });

    test('eight writers of the same bytes agree', async () => {
      const bytes = randomBytes(400_000);
      const refs = await Promise.all(Array.from({ length: 8 }, () => objects.put(inChunks(bytes, 10_000))));
      for (const ref of refs) assert.deepEqual(await read(objects.get(ref)), bytes);
      assert.deepEqual(await leftOver(), []);
    });

    test('a missing object and an address that is none are named', async () => {
      const ref = { sha256: 'a'.repeat(64), bytes: 3 };
      await assert.rejects(read(objects.get(ref)), (error) => error instanceof Fault && error.code === 'objects.missing');
      assert.equal(await objects.head(ref), null);
      await assert.rejects(
        async () => objects.head({ sha256: '../../etc/passwd', bytes: 3 }),
        (error) => error instanceof Fault && error.code === 'objects.address',
      );
    });

    test('a deleted object is gone, and the list names the others', async () => {
      const own = await open('few');
      const [one, two] = [await own.put(Buffer.from('one')), await own.put(Buffer.from('two'))];
      await own.delete(one);
      const listed: string[] = [];
      for await (const { ref } of own.list()) listed.push(ref.sha256);
      assert.deepEqual(listed, [two.sha256]);
    });

    test('a store keeps its id, and a copy of nothing gets another', async () => {
      const again = await open('store');
      assert.equal(again.storeId, objects.storeId);
      assert.notEqual((await open('other')).storeId, objects.storeId);
    });

    test('an object expires where nobody has stored it lately, and stays where somebody has', async () => {
      const ref = await objects.put(randomBytes(2_000));
      const hourAgo = new Date(Date.now() - 3_600_000);
      assert.equal(await objects.expire(ref, hourAgo), false);
      assert.ok(await objects.head(ref));
      await age(ref);
      assert.equal(await objects.expire(ref, hourAgo), true);
      assert.equal(await objects.head(ref), null);
      assert.equal(await objects.expire(ref, hourAgo), true, 'what is gone is gone');
      assert.deepEqual(await leftOver(), []);
    });

    test('whoever stores bytes while they expire has them: many times, small and large, by two sweeps at once', async () => {
      const hourAgo = new Date(Date.now() - 3_600_000);
      for (let round = 0; round < rounds; round++) {
        const bytes = randomBytes(round % 10 === 0 ? 600_000 : 3_000);
        const ref = await objects.put(bytes);
        await age(ref);
        const storing = Array.from({ length: 3 }, () => objects.put(bytes));
        await Promise.all([objects.expire(ref, hourAgo), ...storing, objects.expire(ref, hourAgo)]);
        assert.deepEqual(await read(objects.get(ref)), bytes, `round ${round}`);
      }
      assert.deepEqual(await leftOver(), []);
    });
  });
}

test('a conversion’s text becomes an object like any other, and one that exists is kept once', async () => {
  const text = 'é<component/>'.repeat(50_000);
  for (const kept of [Buffer.byteLength(text), 0]) {
    const writer = openWriter(join(folder, 'store'));
    for (let at = 0; at < text.length; at += 10_007) writer.write(text.slice(at, at + 10_007));
    const ended = await writer.end();
    assert.equal(ended.kept, kept);
    assert.equal((await read(files.get(ended.ref))).toString(), text);
  }
  const given = openWriter(join(folder, 'store'));
  given.write('given up');
  given.abandon();
  assert.deepEqual(await readdir(join(folder, 'store', 'incoming')), []);
});

test('a store and what is in it are for the account of the node alone', async () => {
  const objects = await openObjects(join(folder, 'deep', 'own'));
  const { sha256 } = await objects.put(Buffer.from('a letter'));
  const home = join(folder, 'deep', 'own');
  const modes = [];
  for (const path of [home, join(home, 'incoming'), join(home, sha256.slice(0, 2), sha256)]) modes.push((await stat(path)).mode & 0o777);
  assert.deepEqual(modes, [0o700, 0o700, 0o600]);
});

test('a path that cannot be a folder is refused in clear words', async () => {
  await writeFile(join(folder, 'file'), 'no folder');
  await assert.rejects(openObjects(join(folder, 'file', 'store')), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, 'objects.folder');
    assert.match(error.message, /object store/);
    return true;
  });
});

test('an expiry that a crash interrupted leaves the object where it was', async () => {
  const ref = await files.put(randomBytes(1_000));
  await rename(inStore(ref), join(folder, 'store', 'incoming', `expired-${ref.sha256}`));
  const opened = await openObjects(join(folder, 'store'));
  assert.equal((await opened.head(ref))?.bytes, 1_000);
});

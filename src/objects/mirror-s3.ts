/** Between a bucket and a folder in a file store's shape: what is new is copied, and nothing is copied that is not what its name says. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../base/errors.ts';
import { type Copied, type Mirror, namesBelow, syncFolder } from './mirror.ts';
import type { ObjectEntry, Objects } from './objects.ts';

/** Objects on their way at the same time: each is a request that waits for another machine. */
const AT_ONCE = 8;

/** From a store into the folder `to`. A folder that holds the objects of another store is a `Fault` `backup.otherObjects`. */
export async function openMirrorFrom(objects: Objects, to: string): Promise<Mirror> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  const known = await readFile(join(to, 'store-id'), 'utf8').catch(absent);
  if (known === null) await writeFile(join(to, 'store-id'), objects.storeId, { mode: 0o600, flush: true });
  else if (known.trim() !== objects.storeId)
    throw new Fault('backup.otherObjects', `${to} holds the objects of another store (${known.trim()}, not ${objects.storeId})`, {
      remedy: 'Name another folder: two stores never share one.',
    });
  return {
    async copyNew() {
      const there = await namesBelow(to);
      const touched = new Set<string>();
      const copied = await each(fresh(objects, there), async ({ ref }) => {
        const shelf = join(to, ref.sha256.slice(0, 2));
        if (!touched.has(shelf)) {
          touched.add(shelf);
          await mkdir(shelf, { recursive: true, mode: 0o700 });
        }
        return await fetchInto(objects, ref, shelf);
      });
      for (const shelf of touched) await syncFolder(shelf);
      return copied;
    },
  };
}

async function* fresh(objects: Objects, there: ReadonlySet<string>): AsyncGenerator<ObjectEntry> {
  for await (const entry of objects.list()) if (!there.has(entry.ref.sha256)) yield entry;
}

/** Everything of a folder that a store has not. */
export async function putBack(from: string, objects: Objects): Promise<Copied> {
  const there = new Set<string>();
  for await (const { ref } of objects.list()) there.add(ref.sha256);
  const wanted = [...(await namesBelow(from))].filter((name) => !there.has(name));
  return await each(wanted, async (name) => {
    const path = join(from, name.slice(0, 2), name);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).byteLength;
    }
    if (hash.digest('hex') !== name) return { altered: name };
    await objects.put(createReadStream(path));
    return bytes;
  });
}

type One = number | 'gone' | { readonly altered: string };

/** Some at a time, until all are done or one has failed. */
async function each<Item>(items: Iterable<Item> | AsyncIterable<Item>, copy: (item: Item) => Promise<One>): Promise<Copied> {
  const altered: string[] = [];
  let [copied, bytes] = [0, 0];
  let failure: { readonly thrown: unknown } | null = null;
  const under = new Set<Promise<void>>();
  for await (const item of items) {
    const work: Promise<void> = copy(item)
      .then(
        (one) => {
          if (typeof one === 'object') altered.push(one.altered);
          else if (one !== 'gone') {
            copied++;
            bytes += one;
          }
        },
        (thrown: unknown) => {
          failure ??= { thrown };
        },
      )
      .finally(() => under.delete(work));
    under.add(work);
    if (under.size >= AT_ONCE) await Promise.race(under);
    if (failure) break;
  }
  await Promise.all(under);
  if (failure) throw (failure as { readonly thrown: unknown }).thrown;
  return { copied, bytes, altered };
}

/** Safe on the disk, but for its name in the folder, when it resolves. */
async function fetchInto(objects: Objects, ref: ObjectEntry['ref'], shelf: string): Promise<One> {
  const partial = join(shelf, `${ref.sha256}.${randomUUID().slice(0, 8)}`);
  const file = await open(partial, 'wx', 0o600);
  const hash = createHash('sha256');
  try {
    for await (const chunk of objects.get(ref)) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.datasync();
  } catch (thrown) {
    await rm(partial, { force: true });
    // Removed meanwhile: its time of keeping was over.
    if (thrown instanceof Fault && thrown.code === 'objects.missing') return 'gone';
    throw thrown;
  } finally {
    await file.close();
  }
  if (hash.digest('hex') !== ref.sha256) {
    await rm(partial, { force: true });
    return { altered: ref.sha256 };
  }
  await rename(partial, join(shelf, ref.sha256));
  return ref.bytes;
}

function absent(cause: NodeJS.ErrnoException): null {
  if (cause.code === 'ENOENT') return null;
  throw cause;
}

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Fault, reasonOf } from '../../base/errors.ts';

/** Text that is written at a time. */
const PIECE = 65_536;

/**
 * Writes a file that is there whole or not at all, under its own name only when all of it is on the disk. `beforeNamed` runs when it is,
 * and what it throws leaves no file. Gives the digest of its bytes.
 */
export async function writeWhole(
  path: string,
  texts: AsyncIterable<string> | Iterable<string>,
  beforeNamed: () => Promise<void> = async () => undefined,
): Promise<{ readonly sha256: string }> {
  await written(path, () => makeFolder(dirname(path)));
  const part = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`);
  const digest = createHash('sha256');
  const file = await written(path, () => open(part, 'wx'));
  try {
    try {
      let waiting = '';
      const flush = async () => {
        const bytes = Buffer.from(waiting);
        waiting = '';
        digest.update(bytes);
        await written(path, () => file.writeFile(bytes));
      };
      for await (const text of texts) {
        waiting += text;
        if (waiting.length >= PIECE) await flush();
      }
      await flush();
      await written(path, () => file.sync());
    } finally {
      await file.close();
    }
    await beforeNamed();
    await written(path, () => rename(part, path));
  } catch (thrown) {
    await rm(part, { force: true });
    throw thrown;
  }
  return { sha256: digest.digest('hex') };
}

/** Not `recursive`: where the system has no such place, as below /proc, that never ends. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (thrown) {
    const { code } = thrown as { code?: unknown };
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw thrown;
    await makeFolder(dirname(path));
    // Another program may have made it meanwhile.
    await mkdir(path).catch((again: { code?: unknown }) => {
      if (again.code !== 'EEXIST') throw again;
    });
  }
}

/** What the disk refuses is a fault of its folder. */
async function written<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw new Fault('files.write', `${path} cannot be written: ${reasonOf(cause)}`, {
      cause,
      remedy: 'Give a folder that this program may write to, on a disk with room.',
    });
  }
}

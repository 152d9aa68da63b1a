import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

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
  await mkdir(dirname(path), { recursive: true });
  const part = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`);
  const digest = createHash('sha256');
  try {
    const file = await open(part, 'wx');
    try {
      let waiting = '';
      const flush = async () => {
        const bytes = Buffer.from(waiting);
        waiting = '';
        digest.update(bytes);
        await file.writeFile(bytes);
      };
      for await (const text of texts) {
        waiting += text;
        if (waiting.length >= PIECE) await flush();
      }
      await flush();
      await file.sync();
    } finally {
      await file.close();
    }
    await beforeNamed();
    await rename(part, path);
  } catch (thrown) {
    await rm(part, { force: true });
    throw thrown;
  }
  return { sha256: digest.digest('hex') };
}

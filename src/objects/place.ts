import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Objects, openObjects } from './objects.ts';
import { openS3Objects } from './s3.ts';
import type { S3Settings } from './s3-client.ts';
import { type ObjectWriter, openSpoolWriter, openWriter } from './writer.ts';

/** Where a node's objects are: files in the folder; or S3, and then the folder is for what a conversion writes before it is stored. */
export type ObjectsPlace = { readonly folder: string; readonly s3: S3Settings | null };

export async function openObjectsAt({ folder, s3 }: ObjectsPlace): Promise<Objects> {
  if (!s3) return openObjects(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // What killed processes left half-written.
  const dayAgo = Date.now() - 86_400_000;
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name)).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return null;
      throw cause;
    });
    if (found?.isFile() && found.mtimeMs < dayAgo) await rm(join(folder, name), { force: true });
  }
  return openS3Objects(s3);
}

/** A writer into the store that `openObjectsAt` has opened at the same place. */
export function openWriterAt({ folder, s3 }: ObjectsPlace, objects: Objects): ObjectWriter {
  return s3 ? openSpoolWriter(folder, objects) : openWriter(folder);
}

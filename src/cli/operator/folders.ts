/** Folders that an operator names: a new one to write into, and a node's object store, which is never made here. */
import { mkdir, readdir } from 'node:fs/promises';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { Objects } from '../../objects/objects.ts';
import { type ObjectsPlace, openObjectsAt } from '../../objects/place.ts';

/** For this user alone. Throws a `Fault` `input.folder` where there is something in it. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if ((await readdir(folder)).length === 0) return;
  } catch (cause) {
    throw new Fault('input.folder', `${folder}: cannot be made (${reasonOf(cause)})`, { cause, remedy: 'Name another folder with --to.' });
  }
  throw new Fault('input.folder', `${folder}: there is something in it already`, { remedy: 'Name a new folder with --to.' });
}

/** Throws a `Fault` `input.objects` where the folder is no object store. */
export async function openStoreAt(at: ObjectsPlace): Promise<Objects> {
  // A folder that is named wrongly would be made.
  if (!at.s3) {
    const names = await readdir(at.folder).catch((cause: unknown) => {
      throw new Fault('input.objects', `${at.folder}: cannot be read (${reasonOf(cause)})`, { cause });
    });
    if (names.length === 0) throw new Fault('input.objects', `${at.folder}: this is no object store`);
  }
  return openObjectsAt(at);
}

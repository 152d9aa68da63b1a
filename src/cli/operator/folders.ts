/** Folders that an operator names: a new one to write into, and a node's object store, which is never made here. */
import { mkdir, readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { Objects } from '../../objects/objects.ts';
import { type ObjectsPlace, openObjectsAt } from '../../objects/place.ts';

/** For this user alone. Throws a `Fault` `input.folder` where there is something in it. */
export async function makeFolder(folder: string): Promise<void> {
  if ((await makeOrFind(folder)).length === 0) return;
  throw new Fault('input.folder', `${folder}: there is something in it already`, { remedy: 'Name a new folder with --to.' });
}

/** What is in a folder, which is made where there is none. Throws a `Fault` `input.folder` where it cannot be. */
export async function makeOrFind(folder: string): Promise<string[]> {
  try {
    await makeAll(folder);
    return await readdir(folder);
  } catch (cause) {
    throw new Fault('input.folder', `${folder}: cannot be made (${reasonOf(cause)})`, { cause, remedy: 'Name another folder with --to.' });
  }
}

/** Not `recursive`: that never ends where a file system says that a folder which is there is not (/proc, a folder that was removed). */
async function makeAll(folder: string): Promise<void> {
  const make = (): Promise<void> =>
    mkdir(folder, { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw cause;
    });
  try {
    await make();
  } catch (cause) {
    const above = dirname(folder);
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw cause;
    await makeAll(above);
    await make();
  }
}

/** Throws a `Fault` `input.objects` where the folder is no object store. */
export async function openStoreAt(at: ObjectsPlace): Promise<Objects> {
  // A folder that is named wrongly would be made.
  if (!at.s3) {
    const names = await readdir(at.folder).catch((cause: unknown) => {
      throw new Fault('input.objects', `${at.folder}: cannot be read (${reasonOf(cause)})`, { cause, remedy: NAME_STORE });
    });
    if (names.length === 0) throw new Fault('input.objects', `${at.folder}: this is no object store`, { remedy: NAME_STORE });
  }
  return openObjectsAt(at);
}

const NAME_STORE = 'Name the folder of the node’s objects with --objects, or its settings with --config.';

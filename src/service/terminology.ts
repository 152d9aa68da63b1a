/** A built terminology, read at one go into memory that threads share. */
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { Fault, reasonOf } from '../base/errors.ts';
import { type About, readTerminology } from '../terminology/file.ts';

export type LoadedTerminology = { readonly memory: SharedArrayBuffer; readonly about: About };

/** Reads the file and checks it whole. Throws a `Fault` `input.terminology` that names the file and says what to do. */
export async function loadTerminology(file: string): Promise<LoadedTerminology> {
  const memory = await readShared(file);
  try {
    return { memory, about: readTerminology(memory, crc32).about };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('input.terminology', `${file}: ${error.message}`, { cause: error, ...(error.remedy && { remedy: error.remedy }) });
  }
}

async function readShared(file: string): Promise<SharedArrayBuffer> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    const memory = new SharedArrayBuffer(size);
    const bytes = new Uint8Array(memory);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await handle.read(bytes, at, size - at, at);
      if (bytesRead === 0) throw new Error(`it ended after ${at} of ${size} bytes`);
      at += bytesRead;
    }
    return memory;
  } catch (error) {
    throw new Fault('input.terminology', `${file}: cannot be read (${reasonOf(error)})`, { cause: error });
  }
}

/** Memory of the machine, as a machine has it that has been running for a while. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const PIECE_BYTES = 4 * 1024 * 1024;
/** Left alone: the system hands it out before anything is measured. */
const SPARED_BYTES = 1_000_000_000;

/**
 * Fills the memory that holds nothing with the pages of a file, which the system gives up as soon as somebody needs one. The host of a
 * virtual machine takes back what has long been free, and gives it again page by page, at 8 µs each: 2 ms for every MB that is written to a
 * file for the first time, ten times as much as the copy. A machine whose memory has once been used pays this no more. The file is sparse, so
 * nothing is read from a disk; it stays, for with it its pages would go. Does nothing where the system does not tell what is free.
 */
export async function fillFreeMemory(folder: string): Promise<void> {
  const told = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const bytes = Number(/^MemFree:\s+(\d+) kB$/m.exec(told)?.[1] ?? 0) * 1024 - SPARED_BYTES;
  if (bytes <= 0) return;
  const path = join(folder, 'nothing');
  const file = await open(path, 'w+');
  try {
    await file.truncate(bytes);
    const room = Buffer.alloc(PIECE_BYTES);
    for (let at = 0; at < bytes; at += PIECE_BYTES) await file.read(room, 0, PIECE_BYTES, at);
  } finally {
    await file.close();
  }
}

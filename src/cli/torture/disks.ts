import { spawnSync } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { Fault } from '../../base/errors.ts';

/**
 * Disks that can be made full: file systems of their own, in memory, whose size is taken down to what they hold. It takes the right to
 * mount; `null` where this process does not have it.
 */
export type Disks = {
  readonly folders: readonly string[];
  fill(folder: string): Promise<void>;
  free(folder: string): Promise<void>;
  close(): Promise<void>;
};

/** What is left of a disk that is full, in bytes. */
const LEFT = 65_536;
const FILL_ATTEMPTS = 20;

export async function mountDisks(folders: readonly string[], bytes: number): Promise<Disks | null> {
  const mounted: string[] = [];
  const close = async () => {
    for (const folder of mounted.splice(0).reverse()) run('umount', [folder]);
  };
  for (const folder of folders) {
    await mkdir(folder, { recursive: true });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=755`, 'gp2gp-torture', folder]).status !== 0) {
      await close();
      return null;
    }
    mounted.push(folder);
  }
  const size = (folder: string, to: number) => run('mount', ['-o', `remount,size=${to}`, folder]);
  return {
    folders,
    async fill(folder) {
      for (let left = FILL_ATTEMPTS; ; left--) {
        const { blocks, bfree, bsize } = await statfs(folder);
        try {
          size(folder, (blocks - bfree) * bsize + LEFT);
          return;
        } catch (error) {
          // More than that was written since the look: a size below what is held is refused.
          if (left <= 1) throw error;
        }
      }
    },
    async free(folder) {
      size(folder, bytes);
    },
    close,
  };
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, [...args], { encoding: 'utf8' });
  if (status !== 0) throw new Fault('torture.disk', `${command} ${args.join(' ')}: ${stderr.trim()}`);
}

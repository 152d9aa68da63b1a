/** Faults that kill nobody: whole programs that stand still, ways on which nothing goes, disks that are full. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../base/errors.ts';
import type { World } from '../demo/world.ts';
import { FILES } from './count/evidence.ts';
import type { Disks } from './disks.ts';
import type { Killer } from './kills.ts';
import type { PlannedTrouble } from './plan.ts';
import { signal, treeOf } from './processes.ts';
import type { Ways } from './ways.ts';

export type Troubles = {
  /** Lays the trouble on, and takes it away again after its time. */
  make(planned: PlannedTrouble): Promise<void>;
};

export function createTroubles(options: {
  readonly world: World;
  readonly keep: string;
  readonly ways: Ways;
  readonly disks: Disks | null;
  readonly killer: Killer;
  readonly say: (line: string) => void;
}): Troubles {
  const { world, keep, ways, disks, killer, say } = options;

  /** Begins, and gives what ends it. */
  async function begin({ trouble, target }: PlannedTrouble): Promise<() => Promise<unknown>> {
    switch (trouble) {
      case 'stall': {
        // Stopped, it keeps its sockets: the system takes connections for it, and nobody answers.
        const pid = target === 'database' ? world.database.pid : world.programs.get(target)?.pid;
        if (pid === undefined) throw new Fault('torture.target', `there is no program ${target}`);
        const tree = await treeOf(pid);
        for (const one of tree) signal(one, 'SIGSTOP');
        return async () => {
          for (const one of tree) signal(one, 'SIGCONT');
        };
      }
      case 'refuse':
      case 'hang':
      case 'cut':
        await ways.lay(target, trouble);
        return () => ways.clear(target);
      case 'diskFull': {
        const folder = disks?.folders.find((one) => one === folderOf(world.folder, target));
        if (!disks || folder === undefined) throw new Fault('torture.target', `there is no disk of ${target} to fill`);
        await disks.fill(folder);
        return async () => {
          await disks.free(folder);
          // A server that could not write its log has given up, and its next start too while the disk was full.
          if (target === 'database') await killer.ensureDatabase();
        };
      }
    }
  }

  return {
    async make(planned) {
      const { number, trouble, target, forMs } = planned;
      const end = await begin(planned);
      const line = { time: new Date().toISOString(), number, trouble, target, forMs };
      await appendFile(join(keep, FILES.troubles), `${JSON.stringify(line)}\n`);
      say(`trouble ${number}: ${trouble} at ${target} for ${(forMs / 1000).toFixed(1)} s`);
      await sleep(forMs);
      await end();
    },
  };
}

/** Where a disk of its own is put: for a side's object store, or for the database server. */
export function folderOf(world: string, target: string): string {
  return target === 'database' ? join(world, 'database') : join(world, target.replace(/-objects$/, ''), 'objects');
}

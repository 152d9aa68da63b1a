import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listBases } from '../../database/backup/base.ts';
import { removeLogBefore } from '../../database/backup/log-archive.ts';
import { lsnNumber } from '../../database/backup/lsn.ts';
import { writeWhole } from '../../objects/file.ts';
import type { BackupFolder } from './folder.ts';

/** When an object was first missing in the node's store. */
type Gone = Record<string, string>;

/**
 * Removes what no moment of the last so many days needs: base backups but the newest before that time, the log before it, and objects
 * that the node had deleted by then. So what a node erases leaves its backup too.
 */
export async function prune(
  folder: BackupFolder,
  /** Every object that the node has now. */
  there: () => Promise<ReadonlySet<string>>,
  keepDays: number,
  now: Date,
): Promise<{ readonly bases: number; readonly objects: number }> {
  const horizon = new Date(now.getTime() - keepDays * 86_400_000).toISOString();
  const bases = await listBases(folder.bases);
  const first = bases.findLast(({ endedAt }) => endedAt <= horizon) ?? bases[0];
  if (!first) return { bases: 0, objects: 0 };
  let removed = 0;
  for (const base of bases) {
    if (base === first) break;
    await rm(join(folder.bases, base.name), { recursive: true, force: true });
    removed++;
  }
  await removeLogBefore(folder.log, first.timeline, lsnNumber(first.startLsn), first.segmentBytes);
  return { bases: removed, objects: await pruneObjects(folder, await there(), first.endedAt, now) };
}

async function pruneObjects(folder: BackupFolder, there: ReadonlySet<string>, oldest: string, now: Date): Promise<number> {
  const path = join(folder.home, 'gone.json');
  const before: Gone = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as Gone,
    () => ({}),
  );
  const gone: Gone = {};
  let removed = 0;
  for (const shelf of await readdir(folder.objects)) {
    if (!/^[0-9a-f]{2}$/.test(shelf)) continue;
    for (const name of await readdir(join(folder.objects, shelf))) {
      if (there.has(name)) continue;
      const since = before[name] ?? now.toISOString();
      if (since < oldest) {
        await rm(join(folder.objects, shelf, name), { force: true });
        removed++;
      } else gone[name] = since;
    }
  }
  await writeWhole(path, JSON.stringify(gone), { mode: 0o600 });
  return removed;
}

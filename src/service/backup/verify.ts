import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Fault, reasonOf } from '../../base/errors.ts';
import { BASE_TAR, listBases } from '../../database/backup/base.ts';
import { listLog, readSegment } from '../../database/backup/log-archive.ts';
import { lsnText } from '../../database/backup/lsn.ts';
import { checkObjects } from '../../objects/mirror.ts';
import { openObjects } from '../../objects/objects.ts';
import { countTransfers } from '../../store/reads/transfers.ts';
import { type Backup, readBackup, spanFor } from './folder.ts';
import { missingObjects, onStore, type Restored, recoverSpan, scratchFolder } from './restore.ts';
import { discardScratch } from './unfinished.ts';

export type VerifyOptions = {
  readonly from: string;
  /** Room for a whole database. */
  readonly scratch: string;
  readonly programs?: string;
  readonly now: () => Date;
  readonly say: (line: string) => void;
  /** Called with the scratch folder when it is made: what whoever is interrupted discards. */
  readonly onFolder?: (folder: string) => void;
};
export type Verified = {
  readonly ok: boolean;
  /** Each fault in words. */
  readonly faults: readonly string[];
  readonly spans: readonly { readonly base: string; readonly from: string; readonly to: string }[];
  readonly segments: number;
  readonly objects: number;
  readonly objectBytes: number;
  readonly missing: Restored['missing'];
  readonly transfers: number;
  /** From nothing to a server that answers. */
  readonly recoverySeconds: number;
};

/**
 * Looks at everything: each base and segment against its hash, the log for gaps, each object against its name; then restores the newest
 * state into a scratch folder, starts PostgreSQL on it and looks for every object that a row names.
 */
export async function verify(options: VerifyOptions): Promise<Verified> {
  const backup = await readBackup(options.from);
  const faults: string[] = backup.half.map((each) => `half a base backup: ${each}`);
  if (backup.spans.length === 0) spanFor(backup, null);
  // Before everything is read: it is to be known at once where there is no room.
  const scratch = await scratchFolder(options.scratch);
  options.onFolder?.(scratch);
  try {
    return await verifyAll(options, backup, faults, scratch);
  } finally {
    discardScratch(scratch);
  }
}

async function verifyAll(options: VerifyOptions, backup: Backup, faults: string[], scratch: string): Promise<Verified> {
  const { now, say } = options;
  await checkBases(backup, faults, say);
  const segments = await checkLog(backup, faults, say);
  say('every object is read');
  const { objects, bytes, altered } = await checkObjects(backup.folder.objects);
  for (const name of altered) faults.push(`the object ${name} is not what its name says`);

  say('the newest state is restored into a scratch folder');
  const began = now().getTime();
  let recoverySeconds = 0;
  let missing: Restored['missing'] = [];
  let transfers = 0;
  try {
    const { server } = await recoverSpan(backup, spanFor(backup, null), join(scratch, 'database'), null, options.programs);
    try {
      recoverySeconds = (now().getTime() - began) / 1_000;
      const store = await openObjects(backup.folder.objects);
      await onStore(server, async (db) => {
        missing = await missingObjects(db, store);
        transfers = (await countTransfers(db)).reduce((sum, { count }) => sum + Number(count), 0);
      });
    } finally {
      await server.stop();
    }
  } catch (error) {
    faults.push(`it cannot be restored: ${reasonOf(error)}`);
  }
  for (const { sha256, of } of missing) faults.push(`the object ${sha256} is missing, which ${of.join(', ')} needs`);
  return {
    ok: faults.length === 0,
    faults,
    spans: backup.spans.map(({ base, from, to }) => ({ base: base.name, from, to })),
    segments,
    objects,
    objectBytes: bytes,
    missing,
    transfers,
    recoverySeconds,
  };
}

async function checkBases({ folder }: Backup, faults: string[], say: (line: string) => void): Promise<void> {
  for (const base of await listBases(folder.bases)) {
    say(`the base backup ${base.name} is read`);
    const hash = createHash('sha256');
    const path = join(folder.bases, base.name, BASE_TAR);
    try {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
      if (hash.digest('hex') !== base.sha256) faults.push(`the base backup ${path} is not what it was`);
    } catch (error) {
      faults.push(`the base backup ${path} cannot be read: ${reasonOf(error)}`);
    }
  }
}

/** Every segment that a base needs, and that none is missing between the first and the last. */
async function checkLog({ folder, spans }: Backup, faults: string[], say: (line: string) => void): Promise<number> {
  const read = new Set<string>();
  for (const { base, segments, end, tail } of spans) {
    say(`the log from ${base.startLsn} to ${lsnText(end)} is read`);
    for (const segment of segments) {
      if (read.has(segment.file)) continue;
      read.add(segment.file);
      try {
        await readSegment(folder.log, segment, base.segmentBytes, tail);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        faults.push(error.message);
      }
    }
    const last = segments.at(-1);
    const beyond = (await listLog(folder.log, base.segmentBytes)).filter(
      ({ timeline, segment }) => timeline === base.timeline && last !== undefined && segment > last.segment,
    );
    const follows = spans.some((other) => other.base.timeline === base.timeline && other.base.startedAt > base.startedAt);
    if (beyond.length > 0 && !follows)
      faults.push(`the log has a gap after ${last?.file ?? 'its beginning'}: what follows (${beyond[0]?.file} …) cannot be reached`);
  }
  return read.size;
}

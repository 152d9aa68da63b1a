/** A copy of a running server's files, from which any later moment can be reached with the log that follows. */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../base/errors.ts';
import { syncFile, syncFolder } from './durable.ts';
import type { Lsn } from './lsn.ts';
import { openReplication } from './replication.ts';
import type { ServerIdentity } from './server.ts';

export type Base = ServerIdentity & {
  /** Name of its folder. */
  readonly name: string;
  /** The log is needed from here on, and at least up to `stopLsn`: before that the copy is of no single moment. */
  readonly startLsn: Lsn;
  readonly stopLsn: Lsn;
  readonly startedAt: string;
  readonly endedAt: string;
  /** The archive of the files, and its hash. */
  readonly bytes: number;
  readonly sha256: string;
};

export const BASE_TAR = 'base.tar';
/** PostgreSQL's own list of the files with their hashes; `pg_verifybackup` reads it too. */
export const BASE_MANIFEST = 'backup_manifest';
const ABOUT = 'base.json';
const PARTIAL = '.partial';
const HOLD_BYTES = 8 * 1_048_576;

/**
 * Copies the files of the server at `url` into a new folder below `into`. Made aside and renamed: a folder that exists is a whole one.
 * Everything is hashed on its way and safe on the disk when this resolves.
 */
export async function takeBase(url: string, identity: ServerIdentity, into: string, now: () => Date, stop: AbortSignal): Promise<Base> {
  const replication = await openReplication(url);
  const ended = (): void => void replication.close();
  stop.addEventListener('abort', ended);
  const startedAt = now().toISOString();
  const name = startedAt.replace(/[-:]|\.\d+/g, '');
  const partial = join(into, `${name}${PARTIAL}`);
  await removePartial(into);
  await mkdir(partial, { recursive: true, mode: 0o700 });
  const files: FileHandle[] = [];
  try {
    const tar = await open(join(partial, BASE_TAR), 'wx', 0o600);
    files.push(tar);
    const manifest = await open(join(partial, BASE_MANIFEST), 'wx', 0o600);
    files.push(manifest);
    const hash = createHash('sha256');
    let bytes = 0;
    let archives = 0;
    let target: FileHandle = tar;
    let queued = 0;
    let writing: Promise<void> = Promise.resolve();
    const write = (piece: Buffer): void => {
      const to = target;
      if (to === tar) {
        hash.update(piece);
        bytes += piece.byteLength;
      }
      queued += piece.byteLength;
      if (queued > HOLD_BYTES) replication.hold(true);
      writing = writing.then(async () => {
        await to.writeFile(piece);
        queued -= piece.byteLength;
        if (queued <= HOLD_BYTES) replication.hold(false);
      });
      // Heard at the end; until then the server goes on, and is not waited for in vain.
      writing.catch(() => replication.hold(false));
    };
    const results = await replication.copy(
      "BASE_BACKUP (LABEL 'gp2gp store backup', CHECKPOINT 'fast', WAIT false, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256')",
      (piece) => {
        const kind = String.fromCharCode(piece[0] ?? 0);
        if (kind === 'n') archives++;
        else if (kind === 'm') target = manifest;
        else if (kind === 'd') write(piece.subarray(1));
      },
    );
    await writing;
    if (archives !== 1)
      throw new Fault('backup.tablespaces', 'the database has tablespaces outside its folder, which this backup does not copy', {
        remedy: 'Move them back into the default tablespace, or back up the server with its own tools.',
      });
    const [start, stop] = [results[0]?.[0], results.at(-1)?.[0]];
    if (!start?.[0] || !stop?.[0]) throw new Fault('backup.answer', 'the server did not say where its copy begins and ends');
    for (const file of files) await file.sync();
    const base: Base = {
      ...identity,
      name,
      startLsn: start[0],
      stopLsn: stop[0],
      timeline: Number(start[1]),
      startedAt,
      endedAt: now().toISOString(),
      bytes,
      sha256: hash.digest('hex'),
    };
    await writeFile(join(partial, ABOUT), `${JSON.stringify(base, null, 1)}\n`, { mode: 0o600 });
    await syncFile(join(partial, ABOUT));
    await syncFolder(partial);
    await rename(partial, join(into, name));
    await syncFolder(into);
    return base;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  } finally {
    stop.removeEventListener('abort', ended);
    for (const file of files) await file.close();
    await replication.close();
  }
}

/** What a copy that was interrupted has left. */
async function removePartial(into: string): Promise<void> {
  for (const name of await readdir(into).catch(() => []))
    if (name.endsWith(PARTIAL)) await rm(join(into, name), { recursive: true, force: true });
}

/** The base backups of a folder, oldest first. One that cannot be read is a `Fault`. */
export async function listBases(into: string): Promise<Base[]> {
  const found: Base[] = [];
  for (const name of (await readdir(into).catch(() => [])).sort()) {
    if (name.endsWith(PARTIAL)) continue;
    const path = join(into, name, ABOUT);
    try {
      found.push(JSON.parse(await readFile(path, 'utf8')) as Base);
    } catch (cause) {
      throw new Fault('backup.base', `the base backup ${join(into, name)} is half: ${ABOUT} cannot be read`, {
        remedy: 'Move that folder away and use another base backup, or take a new one with `gp2gp store backup`.',
        cause,
      });
    }
  }
  return found;
}

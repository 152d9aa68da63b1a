/** From a base backup and the log that follows to a server that runs, as it was at a moment. */
import { createHash } from 'node:crypto';
import { chown, type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Fault } from '../../base/errors.ts';
import { type Account, serverAccount, usableFolder } from '../account.ts';
import { installBinaries } from '../binaries.ts';
import { type EmbeddedServer, programsIn, startEmbedded } from '../embedded.ts';
import { BASE_MANIFEST, BASE_TAR, type Base } from './base.ts';
import { readSegment, type Segment, type Tail } from './log-archive.ts';
import { lsnNumber, lsnText, segmentName } from './lsn.ts';
import { listTar } from './tar.ts';

export type Recovery = {
  readonly base: Base;
  /** The folder of the base backup, and that of the log. */
  readonly baseFolder: string;
  readonly logFolder: string;
  /** From the base's beginning on, without a gap. */
  readonly segments: readonly Segment[];
  readonly tail: Tail | null;
  /** The server's data folder that is made. */
  readonly into: string;
  /** Everything committed up to here; left out: everything that there is. */
  readonly until?: Date;
  readonly programs?: string;
};
export type Recovered = {
  readonly server: EmbeddedServer;
  /** Where the log was left. */
  readonly reached: bigint;
};

const READ_BYTES = 1_048_576;
/** Gigabytes of log are read before the server answers. */
const RECOVERY_MS = 6 * 3_600_000;
/** The last record may be cut off in the midst; none of ours is longer. */
const RECORD_BYTES = 1_048_576n;
const ENDED_BEFORE = /recovery ended before configured recovery target was reached/;

/** Puts files and log in place, each checked against its hash, lets a server read the log, and gives it running, with a timeline of its own. */
export async function recover(recovery: Recovery): Promise<Recovered> {
  const { base, into, until, tail } = recovery;
  const home = resolve(into);
  const account = await serverAccount();
  await usableFolder(home, account);
  // Before gigabytes are put in place for it.
  await sameMajor(recovery, home);
  const partial = join(home, 'cluster.partial');
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  if (account) await chown(partial, account.uid, account.gid);
  await unpack(recovery, partial, account);
  await placeLog(recovery, partial, account);
  // A cluster that exists is a whole one.
  await rename(partial, join(home, 'cluster'));
  const rules = join(home, 'cluster', 'recovery_hba.conf');
  const settings = join(home, 'cluster', 'recovery.conf.restore');
  await own(rules, 'local all all trust\n', account);
  await own(settings, '', account);
  const start = (target: Readonly<Record<string, string>>): Promise<EmbeddedServer> =>
    startEmbedded(home, {
      ...(recovery.programs === undefined ? { binariesFolder: home } : { programs: recovery.programs }),
      user: base.user,
      database: base.database,
      startTimeoutMs: RECOVERY_MS,
      settings: {
        // What the server's own files say may name places that are not here.
        config_file: settings,
        hba_file: rules,
        // It answers when it is done.
        hot_standby: 'off',
        archive_mode: 'off',
        restore_command: 'false',
        recovery_target_timeline: 'current',
        ...target,
      },
    });
  let server: EmbeddedServer;
  try {
    server = await start(
      until ? { recovery_target_time: until.toISOString().replace('T', ' ').replace('Z', '+00'), recovery_target_action: 'promote' } : {},
    );
  } catch (error) {
    // Nothing was committed between that moment and the end of the log: all of it belongs there.
    if (!until || !(error instanceof Fault) || !ENDED_BEFORE.test(error.message)) throw error;
    server = await start({});
  }
  await rm(rules);
  await rm(settings);
  const reached = await switchedAt(join(home, 'cluster', 'pg_wal'), base.timeline);
  if (!until && tail && reached + RECORD_BYTES < tail.lsn) {
    await server.stop();
    throw new Fault(
      'restore.short',
      `the server read the log only as far as ${lsnText(reached)}, of ${lsnText(tail.lsn)}: what follows cannot be read`,
      {
        remedy: 'Restore to an earlier moment, or from another base backup.',
      },
    );
  }
  return { server, reached };
}

async function sameMajor({ base: { major }, programs }: Recovery, home: string): Promise<void> {
  const own = programs === undefined ? await installBinaries(home) : await programsIn(programs);
  if (own.major === major) return;
  const given = programs === undefined ? 'this program brings' : `those in ${programs} are of`;
  throw new Fault('restore.version', `the backup is of PostgreSQL ${major}; ${given} ${own.major}`, {
    remedy: `Name the programs of that version: --programs /usr/lib/postgresql/${major}`,
  });
}

type Listed = { readonly Path: string; readonly Size: number; readonly Checksum?: string };

/** Every file of the base backup as PostgreSQL's own list has it. The server puts all of them on the disk before it begins. */
async function unpack({ base, baseFolder }: Recovery, into: string, account: Account): Promise<void> {
  const manifest = await readFile(join(baseFolder, BASE_MANIFEST), 'utf8')
    .then((text) => JSON.parse(text) as { Files: Listed[] })
    .catch((cause: unknown) => {
      throw damagedBase(baseFolder, `${BASE_MANIFEST} cannot be read`, cause);
    });
  const listed = new Map(manifest.Files.map((file) => [file.Path, file]));
  const tar = await open(join(baseFolder, BASE_TAR), 'r').catch((cause: unknown) => {
    throw damagedBase(baseFolder, `${BASE_TAR} cannot be read`, cause);
  });
  try {
    if ((await tar.stat()).size !== base.bytes) throw damagedBase(baseFolder, `${BASE_TAR} has not the length that it had`);
    for await (const { path, kind, bytes, at } of listTar(tar)) {
      const target = resolve(into, path);
      if (target !== into && !target.startsWith(`${into}/`)) throw damagedBase(baseFolder, `${path} leads out of it`);
      if (kind === 'folder') {
        await mkdir(target, { recursive: true, mode: 0o700 });
        if (account) await chown(target, account.uid, account.gid);
      } else if (kind === 'file') {
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        const hash = await copyRange(tar, at, bytes, target);
        const known = listed.get(path);
        if (known && (known.Size !== bytes || known.Checksum !== hash)) throw damagedBase(baseFolder, `${path} is not what it was`);
        listed.delete(path);
        if (account) await chown(target, account.uid, account.gid);
      } else throw damagedBase(baseFolder, `${path} is a link`);
    }
  } catch (error) {
    throw error instanceof Fault && error.code === 'backup.tar' ? damagedBase(baseFolder, error.message, error) : error;
  } finally {
    await tar.close();
  }
  const [missing] = listed.keys();
  if (missing !== undefined) throw damagedBase(baseFolder, `${missing} is missing`);
}

export function damagedBase(folder: string, what: string, cause?: unknown): Fault {
  return new Fault('backup.base', `the base backup ${folder} is damaged: ${what}`, {
    remedy: 'Use another base backup; take a new one with `gp2gp store backup` if the server still lives.',
    cause,
  });
}

async function copyRange(from: FileHandle, at: number, bytes: number, to: string): Promise<string> {
  const hash = createHash('sha256');
  const target = await open(to, 'wx', 0o600);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(bytes, 1)));
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.byteLength, bytes - done), at + done);
      if (bytesRead === 0) throw new Fault('backup.tar', `the archive breaks off at byte ${at + done}`);
      hash.update(buffer.subarray(0, bytesRead));
      await target.writeFile(buffer.subarray(0, bytesRead));
      done += bytesRead;
    }
  } finally {
    await target.close();
  }
  return hash.digest('hex');
}

async function placeLog({ base, logFolder, segments, tail }: Recovery, cluster: string, account: Account): Promise<void> {
  const wal = join(cluster, 'pg_wal');
  await mkdir(join(wal, 'archive_status'), { recursive: true, mode: 0o700 });
  for (const folder of [wal, join(wal, 'archive_status')]) if (account) await chown(folder, account.uid, account.gid);
  for (const segment of segments) {
    const path = join(wal, segmentName(segment.timeline, segment.segment, base.segmentBytes));
    await writeFile(path, await readSegment(logFolder, segment, base.segmentBytes, tail), { mode: 0o600 });
    if (account) await chown(path, account.uid, account.gid);
  }
  await own(join(cluster, 'recovery.signal'), '', account);
}

async function own(path: string, text: string, account: Account): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  if (account) await chown(path, account.uid, account.gid);
}

/** Where the new timeline left the old one. */
async function switchedAt(wal: string, timeline: number): Promise<bigint> {
  for (const name of (await readdir(wal)).filter((each) => each.endsWith('.history')).sort()) {
    const line = (await readFile(join(wal, name), 'utf8'))
      .trim()
      .split('\n')
      .map((each) => each.split('\t'))
      .find(([left]) => Number(left) === timeline);
    if (line?.[1]) return lsnNumber(line[1]);
  }
  throw new Fault('restore.timeline', 'the server does not say where it left the old timeline');
}

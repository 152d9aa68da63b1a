/** The copied log: a file for each segment, the last one partial; beside each whole one its hash, as `sha256sum -c` reads it. */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../base/errors.ts';
import { syncFile, syncFolder } from './durable.ts';
import type { LogPiece } from './log-stream.ts';
import { lsnText, parseSegment, segmentName, segmentOf } from './lsn.ts';

export type Tail = {
  readonly lsn: bigint;
  /** Of what the last, partial segment holds up to there; `null` where it holds nothing. */
  readonly sha256: string | null;
};
export type LogArchive = {
  /** Adds what comes next. */
  append(piece: LogPiece): Promise<void>;
  /** All that was added is safe on the disk when this resolves. */
  sync(): Promise<Tail>;
  close(): Promise<void>;
};
export type Segment = { readonly file: string; readonly timeline: number; readonly segment: bigint; readonly partial: boolean };

const PARTIAL = '.partial';
const HASH = '.sha256';

/**
 * Opens the archive at `from`, the beginning of a segment. What an earlier run has left of that segment must be what comes now, byte by
 * byte: another server's log never gets mixed in (`Fault` `backup.otherHistory`).
 */
export async function openLogArchive(
  folder: string,
  { timeline, segmentBytes, from }: { readonly timeline: number; readonly segmentBytes: number; readonly from: bigint },
): Promise<LogArchive> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const size = BigInt(segmentBytes);
  let at = from;
  let open_: { readonly name: string; readonly file: FileHandle | null; readonly hash: Hash; readonly known: Buffer } | null = null;

  const opened = async () => {
    if (open_) return open_;
    const name = segmentName(timeline, segmentOf(at, segmentBytes), segmentBytes);
    // One that is whole already is only compared.
    const whole = await read(join(folder, name));
    const known = whole ?? (await read(join(folder, `${name}${PARTIAL}`))) ?? Buffer.alloc(0);
    const file = whole ? null : await open(join(folder, `${name}${PARTIAL}`), 'a', 0o600);
    open_ = { name, file, hash: createHash('sha256'), known };
    return open_;
  };

  async function write(data: Buffer): Promise<void> {
    const { name, file, hash, known } = await opened();
    const offset = Number(at % size);
    const overlap = known.subarray(offset, offset + data.byteLength);
    if (!overlap.equals(data.subarray(0, overlap.byteLength)))
      throw new Fault(
        'backup.otherHistory',
        `the backup holds another log at ${lsnText(at)} (${name}): this server went another way since`,
        {
          remedy: 'Back it up into a new folder.',
        },
      );
    const fresh = data.subarray(overlap.byteLength);
    if (fresh.byteLength > 0) await file?.appendFile(fresh);
    hash.update(data);
    at += BigInt(data.byteLength);
    if (at % size !== 0n) return;
    if (file) {
      await file.datasync();
      await file.close();
      await writeFile(join(folder, `${name}${HASH}`), `${hash.digest('hex')}  ${name}\n`, { mode: 0o600 });
      await syncFile(join(folder, `${name}${HASH}`));
      await rename(join(folder, `${name}${PARTIAL}`), join(folder, name));
      await syncFolder(folder);
    }
    open_ = null;
  }

  return {
    async append(piece) {
      if (piece.at !== at)
        throw new Fault('backup.gap', `the server sent its log from ${lsnText(piece.at)}, not from ${lsnText(at)} as asked for`);
      for (let done = 0; done < piece.data.byteLength; ) {
        const room = segmentBytes - Number(at % size);
        const part = piece.data.subarray(done, done + room);
        await write(part);
        done += part.byteLength;
      }
    },
    async sync() {
      await open_?.file?.datasync();
      return { lsn: at, sha256: open_ ? open_.hash.copy().digest('hex') : null };
    },
    async close() {
      await open_?.file?.close();
      open_ = null;
    },
  };
}

/** The segments of a folder by timeline, in order. */
export async function listLog(folder: string, segmentBytes: number): Promise<Segment[]> {
  const found: Segment[] = [];
  for (const file of (await readdir(folder).catch(() => [])).sort()) {
    const partial = file.endsWith(PARTIAL);
    const parsed = parseSegment(partial ? file.slice(0, -PARTIAL.length) : file, segmentBytes);
    if (parsed) found.push({ file, ...parsed, partial });
  }
  return found;
}

/** The segments that follow `from` on a timeline without a gap. */
export function contiguous(segments: readonly Segment[], timeline: number, from: bigint, segmentBytes: number): Segment[] {
  const found: Segment[] = [];
  let next = segmentOf(from, segmentBytes);
  for (const segment of segments) {
    if (segment.timeline !== timeline || segment.segment !== next) continue;
    found.push(segment);
    if (segment.partial) break;
    next++;
  }
  return found;
}

/** Where what is contiguous ends: as far as its last file reaches. */
export async function endOf(folder: string, segments: readonly Segment[], segmentBytes: number): Promise<bigint | null> {
  const last = segments.at(-1);
  if (!last) return null;
  return last.segment * BigInt(segmentBytes) + BigInt((await stat(join(folder, last.file))).size);
}

/**
 * A segment's bytes as they are to be restored, whole and checked: against its hash, or, the partial one, as far as `tail` knows it.
 * Throws a `Fault` `backup.segment` that names the file.
 */
export async function readSegment(folder: string, segment: Segment, segmentBytes: number, tail: Tail | null): Promise<Buffer> {
  const path = join(folder, segment.file);
  // A partial one may have become whole since it was listed.
  const bytes = (await read(path)) ?? (segment.partial ? await read(path.slice(0, -PARTIAL.length)) : null) ?? Buffer.alloc(0);
  const damaged = (what: string): Fault =>
    new Fault('backup.segment', `the log segment ${path} is damaged: ${what}`, {
      remedy: 'Restore to a moment before it, or from a later base backup; take a new base backup if the server still lives.',
    });
  if (segment.partial) {
    const upTo = tail && segmentOf(tail.lsn, segmentBytes) === segment.segment ? Number(tail.lsn % BigInt(segmentBytes)) : 0;
    if (bytes.byteLength < upTo) throw damaged(`it ends at byte ${bytes.byteLength}, before ${upTo}`);
    if (upTo > 0 && tail?.sha256 !== sha256(bytes.subarray(0, upTo))) throw damaged('its hash is another');
    return Buffer.concat([bytes], segmentBytes);
  }
  if (bytes.byteLength !== segmentBytes) throw damaged(`it has ${bytes.byteLength} bytes, not ${segmentBytes}`);
  const hash = await readFile(`${path}${HASH}`, 'latin1').catch(() => null);
  if (hash === null) throw damaged('its hash is missing');
  if (!hash.startsWith(sha256(bytes))) throw damaged('its hash is another');
  return bytes;
}

/** Removes what lies before a segment on its timeline and all earlier timelines. */
export async function removeLogBefore(folder: string, timeline: number, from: bigint, segmentBytes: number): Promise<number> {
  let removed = 0;
  for (const segment of await listLog(folder, segmentBytes)) {
    if (segment.timeline > timeline || (segment.timeline === timeline && segment.segment >= segmentOf(from, segmentBytes))) continue;
    await rm(join(folder, segment.file), { force: true });
    await rm(join(folder, `${segment.file}${HASH}`), { force: true });
    removed++;
  }
  return removed;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function read(path: string): Promise<Buffer | null> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw cause;
  });
}

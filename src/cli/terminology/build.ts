/** From releases to one file: reads, builds, writes beside the target and puts it in its place when it is whole. */
import { open, rename, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { Fault, reasonOf } from '../../base/errors.ts';
import { createTerminologyBuilder } from '../../terminology/build.ts';
import { type About, writeTerminology } from '../../terminology/file.ts';
import { openSource, type Source } from './source.ts';

export type Built = About & {
  readonly file: string;
  readonly bytes: number;
  readonly files: readonly { readonly name: string; readonly rows: number }[];
};
export type Progress = { file(name: string): void; read(bytes: number, of: number): void; phase(text: string): void };

/** Builds `target` from `paths`, zips or folders. Throws `Fault`s that name file and line. */
export async function buildTerminology(paths: readonly string[], target: string, progress: Progress): Promise<Built> {
  const sources: Source[] = [];
  try {
    for (const path of paths) sources.push(await openSource(path));
    const builder = createTerminologyBuilder();
    const wanted = sources.flatMap(({ files }) =>
      files.flatMap((file) => {
        const reader = builder.open(file.name, file.shown);
        return reader ? [{ file, reader }] : [];
      }),
    );
    const total = wanted.reduce((sum, { file }) => sum + file.bytes, 0);
    const files: Built['files'][number][] = [];
    let done = 0;
    for (const { file, reader } of wanted) {
      progress.file(file.name);
      for await (const block of file.read()) {
        reader.push(block);
        done += block.byteLength;
        progress.read(done, total);
      }
      files.push({ name: file.name, rows: reader.end() });
    }
    progress.phase('putting it in order');
    const { about, tables } = builder.finish(sources.map(({ name }) => name).join(' + '));
    progress.phase('writing');
    const bytes = await write(target, writeTerminology(about, tables, crc32));
    return { ...about, file: target, bytes, files };
  } finally {
    for (const source of sources) source.close();
  }
}

/** Whoever reads the target sees the old file or the whole new one. */
async function write(target: string, pieces: Uint8Array[]): Promise<number> {
  const part = `${target}.${process.pid}.part`;
  try {
    const handle = await open(part, 'wx');
    try {
      await handle.writev(pieces);
      await handle.sync();
      const { size } = await handle.stat();
      const whole = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
      if (size !== whole) throw new Error(`only ${size} of ${whole} bytes were written`);
      await rename(part, target);
      return size;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    await rm(part, { force: true });
    throw new Fault('terminology.write', `${target}: cannot be written (${reasonOf(cause)})`, { cause });
  }
}

/** Files with everything open: made when somebody asks for them, kept on disk, made anew after a publication and once a day. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Month, monthText } from '../metrics/month.ts';
import { columnsOf, type Dataset } from './datasets.ts';
import type { OpenReads } from './model.ts';
import { csvTable, parquetTable } from './tables.ts';

export type Format = 'csv' | 'parquet';
export type KeptFile = { readonly path: string; readonly bytes: number; readonly etag: string; readonly madeAt: Date };
export type Library = {
  /** `month`: one month; `null`: all that are open. */
  file(dataset: Dataset, month: Month | null, format: Format): Promise<KeptFile>;
  close(): Promise<void>;
};

/**
 * A file is written by itself and given its name when it is whole. One is made at a time, so that a crowd of readers costs the database
 * one reader. While a new one cannot be made, the last one is given.
 */
export function openLibrary(options: {
  readonly reads: OpenReads;
  readonly published: () => Promise<{ readonly months: readonly Month[]; readonly at: string | null }>;
  readonly now?: () => number;
  readonly onStale?: (thrown: unknown) => void;
}): Library {
  const { reads, published, now = Date.now, onStale } = options;
  const shelf = new Map<string, { version: string; file: KeptFile; before: string | null }>();
  const making = new Map<string, Promise<KeptFile>>();
  let folder: Promise<string> | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  let number = 0;

  const make = async (dataset: Dataset, months: readonly Month[], format: Format): Promise<KeptFile> => {
    folder ??= mkdtemp(join(tmpdir(), 'gp2gp-open-'));
    const path = join(await folder, `${++number}-${dataset.name}.${format}`);
    const columns = columnsOf(dataset);
    const rows = dataset.rows(reads, months.toReversed());
    const digest = createHash('sha256');
    let bytes = 0;
    try {
      await pipeline(
        format === 'csv' ? csvTable(columns, rows) : parquetTable(columns, rows),
        async function* (pieces: AsyncIterable<Uint8Array>) {
          for await (const piece of pieces) {
            digest.update(piece);
            bytes += piece.length;
            yield piece;
          }
        },
        createWriteStream(`${path}.part`),
      );
      await rename(`${path}.part`, path);
    } catch (thrown) {
      await rm(`${path}.part`, { force: true });
      throw thrown;
    }
    return { path, bytes, etag: `"${digest.digest('base64url').slice(0, 22)}"`, madeAt: new Date(now()) };
  };

  return {
    async file(dataset, month, format) {
      const { months, at } = await published();
      const key = `${dataset.name} ${month ? monthText(month) : 'all'} ${format}`;
      const version = `${at} ${new Date(now()).toISOString().slice(0, 10)}`;
      const kept = shelf.get(key);
      if (kept?.version === version) return kept.file;
      const running = making.get(key);
      if (running) return running;
      const made = turn
        .then(() => make(dataset, month ? [month] : months, format))
        .then(
          async (file) => {
            // Somebody may have been told of the last one and not opened it yet: it goes with the next.
            if (kept?.before) await rm(kept.before, { force: true });
            shelf.set(key, { version, file, before: kept?.file.path ?? null });
            return file;
          },
          (thrown: unknown) => {
            if (!kept) throw thrown;
            onStale?.(thrown);
            return kept.file;
          },
        )
        .finally(() => making.delete(key));
      making.set(key, made);
      turn = made.catch(() => undefined);
      return made;
    },
    async close() {
      await turn;
      if (folder) await rm(await folder, { recursive: true, force: true });
    },
  };
}

import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { syncFile, writeAll } from '../../objects/file.ts';

/**
 * One line of the hub's ledger, which is both its record for strangers and its own memory: what was accepted and neither
 * delivered nor failed is delivered after a restart.
 */
export type LedgerLine = {
  readonly time: string;
  /** Of the request, in order of acceptance; the lines of one message share it. 0 for refused requests. */
  readonly number: number;
  readonly direction: 'accepted' | 'delivered' | 'failed' | 'refused';
  readonly from: string;
  readonly to: string;
  readonly messageId: string;
  readonly conversationId: string;
  readonly interaction: string;
  /** HTTP status: of our answer where accepted or refused, of the recipient's where delivered or failed; 0 for none. */
  readonly status: number;
  readonly bytes: number;
  readonly sha256?: string;
  /** Known already by (From party, message id): acknowledged, not delivered again. */
  readonly duplicate?: true;
  /** A duplicate with other bytes. */
  readonly altered?: true;
  readonly attempts?: number;
  readonly url?: string;
  readonly reason?: string;
  /** What is needed to deliver after a restart. */
  readonly spool?: {
    readonly file: string;
    readonly bodyAt: number;
    readonly headers: readonly (readonly [string, string])[];
    readonly envelope: unknown;
  };
};

export type Ledger = {
  /** Writes a line; resolves when it is on the disk, together with the lines of all who wait at that moment. */
  append(line: LedgerLine): Promise<void>;
  close(): Promise<void>;
};

/** Opens a ledger for appending; a last line that a crash cut short is cut off, since nobody was told of it. */
export async function openLedger(path: string): Promise<Ledger> {
  const file = await open(path, 'a+');
  await cutTornLine(file);
  let waiting: { text: string; done: () => void; failed: (thrown: unknown) => void }[] = [];
  let writing: Promise<void> | null = null;

  async function drain(): Promise<void> {
    while (waiting.length) {
      const batch = waiting;
      waiting = [];
      try {
        await writeAll(file.fd, Buffer.from(batch.map((one) => one.text).join('')));
        await syncFile(file.fd);
        for (const one of batch) one.done();
      } catch (thrown) {
        for (const one of batch) one.failed(thrown);
      }
    }
    writing = null;
  }

  return {
    append: (line) =>
      new Promise((done, failed) => {
        waiting.push({ text: `${JSON.stringify(line)}\n`, done, failed });
        writing ??= drain();
      }),
    close: async () => {
      await writing;
      await file.close();
    },
  };
}

async function cutTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  let end = size;
  const block = Buffer.alloc(65_536);
  while (end > 0) {
    const from = Math.max(0, end - block.byteLength);
    const { bytesRead } = await file.read(block, 0, end - from, from);
    const newline = block.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (newline >= 0) {
      if (from + newline + 1 < size) await file.truncate(from + newline + 1);
      return;
    }
    end = from;
  }
  if (size > 0) await file.truncate(0);
}

/** The lines of a ledger, in order; none where the file does not exist. */
export async function* readLedger(path: string): AsyncGenerator<LedgerLine> {
  const source = createReadStream(path);
  try {
    for await (const line of createInterface({ input: source })) if (line) yield JSON.parse(line) as LedgerLine;
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')) throw thrown;
  } finally {
    source.destroy();
  }
}

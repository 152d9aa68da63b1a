import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeWhole } from '../../objects/file.ts';
import { BadRequest } from '../http.ts';

/** A message in a mailbox. Its file is its memory. */
export type MeshMessage = {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly workflow: string;
  readonly type: 'DATA' | 'REPORT';
  /** `mex-filename` and its like, as the sender gave them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: number;
  readonly sentAt: string;
  received: number;
  state: 'uploading' | 'accepted' | 'acknowledged' | 'undelivered';
  changedAt: string;
};

export type MeshMessages = {
  add(message: Omit<MeshMessage, 'id' | 'sentAt' | 'changedAt'>): Promise<MeshMessage>;
  save(message: MeshMessage): Promise<void>;
  find(id: string): MeshMessage | null;
  list(): readonly MeshMessage[];
  /** The file of a chunk, from 1. */
  chunkFile(message: MeshMessage, n: number): string;
  /** Writes a chunk whole or not at all. Throws `BadRequest` 413 beyond `limit` bytes. */
  writeChunk(message: MeshMessage, n: number, body: AsyncIterable<Uint8Array>, limit: number): Promise<void>;
};

export async function openMessages(folder: string, now: () => Date): Promise<MeshMessages> {
  await mkdir(folder, { recursive: true });
  const held = new Map<string, MeshMessage>();
  for (const name of (await readdir(folder)).sort()) {
    if (!name.endsWith('.json')) continue;
    const message = JSON.parse(await readFile(join(folder, name), 'utf8')) as MeshMessage;
    held.set(message.id, message);
  }
  async function save(message: MeshMessage): Promise<void> {
    message.changedAt = now().toISOString();
    const path = join(folder, `${message.id}.json`);
    await writeWhole(path, JSON.stringify(message), { flush: true });
    held.set(message.id, message);
  }
  const chunkFile = (message: MeshMessage, n: number): string => join(folder, `${message.id}.${n}`);
  return {
    add: async (of) => {
      const sentAt = now().toISOString();
      const id = `${sentAt.replace(/\D/g, '').slice(0, 17)}_${randomBytes(4).toString('hex').toUpperCase()}`;
      const message: MeshMessage = { ...of, id, sentAt, changedAt: sentAt };
      await save(message);
      return message;
    },
    save,
    find: (id) => held.get(id) ?? null,
    list: () => [...held.values()],
    chunkFile,
    writeChunk: async (message, n, body, limit) => {
      const path = chunkFile(message, n);
      await pipeline(atMost(body, limit), createWriteStream(`${path}.new`, { flush: true }));
      await rename(`${path}.new`, path);
    },
  };
}

async function* atMost(body: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > limit) throw new BadRequest(413, `a chunk of more than ${limit} bytes`);
    yield piece;
  }
}

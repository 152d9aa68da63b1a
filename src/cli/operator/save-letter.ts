import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Content } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import type { WireBody } from '../../base/wire.ts';
import { readStored } from '../../objects/content.ts';
import type { Objects } from '../../objects/objects.ts';
import { wireBytes } from '../../spine/wire-bytes.ts';
import { audit } from '../../store/audit.ts';
import type { KeptMessage } from '../../store/inbox.ts';
import { readDeadLetterBody } from '../../store/reads/dead-letters.ts';
import { readStored as readStoredJson, writeStored } from '../../store/stored-json.ts';
import { oneLetter } from './dead-letters.ts';
import { makeFolder, openStoreAt } from './folders.ts';
import { atPlace, OPERATOR, type PlaceOptions } from './place.ts';
import { jsonLine } from './words.ts';

export type SaveOptions = PlaceOptions & { readonly to: string; readonly reason: string; readonly json?: boolean };

/** Writes a dead letter as it is kept: `letter.json`, each content of a message that came, the exact bytes of one that was to leave. */
export async function saveLetter(name: string, options: SaveOptions): Promise<void> {
  const folder = resolve(options.to);
  const files = await atPlace(options, async ({ db, objects: at, user }) => {
    const letter = await oneLetter(db, name);
    if (!at)
      throw new Fault('input.objects', 'the object store is not known', {
        remedy: 'Name it with --objects DIR, or the node’s settings with --config FILE.',
      });
    const objects = await openStoreAt(at);
    const { practice, transfer } = letter;
    await makeFolder(folder);
    // Before anything leaves.
    await audit(db, {
      practice,
      transfer,
      actor: `${user} (${OPERATOR})`,
      action: 'deadLetterSaved',
      detail: { letter: name, reason: options.reason },
    });
    return await write(folder, await wholeBody(objects, await readDeadLetterBody(db, letter)), objects);
  });
  if (options.json) process.stdout.write(jsonLine({ letter: name, folder, files }));
  else process.stdout.write(`${folder}: ${files.join(', ')}\n`);
}

/** The message itself where its row only says where it is. */
async function wholeBody(objects: Objects, body: unknown): Promise<unknown> {
  const row = (body ?? {}) as KeptMessage;
  if (!('kept' in row)) return body;
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(row.kept)) chunks.push(chunk);
  return { message: readStoredJson(Buffer.concat(chunks).toString('utf8')) };
}

async function write(folder: string, body: unknown, objects: Objects): Promise<string[]> {
  const files = ['letter.json'];
  await writeFile(join(folder, 'letter.json'), `${JSON.stringify(JSON.parse(writeStored(body)), null, 1)}\n`, { mode: 0o600 });
  const put = async (name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    await writeFile(join(folder, name), bytes, { mode: 0o600 });
    files.push(name);
  };
  const packed = typeof body === 'object' && body !== null && 'packed' in body ? (body.packed as { readonly body: WireBody }) : null;
  if (packed) await put('message.mime', wireBytes(packed.body, objects));
  else for (const [at, content] of contentsIn(body).entries()) await put(`content-${at + 1}`, readStored(objects, content));
  return files;
}

function contentsIn(value: unknown): Content[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('pieces' in value && Array.isArray(value.pieces)) return [value as Content];
  return Object.values(value).flatMap(contentsIn);
}

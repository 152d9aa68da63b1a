import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SPINE_PARTY_KEY } from './answers.ts';
import type { Kept } from './delivery.ts';
import type { HubEnvelope } from './envelope.ts';
import type { Counters } from './hub.ts';
import { readLedger } from './ledger.ts';

/** Reads the ledger of an earlier life: what is known, what has been counted, and what is still to be delivered. */
export async function recall(
  path: string,
  known: Map<string, { readonly sha256: string; readonly kept: Promise<void> }>,
  counters: Counters,
): Promise<{ lastNumber: number; undelivered: Kept[] }> {
  const open = new Map<number, Kept>();
  let lastNumber = 0;
  for await (const line of readLedger(path)) {
    lastNumber = Math.max(lastNumber, line.number);
    if (line.direction === 'refused') counters.refused++;
    else if (line.direction !== 'accepted') {
      open.delete(line.number);
      counters[line.direction]++;
    } else if (line.duplicate) counters.duplicates++;
    else if (line.spool) {
      const { file, bodyAt, headers } = line.spool;
      open.set(line.number, {
        number: line.number,
        file,
        bodyAt,
        bytes: line.bytes,
        headers,
        envelope: line.spool.envelope as HubEnvelope,
      });
      if (line.from === SPINE_PARTY_KEY) continue;
      known.set(keyOf(line.from, line.messageId), { sha256: line.sha256 ?? '', kept: Promise.resolve() });
      counters.messages++;
      counters.bytes += line.bytes;
    }
  }
  return { lastNumber, undelivered: [...open.values()] };
}

/** What an earlier life left in the spool without having acknowledged it, or after having delivered it. */
export async function sweep(spool: string, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(spool)) if (!keep.has(name) && !name.startsWith(`${process.pid}-`)) await unlink(join(spool, name));
}

/** What tells duplicates: the sender's party and its message id, whatever the case of its letters. */
export function keyOf(from: string, messageId: string): string {
  return `${from}\n${messageId.toUpperCase()}`;
}

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
): Promise<{ lastNumber: number; undelivered: Omit<Kept, 'file'>[] }> {
  const open = new Map<number, Omit<Kept, 'file'>>();
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
        name: file,
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

/** What tells duplicates: the sender's party and its message id, whatever the case of its letters. */
export function keyOf(from: string, messageId: string): string {
  return `${from}\n${messageId.toUpperCase()}`;
}

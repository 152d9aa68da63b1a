import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 10;

/**
 * Resolves as soon as the hub's ledger tells of a message that the node at `url` has just acknowledged: the moment at which a kill
 * finds out whether what was acknowledged was kept. Gives false where none came within `withinMs`.
 */
export async function nextDelivery(ledgerFile: string, url: string, withinMs: number): Promise<boolean> {
  let from = await sizeOf(ledgerFile);
  let torn = '';
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(LOOK_MS)) {
    const size = await sizeOf(ledgerFile);
    if (size <= from) continue;
    const lines = (torn + (await textBetween(ledgerFile, from, size))).split('\n');
    from = size;
    torn = lines.pop() ?? '';
    if (lines.some((line) => line && isDelivery(JSON.parse(line), url))) return true;
  }
  return false;
}

function isDelivery(line: { direction?: unknown; url?: unknown }, url: string): boolean {
  return line.direction === 'delivered' && typeof line.url === 'string' && new URL(line.url).origin === new URL(url).origin;
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file)).size;
}

async function textBetween(file: string, from: number, to: number): Promise<string> {
  const handle = await open(file);
  try {
    const bytes = Buffer.alloc(to - from);
    const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, from);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

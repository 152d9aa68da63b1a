import { stateInWords } from '../../console/words.ts';
import { type HistoryEntry, readHistory } from '../../store/history.ts';
import { atPlace, type PlaceOptions } from '../operator/place.ts';
import { columns, jsonLine } from '../operator/words.ts';
import { oneTransfer } from './find.ts';

/** What happened, oldest first. */
export async function showTimeline(id: string, options: PlaceOptions & { readonly json?: boolean }): Promise<void> {
  const { found, entries } = await atPlace(options, async ({ db }) => {
    const one = await oneTransfer(db, id);
    return { found: one, entries: await readHistory(db, one.practice, one.id) };
  });
  const { practice, id: transfer, conversationId, role } = found;
  process.stdout.write(options.json ? jsonLine({ practice, transfer, conversationId, role, entries }) : inWords(entries));
}

function inWords(entries: readonly HistoryEntry[]): string {
  const rows = entries.map(({ number, at, by, kind, from, to, note }) => [
    String(number),
    at.slice(0, 23).replace('T', ' '),
    by.kind === 'person' ? `${by.user} (${by.role})` : by.kind,
    kind,
    from === to ? '' : `-> ${stateInWords(to, null).text}`,
    note,
  ]);
  return columns(['', 'at (UTC)', 'by', 'event', 'state', 'what happened'], rows);
}

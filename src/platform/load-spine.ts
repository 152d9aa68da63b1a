import { Fault } from '../base/errors.ts';
import { COLUMNS, type Column, readMessage, type SpineMessage } from './classify/message.ts';
import { damaged, readCsv } from './csv.ts';

/** A row that could not be read; the others are not concerned. */
export type BrokenRow = { readonly line: number; readonly fault: string };

/** The messages of one export of the Spine's log. Columns are found by the names in its first line, which must be there. */
export async function* readSpineLog(
  pieces: AsyncIterable<string | Uint8Array>,
  onBroken: (row: BrokenRow) => void,
): AsyncGenerator<SpineMessage> {
  let index: Map<string, number> | null = null;
  for await (const row of readCsv(pieces)) {
    if ('fault' in row) {
      onBroken(row);
      continue;
    }
    const { line, cells } = row;
    if (!index) {
      index = columnsOf(cells);
      continue;
    }
    if (cells.length !== index.size) {
      onBroken({ line, fault: `${cells.length} cells instead of ${index.size}` });
      continue;
    }
    const columns = index;
    const fault = damaged(columns.keys(), cells);
    if (fault !== null) {
      onBroken({ line, fault });
      continue;
    }
    try {
      yield readMessage((column) => cells[columns.get(column) ?? -1]);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      onBroken({ line, fault: thrown.message });
    }
  }
}

function columnsOf(head: readonly string[]): Map<string, number> {
  const index = new Map(head.map((name, at) => [name.trim(), at]));
  const optional: readonly Column[] = ['toSystem', 'fromSystem'];
  const missing = COLUMNS.filter((name) => !index.has(name) && !optional.includes(name));
  if (missing.length > 0)
    throw new Fault('input.spineLog', `line 1 names no column ${missing.join(', ')}`, {
      remedy: `The first line of a Spine log names its columns: ${COLUMNS.join(',')}`,
    });
  return index;
}

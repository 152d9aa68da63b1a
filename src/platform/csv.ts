/**
 * Delimited text, in and out. In: one row a line, so that a quote which is never closed costs its own line and not the rest of the file.
 * Out: every text quoted, and what a spreadsheet would take for a formula made harmless.
 */

export type CsvRow = { readonly line: number } & ({ readonly cells: readonly string[] } | { readonly fault: string });
export type CsvCell = string | number | null;

/** Longest line read; longer ones are a fault of their line. */
const LONGEST_LINE = 1024 * 1024;

/** The rows of a text that comes in pieces, numbered from 1; empty lines are passed over. */
export async function* readCsv(pieces: AsyncIterable<string | Uint8Array>, delimiter = ','): AsyncGenerator<CsvRow> {
  let number = 0;
  for await (const line of lines(pieces)) {
    number++;
    const text = number === 1 ? line.replace(/^\ufeff/, '') : line;
    if (text.trim() === '') continue;
    const cells = text.length > LONGEST_LINE ? null : cellsOf(text, delimiter);
    yield cells
      ? { line: number, cells }
      : { line: number, fault: text.length > LONGEST_LINE ? 'the line is too long' : 'a quote is not closed' };
  }
}

/** Lines without their ends, LF or CRLF, decoded as UTF-8 with malformed bytes replaced. */
export async function* lines(pieces: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const text: string = rest + (typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }));
    let from = 0;
    for (let end = text.indexOf('\n', from); end >= 0; end = text.indexOf('\n', from)) {
      yield text.slice(from, text[end - 1] === '\r' && end > from ? end - 1 : end);
      from = end + 1;
    }
    rest = text.slice(from);
    // What has no end of line is not kept whole: its beginning is enough to refuse it.
    if (rest.length > 2 * LONGEST_LINE) rest = rest.slice(0, 2 * LONGEST_LINE);
  }
  if (rest !== '') yield rest.replace(/\r$/, '');
}

/** `null` where a quote is not closed. White space between a delimiter and a quote is passed over. */
export function cellsOf(line: string, delimiter: string): string[] | null {
  if (!line.includes('"')) return line.split(delimiter);
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let quote = at;
    while (line[quote] === ' ') quote++;
    let cell: string;
    if (line[quote] === '"') {
      cell = '';
      let from = quote + 1;
      for (;;) {
        const end = line.indexOf('"', from);
        if (end < 0) return null;
        cell += line.slice(from, end);
        if (line[end + 1] !== '"') {
          from = end + 1;
          break;
        }
        cell += '"';
        from = end + 2;
      }
      const next = line.indexOf(delimiter, from);
      cell += line.slice(from, next < 0 ? undefined : next).trim();
      at = next;
    } else {
      const next = line.indexOf(delimiter, at);
      cell = line.slice(at, next < 0 ? undefined : next);
      at = next;
    }
    cells.push(cell);
    if (at < 0) return cells;
    at += delimiter.length;
  }
}

/** What is wrong with a row that holds what no database keeps as a text, and no file has but one that is damaged; `null` where none does. */
export function damaged(names: Iterable<string>, cells: readonly string[]): string | null {
  let at = 0;
  for (const name of names) if (cells[at++]?.includes('\0')) return `${name} holds U+0000`;
  return null;
}

/** A whole table; heads as they are (readers compare their bytes), texts in quotes, `null` as an empty cell. */
export function csvOf(head: readonly string[], rows: Iterable<readonly CsvCell[]>): string {
  let text = `${head.map(headCell).join(',')}\n`;
  for (const row of rows) text += csvLine(row);
  return text;
}

export function csvLine(row: readonly CsvCell[]): string {
  return `${row.map(cellText).join(',')}\n`;
}

export function csvHead(head: readonly string[]): string {
  return `${head.map(headCell).join(',')}\n`;
}

function headCell(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cellText(cell: CsvCell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  // A name that begins like a formula would be run by whoever opens the file.
  const harmless = /^[=+\-@\t\r]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell;
  return `"${harmless.replaceAll('"', '""').replace(/[\r\n]+/g, ' ')}"`;
}

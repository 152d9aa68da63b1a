import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';

/** A connection of its own for much at once: PostgreSQL's COPY, and statements before and after it in one session. */
export type CopySession = {
  /** `statement`: `copy TABLE (…) from stdin`; lines in COPY's text form, each with its end of line. */
  copy(statement: string, lines: AsyncIterable<string> | Iterable<string>): Promise<void>;
  run(statement: string, values?: readonly unknown[]): Promise<number>;
  rows<Row extends object>(statement: string): Promise<Row[]>;
  end(): Promise<void>;
};

export async function copySession(url: string): Promise<CopySession> {
  const client = new pg.Client({ connectionString: url, application_name: 'gp2gp', options: '-c timezone=UTC' });
  client.on('error', () => undefined);
  await client.connect();
  return {
    copy: async (statement, lines) => {
      await pipeline(Readable.from(lines, { objectMode: true, highWaterMark: 4 }), client.query(from(statement)));
    },
    run: async (statement, values = []) => (await client.query(statement, [...values])).rowCount ?? 0,
    rows: async <Row extends object>(statement: string) => (await client.query<Row>(statement)).rows,
    end: () => client.end(),
  };
}

/** One row in COPY's text form: tabs between, `null` as `\N`, arrays as `{…}`. */
export function copyLine(cells: readonly (string | number | boolean | null | readonly (number | null)[])[]): string {
  let line = '';
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    if (i > 0) line += '\t';
    if (cell === null || cell === undefined) line += '\\N';
    else if (typeof cell === 'string') line += SPECIAL.test(cell) ? escaped(cell) : cell;
    else if (typeof cell === 'object') line += `{${cell.map((each) => each ?? 'NULL').join(',')}}`;
    else line += String(cell);
  }
  return `${line}\n`;
}

const SPECIAL = /[\\\t\n\r]/;

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}
